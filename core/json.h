// SPDX-License-Identifier: MIT
// JSON as we write it and as we accept it (RFC 8259).
#pragma once

#include "core/error.h"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace jit {

// Objects keep the order in which their fields were set, so that the same record is always the same text.
using Json = nlohmann::ordered_json;

// One line of ASCII: all else is \u-escaped, so it is harmless on a terminal; bytes that aren't UTF-8 become
// U+FFFD.
[[nodiscard]] std::string to_line(const Json& value);

// Strict: a duplicate key, nesting deeper than 16, or anything after the value is an error.
[[nodiscard]] Result<Json> parse_json(std::string_view text);

} // namespace jit
