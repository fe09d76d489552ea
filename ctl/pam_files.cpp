// SPDX-License-Identifier: MIT
#include "ctl/pam_files.h"

#include "core/sync.h"
#include "core/text.h"
#include "ctl/pam_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string_view>
#include <sys/file.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <vector>

namespace jit {
namespace {

constexpr const char* selinux_label = "security.selinux";

std::unexpected<Error> failed(std::string_view path, int error) {
    return fail(error == ENOENT ? Errc::not_found : Errc::unavailable,
                fmt::format("{}: {}", escape(path), std::strerror(error)));
}

Result<void> judge(const struct stat& status, Uid owner, const std::string& path) {
    const auto mode = status.st_mode & 07777U;
    if (Uid{status.st_uid} != owner) {
        return fail(Errc::refused, fmt::format("{} belongs to uid {}, not to root; mend that first",
                                               escape(path), status.st_uid));
    }
    if ((mode & 022U) != 0) {
        return fail(Errc::refused,
                    fmt::format("{} is writable by others than root (mode {:04o}); try: chmod go-w {}",
                                escape(path), mode, shell_word(path)));
    }
    return {};
}

Result<Fd> open_directory(const std::string& path, Uid owner) {
    Fd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat status{};
    if (!directory || fstat(directory.get(), &status) != 0) {
        return failed(path, errno);
    }
    if (auto good = judge(status, owner, path); !good) {
        return std::unexpected(good.error());
    }
    return directory;
}

Result<std::string> read_all(int fd, const std::string& path) {
    std::string text(largest_pam_file + 1, '\0');
    std::size_t length = 0;
    while (length < text.size()) {
        const ssize_t count = read(fd, text.data() + length, text.size() - length);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return failed(path, errno);
        }
        if (count == 0) {
            break;
        }
        length += static_cast<std::size_t>(count);
    }
    text.resize(length);
    return text;
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = write(fd, text.data(), text.size());
        if (count < 0 && errno != EINTR) {
            return false;
        }
        text.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
    }
    return true;
}

// As `from` has it. Where files have no labels there is nothing to copy.
bool copy_label(int from, int to) {
    std::vector<char> label(256);
    ssize_t size = fgetxattr(from, selinux_label, label.data(), label.size());
    if (size < 0 && errno == ERANGE) {
        label.resize(65536); // XATTR_SIZE_MAX
        size = fgetxattr(from, selinux_label, label.data(), label.size());
    }
    if (size < 0) {
        return errno == ENODATA || errno == ENOTSUP;
    }
    return fsetxattr(to, selinux_label, label.data(), static_cast<std::size_t>(size), 0) == 0;
}

struct NewFile {
    std::string_view text;
    mode_t mode = 0600;
    uid_t uid = 0;
    gid_t gid = 0;
    int label_from = -1;
};

