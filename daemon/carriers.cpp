// SPDX-License-Identifier: MIT
#include "daemon/carriers.h"

#include "core/fd.h"
#include "core/read.h"
#include "daemon/local_groups.h"
#include "daemon/peer.h"
#include "daemon/processes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <memory>
#include <string>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

namespace jit {
namespace {

constexpr std::size_t largest_status = 1 << 20; // 65536 groups, and some
constexpr int deepest_namespace = 40;           // the kernel's bound is 32

// The numbers of a line, after its name.
template <class Id>
bool take_numbers(std::string_view line, std::set<Id>& ids) {
    while (!line.empty()) {
        if (line.front() == ' ' || line.front() == '\t') {
            line.remove_prefix(1);
            continue;
        }
        std::uint32_t value = 0;
        const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
        if (error != std::errc()) {
            return false;
        }
        ids.insert(Id{value});
        line.remove_prefix(static_cast<std::size_t>(end - line.data()));
    }
    return true;
}

// All threads of a process: each may have credentials of its own.
std::vector<Credentials> credentials_of_threads(int proc, pid_t pid) {
    std::vector<Credentials> all;
    for_each_thread(proc, pid, [&](int tasks, const std::string& thread) {
        if (auto found = credentials_of(tasks, thread)) {
            all.push_back(std::move(*found));
        }
    });
    return all;
}

bool same_file(int one, int other) {
    struct stat a{};
    struct stat b{};
    return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// Whether it is in a user namespace that this uid made, or in one below such a one.
bool in_namespace_of(int proc, pid_t pid, Uid uid) {
    const Fd own(openat(proc, "self/ns/user", O_RDONLY | O_CLOEXEC));
    Fd space(openat(proc, fmt::format("{}/ns/user", pid).c_str(), O_RDONLY | O_CLOEXEC));
    for (int depth = 0; own && space && depth < deepest_namespace; ++depth) {
        if (same_file(own.get(), space.get())) {
            return false;
        }
        uid_t owner = 0;
        if (ioctl(space.get(), NS_GET_OWNER_UID, &owner) == 0 && Uid{owner} == uid) {
            return true;
        }
        space.reset(ioctl(space.get(), NS_GET_PARENT));
    }
    return false;
}

bool has_become(int proc, pid_t pid, const std::vector<Credentials>& threads, const Carriers& wanted) {
    const auto has = [&](Uid uid) {
        return std::ranges::any_of(threads,
                                   [&](const Credentials& thread) { return thread.uids.contains(uid); });
    };
    return has(wanted.become) && (has(wanted.uid) || login_uid_of_process(proc, pid) == wanted.uid);
}

// By any thread: its first may have ended, and only that one's link is the process's.
bool runs_from(int proc, pid_t pid, const std::set<FileId>& programs) {
    bool any = false;
    for_each_thread(proc, pid, [&](int tasks, const std::string& thread) {
        struct statx program{}; // without asking its file system, which may not answer
        any = any || (statx(tasks, (thread + "/exe").c_str(), AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_INO,
                            &program) == 0 &&
                      programs.contains({.device = makedev(program.stx_dev_major, program.stx_dev_minor),
                                         .number = program.stx_ino}));
    });
    return any;
}

bool is_one(int proc, pid_t pid, const std::vector<Credentials>& threads, const Carriers& wanted) {
    if (wanted.become != no_uid) {
        return has_become(proc, pid, threads, wanted);
    }
    if (!wanted.programs.empty()) {
        return runs_from(proc, pid, wanted.programs);
    }
    if (wanted.whole) {
        return std::ranges::any_of(
                   threads, [&](const Credentials& thread) { return thread.uids.contains(wanted.uid); }) ||
               login_uid_of_process(proc, pid) == wanted.uid || in_namespace_of(proc, pid, wanted.uid);
    }
    bool has_group = false;
    bool as_stranger = false;
    for (const Credentials& thread : threads) {
        if (thread.gids.contains(wanted.gid)) {
            if (thread.uids.contains(wanted.uid)) {
                return true;
            }
            has_group = true;
            as_stranger = as_stranger || std::ranges::all_of(thread.uids, wanted.is_stranger);
        }
    }
    if (as_stranger) {
        const auto login = login_uid_of_process(proc, pid);
        if (login && (wanted.anybodys || *login == wanted.uid)) {
            return true;
        }
    }
    return has_group && in_namespace_of(proc, pid, wanted.uid);
}

// How many were signalled; `counted`: those that were before, and take their time to end.
Result<int> kill_once(std::vector<Carriers>& all, std::set<pid_t>& counted) {
    int killed = 0;
    const auto looked = for_each_pid([&](int proc, pid_t pid) {
        const auto threads = credentials_of_threads(proc, pid);
        for (Carriers& wanted : all) {
            if (!is_one(proc, pid, threads, wanted)) {
                continue;
            }
            const Fd pidfd = open_process(pid);
            const auto session = session_of_process(static_cast<std::uint32_t>(pid));
            // Since it was read the number may have gone to another; what is read now is of the one we hold.
            if (has_ended(pidfd.get()) || (session && wanted.spared.contains(*session)) ||
                !is_one(proc, pid, credentials_of_threads(proc, pid), wanted)) {
                continue;
            }
            if (syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0) == 0) {
                wanted.killed += counted.insert(pid).second ? 1 : 0;
                ++killed;
            }
            break;
        }
    });
    return looked ? Result<int>(killed) : std::unexpected(looked.error());
}

} // namespace

std::optional<Credentials> parse_credentials(std::string_view status) {
    Credentials found;
    int lines = 0;
    // The name of the program, which its user chose, is in there too: with its line feeds escaped.
    while (!status.empty()) {
        const std::string_view line = status.substr(0, status.find('\n'));
        status.remove_prefix(std::min(line.size() + 1, status.size()));
        for (const std::string_view name : {"Gid:", "Groups:"}) {
            if (line.starts_with(name)) {
                if (!take_numbers(line.substr(name.size()), found.gids)) {
                    return std::nullopt;
                }
                ++lines;
            }
        }
        if (line.starts_with("Uid:")) {
            if (!take_numbers(line.substr(4), found.uids)) {
                return std::nullopt;
            }
            ++lines;
        }
    }
    return lines == 3 && !found.uids.empty() ? std::optional(std::move(found)) : std::nullopt;
}

std::optional<Credentials> credentials_of(int directory, std::string_view task) {
    return parse_credentials(read_whole(directory, fmt::format("{}/status", task).c_str(), largest_status));
}

Result<void> kill_carriers(std::vector<Carriers>& all, int passes) {
    int clean = 0;
    std::set<pid_t> counted;
    for (Carriers& wanted : all) {
        if (wanted.gid != no_gid && !wanted.is_stranger) {
            wanted.is_stranger = [local = LocalGroups(), gid = wanted.gid](Uid uid) {
                return uid != root_uid && !local.has(uid, gid);
            };
        }
    }
    for (int count = 0; count < passes && !all.empty(); ++count) {
        const auto killed = kill_once(all, counted);
        if (!killed) {
            return std::unexpected(killed.error());
        }
        clean = *killed == 0 ? clean + 1 : 0;
        if (clean == 2) {
            return {};
        }
    }
    return all.empty() ? Result<void>() : fail(Errc::conflict, "there are still more of them");
}

} // namespace jit
