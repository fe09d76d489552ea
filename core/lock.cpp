// SPDX-License-Identifier: MIT
#include "core/lock.h"

#include "core/names.h"

#include <array>
#include <utility>

namespace jit {
namespace {

constexpr std::array kinds{std::pair{LockKind::user, std::string_view("user")},
                           std::pair{LockKind::role, std::string_view("role")},
                           std::pair{LockKind::host, std::string_view("host")}};

} // namespace

std::string_view name_of(LockKind kind) {
    return name_in(kinds, kind);
}
std::optional<LockKind> lock_kind_named(std::string_view name) {
    return value_in<LockKind>(kinds, name);
}

bool Lock::over(const Now& now, const std::string& boot_id) const {
    return until && now.time >= until->time && (until->boot_id != boot_id || now.boot >= until->boot);
}

} // namespace jit
