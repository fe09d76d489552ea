// SPDX-License-Identifier: MIT
// The kernel's audit session of this process: the number by which all that comes of it is found, whatever it
// does (setsid, nohup, su, another cgroup).
#pragma once

#include "core/types.h"

#include <cstdint>
#include <optional>
#include <string>

namespace jit {

// /proc/self/sessionid; none where it is unset, or the kernel keeps none.
[[nodiscard]] std::optional<std::uint32_t> audit_session();
[[nodiscard]] std::optional<Uid> audit_login_uid();

// Whether it is its parent's too, and so not this login's own: pam_loginuid gives none where the login uid is
// the right one already, as in an sshd that somebody started by hand.
[[nodiscard]] bool is_parents_audit_session();

// Takes a new one by writing the login uid again: it stays the same, or where none is set becomes `uid`.
// False where the kernel doesn't let us (loginuid immutable), or keeps none.
[[nodiscard]] bool take_new_audit_session(Uid uid);

// Our line of /proc/self/cgroup in the unified hierarchy; empty where there is none.
[[nodiscard]] std::string own_cgroup();

} // namespace jit
