// SPDX-License-Identifier: MIT
// Accounts that are over, by what their own record says.
#pragma once

#include "core/clock.h"
#include "core/error.h"
#include "daemon/account_files.h"

#include <functional>

namespace jit {

struct SweptAccounts {
    int taken = 0;
    int killed = 0;
};

// `all`: every one of them. What they had on the host jitd removes, when it is there again.
[[nodiscard]] Result<SweptAccounts> sweep_accounts(const AccountFiles& files, bool all,
                                                   const std::function<bool(Time, BootTime)>& over,
                                                   int passes);

} // namespace jit