// A name that no service has, and that the same jitctl takes again after a crash: the lock is held, so what
// lies there is nobody's.
Fd write_beside(int directory, const std::string& beside, const NewFile& file) {
    unlinkat(directory, beside.c_str(), 0);
    Fd fd(openat(directory, beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    const bool done = fd && write_all(fd.get(), file.text) && fchown(fd.get(), file.uid, file.gid) == 0 &&
                      fchmod(fd.get(), file.mode) == 0 &&
                      (file.label_from < 0 || copy_label(file.label_from, fd.get())) && fsync(fd.get()) == 0;
    return done ? std::move(fd) : Fd();
}

std::string name_beside(const std::string& name) {
    return "." + name + ".jitctl-new";
}

bool same_file(const struct stat& a, const struct stat& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
           a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
           a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

} // namespace

Result<PamDirectory> PamDirectory::open_locked(const std::string& path, Uid owner) {
    auto directory = open_directory(path, owner);
    if (!directory) {
        return std::unexpected(directory.error());
    }
    if (flock(directory->get(), LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK
                   ? fail(Errc::refused,
                          fmt::format("another program is changing {} now; try again", escape(path)))
                   : failed(path, errno);
    }
    return PamDirectory(path, owner, std::move(*directory));
}

Result<PamFileRead> PamDirectory::read(const std::string& name) const {
    const std::string path = path_of(name);
    Fd file(
        openat(directory_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!file) {
        return errno == ELOOP
                   ? fail(Errc::refused,
                          fmt::format("{} is a symbolic link: what it leads to may be used by others, and a "
                                      "tool that made it may make it anew. Put a file in its place first",
                                      escape(path)))
                   : failed(path, errno);
    }
    PamFileRead result{.name = name, .text = {}, .file = std::move(file), .status = {}};
    if (fstat(result.file.get(), &result.status) != 0) {
        return failed(path, errno);
    }
    if (!S_ISREG(result.status.st_mode)) {
        return fail(Errc::refused, fmt::format("{} is not a regular file", escape(path)));
    }
    if (auto good = judge(result.status, owner_, path); !good) {
        return std::unexpected(good.error());
    }
    auto text = read_all(result.file.get(), path);
    if (!text) {
        return std::unexpected(text.error());
    }
    result.text = std::move(*text);
    return result;
}

Result<void> PamDirectory::replace(const PamFileRead& read, const std::string& text) const {
    const std::string beside = name_beside(read.name);
    const Fd written = write_beside(directory_.get(), beside,
                                    {.text = text,
                                     .mode = read.status.st_mode & 07777U,
                                     .uid = read.status.st_uid,
                                     .gid = read.status.st_gid,
                                     .label_from = read.file.get()});
    if (!written) {
        const int error = errno;
        unlinkat(directory_.get(), beside.c_str(), 0);
        return failed(path_of(beside), error);
    }
    struct stat now{};
    if (fstatat(directory_.get(), read.name.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0 ||
        !same_file(now, read.status)) {
        unlinkat(directory_.get(), beside.c_str(), 0);
        return fail(Errc::refused,
                    fmt::format("{} was changed meanwhile; try again", escape(path_of(read.name))));
    }
    if (renameat(directory_.get(), beside.c_str(), directory_.get(), read.name.c_str()) != 0 ||
        !sync_directory(directory_.get())) {
        const int error = errno;
        unlinkat(directory_.get(), beside.c_str(), 0);
        return failed(path_of(read.name), error);
    }
    return {};
}

Result<void> keep_pam_copy(const std::string& directory, Uid owner, const PamFileRead& read) {
    // Its name too is on the disk before the file that this is a copy of is changed.
    if ((mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) || !sync_directory_of(directory)) {
        return failed(directory, errno);
    }
    const auto opened = open_directory(directory, owner);
    if (!opened) {
        return std::unexpected(opened.error());
    }
    const std::string beside = name_beside(read.name);
    const Fd written = write_beside(
        opened->get(), beside,
        {.text = read.text, .mode = 0600, .uid = number(owner), .gid = read.status.st_gid, .label_from = -1});
    if (!written || renameat(opened->get(), beside.c_str(), opened->get(), read.name.c_str()) != 0 ||
        !sync_directory(opened->get())) {
        const int error = errno;
        unlinkat(opened->get(), beside.c_str(), 0);
        return failed(directory + "/" + read.name, error);
    }
    return {};
}

Result<std::vector<std::string>> list_pam_files(const std::string& directory) {
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(directory.c_str()), closedir);
    std::vector<std::string> names;
    for (errno = stream ? 0 : errno; stream;) {
        errno = 0;
        const dirent* entry = readdir(stream.get());
        if (entry == nullptr) {
            break;
        }
        if (entry->d_name[0] != '.') {
            names.emplace_back(entry->d_name);
        }
    }
    if (errno != 0) {
        return fail(Errc::internal, fmt::format("{}: {}", directory, std::strerror(errno)));
    }
    std::ranges::sort(names);
    return names;
}

Result<std::string> read_pam_file(const std::string& path) {
    const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat status{};
    if (!file || fstat(file.get(), &status) != 0) {
        return failed(path, errno);
    }
    if (!S_ISREG(status.st_mode)) {
        return fail(Errc::refused, fmt::format("{} is not a regular file", escape(path)));
    }
    return read_all(file.get(), path);
}

} // namespace jit
