// SPDX-License-Identifier: MIT
#include "daemon/processes.h"

#include "core/fd.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <functional>
#include <memory>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/syscall.h>
#include <unordered_set>
#include <vector>

namespace jit {
namespace {

constexpr std::uint32_t unset = 0xffffffffU;
constexpr int most_rounds = 8; // where something begins all the time

// A file of /proc/PID that is one number.
std::optional<std::uint32_t> number_of(int proc, std::string_view pid, std::string_view file_name) {
    char path[64];
    const auto end = fmt::format_to_n(path, sizeof path - 1, "{}/{}", pid, file_name);
    *end.out = '\0';
    const Fd file(openat(proc, path, O_RDONLY | O_CLOEXEC));
    char buffer[16];
    const ssize_t size = file ? read(file.get(), buffer, sizeof buffer) : -1;
    std::uint32_t number = 0;
    if (size <= 0 || std::from_chars(buffer, buffer + size, number).ec != std::errc()) {
        return std::nullopt;
    }
    return number;
}

std::optional<std::uint32_t> session_of(int proc, std::string_view pid) {
    return number_of(proc, pid, "sessionid");
}

// Calls for each process of the sessions that lives, with a pidfd, its pid and its session.
Result<void> for_each_process(const std::set<std::uint32_t>& sessions, const auto& call) {
    return for_each_pid([&](int proc, pid_t pid) {
        const std::string name = std::to_string(pid);
        const auto session = session_of(proc, name);
        if (!session || *session == unset || !sessions.contains(*session)) {
            return;
        }
        const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
        // Since it was read the number may have gone to another process; what is read now is of the one we
        // hold.
        if (!has_ended(pidfd.get()) && session_of(proc, name) == session) {
            call(pidfd.get(), pid, *session);
        }
    });
}

} // namespace

Result<void> for_each_pid(const std::function<void(int proc, pid_t pid)>& call) {
    const std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
    if (!proc) {
        return fail(Errc::unavailable, fmt::format("/proc can't be read: {}", std::strerror(errno)));
    }
    std::unordered_set<pid_t> seen;
    for (int round = 0; round < most_rounds; ++round) {
        std::vector<pid_t> fresh;
        bool saw_init = false;
        rewinddir(proc.get());
        while (const dirent* entry = readdir(proc.get())) {
            const std::string_view name(entry->d_name);
            pid_t pid = 0;
            const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
            if (error != std::errc() || end != name.data() + name.size()) {
                continue;
            }
            saw_init = saw_init || pid == 1;
            if (pid > 1 && seen.insert(pid).second) {
                fresh.push_back(pid);
            }
        }
        if (!saw_init) {
            return fail(Errc::unavailable, "/proc doesn't show other people's processes (hidepid?)");
        }
        if (fresh.empty()) {
            break;
        }
        std::ranges::sort(fresh, std::greater());
        for (const pid_t pid : fresh) {
            call(dirfd(proc.get()), pid);
        }
    }
    return {};
}

void for_each_thread(int proc, pid_t pid,
                     const std::function<void(int tasks, const std::string& thread)>& call) {
    const Fd tasks(openat(proc, fmt::format("{}/task", pid).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(
        tasks ? fdopendir(fcntl(tasks.get(), F_DUPFD_CLOEXEC, 0)) : nullptr, closedir);
    while (const dirent* entry = entries ? readdir(entries.get()) : nullptr) {
        if (entry->d_name[0] != '.') {
            call(tasks.get(), entry->d_name);
        }
    }
}

bool has_ended(int pidfd) {
    // Readable: it has ended, and may be waiting for its parent.
    pollfd polled{pidfd, POLLIN, 0};
    return pidfd < 0 || poll(&polled, 1, 0) != 0;
}

std::optional<std::uint32_t> session_of_process(std::uint32_t pid) {
    const Fd proc(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
    return session_of_process(proc.get(), static_cast<pid_t>(pid));
}

std::optional<std::uint32_t> session_of_process(int proc, pid_t pid) {
    const auto session = session_of(proc, std::to_string(pid));
    return session != unset ? session : std::nullopt;
}

std::optional<Uid> login_uid_of_process(int proc, pid_t pid) {
    const auto uid = number_of(proc, std::to_string(pid), "loginuid");
    return uid && *uid != unset ? std::optional(Uid{*uid}) : std::nullopt;
}

Result<int> kill_sessions(const std::set<std::uint32_t>& sessions, int passes) {
    std::set<pid_t> counted; // once each: a dying process is met again
    int clean = 0;
    for (int count = 0; count < passes && !sessions.empty(); ++count) {
        int killed = 0;
        const auto looked = for_each_process(sessions, [&](int pidfd, pid_t pid, std::uint32_t) {
            if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0) == 0) {
                counted.insert(pid);
                ++killed;
            }
        });
        if (!looked) {
            return std::unexpected(looked.error());
        }
        clean = killed == 0 ? clean + 1 : 0;
        if (clean == 2) {
            return static_cast<int>(counted.size());
        }
    }
    return sessions.empty()
               ? Result<int>(0)
               : fail(Errc::conflict,
                      fmt::format("{} processes killed, and not all have gone yet", counted.size()));
}

void ask_sessions_to_end(const std::set<std::uint32_t>& sessions) {
    if (sessions.empty()) {
        return;
    }
    static_cast<void>(for_each_process(sessions, [](int pidfd, pid_t, std::uint32_t) {
        for (const int signal : {SIGTERM, SIGHUP, SIGCONT}) {
            syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0);
        }
    }));
}

Result<std::set<std::uint32_t>> sessions_alive(const std::set<std::uint32_t>& sessions) {
    std::set<std::uint32_t> alive;
    if (sessions.empty()) {
        return alive;
    }
    const auto looked =
        for_each_process(sessions, [&](int, pid_t, std::uint32_t session) { alive.insert(session); });
    if (!looked) {
        return std::unexpected(looked.error());
    }
    return alive;
}

} // namespace jit
