// SPDX-License-Identifier: MIT
// How anything reaches the caller's standard error: whole lines, written at once, nothing buffered that a
// child could write a second time.
//
// MUST:
//  1. Where the descriptors lead is the caller's choice, and so is a part of what is said: files such as
//     /proc/self/loginuid ask who writes, not who opened them. So all of it is written with the rights of the
//     real uid that there was at first, whoever we are by then.
#pragma once

#include "core/error.h"

#include <string_view>
#include <sys/types.h>

namespace jit {

inline constexpr int exit_refused = 1; // whatever jit-sudo itself refuses or can't do, as sudo has it

void speak_as(uid_t caller);                   // before anything is said
void write_all(int fd, std::string_view text); // as far as it goes: there is nowhere to complain
void say(std::string_view line);               // "jit-sudo: line"
void say_next(std::string_view line);          // a line below, indented

// The reason of the last failed call: "open /dev/tty: No such file".
[[nodiscard]] std::unexpected<Error> fail_errno(std::string_view what);

} // namespace jit
