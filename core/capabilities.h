// SPDX-License-Identifier: MIT
// The names of Linux capabilities (capabilities(7)), and their numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace jit {

inline constexpr unsigned most_capabilities = 64; // the kernel's sets are 64 bits wide

// All that are known here, each at its number: "CAP_CHOWN" is the first.
[[nodiscard]] std::span<const std::string_view> capability_names();
[[nodiscard]] std::optional<unsigned> capability_named(std::string_view name);

constexpr std::uint64_t capability_bit(unsigned number) {
    return std::uint64_t{1} << number;
}

} // namespace jit
