// SPDX-License-Identifier: MIT
#include "daemon/search/ending.h"

#include "core/read.h"
#include "daemon/carriers.h"
#include "daemon/membership_files.h"
#include "daemon/processes.h"
#include "daemon/published.h"
#include "daemon/registered.h"
#include "daemon/still.h"

#include <fmt/format.h>

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

namespace jit {
namespace {

constexpr int passes = 50;
constexpr std::size_t largest_published = 16 * 1024 * 1024;
constexpr std::size_t largest_cgroup = 1 << 20;

// The audit sessions of what runs by a grant: all of them, or those that were given a group.
std::set<std::uint32_t> sessions_of(const std::vector<Published>& live, const std::string* group) {
    std::set<std::uint32_t> sessions;
    for (const Published& one : live) {
        if (one.session && (group == nullptr || std::ranges::find(one.groups, *group) != one.groups.end())) {
            sessions.insert(*one.session);
        }
    }
    return sessions;
}

// A use without an audit session can't be told from what is to be ended; nor can one that is only beginning,
// of which nothing is said yet.
bool lives_without_session(const std::vector<Published>& live, const std::string& group) {
    return std::ranges::any_of(live, [&](const Published& one) {
        return !one.session &&
               (one.groups.empty() || std::ranges::find(one.groups, group) != one.groups.end());
    });
}

// Logins that jitd hasn't taken note of yet.
std::set<std::uint32_t> new_sessions(const std::vector<Published>& live) {
    const std::set<std::uint32_t> known = sessions_of(live, nullptr);
    std::set<std::uint32_t> sessions;
    for (const std::uint32_t session : Registered().sessions()) {
        if (!known.contains(session)) {
            sessions.insert(session);
        }
    }
    return sessions;
}

// As PID 1 sees it: from jit-search itself what jit gave is hidden, for it is nobody's own.
bool is_member_by_grant(const SearchFor& grant, const std::string& group) {
    const std::string file =
        fmt::format("/proc/1/root{}/{}", userdb_directory,
                    drop_in_file({.account = grant.account, .group = group}, DropInState::given));
    return access(file.c_str(), F_OK) == 0;
}

// Who carries one of the groups now, and has it by no right. Asked before anybody is held still.
std::map<Gid, std::set<Uid>> strangers_to(const std::map<Gid, std::string>& gids, Searched& searched) {
    std::map<Uid, std::set<Gid>> carried;
    const auto looked = for_each_pid([&](int proc, pid_t pid) {
        for_each_thread(proc, pid, [&](int tasks, const std::string& thread) {
            const auto of = credentials_of(tasks, thread);
            for (const auto& [gid, name] : gids) {
                for (const Uid uid : of && of->gids.contains(gid) ? of->uids : std::set<Uid>()) {
                    carried[uid].insert(gid);
                }
            }
        });
    });
    if (!looked) {
        searched.problem_for_now(looked.error().message);
    }
    carried.erase(root_uid); // needs no group
    std::map<Gid, std::set<Uid>> strangers;
    for (const auto& [uid, some] : carried) {
        const auto account = account_of(uid);
        const auto own = account ? own_groups(*account) : std::unexpected(account.error());
        if (!own && own.error().code != Errc::not_found) {
            searched.problem_for_now(own.error().message);
            continue;
        }
        for (const Gid gid : some) {
            if (!own || !own->contains(gid)) {
                strangers[gid].insert(uid);
            }
        }
    }
    return strangers;
}

} // namespace

void end_what_ran(const Reach& reach, const Ran& ran) {
    const SearchFor& grant = *reach.grant;
    Searched& searched = *reach.searched;
    const auto& [gids, planted, uids, files] = ran;
    if (gids.empty() && uids.empty() && files.empty()) {
        return;
    }
    const auto live =
        parse_published(read_whole(AT_FDCWD, published_file, largest_published), read_boot_id());
    if (!live) {
        // Who is to be spared isn't known, and what runs rightly mustn't end.
        return searched.problem_for_now(fmt::format("{}: {}", published_file, live.error().message));
    }
    const std::set<std::uint32_t> beginning = new_sessions(*live); // read after what is published
    auto strangers = strangers_to(gids, searched);
    std::vector<Carriers> all;
    for (const auto& [gid, name] : gids) {
        if (lives_without_session(*live, name)) {
            searched.problem_for_now(
                fmt::format("who carries {} can't be told from who has it rightly", name));
        } else if (!is_member_by_grant(grant, name)) {
            all.push_back({.uid = grant.uid,
                           .gid = gid,
                           .anybodys = planted.contains(gid),
                           .is_stranger = [theirs = strangers[gid]](Uid uid) { return theirs.contains(uid); },
                           .spared = sessions_of(*live, &name),
                           .killed = 0});
        }
    }
    for (const Uid uid : uids) {
        all.push_back({.uid = grant.uid, .become = uid, .spared = sessions_of(*live, nullptr), .killed = 0});
    }
    for (Carriers& one : all) {
        one.spared.insert(beginning.begin(), beginning.end());
    }
    if (!files.empty()) {
        all.push_back({.programs = files, .spared = {}, .killed = 0}); // which nobody runs rightly
    }
    // Who forks and exits without a pause is met by no reading of /proc.
    std::set<Uid> people = uids;
    people.insert(grant.uid);
    const auto clean = [&] {
        const Still still(people, "search");
        return kill_carriers(all, passes);
    }();
    if (!clean) {
        searched.problem_for_now(clean.error().message);
    }
    for (const Carriers& one : all) {
        if (one.killed > 0) {
            searched.add(
                {.what = "processes still using it", .how = "ended", .name = fmt::format("{}", one.killed)});
        }
    }
}

bool runs_elsewhere(const std::set<Uid>& uids) {
    bool elsewhere = false;
    const auto looked = for_each_pid([&](int proc, pid_t pid) {
        const auto of = credentials_of(proc, std::to_string(pid));
        const std::string cgroup = read_whole(proc, fmt::format("{}/cgroup", pid).c_str(), largest_cgroup);
        elsewhere = elsewhere ||
                    (of && std::ranges::any_of(of->uids, [&](Uid uid) {
                         return uids.contains(uid) &&
                                cgroup.find(fmt::format("/user-{}.slice/", number(uid))) == std::string::npos;
                     }));
    });
    return elsewhere || !looked;
}

} // namespace jit
