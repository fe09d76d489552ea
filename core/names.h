// SPDX-License-Identifier: MIT
// Values that have a name outside: a table of pairs, looked up both ways.
#pragma once

#include <optional>
#include <string_view>

namespace jit {

[[nodiscard]] constexpr std::string_view name_in(const auto& table, auto value) {
    for (const auto& [candidate, name] : table) {
        if (candidate == value) {
            return name;
        }
    }
    return "unknown";
}

template <class Value>
[[nodiscard]] constexpr std::optional<Value> value_in(const auto& table, std::string_view wanted) {
    for (const auto& [value, name] : table) {
        if (name == wanted) {
            return value;
        }
    }
    return std::nullopt;
}

} // namespace jit
