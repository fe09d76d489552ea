// SPDX-License-Identifier: MIT
// The command's environment, built up from nothing.
//
// MUST:
//  1. Of the caller's only what kept_environment lets through; what says who one is, where things are and
//  what was
//     granted is ours, whatever PAM modules or the caller say.
//  2. Nothing that the loader, a shell or an interpreter would act on (LD_*, BASH_ENV, functions) gets in by
//  PAM, or by what the caller handed in.
#pragma once

#include "core/helper_protocol.h"
#include "helper/path.h"
#include "helper/sanitise.h"
#include "helper/wish.h"

#include <string>
#include <vector>

namespace jit {

[[nodiscard]] Environment command_environment(const Caller& caller, const HelperAllowed& allowed,
                                              const Program& command, const Wish& wish,
                                              const Environment& from_pam);

// "NAME=value" each, as execve(2) wants it.
[[nodiscard]] std::vector<std::string> to_entries(const Environment& environment);

// A list of words as execve(2) wants it, valid while they live; it doesn't write there.
[[nodiscard]] std::vector<char*> pointers(const std::vector<std::string>& words);

} // namespace jit
