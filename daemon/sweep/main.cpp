// SPDX-License-Identifier: MIT
// jit-sweep: the second way in which access is taken away, for when jitd is dead, stopped or wedged. Started
// every 30 seconds by jit-sweep.timer. It reads what jitd last published and ends what is over by either
// clock.
//
// MUST:
//  1. It only takes away. It writes no database, waits for no lock, asks no daemon.
//  2. With nothing readable everything that was given is taken away.
//  3. The cgroups are listed before the file is read: a place is published before it is made, so one that is
//     listed and not in the file belongs to nothing. A login that is registered and not in the file came in
//     while jitd wasn't there: it ends when its own registration says so.
//  4. Memberships and accounts go by what their own files say; the published one only tells who is spared
//  when a membership ends.
#include "core/fd.h"
#include "core/read.h"
#include "daemon/elevations.h"
#include "daemon/processes.h"
#include "daemon/published.h"
#include "daemon/registered.h"
#include "daemon/still.h"
#include "daemon/sweep/accounts.h"
#include "daemon/sweep/memberships.h"

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

// Sessions of registered logins of which the published file knows nothing, and that are over.
std::set<std::uint32_t> unknown_logins_over(const Registered& registered,
                                            const std::vector<std::uint32_t>& sessions,
                                            const std::set<std::uint32_t>& known, bool all,
                                            const auto& over) {
    std::set<std::uint32_t> found;
    for (const std::uint32_t session : sessions) {
        if (known.contains(session)) {
            continue;
        }
        const auto use = registered.read(session);
        if (!use && use.error().code == Errc::not_found) {
            continue; // gone meanwhile
        }
        if (all || !use || over(use->until, use->boot_until)) {
            found.insert(session);
        }
    }
    return found;
}

std::set<Uid> people_of(const Registered& registered, const std::set<std::uint32_t>& sessions) {
    std::set<Uid> people;
    for (const std::uint32_t session : sessions) {
        if (const auto use = registered.read(session)) {
            people.insert(use->uid);
        }
    }
    return people;
}

int sweep() {
    release_held("sweep", Millis(0));
    release_held("jitd", std::chrono::seconds(2)); // it holds nobody for so long
    release_held("search", std::chrono::minutes(1));
    const Elevations elevations;
    const Registered registered;
    const auto places = elevations.list();
    const auto logins = registered.sessions();
    const std::string boot_id = read_boot_id();
    const auto published = parse_published(read_whole(AT_FDCWD, published_file, most), boot_id);
    if (!published && !(places.empty() && logins.empty())) {
        fmt::print(stderr, "jit-sweep: {}: {}; everything that was given is taken away\n", published_file,
                   published.error().message);
    }
    std::map<std::string, Published> known;
    for (const Published& one : published.value_or(std::vector<Published>())) {
        known.emplace(one.name, one);
    }
    const ClockReading clock = read_system_clock();
    const auto is_over = [&](Time time, BootTime boot) {
        return clock.realtime >= time || clock.boot >= boot;
    };
    const auto over = [&](const Published& one) { return is_over(one.time, one.boot); };
    std::set<std::uint32_t> known_sessions;
    std::set<std::uint32_t> sessions;
    for (const auto& [name, one] : known) {
        if (one.session) {
            known_sessions.insert(*one.session);
            if (over(one)) {
                sessions.insert(*one.session);
            }
        }
    }
    sessions.merge(unknown_logins_over(registered, logins, known_sessions, !published, is_over));
    std::vector<std::string> ended;
    for (const std::string& name : places) {
        const auto found = known.find(name);
        if (found == known.end() || over(found->second)) {
            elevations.kill(name);
            ended.push_back(name);
        }
    }
    const auto killed = [&] {
        const Still still(people_of(registered, sessions), "sweep");
        return kill_sessions(sessions, passes);
    }();
    for (const std::string& name : ended) {
        // One that isn't empty yet goes the next time, or with jitd.
        static_cast<void>(elevations.remove(name));
    }
    if (!ended.empty() || !killed || *killed > 0) {
        fmt::print(stderr, "jit-sweep: ended {} elevations that were over{}\n", ended.size(),
                   killed ? fmt::format(" and {} processes of logins or elsewhere", *killed)
                          : ": " + killed.error().message);
    }
    const auto swept = sweep_memberships(DropIns(), published.value_or(std::vector<Published>()), !published,
                                         is_over, passes);
    if (!swept) {
        fmt::print(stderr, "jit-sweep: memberships that are over: {}\n", swept.error().message);
    } else if (swept->taken > 0 || swept->killed > 0) {
        fmt::print(stderr, "jit-sweep: took back {} memberships that were over, and ended {} processes\n",
                   swept->taken, swept->killed);
    }
    const auto accounts = sweep_accounts(AccountFiles(), !published, is_over, passes);
    if (!accounts) {
        fmt::print(stderr, "jit-sweep: accounts that are over: {}\n", accounts.error().message);
    } else if (accounts->taken > 0 || accounts->killed > 0) {
        fmt::print(stderr, "jit-sweep: took back {} accounts that were over, and ended {} processes\n",
                   accounts->taken, accounts->killed);
    }
    return killed && swept && accounts ? 0 : 1;
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
