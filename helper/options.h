// SPDX-License-Identifier: MIT
// The command line. It comes from a stranger and is read with root's rights, so:
//
// MUST:
//  1. Options end at the first word that is none, or at "--": nothing after the command is ever an option of
//  ours.
//  2. An option with a value is given once: a second one was smuggled in (sudo bug 924).
//  3. No word is split, joined or unescaped (CVE-2021-3156), but for the text that -s and -i hand to a shell.
//  4. "#1000" is one user only: exact decimal, no sign, no leading zero, and never the -1 that means "no
//     change" to the kernel (CVE-2019-14287). Groups are names.
//  5. A variable is set only where NAME=value stands before the command, and then jitd is asked about it
//     (CVE-2014-0106).
//  6. Anything else is an error that runs nothing. What sudo has and we leave out says why.
#pragma once

#include "core/error.h"
#include "core/time.h"
#include "core/types.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace jit {

enum class Action { run, list, validate, forget, show_help, show_version };
enum class Shell { none, callers, login };

struct Options {
    Action action = Action::run;
    std::string user;                   // a name, or "#" and a number; empty: not given
    std::string group;                  // empty: not given
    std::string reason;                 // empty: not given
    std::string directory;              // empty: not given
    std::string other_user;             // whose grants to list; empty: one's own
    std::optional<std::string> prompt;  // may be empty: then there is none
    std::optional<Millis> timeout;      // of the command
    std::vector<std::string> kept;      // names of variables that the caller's environment has
    std::vector<std::string> variables; // "NAME=value"
    std::vector<std::string> command;   // as typed; of Action::run one word at least, unless with a shell
    Shell shell = Shell::none;
    bool non_interactive = false; // never ask, never wait
    bool from_stdin = false;      // passwords are read there
    bool in_background = false;
    bool in_detail = false;  // -ll
    bool forget_all = false; // -K
    bool use_proof = true;   // no -k
    bool keep_proof = true;  // no -N
};

// `words`: argv without argv[0]. An error without a message is answered with the usage alone.
[[nodiscard]] Result<Options> parse_options(std::span<const char* const> words);

} // namespace jit
