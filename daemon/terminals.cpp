// SPDX-License-Identifier: MIT
#include "daemon/terminals.h"

#include "core/fd.h"
#include "core/read.h"
#include "daemon/processes.h"
#include "daemon/seat.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fcntl.h>
#include <set>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace jit {
namespace {

constexpr unsigned first_pts_major = 136; // to 143: Documentation/admin-guide/devices.txt
constexpr unsigned last_pts_major = 143;
constexpr unsigned most_pts = 256 * (last_pts_major - first_pts_major + 1) - 1;

// tty_nr of proc_pid_stat(5) is encoded as a dev_t.
std::string path_of(std::int32_t tty) {
    const auto device = static_cast<dev_t>(static_cast<std::uint32_t>(tty));
    if (major(device) >= first_pts_major && major(device) <= last_pts_major) {
        return fmt::format("/dev/pts/{}", minor(device) + 256 * (major(device) - first_pts_major));
    }
    return {}; // a console: not in the /dev that jitd has
}

void tell(std::int32_t tty, const Told& told) {
    const std::string path = path_of(tty);
    const Fd terminal(
        path.empty() ? -1 : open(path.c_str(), O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
    struct stat status{};
    // A pts of that number may be another's by now.
    if (!terminal || fstat(terminal.get(), &status) != 0 || !S_ISCHR(status.st_mode) ||
        Uid{status.st_uid} != told.uid || isatty(terminal.get()) == 0) {
        return;
    }
    const std::string text = "\r\n\a" + told.line + "\r\n";
    static_cast<void>(write(terminal.get(), text.data(), text.size()) > 0);
}

std::int32_t terminal_of(int proc, pid_t pid) {
    const auto stat = parse_process_stat(read_whole(proc, fmt::format("{}/stat", pid).c_str(), 4096));
    return stat ? stat->tty : 0;
}

// By the clock of files, in which the kernel keeps it: input as atime, output as mtime, both some seconds
// old.
TerminalUse use_of(std::int32_t tty) {
    struct stat status{};
    const std::string path = path_of(tty);
    if (path.empty()) {
        return {};
    }
    if (lstat(path.c_str(), &status) != 0 || !S_ISCHR(status.st_mode) ||
        status.st_rdev != static_cast<dev_t>(static_cast<std::uint32_t>(tty))) {
        return {.visible = true, .last = {}};
    }
    return {.visible = true,
            .last = Time(std::chrono::seconds(std::max(status.st_atim.tv_sec, status.st_mtim.tv_sec)))};
}

} // namespace

TerminalUse use_of_terminal(std::string_view path) {
    constexpr std::string_view directory = "/dev/pts/";
    unsigned number = 0;
    if (!path.starts_with(directory)) {
        return {};
    }
    path.remove_prefix(directory.size());
    const auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), number);
    if (error != std::errc() || end != path.data() + path.size() || number > most_pts) {
        return {};
    }
    return use_of(static_cast<std::int32_t>(makedev(first_pts_major + number / 256, number % 256)));
}

Result<std::map<std::uint32_t, TerminalUse>> use_of_terminals(const std::set<std::uint32_t>& sessions) {
    std::map<std::uint32_t, TerminalUse> found;
    if (sessions.empty()) {
        return found;
    }
    std::set<std::pair<std::uint32_t, std::int32_t>> terminals;
    const auto looked = for_each_pid([&](int proc, pid_t pid) {
        const auto session = session_of_process(proc, pid);
        if (session && sessions.contains(*session)) {
            if (const std::int32_t tty = terminal_of(proc, pid); tty != 0) {
                terminals.emplace(*session, tty);
            }
        }
    });
    if (!looked) {
        return std::unexpected(looked.error());
    }
    for (const auto& [session, tty] : terminals) {
        const TerminalUse one = use_of(tty);
        const auto [all, first] = found.emplace(session, one);
        all->second.visible = all->second.visible && one.visible;
        all->second.last = std::max(all->second.last, one.last);
    }
    return found;
}

void tell_sessions(const std::map<std::uint32_t, Told>& lines) {
    if (lines.empty()) {
        return;
    }
    std::map<std::pair<std::uint32_t, std::int32_t>, const Told*> terminals;
    // Where /proc can't be read nobody is told; what ends is ended all the same.
    static_cast<void>(for_each_pid([&](int proc, pid_t pid) {
        const auto session = session_of_process(proc, pid);
        const auto line = session ? lines.find(*session) : lines.end();
        if (line == lines.end()) {
            return;
        }
        if (const std::int32_t tty = terminal_of(proc, pid); tty != 0) {
            terminals.emplace(std::pair(*session, tty), &line->second);
        }
    }));
    for (const auto& [where, told] : terminals) {
        tell(where.second, *told);
    }
}

} // namespace jit
