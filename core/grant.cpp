// SPDX-License-Identifier: MIT
#include "core/grant.h"

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
                            std::pair{Cause::ineligible, std::string_view("ineligible")}};

std::string_view name_in(const auto& table, auto value) {
    for (const auto& [candidate, name] : table) {
        if (candidate == value) {
            return name;
        }
    }
    return "unknown";
}

template <class Value>
std::optional<Value> value_in(const auto& table, std::string_view wanted) {
    for (const auto& [value, name] : table) {
        if (name == wanted) {
            return value;
        }
    }
    return std::nullopt;
}

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

} // namespace jit
