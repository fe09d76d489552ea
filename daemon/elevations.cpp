// SPDX-License-Identifier: MIT
#include "daemon/elevations.h"

#include "core/helper_protocol.h"
#include "core/read.h"

#include <fmt/format.h>
#include <linux/magic.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>

namespace jit {
namespace {

bool is_ours(std::string_view name) {
    return !name.empty() && name.size() <= 32 && name != "keeper" && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

// cgroup.procs of very many processes is the longest.
std::string read_all(const std::string& path) {
    return read_whole(AT_FDCWD, path.c_str(), 16 * 1024 * 1024);
}

[[nodiscard]] bool write_to(const std::string& path, std::string_view text) {
    const Fd file(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    return file && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

using Listing = std::unique_ptr<DIR, int (*)(DIR*)>;

// The next directory of it; empty: there is none.
std::string next_directory(const Listing& listing) {
    while (const dirent* entry = listing ? readdir(listing.get()) : nullptr) {
        const std::string_view name(entry->d_name);
        if (entry->d_type == DT_DIR && name != "." && name != "..") {
            return std::string(name);
        }
    }
    return {};
}

std::vector<std::string> directories_in(const std::string& path) {
    std::vector<std::string> names;
    const Listing listing(opendir(path.c_str()), closedir);
    for (std::string name = next_directory(listing); !name.empty(); name = next_directory(listing)) {
        names.push_back(std::move(name));
    }
    return names;
}

// One of those in it; empty: none.
std::string a_directory_in(int directory) {
    return next_directory(Listing(fdopendir(fcntl(directory, F_DUPFD_CLOEXEC, 0)), closedir));
}

// From the bottom up. However deep it is, and never more than a part of it at once: who makes very many must
// not hold up the end of everybody else's.
bool remove_tree(const std::string& path) {
    constexpr int most_at_once = 500;
    constexpr int deepest_at_once = 20'000;
    const auto open_in = [](int directory, const char* name) {
        return Fd(openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    };
    Fd here = open_in(AT_FDCWD, path.c_str());
    std::vector<std::string> below; // the names on the way from `path` to here
    int removed = 0;
    for (int steps = 0; here; ++steps) {
        if (removed == most_at_once || steps == deepest_at_once) {
            return false;
        }
        if (std::string name = a_directory_in(here.get()); !name.empty()) {
            here = open_in(here.get(), name.c_str());
            below.push_back(std::move(name));
            continue;
        }
        if (below.empty()) {
            break;
        }
        here = open_in(here.get(), "..");
        if (!here || (unlinkat(here.get(), below.back().c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)) {
            return false;
        }
        below.pop_back();
        ++removed;
    }
    return rmdir(path.c_str()) == 0 || errno == ENOENT;
}

// Of the first `rooms` cgroups below it: who makes more has them killed without having been asked to end.
void for_each_pid(const std::string& path, int& rooms, const auto& call) {
    if (--rooms < 0) {
        return;
    }
    const std::string pids = read_all(path + "/cgroup.procs");
    const char* at = pids.data();
    const char* const end = at + pids.size();
    while (at < end) {
        pid_t pid = 0;
        const auto [rest, error] = std::from_chars(at, end, pid);
        if (error != std::errc()) {
            break;
        }
        call(pid);
        at = rest + 1;
    }
    for (const std::string& name : rooms > 0 ? directories_in(path) : std::vector<std::string>()) {
        for_each_pid(path + "/" + name, rooms, call);
    }
}
constexpr int most_rooms = 500;

// jit-sudo's, in the same cgroup: the one that leads the session of the command's terminal.
constexpr std::uint64_t own_processes = 1;

} // namespace

Elevations::Elevations(std::string base) : base_(std::move(base)) {}

Result<Fd> Elevations::create(const std::string& name, const CgroupLimits& limits) const {
    struct statfs filesystem{};
    if (!is_ours(name)) {
        return fail(Errc::internal, "not a name for an elevation's cgroup: " + name);
    }
    if (statfs(base_.c_str(), &filesystem) != 0 || filesystem.f_type != CGROUP2_SUPER_MAGIC) {
        return fail(Errc::unavailable,
                    fmt::format("there is nowhere to contain the command: {} isn't there, or isn't "
                                "cgroup v2; see systemctl status jit-elevations.service",
                                base_));
    }
    if (mkdir(path(name).c_str(), 0755) != 0) {
        return fail(Errc::unavailable, fmt::format("cannot make {}: {}", path(name), std::strerror(errno)));
    }
    Fd directory(open(path(name).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!directory) {
        return fail(Errc::unavailable, fmt::format("cannot open {}: {}", path(name), std::strerror(errno)));
    }
    if (auto limited = limit(name, limits); !limited) {
        return std::unexpected(std::move(limited.error()));
    }
    return directory;
}

Result<void> Elevations::limit(const std::string& name, const CgroupLimits& limits) const {
    const auto set = [&](std::string_view controller, const char* file, const std::string& value) {
        // For all that is made below, once: systemd leaves what is below a delegated unit alone.
        return write_to(base_ + "/cgroup.subtree_control", fmt::format("+{}", controller)) &&
               write_to(fmt::format("{}/{}", path(name), file), value);
    };
    const auto refused = [](std::string_view controller) {
        return fail(Errc::unavailable,
                    fmt::format("the role limits {} of its commands, and on this host cgroup v2 "
                                "doesn't do that (see cgroup.controllers), so nothing is run",
                                controller));
    };
    if (limits.memory) {
        // A kernel without swap has no such limit, and no /proc/swaps either.
        const bool swap = set("memory", "memory.swap.max", "0") || access("/proc/swaps", F_OK) != 0;
        if (!swap || !set("memory", "memory.max", std::to_string(*limits.memory))) {
            return refused("the memory");
        }
    }
    if (limits.processes &&
        !set("pids", "pids.max", std::to_string(std::uint64_t{*limits.processes} + own_processes))) {
        return refused("the number of processes");
    }
    return {};
}

std::vector<std::string> Elevations::list() const {
    auto names = directories_in(base_);
    std::erase_if(names, [](const std::string& name) { return !is_ours(name); });
    return names;
}

bool Elevations::exists(const std::string& name) const {
    return access(path(name).c_str(), F_OK) == 0;
}

bool Elevations::holds(const std::string& name, std::uint32_t pid) const {
    bool found = false;
    int rooms = most_rooms;
    for_each_pid(path(name), rooms,
                 [&](pid_t other) { found = found || static_cast<std::uint32_t>(other) == pid; });
    return found;
}

Fd Elevations::open_events(const std::string& name) const {
    return Fd(open((path(name) + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
}

Result<bool> Elevations::populated(const std::string& name) const {
    const std::string events = read_all(path(name) + "/cgroup.events");
    if (!events.empty()) {
        return events.find("populated 0") == std::string::npos;
    }
    if (errno == ENOENT || !exists(name)) {
        return false;
    }
    return fail(Errc::unavailable,
                fmt::format("{} can't be looked into: {}", path(name), std::strerror(errno)));
}

std::optional<std::int32_t> Elevations::noted_exit(const std::string& name) const {
    std::array<char, 16> text{};
    const ssize_t size = getxattr(path(name).c_str(), exit_attribute, text.data(), text.size());
    std::int32_t status = 0;
    const char* const end = text.data() + std::max<ssize_t>(size, 0);
    const auto [rest, error] = std::from_chars(text.data(), end, status);
    // A command of root's can write there too.
    const bool is_one = error == std::errc() && rest == end && (WIFEXITED(status) || WIFSIGNALED(status));
    return is_one ? std::optional(status) : std::nullopt;
}

void Elevations::ask_to_end(const std::string& name) const {
    const std::string place = "/jit-elevations.service/" + name;
    int rooms = most_rooms;
    for_each_pid(path(name), rooms, [&place](pid_t pid) {
        const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
        // The number may have gone to another process since it was read; the one we hold now is asked again.
        if (pid <= 1 || !pidfd ||
            read_all(fmt::format("/proc/{}/cgroup", pid)).find(place) == std::string::npos) {
            return;
        }
        for (const int signal : {SIGTERM, SIGHUP, SIGCONT}) {
            syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
        }
    });
}

void Elevations::kill(const std::string& name) const {
    // One that is gone, or going, is no failure: what matters is looked at afterwards.
    static_cast<void>(write_to(path(name) + "/cgroup.kill", "1"));
}

bool Elevations::remove(const std::string& name) const {
    return remove_tree(path(name));
}

} // namespace jit
