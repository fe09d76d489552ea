// SPDX-License-Identifier: MIT
// How anything reaches the caller's standard error: whole lines, written at once, nothing buffered that a
// child could write a second time.
#pragma once

#include "core/error.h"

#include <string_view>

namespace jit {

inline constexpr int exit_refused = 1; // whatever jit-sudo itself refuses or can't do, as sudo has it

void write_all(int fd, std::string_view text); // as far as it goes: there is nowhere to complain
void say(std::string_view line);               // "jit-sudo: line"
void say_next(std::string_view line);          // a line below, indented

// The reason of the last failed call: "open /dev/tty: No such file".
[[nodiscard]] std::unexpected<Error> fail_errno(std::string_view what);

} // namespace jit
