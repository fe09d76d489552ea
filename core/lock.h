// SPDX-License-Identifier: MIT
// A lock: nothing for a person, by a role, or on this host, until it is lifted. It beats every grant.
#pragma once

#include "core/clock.h"
#include "core/grant.h"

#include <optional>
#include <string>
#include <string_view>

namespace jit {

enum class LockKind { user, role, host };

// As written in the database, in the audit and on the socket.
[[nodiscard]] std::string_view name_of(LockKind kind);
[[nodiscard]] std::optional<LockKind> lock_kind_named(std::string_view name);

struct Lock {
    RequestId id; // of the same kind as a request's, and never one that a request has
    LockKind kind = LockKind::host;
    std::string name;       // an account or a role, as it was given; empty: the host
    std::optional<Uid> uid; // of the account, where NSS knew it
    std::string reason;     // shown to whom it concerns
    Party by;
    Time since;
    std::optional<Deadline> until; // none: until somebody lifts it

    // Unlike a grant it holds on until both clocks say that it is over: a clock that is set lifts nothing.
    [[nodiscard]] bool over(const Now& now, const std::string& boot_id) const;
};

} // namespace jit
