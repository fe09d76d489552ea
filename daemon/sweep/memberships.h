// SPDX-License-Identifier: MIT
// The sweep's part for host-wide memberships.
#pragma once

#include "daemon/membership_files.h"
#include "daemon/published.h"

#include <functional>

namespace jit {

struct SweptMemberships {
    int taken = 0;
    int killed = 0;
};

// Takes back the memberships that are over, or all of them, and ends the processes that carry them, but for
// the sessions that were published as having the group and live.
[[nodiscard]] Result<SweptMemberships> sweep_memberships(const DropIns& drop_ins,
                                                         const std::vector<Published>& live, bool all,
                                                         const std::function<bool(Time, BootTime)>& over,
                                                         int passes);

} // namespace jit
