// SPDX-License-Identifier: MIT
// Commands that are more than they seem: whoever may run one may run anything, or write anywhere, as the user
// it runs as. For warnings only: no list of this kind is complete, so nothing is allowed because it isn't
// here.
#pragma once

#include "core/command.h"

#include <optional>
#include <string_view>

namespace jit {

[[nodiscard]] bool is_shell(std::string_view path);

// How, in words that follow the command: "an editor starts a shell, and writes any file". None: not known to
// be one, or the pattern leaves no room for it. Shells themselves are none of these: see is_shell.
[[nodiscard]] std::optional<std::string_view> way_out(const CommandPattern& command);

} // namespace jit
