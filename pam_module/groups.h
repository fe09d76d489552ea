// SPDX-License-Identifier: MIT
// Session groups: added to the processes of one login, nowhere written down, and gone with them. Never in a
// program that a person calls (su, sudo), nor in a service manager of theirs.
#pragma once

#include "pam_module/gate.h"

#include <string>
#include <vector>

namespace jit {

// Those of the groups that the account isn't in by itself, jit's own memberships not counted: what it has
// anyway mustn't end its login.
[[nodiscard]] std::vector<std::string> not_had_anyway(const std::vector<std::string>& groups,
                                                      const Person& person, const Places& places);

// pam_sm_setcred: adds the groups of live grants to this process. sshd calls it twice, in two processes, and
// replaces all groups between: the second time it is those that the session was registered with, and none
// where it wasn't. What a grant gives that began after that, nobody would take away again.
[[nodiscard]] int add_groups(const Pam& pam, const Gate& gate, const Places& places);

} // namespace jit
