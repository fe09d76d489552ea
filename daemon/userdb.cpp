// SPDX-License-Identifier: MIT
#include "daemon/userdb.h"

#include "core/fd.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace jit {
namespace {

constexpr std::string_view marker = R"({"io.jitsudo":)";
constexpr std::size_t largest = 4096;

std::unexpected<Error> failed(const std::string& path) {
    return fail(Errc::unavailable, fmt::format("{}: {}", path, std::strerror(errno)));
}

std::string somebody_elses(const std::string& path) {
    return fmt::format("{} is somebody else's, and is left alone: see what made it", path);
}

} // namespace

bool has_our_marker(std::string_view text) {
    return text.starts_with(marker);
}

Result<std::vector<std::string>> names_in_directory(const std::string& directory) {
    std::vector<std::string> names;
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(directory.c_str()), closedir);
    if (!entries) {
        return errno == ENOENT ? Result<std::vector<std::string>>(std::move(names)) : failed(directory);
    }
    while (const dirent* entry = readdir(entries.get())) {
        names.emplace_back(entry->d_name);
    }
    return names;
}

Result<std::string> read_our_file(const std::string& path) {
    const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file) {
        // A symbolic link is somebody else's.
        return errno == ENOENT  ? fail(Errc::not_found, path)
               : errno == ELOOP ? fail(Errc::refused, somebody_elses(path))
                                : failed(path);
    }
    struct stat status{};
    if (fstat(file.get(), &status) != 0) {
        return failed(path);
    }
    char buffer[largest];
    const ssize_t size =
        S_ISREG(status.st_mode) && status.st_uid == geteuid() ? read(file.get(), buffer, sizeof buffer) : 0;
    const std::string_view text(buffer, static_cast<std::size_t>(size > 0 ? size : 0));
    return has_our_marker(text) ? Result<std::string>(text) : fail(Errc::refused, somebody_elses(path));
}

Result<void> write_beside(const std::string& beside, std::string_view text) {
    unlink(beside.c_str()); // of a crash
    const Fd file(open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    // Everybody's lookups read it.
    if (!file || fchmod(file.get(), 0644) != 0 ||
        write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        auto why = failed(beside);
        unlink(beside.c_str());
        return why;
    }
    return {};
}

Result<void> put_in_place(const std::string& beside, const std::string& path) {
    const unsigned flags = read_our_file(path) ? 0 : RENAME_NOREPLACE;
    if (renameat2(AT_FDCWD, beside.c_str(), AT_FDCWD, path.c_str(), flags) != 0) {
        auto why = errno == EEXIST ? fail(Errc::refused, somebody_elses(path)) : failed(path);
        unlink(beside.c_str());
        return why;
    }
    return {};
}

Result<void> take_away(const std::string& path, const std::string& new_path) {
    if (const auto there = read_our_file(path); !there) {
        return there.error().code == Errc::unavailable ? Result<void>(std::unexpected(there.error()))
                                                       : Result<void>();
    }
    if (rename(path.c_str(), new_path.c_str()) != 0 && errno != ENOENT && unlink(path.c_str()) != 0) {
        return failed(path);
    }
    return {};
}

void remove_our_file(const std::string& path) {
    if (read_our_file(path)) {
        unlink(path.c_str());
    }
}

} // namespace jit
