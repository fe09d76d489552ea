// SPDX-License-Identifier: MIT
// What locks hold. Pure, like decide.h.
#pragma once

#include "core/lock.h"
#include "core/policy.h"

#include <string>
#include <string_view>
#include <vector>

namespace jit {

// The lock that keeps this from being had: of the host, of the person under any account, or of the role
// (empty: whichever). nullptr: none does.
[[nodiscard]] const Lock* lock_on(const std::vector<Lock>& locks, const Policy& policy, const Party& party,
                                  std::string_view role);

// "alice is locked until 2026-11-21 14:32 UTC: laptop stolen"
[[nodiscard]] std::string described(const Lock& lock);

} // namespace jit
