// SPDX-License-Identifier: MIT
// `jitctl pam` with everything of the host that it looks at, so that tests can put their own in its place.
#pragma once

#include "core/policy_load.h"
#include "ctl/pam_lockout.h"
#include "ctl/pam_stack.h"
#include "ctl/verbs.h"

#include <string>
#include <vector>

namespace jit {

struct PamPlaces {
    std::string services = "/etc/pam.d";
    std::string vendor_services = "/usr/lib/pam.d"; // what libpam falls back to
    std::string copies = "/var/lib/jit/pam.d";
    std::string policy = "/etc/jit";
    Ownership policy_ownership = Ownership::root_only;
    std::string module_file; // pam_jit.so, where libpam looks for it
    std::string login_table = "/run/jit/logins.db";
    Uid owner = root_uid; // of the files, and who may change them
};

[[nodiscard]] PamPlaces host_pam_places();

// What a file includes, as libpam finds it.
[[nodiscard]] ReadIncluded reader_of(const PamPlaces& places);

// pam_check.cpp: each says why not; `notes` is worth knowing and no reason not to.
[[nodiscard]] Outcome<Gate> gate_of(const PamOptions& options);
// The module, jitd, the group and the accounts that are named.
[[nodiscard]] Outcome<void> check_gate_can_work(const PamPlaces& places, const Gate& gate,
                                                const AccountSource& accounts,
                                                std::vector<std::string>& notes);
// Whether mode enforce would shut out those who must let others in.
[[nodiscard]] Outcome<void> check_lockout(const PamPlaces& places, const std::string& service,
                                          const Gate& gate, const AccountSource& accounts,
                                          std::vector<std::string>& notes);

// "mode enforce, only GROUP, exempt root, bob"
[[nodiscard]] std::string gate_text(const Gate& gate);
[[nodiscard]] Json gate_json(const Gate& gate);

Outcome<Exit> pam_enable(const Context& context, const PamOptions& options, const PamPlaces& places,
                         const AccountSource& accounts);
Outcome<Exit> pam_disable(const Context& context, const PamOptions& options, const PamPlaces& places);
Outcome<Exit> pam_status(const Context& context, const PamOptions& options, const PamPlaces& places);

} // namespace jit
