// SPDX-License-Identifier: MIT
#include "daemon/sweep/memberships.h"

#include "daemon/carriers.h"
#include "daemon/still.h"

#include <algorithm>
#include <map>
#include <set>

namespace jit {
namespace {

std::set<std::uint32_t> spared(const std::vector<Published>& live, const std::string& group,
                               const std::function<bool(Time, BootTime)>& over) {
    std::set<std::uint32_t> sessions;
    for (const Published& one : live) {
        if (one.session && !over(one.time, one.boot) &&
            std::ranges::find(one.groups, group) != one.groups.end()) {
            sessions.insert(*one.session);
        }
    }
    return sessions;
}

} // namespace

Result<SweptMemberships> sweep_memberships(const DropIns& drop_ins, const std::vector<Published>& live,
                                           bool all, const std::function<bool(Time, BootTime)>& over,
                                           int passes) {
    const auto found = drop_ins.list();
    if (!found) {
        return std::unexpected(found.error());
    }
    SweptMemberships swept;
    std::set<MembershipName> given;
    std::vector<const DropIns::Found*> to_end;
    std::optional<Error> failed;
    for (const auto& one : *found) {
        if (one.file.state == DropInState::ending) {
            continue;
        }
        // A damaged one doesn't say whose processes to look for, but it gives nothing any more.
        if (!all && one.content && !over(one.content->until, one.content->boot)) {
            given.insert(one.file.name);
            continue;
        }
        if (const auto taken = drop_ins.take(one.file.name); !taken) {
            failed = taken.error();
        }
        ++swept.taken;
        to_end.push_back(&one);
    }
    for (const auto& one : *found) {
        // That jitd left half-way. Where it is given again, what carries the group carries it rightly.
        if (one.file.state == DropInState::ending && !given.contains(one.file.name)) {
            to_end.push_back(&one);
        }
    }
    std::vector<Carriers> carriers;
    for (const auto* one : to_end) {
        if (one->content) {
            carriers.push_back({.uid = one->content->uid,
                                .gid = one->content->gid,
                                .spared = spared(live, one->file.name.group, over),
                                .killed = 0});
        }
    }
    std::set<Uid> people;
    for (const Carriers& one : carriers) {
        people.insert(one.uid);
    }
    const auto clean = [&] {
        const Still still(people, "sweep");
        return kill_carriers(carriers, passes);
    }();
    for (const Carriers& one : carriers) {
        swept.killed += one.killed;
    }
    if (!clean) {
        return std::unexpected(clean.error()); // what it says is needed the next time
    }
    if (failed) {
        return std::unexpected(*failed);
    }
    for (const auto* one : to_end) {
        // One that was taken just now is looked at once more the next time: a login that was being made then
        // had read it already.
        if (one->file.state == DropInState::ending || !one->content) {
            drop_ins.remove_taken(one->file.name);
        }
    }
    return swept;
}

} // namespace jit
