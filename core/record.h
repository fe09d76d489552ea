// SPDX-License-Identifier: MIT
// Records as JSON, in the database and in the audit. Reading is strict: an unknown or missing field, or a
// value of the wrong type, is an error.
#pragma once

#include "core/grant.h"
#include "core/json.h"

#include <string_view>
#include <vector>

namespace jit {

[[nodiscard]] Json to_json(const Scope& scope);
[[nodiscard]] Json to_json(const std::vector<Stage>& stages);
[[nodiscard]] Json to_json(const Party& party);
[[nodiscard]] Json to_json(const ClockMark& mark);

[[nodiscard]] Result<Scope> scope_from_json(std::string_view text);
[[nodiscard]] Result<std::vector<Stage>> stages_from_json(std::string_view text);
[[nodiscard]] Result<std::vector<unsigned>> numbers_from_json(std::string_view text);
[[nodiscard]] Result<std::vector<std::string>> texts_from_json(std::string_view text);
[[nodiscard]] Result<ClockMark> clock_mark_from_json(std::string_view text);

} // namespace jit
