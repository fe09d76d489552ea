// SPDX-License-Identifier: MIT
// The question to jitd and its answers, checked before anything is made of them.
//
// MUST:
//  1. What isn't understood in full is no yes.
//  2. A yes names numbers that are somebody's, text without NUL, and a cgroup.
//  3. Text of a refusal is escaped before it is shown.
#pragma once

#include "helper/conversation.h"
#include "helper/jitd.h"
#include "helper/options.h"
#include "helper/sanitise.h"

#include <optional>
#include <string>
#include <string_view>

namespace jit {

struct Verdict {
    std::optional<HelperRefused> refused;
    HelperAllowed allowed; // where it wasn't refused
    Fd cgroup;
};

[[nodiscard]] Result<void> send_ask(Jitd& jitd, const HelperAsk& ask);
[[nodiscard]] Result<Verdict> receive_verdict(Jitd& jitd);
// Comes back with nothing when the command may be released. `file`: of the command, where it is pinned; else
// -1.
[[nodiscard]] Result<void> record_start(Jitd& jitd, const HelperStart& start, int file);

// How the caller may be asked for a password. Before an answer is looked at jitd says whether they have given
// too many that were wrong. Valid while these live.
[[nodiscard]] Asking asking_of(const Caller& caller, const Options& options, Jitd& jitd);

// Where no command was asked for.
[[nodiscard]] Result<HelperProve> receive_prove(Jitd& jitd);
[[nodiscard]] Result<void> report_proven(Jitd& jitd, Proven proven);
[[nodiscard]] Result<void> receive_done(Jitd& jitd);

[[nodiscard]] Result<void> check_allowed(const HelperAllowed& allowed);

// `reason`: what -r gave, or empty. It takes the place of the reason in the suggested commands.
void show_refusal(const HelperRefused& refused, std::string_view reason);
[[nodiscard]] std::string with_reason(std::string_view line, std::string_view reason);

} // namespace jit
