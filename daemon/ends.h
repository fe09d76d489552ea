// SPDX-License-Identifier: MIT
// Grants that end by their use, before their time: used up (the commands that they start are over).
// Somebody's are looked at when something of theirs has changed, and when the next could be due.
//
// MUST:
//  1. A grant's own end always holds: nothing here makes one longer.
//  2. Whether something is over is what the kernel says: who holds jit-sudo up holds up no end.
//  3. Nothing hangs on jitd having been there: after a start everybody's are looked at.
#pragma once

#include "core/clock.h"
#include "core/store.h"
#include "daemon/journal.h"
#include "daemon/loop.h"
#include "daemon/requests.h"
#include "daemon/uses.h"

#include <map>
#include <optional>
#include <vector>

namespace jit {

// When all of a grant's own are over; none: something isn't yet.
[[nodiscard]] std::optional<BootTime> all_over(const std::vector<Ongoing>& ongoing, const RequestId& grant);

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
    void enforce();
    Result<void> enforce(Uid uid, const Now& now);
    void want(Uid uid, BootTime time);

    Parts parts_;
    std::map<Uid, BootTime> next_; // when something of theirs could be due
    bool failing_ = false;
    Loop::Source timer_;
};

} // namespace jit
