// SPDX-License-Identifier: MIT
// The end of memberships: first the drop-in, then the processes that carry the group.
#include "core/record.h"
#include "daemon/memberships.h"
#include "daemon/still.h"

#include <array>

namespace jit {
namespace {

constexpr int passes = 8;
// After the first look. Whoever read the drop-in before it went has set their groups by then.
constexpr std::array later_looks{Millis(1000), Millis(5000)};

} // namespace

void Memberships::take(const MembershipName& name) {
    const DropIn drop_in = given_.extract(name).mapped();
    if (const auto taken = drop_ins_.take(name); !taken) {
        parts_.journal.send(Journal::Level::critical, taken.error().message);
    }
    const BootTime now = parts_.clock.now().boot;
    endings_.emplace(name,
                     Ending{.grant = drop_in.grant,
                            .carriers = {.uid = drop_in.uid, .gid = drop_in.gid, .spared = {}, .killed = 0},
                            .looks = 0,
                            .at = now});
    want(now);
}

Result<void> Memberships::record_taken(const MembershipName& name, const Ending& ending) {
    return parts_.store.transact([&]() -> Result<void> {
        const Party party{.person = parts_.policy.person_of(name.account),
                          .account = name.account,
                          .uid = ending.carriers.uid};
        parts_.store.append("membership.taken", parts_.clock.now().time,
                            {{"request", ending.grant},
                             {"beneficiary", to_json(party)},
                             {"group", name.group},
                             {"gid", number(ending.carriers.gid)},
                             {"killed", ending.carriers.killed}});
        return {};
    });
}

void Memberships::look_at_endings(const Now& now) {
    std::vector<Endings::iterator> due;
    std::vector<Carriers> carriers;
    bool gives_nothing = true;
    for (auto entry = endings_.begin(); entry != endings_.end(); ++entry) {
        auto& [name, ending] = *entry;
        if (now.boot < ending.at) {
            want(ending.at);
            continue;
        }
        // Where that couldn't be done before.
        gives_nothing = (given_.contains(name) || drop_ins_.take(name)) && gives_nothing;
        ending.carriers.spared = parts_.sessions_given(ending.carriers.uid, name.group);
        due.push_back(entry);
        carriers.push_back(ending.carriers);
    }
    std::set<Uid> people;
    for (const Carriers& one : carriers) {
        people.insert(one.uid);
    }
    const auto clean = [&] {
        const Still still(people, "jitd");
        return kill_carriers(carriers, passes);
    }();
    if (!clean && retry_ == first_retry) {
        parts_.journal.send(Journal::Level::critical,
                            "processes of memberships that are over: " + clean.error().message);
    }
    for (std::size_t index = 0; index < due.size(); ++index) {
        auto& [name, ending] = *due[index];
        ending.carriers.killed = carriers[index].killed;
        if (!clean || !gives_nothing) {
            // A process that can't die yet, most of all. Looked at again, less and less often.
            ending.at = now.boot + retry_;
        } else if ((ending.looks == 0 || ending.carriers.killed > 0) && !record_taken(name, ending)) {
            ending.at = now.boot + longest_retry;
        } else if (ending.looks < later_looks.size()) {
            ending.carriers.killed = 0;
            ending.at = now.boot + later_looks[ending.looks++];
        } else {
            forget(due[index]);
            continue;
        }
        want(ending.at);
    }
    if (!due.empty()) {
        retry_ = clean && gives_nothing ? first_retry : std::min(retry_ * 2, longest_retry);
    }
}

Memberships::Endings::iterator Memberships::forget(Endings::iterator ending) {
    const MembershipName name = ending->first;
    const auto next = endings_.erase(ending);
    if (!endings_.contains(name)) {
        drop_ins_.remove_taken(name);
    }
    return next;
}

} // namespace jit
