// SPDX-License-Identifier: MIT
// Records as the JSON of io.jitsudo.Access.varlink.
#pragma once

#include "core/audit.h"
#include "core/json.h"
#include "core/lock.h"
#include "core/policy_load.h"
#include "daemon/decide.h"

namespace jit {

[[nodiscard]] Json view_of(const Policy& policy, const Request& request, const Caller& caller);
[[nodiscard]] Json view_of(const std::vector<Problem>& problems);
[[nodiscard]] Json view_of(const Lock& lock);
[[nodiscard]] Json view_of(const Event& event);
[[nodiscard]] Json view_of(const Checkpoint& checkpoint);

} // namespace jit
