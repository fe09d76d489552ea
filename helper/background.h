// SPDX-License-Identifier: MIT
// -b: the caller's shell goes on once the command runs; what stays is in a session of its own and gets
// nothing from the terminal's keyboard. The command's output still goes there, and it ends with the grant as
// any other.
#pragma once

#include "core/error.h"
#include "core/fd.h"

namespace jit {

// Splits in two and comes back in the process that stays, with a descriptor: once something is written there
// the other one ends, with status 0. Where it is closed instead, that one ends as this process does.
[[nodiscard]] Result<Fd> go_to_background(bool stdin_is_terminal);

// It runs.
void report_started(Fd& background);

} // namespace jit
