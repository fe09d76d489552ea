// SPDX-License-Identifier: MIT
// The command line: which verb, with what.
#pragma once

#include "ctl/verbs.h"

#include <functional>
#include <optional>
#include <span>
#include <string>

namespace jit {

struct CommandLine {
    std::string help; // where it was asked for: to be printed, and nothing else done
    bool json = false;
    std::string socket; // empty: the usual one

    AskOptions ask;
    ListOptions list;
    AskAndRunOptions ask_and_run;
    std::string id;
    bool once = false;
    AnswerOptions answer;
    ExplainOptions explain;
    LockOptions lock;
    UnlockOptions unlock;
    AuditOptions audit;
    VerifyOptions verify;
    std::optional<std::string> policy_path;
    PamOptions pam;

    std::function<Outcome<Exit>(const Context&, const CommandLine&)> verb;
};

// `arguments`: without the program's name.
[[nodiscard]] Outcome<CommandLine> read_command_line(std::span<const char* const> arguments);

} // namespace jit
