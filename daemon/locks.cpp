// SPDX-License-Identifier: MIT
#include "daemon/locks.h"

#include "core/time.h"

#include <fmt/format.h>

#include <algorithm>

namespace jit {
namespace {

bool holds(const Lock& lock, const Policy& policy, const Party& party, std::string_view role) {
    switch (lock.kind) {
    case LockKind::host:
        return true;
    case LockKind::role:
        return lock.name == role;
    case LockKind::user:
        break;
    }
    // Who a grant's person was is written in it; whose the account is by now, the policy says.
    const std::string person = policy.person_of(lock.name);
    return lock.name == party.account || (lock.uid && *lock.uid == party.uid) || person == party.person ||
           (!party.account.empty() && person == policy.person_of(party.account));
}

} // namespace

const Lock* lock_on(const std::vector<Lock>& locks, const Policy& policy, const Party& party,
                    std::string_view role) {
    const auto found =
        std::ranges::find_if(locks, [&](const Lock& lock) { return holds(lock, policy, party, role); });
    return found != locks.end() ? &*found : nullptr;
}

std::string described(const Lock& lock) {
    const std::string what = lock.kind == LockKind::host   ? "this host"
                             : lock.kind == LockKind::role ? fmt::format("role {}", lock.name)
                                                           : lock.name;
    return fmt::format("{} is locked{}: {}", what,
                       lock.until ? fmt::format(" until {}", describe_utc(lock.until->time)) : "",
                       lock.reason);
}

} // namespace jit
