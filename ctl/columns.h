// SPDX-License-Identifier: MIT
// Text in columns. What a character takes on a terminal can't be told without a locale: each counts as one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

inline constexpr std::size_t longest_reason_in_table = 72;

// Of text that is longer the beginning, and "…" in the last column.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t longest);

// Rows, all with the same number of fields, as lines: two spaces between the columns, nothing behind the
// last.
[[nodiscard]] std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows);

} // namespace jit
