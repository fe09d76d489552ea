// SPDX-License-Identifier: MIT
#include "daemon/still.h"

#include "core/fd.h"
#include "core/read.h"
#include "daemon/carriers.h"
#include "daemon/published.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <ranges>
#include <string_view>
#include <sys/stat.h>
#include <vector>

namespace jit {
namespace {

constexpr int looks = 50; // until all of it stands still; a process in the kernel may take its time
constexpr long between_looks = 500'000; // ns
constexpr int rounds = 3;               // what held_ doesn't have yet may have begun meanwhile
constexpr std::size_t longest_note = std::size_t{1} << 20;

std::string below_user_slice(std::string_view cgroup) {
    return fmt::format("/sys/fs/cgroup/user.slice/{}", cgroup);
}

std::string note_of(const std::string& holder) {
    return "/run/jit/held-" + holder;
}

std::string read_all(const std::string& path) {
    return read_whole(AT_FDCWD, path.c_str(), longest_note);
}

// A child of PID 1 that hasn't executed anything yet is root's wholly, and in one of two places. Its person
// may have moved the manager, and everything else, to any other below it. Root's manager is the same person
// as PID 1.
bool manager_runs(const std::string& unit, Uid uid) {
    const std::string place = below_user_slice(unit);
    const std::string pids = read_all(place + "/cgroup.procs") + read_all(place + "/init.scope/cgroup.procs");
    const bool is_started = std::ranges::any_of(std::views::split(pids, '\n'), [&](const auto& pid) {
        const auto credentials = credentials_of(AT_FDCWD, fmt::format("/proc/{}", std::string_view(pid)));
        return credentials && credentials->uids == std::set{root_uid};
    });
    return uid != root_uid && !is_started &&
           read_all(place + "/cgroup.events").find("populated 1") != std::string::npos;
}

// Where a person's processes are: those of root's units in the slice aren't theirs.
std::vector<std::string> units_of(Uid uid) {
    const std::string slice = fmt::format("user-{}.slice", number(uid));
    std::vector<std::string> units;
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(below_user_slice(slice).c_str()), closedir);
    while (const dirent* entry = directory ? readdir(directory.get()) : nullptr) {
        const std::string_view name = entry->d_name;
        const std::string unit = fmt::format("{}/{}", slice, name);
        if (name.ends_with(".scope") ||
            (name == fmt::format("user@{}.service", number(uid)) && manager_runs(unit, uid))) {
            units.push_back(unit);
        }
    }
    return units;
}

bool set_frozen(const std::string& cgroup, bool frozen) {
    const Fd file(
        open((below_user_slice(cgroup) + "/cgroup.freeze").c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    return file && write(file.get(), frozen ? "1" : "0", 1) == 1;
}

void wait_until_still(const std::string& cgroup) {
    for (int look = 0; look < looks; ++look) {
        if (read_all(below_user_slice(cgroup) + "/cgroup.events").find("frozen 0") == std::string::npos) {
            return; // or it is gone
        }
        const timespec pause{.tv_sec = 0, .tv_nsec = between_looks};
        nanosleep(&pause, nullptr);
    }
}

// Whether all of them run again: else the note stays, and the sweep tries it anew.
bool let_go(const std::set<std::string>& cgroups) {
    bool all = true;
    for (const std::string& cgroup : cgroups) {
        all = (set_frozen(cgroup, false) || access(below_user_slice(cgroup).c_str(), F_OK) != 0) && all;
    }
    return all;
}

} // namespace

Still::Still(const std::set<Uid>& uids, const std::string& holder) : note_(note_of(holder)) {
    for (int round = 0; round < rounds && hold_more(uids); ++round) {
    }
}

bool Still::hold_more(const std::set<Uid>& uids) {
    std::set<std::string> more;
    for (const Uid uid : uids) {
        for (const std::string& unit : units_of(uid)) {
            if (!held_.contains(unit) && read_all(below_user_slice(unit) + "/cgroup.freeze") == "0\n") {
                more.insert(unit);
            }
        }
    }
    held_.insert(more.begin(), more.end());
    if (more.empty() || !publish(fmt::format("{}\n", fmt::join(held_, "\n")), note_)) {
        // What isn't written down is looked through as it runs.
        std::erase_if(held_, [&](const std::string& unit) { return more.contains(unit); });
        return false;
    }
    for (const std::string& unit : more) {
        set_frozen(unit, true);
    }
    for (const std::string& unit : more) {
        wait_until_still(unit);
    }
    return true;
}

Still::~Still() {
    if (!held_.empty() && let_go(held_)) {
        unlink(note_.c_str());
    }
}

void release_held(const std::string& holder, Millis ago) {
    struct stat status{};
    if (stat(note_of(holder).c_str(), &status) != 0) {
        return;
    }
    // One from the future was written before the clock was set back: nobody knows how long ago.
    const auto age = std::time(nullptr) - status.st_mtime;
    if (age >= 0 && age < std::chrono::duration_cast<std::chrono::seconds>(ago).count()) {
        return;
    }
    std::set<std::string> held;
    const std::string text = read_all(note_of(holder));
    for (std::string_view rest = text; !rest.empty();) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (!line.empty()) {
            held.emplace(line);
        }
    }
    if (let_go(held)) {
        unlink(note_of(holder).c_str());
    }
}

} // namespace jit
