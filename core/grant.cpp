// SPDX-License-Identifier: MIT
#include "core/grant.h"

#include "core/names.h"

#include <algorithm>
#include <array>
#include <utility>

namespace jit {
namespace {

constexpr std::array states{std::pair{State::pending, std::string_view("pending")},
                            std::pair{State::active, std::string_view("active")},
                            std::pair{State::ended, std::string_view("ended")},
                            std::pair{State::denied, std::string_view("denied")},
                            std::pair{State::cancelled, std::string_view("cancelled")},
                            std::pair{State::timed_out, std::string_view("timed_out")}};

constexpr std::array causes{std::pair{Cause::expired, std::string_view("expired")},
                            std::pair{Cause::released, std::string_view("released")},
                            std::pair{Cause::revoked, std::string_view("revoked")},
                            std::pair{Cause::locked, std::string_view("locked")},
                            std::pair{Cause::ineligible, std::string_view("ineligible")},
                            std::pair{Cause::used_up, std::string_view("used_up")},
                            std::pair{Cause::idle, std::string_view("idle")},
                            std::pair{Cause::closed, std::string_view("closed")},
                            std::pair{Cause::outside_hours, std::string_view("outside_hours")}};

} // namespace

std::string_view name_of(State state) {
    return name_in(states, state);
}
std::string_view name_of(Cause cause) {
    return name_in(causes, cause);
}
std::optional<State> state_named(std::string_view name) {
    return value_in<State>(states, name);
}
std::optional<Cause> cause_named(std::string_view name) {
    return value_in<Cause>(causes, name);
}

bool gives_root(const Scope& scope) {
    return (!scope.commands.empty() && std::ranges::find(scope.run_as, "root") != scope.run_as.end()) ||
           std::ranges::any_of(scope.groups, is_root_group) ||
           std::ranges::any_of(scope.memberships, is_root_group);
}

} // namespace jit
