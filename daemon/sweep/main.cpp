// SPDX-License-Identifier: MIT
// jit-sweep: the second way in which access is taken away, for when jitd is dead, stopped or wedged. Started
// every 30 seconds by jit-sweep.timer. It reads what jitd last published and ends what is over by either
// clock.
//
// MUST:
//  1. It only takes away. It writes no database, waits for no lock, asks no daemon.
//  2. With nothing readable everything that was given is taken away.
//  3. The cgroups are listed before the file is read: a place is published before it is made, so one that is
//  listed
//     and not in the file belongs to nothing.
#include "core/fd.h"
#include "daemon/elevations.h"
#include "daemon/processes.h"
#include "daemon/published.h"

#include <fmt/format.h>

#include <cstdio>
#include <fcntl.h>
#include <map>
#include <set>
#include <vector>

namespace jit {
namespace {

constexpr int passes = 50;
constexpr std::size_t most = 16 * 1024 * 1024;

std::string read_published() {
    const Fd file(open(published_file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    std::string text;
    char buffer[65536];
    for (ssize_t size = 0;
         file && text.size() < most && (size = read(file.get(), buffer, sizeof buffer)) > 0;) {
        text.append(buffer, static_cast<std::size_t>(size));
    }
    return text;
}

int sweep() {
    const Elevations elevations;
    const auto places = elevations.list();
    const std::string boot_id = read_boot_id();
    const auto published = parse_published(read_published(), boot_id);
    if (!published && !places.empty()) {
        fmt::print(stderr, "jit-sweep: {}: {}; everything that was given is taken away\n", published_file,
                   published.error().message);
    }
    std::map<std::string, Published> known;
    for (const Published& one : published.value_or(std::vector<Published>())) {
        known.emplace(one.name, one);
    }
    const ClockReading clock = read_system_clock();
    const auto over = [&](const Published& one) {
        return clock.realtime >= one.time || clock.boot >= one.boot;
    };
    std::set<std::uint32_t> sessions;
    for (const auto& [name, one] : known) {
        if (over(one) && one.session) {
            sessions.insert(*one.session);
        }
    }
    std::vector<std::string> ended;
    for (const std::string& name : places) {
        const auto found = known.find(name);
        if (found == known.end() || over(found->second)) {
            elevations.kill(name);
            ended.push_back(name);
        }
    }
    const auto killed = kill_sessions(sessions, passes);
    for (const std::string& name : ended) {
        // One that isn't empty yet goes the next time, or with jitd.
        static_cast<void>(elevations.remove(name));
    }
    if (!ended.empty() || !killed || *killed > 0) {
        fmt::print(stderr, "jit-sweep: ended {} elevations that were over{}\n", ended.size(),
                   killed ? fmt::format(" and {} of their processes elsewhere", *killed)
                          : ": " + killed.error().message);
    }
    return killed ? 0 : 1;
}

} // namespace
} // namespace jit

int main() {
    try {
        return jit::sweep();
    } catch (const std::exception& error) {
        fmt::print(stderr, "jit-sweep: {}\n", error.what());
        return 1;
    }
}
