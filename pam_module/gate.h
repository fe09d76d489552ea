// SPDX-License-Identifier: MIT
// Whether somebody is gated here, and what grants they have. Each phase asks anew: nothing that an earlier
// phase found out is believed (sshd runs phases in different processes).
#pragma once

#include "core/login_table.h"
#include "pam_module/arguments.h"
#include "pam_module/pam.h"
#include "pam_module/person.h"

#include <optional>
#include <string>
#include <vector>

namespace jit {

struct Judgement {
    Person person;
    std::string service;
    bool left_alone = false; // root, exempt: not gated, never given anything, and the table isn't even read
    bool gated = false;
    // None: it can't be read, `why` says the reason.
    std::optional<LoginGrants> table;
    // Gated, and by no grant let in: why, and what to do about it, in one line each.
    std::string why;
    std::string next;

    [[nodiscard]] bool refused() const { return gated && !why.empty(); }
    // The one that lives longest of those that give a login here.
    [[nodiscard]] const LoginGrant* login() const;
    // The one that lives longest of those that give the group.
    [[nodiscard]] const LoginGrant* group(std::string_view name) const;
    // Groups that its grants give for more than a moment.
    [[nodiscard]] std::vector<std::string> groups() const;
};

[[nodiscard]] Judgement judge(const Pam& pam, const Gate& gate, const Places& places);

// For jitd's record, and in the log.
void record_refusal(const Pam& pam, const Gate& gate, const Places& places, const Judgement& judgement);

// CLOCK_REALTIME and CLOCK_BOOTTIME.
[[nodiscard]] Now clock_now();

} // namespace jit
