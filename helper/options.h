// SPDX-License-Identifier: MIT
// The command line. It comes from a stranger and is read with root's rights, so:
//
// MUST:
//  1. Options end at the first word that is none, or at "--": nothing after the command is ever an option of
//  ours.
//  2. An option with a value is given once: a second one was smuggled in (sudo bug 924).
//  3. No word is split, joined or unescaped (CVE-2021-3156), and none sets a variable (CVE-2014-0106).
//  4. Users and groups are names: a number is refused, so that -1 and 4294967295 can't mean "no change"
//     (CVE-2019-14287).
//  5. Anything else is an error that runs nothing.
#pragma once

#include "core/error.h"

#include <span>
#include <string>
#include <vector>

namespace jit {

enum class Action { run, list, show_help, show_version };

struct Options {
    Action action = Action::run;
    std::string user;   // empty: not given
    std::string group;  // empty: not given
    std::string reason; // empty: not given
    bool non_interactive = false;
    std::vector<std::string> command; // as typed; of Action::run one word at least
};

// `words`: argv without argv[0]. An error without a message is answered with the usage alone.
[[nodiscard]] Result<Options> parse_options(std::span<const char* const> words);

} // namespace jit
