// SPDX-License-Identifier: MIT
// From jitd's yes to the end of the command.
//
// MUST:
//  1. The order is the specification: settle what runs, authenticate, contain, record, run, report.
//  2. Whatever fails before the command runs comes back as why, and nothing has run.
#pragma once

#include "core/error.h"
#include "helper/audit_record.h"
#include "helper/authenticate.h"
#include "helper/jitd.h"
#include "helper/options.h"
#include "helper/terminal.h"
#include "helper/verdict.h"
#include "helper/wish.h"

#include <memory>
#include <optional>

namespace jit {

// What was asked for, what was allowed, and what has been prepared meanwhile.
struct Allowance {
    const Caller& caller;
    const Options& options;
    const Wish& wish;
    const Verdict& verdict;
    Jitd& jitd;
    std::unique_ptr<Pam> pam;
    std::optional<Terminal> terminal;
    AuditRecord& record;
};

// The status to end with. A command that a signal ended takes this process along, with the same signal.
[[nodiscard]] Result<int> carry_out(Allowance allowance);

} // namespace jit
