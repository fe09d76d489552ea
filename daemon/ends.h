// SPDX-License-Identifier: MIT
// Grants that end by their use, before their time: used up (the commands that they start are over), closed
// (the last login or command is over), idle (not used for so long). Somebody's are looked at when something
// of theirs has changed, and when the next could be due.
//
// MUST:
//  1. A grant's own end always holds: nothing here makes one longer.
//  2. Whether something is over is what the kernel says: who holds jit-sudo up holds up no end.
//  3. Nothing hangs on jitd having been there: after a start everybody's are looked at.
//  4. No clock that is set ends what is used, nor all at once.
#pragma once

#include "core/clock.h"
#include "core/store.h"
#include "daemon/journal.h"
#include "daemon/last_use.h"
#include "daemon/loop.h"
#include "daemon/requests.h"
#include "daemon/uses.h"

#include <map>
#include <optional>
#include <set>
#include <vector>

namespace jit {

// When all of a grant's own are over; none: something isn't yet.
[[nodiscard]] std::optional<BootTime> all_over(const std::vector<Ongoing>& ongoing, const RequestId& grant);

// What there is of a chain of grants, of which what is over was last used at `last`.
struct Unused {
    bool going_on = false; // something isn't over
    BootTime last;         // when any of it was last used, as far as it was looked
};
[[nodiscard]] Unused unused_since(const std::vector<Ongoing>& ongoing, const RequestId& chain, BootTime last);

class Ends {
public:
    struct Parts {
        Loop& loop;
        Store& store;
        const Clock& clock;
        const Policy& policy;
        Requests& requests;
        Uses& uses;
        Journal& journal;
    };
    explicit Ends(Parts parts);

    // Something of somebody's has begun, is over, was given or taken; after this turn of the loop.
    void look_at(Uid uid);
    // jitd was started, or the policy has changed.
    void look_at_all();

private:
    // A grant and those that extend it: one access to who has it.
    struct Chain {
        std::optional<LastUse> last;  // of what has begun and what is over, by the database
        std::optional<BootTime> told; // that it is about to end: when it was last used then
    };
    using Chains = std::map<RequestId, Chain>;

    void enforce();
    Result<void> enforce(Uid uid, const Now& now);
    Result<void> use_up(const Request& grant, const Now& now);
    // `grant`: any of the chain's.
    Result<void> look_at(Chain& chain, const Request& grant, const Role& role, const Now& now);
    Result<void> look_for_use(Chain& chain, const Request& grant, Millis idle, const Now& now);
    void want(Uid uid, BootTime time);

    Parts parts_;
    std::map<Uid, BootTime> next_; // when something of theirs could be due
    std::map<Uid, Chains> chains_; // of roles that end what is unused
    BootTime not_before_; // the next look: what begins and ends without a pause is looked at together
    std::set<Uid> failing_;
    Loop::Source timer_;
};

} // namespace jit
