// SPDX-License-Identifier: MIT
// Where a command is part of jitctl's own command line: which words are options, and which are the command.
#pragma once

#include "ctl/exit_codes.h"
#include "ctl/verbs.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace jit {

struct SplitWords {
    std::span<const char* const> options; // for CLI11, which would read on in a command that begins with "--"
    bool has_dashes = false;
    std::span<const char* const> rest;         // what follows the "--"
    std::span<const char* const> must_be_text; // what goes to jitd as JSON
};
[[nodiscard]] SplitWords split_words(std::span<const char* const> arguments);

// The first argument that isn't text, counted from 1; 0 where all are. JSON can't carry anything else.
[[nodiscard]] std::size_t not_text(std::span<const char* const> arguments);

struct ExplainedCommand {
    std::vector<std::string> words;
    bool without_dashes = false; // it began before any "--"
};
[[nodiscard]] ExplainedCommand explained_command(std::vector<std::string> begun, const SplitWords& split);
// Sets it, where the question is one.
[[nodiscard]] Outcome<void> check_explained(ExplainOptions& options, ExplainedCommand command,
                                            bool command_flag);

} // namespace jit
