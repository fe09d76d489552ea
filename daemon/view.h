// SPDX-License-Identifier: MIT
// Records as the JSON of io.jitsudo.Access.varlink.
#pragma once

#include "core/audit.h"
#include "core/json.h"
#include "core/lock.h"
#include "core/policy_load.h"
#include "core/store.h"
#include "core/use.h"
#include "daemon/decide.h"

namespace jit {

[[nodiscard]] Json view_of(const Policy& policy, const Request& request, const Caller& caller);
// `grant`: the one that carries it, until then.
[[nodiscard]] Json view_of(const Use& use, const RequestId& grant, Time until);
[[nodiscard]] Json view_of(const std::vector<Problem>& problems);
[[nodiscard]] Json view_of(const Lock& lock);
// `yours`: whether the one it is shown to may review it now.
[[nodiscard]] Json view_of(const Review& review, bool yours);
[[nodiscard]] Json view_of(const Event& event);
[[nodiscard]] Json view_of(const Checkpoint& checkpoint);

} // namespace jit
