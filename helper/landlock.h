// SPDX-License-Identifier: MIT
// Landlock(7): below which paths a process may write and execute files. For good, and for whatever it starts.
//
// MUST:
//  1. A kernel that can't hold all of it is an error, never a part of it.
//  2. What isn't bounded stays as it was: execute alone forbids no rename.
#pragma once

#include "core/error.h"
#include "core/fd.h"
#include "core/helper_protocol.h"

#include <optional>
#include <string>

namespace jit {

// The rules as the kernel holds them; none where neither write nor execute is bounded. `command` may be
// executed in any case, and what the C library needs to start a program.
[[nodiscard]] Result<std::optional<Fd>> make_landlock_ruleset(const HelperConfinement& confinement,
                                                              const std::string& command);

// In the process that is bound by it, which has CAP_SYS_ADMIN or no_new_privs.
[[nodiscard]] Result<void> restrict_by_landlock(const Fd& ruleset);

} // namespace jit
