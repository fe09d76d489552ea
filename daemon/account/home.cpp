// SPDX-License-Identifier: MIT
#include "daemon/account/home.h"

#include "core/fd.h"
#include "core/sync.h"
#include "daemon/account/removal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <grp.h>
#include <string_view>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace jit {
namespace {

constexpr const char* homes = "/home";
constexpr const char* skeleton = "/etc/skel";
constexpr const char* tmpfs_options = "mode=0700,size=10%,nr_inodes=400k"; // as of /run/user/UID
constexpr std::size_t longest_problem = 1000;

std::string failed(const std::string& what) {
    return fmt::format("{}: {}", what, std::strerror(errno));
}

enum class There { none, own, foreign, unknown };

There look_at(int parent, const std::string& name, Uid uid) {
    struct stat status{};
    if (fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? There::none : There::unknown;
    }
    return S_ISDIR(status.st_mode) && status.st_uid == number(uid) ? There::own : There::foreign;
}

bool is_mount(int parent, const std::string& name) {
    struct statx status{};
    return statx(parent, name.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &status) ==
               0 &&
           (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

// It has its owner before it has its name: whoever comes after a crash takes it for what it is.
std::string make_directory(int parent, const AccountJob& job) {
    const std::string beside = fmt::format(".jit-new-{}", job.name);
    if (unlinkat(parent, beside.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) { // of a crash
        return failed(fmt::format("{}/{}", homes, beside));
    }
    if (mkdirat(parent, beside.c_str(), 0700) != 0 ||
        fchownat(parent, beside.c_str(), number(job.uid), number(job.uid), AT_SYMLINK_NOFOLLOW) != 0 ||
        renameat2(parent, beside.c_str(), parent, job.name.c_str(), RENAME_NOREPLACE) != 0) {
        return failed(home_of(job.name));
    }
    return "";
}

std::string mount_memory(int parent, const AccountJob& job) {
    const Fd directory(openat(parent, job.name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    const std::string options =
        fmt::format("{},uid={},gid={}", tmpfs_options, number(job.uid), number(job.uid));
    if (!directory || mount("tmpfs", fmt::format("/proc/self/fd/{}", directory.get()).c_str(), "tmpfs",
                            MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
        return failed(fmt::format("a tmpfs on {}", home_of(job.name)));
    }
    return "";
}

// In the account's own process, in its home.
std::string write_keys(const std::vector<std::string>& keys) {
    if (mkdir(".ssh", 0700) != 0 && errno != EEXIST) {
        return failed(".ssh");
    }
    const Fd directory(open(".ssh", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    // What sshd demands (StrictModes).
    if (!directory || fchmod(directory.get(), 0700) != 0) {
        return failed(".ssh");
    }
    constexpr const char* beside = "authorized_keys.jit-new";
    unlinkat(directory.get(), beside, 0);
    // sshd reads that one as well, and whoever had the account before may have left it.
    if (unlinkat(directory.get(), "authorized_keys2", 0) != 0 && errno != ENOENT) {
        return failed(".ssh/authorized_keys2");
    }
    const Fd file(
        openat(directory.get(), beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    std::string text;
    for (const std::string& key : keys) {
        text += key + '\n';
    }
    // Who had the account before mustn't get in after a power cut either, where the home was kept.
    if (!file || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        fsync(file.get()) != 0 ||
        renameat(directory.get(), beside, directory.get(), "authorized_keys") != 0 ||
        !sync_directory(directory.get())) {
        return failed(".ssh/authorized_keys");
    }
    return "";
}

std::string fill(int home, const AccountJob& job, bool is_new) {
    if (fchdir(home) != 0) {
        return failed(home_of(job.name));
    }
    struct stat status{};
    if (fstat(home, &status) != 0 || fchmod(home, status.st_mode & 0755) != 0) { // StrictModes
        return failed(home_of(job.name));
    }
    if (is_new) {
        using enum std::filesystem::copy_options;
        std::error_code error;
        std::filesystem::copy(skeleton, ".", recursive | copy_symlinks | skip_existing, error);
        if (error && error != std::errc::no_such_file_or_directory) {
            return fmt::format("{}: {}", skeleton, error.message());
        }
    }
    return write_keys(job.keys);
}

} // namespace

std::string as_account(Uid uid, const std::function<std::string()>& work) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return failed("pipe");
    }
    const Fd from(ends[0]);
    Fd to(ends[1]);
    const pid_t child = fork();
    if (child < 0) {
        return failed("fork");
    }
    if (child == 0) {
        const gid_t gid = number(uid);
        std::string problem;
        uid_t real = 0;
        uid_t effective = 0;
        uid_t saved = 0;
        if (setgroups(1, &gid) != 0 || setresgid(gid, gid, gid) != 0 ||
            setresuid(number(uid), number(uid), number(uid)) != 0 ||
            getresuid(&real, &effective, &saved) != 0 || real != number(uid) || effective != real ||
            saved != real || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
            problem = failed("becoming the account");
        } else {
            umask(0077);
            problem = work();
        }
        problem.resize(std::min(problem.size(), longest_problem));
        const bool told =
            write(to.get(), problem.data(), problem.size()) == static_cast<ssize_t>(problem.size());
        _exit(told && problem.empty() ? 0 : 1);
    }
    to.reset();
    char buffer[longest_problem];
    std::string problem;
    for (ssize_t size = 0; (size = read(from.get(), buffer, sizeof buffer)) > 0;) {
        problem.append(buffer, static_cast<std::size_t>(size));
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
        (WEXITSTATUS(status) != 0 && problem.empty())) {
        return "the account's own process failed";
    }
    return problem;
}

void make_home(const AccountJob& job, AccountReply& reply) {
    const std::string path = home_of(job.name);
    const auto problem = [&](const std::string& why) { reply.problems.push_back(why); };
    const Fd parent(open(homes, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent) {
        return problem(failed(homes));
    }
    const There there = look_at(parent.get(), job.name, job.uid);
    if (there == There::unknown) {
        return problem(failed(path));
    }
    if (there == There::foreign) {
        return problem(fmt::format("{} is there, and not {}'s own: move it away", path, job.name));
    }
    bool is_new = there == There::none;
    if (is_new) {
        if (const auto why = make_directory(parent.get(), job); !why.empty()) {
            return problem(why);
        }
    }
    if (job.home == TemporaryAccount::Home::tmpfs && !is_mount(parent.get(), job.name)) {
        if (const auto why = mount_memory(parent.get(), job); !why.empty()) {
            return problem(why);
        }
        is_new = true;
    }
    const Fd home(openat(parent.get(), job.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!home) {
        return problem(failed(path));
    }
    if (const auto why = as_account(job.uid, [&] { return fill(home.get(), job, is_new); }); !why.empty()) {
        problem(fmt::format("{}: {}", path, why));
    }
}

void remove_home(const AccountJob& job, AccountReply& reply) {
    const std::string path = home_of(job.name);
    const auto problem = [&](const std::string& why) { reply.problems.push_back(why); };
    const Fd parent(open(homes, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent) {
        return problem(failed(homes));
    }
    unlinkat(parent.get(), fmt::format(".jit-new-{}", job.name).c_str(), AT_REMOVEDIR); // of a crash
    const There there = look_at(parent.get(), job.name, job.uid);
    if (there == There::unknown) {
        return problem(failed(path));
    }
    if (there != There::own) {
        return; // none, or another's
    }
    const Fd home(openat(parent.get(), job.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    // From here on nobody else comes in.
    if (!home || fchmod(home.get(), 0700) != 0) {
        return problem(failed(path));
    }
    if (const auto why = unmount_below(parent.get(), path); !why.empty()) {
        return problem(why); // what is mounted there is somebody else's to remove
    }
    if (job.home == TemporaryAccount::Home::tmpfs) {
        // All that lies in it, and what is mounted there, goes with it; what lies below was kept by another
        // role.
        if (is_mount(parent.get(), job.name) && umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) {
            return problem(failed("unmounting " + path));
        }
        if (unlinkat(parent.get(), job.name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOTEMPTY &&
            errno != EEXIST) {
            return problem(failed(path));
        }
        reply.done.emplace_back("home");
    } else if (job.home == TemporaryAccount::Home::remove) {
        const auto why = empty_directory(home.get());
        if (!why.empty() || unlinkat(parent.get(), job.name.c_str(), AT_REMOVEDIR) != 0 ||
            !sync_directory(parent.get())) {
            return problem(why.empty() ? failed(path) : fmt::format("{}: {}", path, why));
        }
        reply.done.emplace_back("home");
    }
}

} // namespace jit
