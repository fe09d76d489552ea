// SPDX-License-Identifier: MIT
// What the caller wants, from the words they typed: the command's file, its arguments, its variables.
#pragma once

#include "core/helper_protocol.h"
#include "helper/options.h"
#include "helper/path.h"
#include "helper/sanitise.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace jit {

struct Wish {
    HelperWhat what = HelperWhat::command;
    std::optional<Program> command;     // none: a shell that jitd knows
    std::vector<std::string> arguments; // argv[1..]
    std::vector<std::string> variables; // "NAME=value", which the role must name
    std::vector<std::string> plain;     // such as anybody's environment may have: LC_ALL=C
};

// What a shell is given to execute these words, and nothing else, with -c.
[[nodiscard]] std::string shell_text(std::span<const std::string> words);

// Looks at files with the caller's rights only.
[[nodiscard]] Result<Wish> read_wish(const Caller& caller, const Options& options);

// The file that jitd decided about, once more found and judged where it is a shell that jitd named.
[[nodiscard]] Result<Program> settle_command(const Caller& caller, const Wish& wish,
                                             const HelperAllowed& allowed);

// Changes to the directory of -D with the caller's rights, as their shell would have.
[[nodiscard]] Result<void> change_directory(Caller& caller, const std::string& directory);

} // namespace jit
