// SPDX-License-Identifier: MIT
// -v, -k and -K: about the proof of who one is, and about no command.
//
// MUST:
//  1. jitd remembers, in its memory, for the session that the kernel says this process is in. Nothing is
//     kept in a file, and nothing that the caller says names the session.
#pragma once

#include "helper/options.h"
#include "helper/sanitise.h"

namespace jit {

// The exit status.
[[nodiscard]] int validate(const Caller& caller, const Options& options);
[[nodiscard]] int forget(const Caller& caller, const Options& options);

} // namespace jit
