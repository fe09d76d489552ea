// SPDX-License-Identifier: MIT
// Would this person get that now, and why or why not: who, what, where, when.
#pragma once

#include "core/json.h"
#include "core/lock.h"
#include "daemon/decide.h"

#include <functional>

#include <string>
#include <vector>

namespace jit {

// Exactly one of command, login and group is set.
struct Wish {
    std::vector<std::string> command; // an absolute path and its arguments
    std::string run_as = "root";
    std::string login;
    std::string group;
};

// The reply of the method Explain. `active`: the grants that the account has now. `how`: for each role, in
// words, how it is had ("up to 1h if one of oncall approves").
[[nodiscard]] Result<Json> explain(const Policy& policy, const Account& account, const Wish& wish,
                                   const std::vector<Request>& active, const std::vector<Lock>& locks,
                                   const std::function<std::string(const Role&)>& how);

} // namespace jit
