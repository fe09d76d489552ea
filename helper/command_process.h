// SPDX-License-Identifier: MIT
// What happens in the child, from its birth to execve(2). The MUSTs are in helper/elevate.h.
#pragma once

#include "helper/elevate.h"

namespace jit {

// `channel`: says there that it lives, and waits there for its release.
[[noreturn]] void run_command_process(const Elevation& elevation, int channel);

} // namespace jit
