// SPDX-License-Identifier: MIT
// Records as JSON, in the database and in the audit. Reading is strict: an unknown or missing field, or a
// value of the wrong type, is an error.
#pragma once

#include "core/grant.h"
#include "core/json.h"
#include "core/use.h"

#include <string_view>
#include <vector>

namespace jit {

[[nodiscard]] Json to_json(const Scope& scope);
[[nodiscard]] Json to_json(const AccountWish& wish);
[[nodiscard]] Json describe(const AccountWish& wish); // the keys by their fingerprints
[[nodiscard]] Json to_json(const std::vector<Stage>& stages);
[[nodiscard]] Json to_json(const Party& party);
[[nodiscard]] Json to_json(const ClockMark& mark);

// A command as an event has it: "argv", its words, each escaped, and so exact (core/text.h's escape() can be
// read back); "argv_bytes" and "argv_blake2b", length and BLAKE2b-256 of all of it, words divided by NUL
// bytes. Of one longer than `most` bytes words are cut, so that a long one hides no other, and those that
// don't fit then are left out: "argv_cut" says so.
[[nodiscard]] Json command_fields(const Command& command, std::size_t most);

[[nodiscard]] Result<Scope> scope_from_json(std::string_view text);
[[nodiscard]] Result<AccountWish> account_wish_from_json(std::string_view text);
[[nodiscard]] Result<std::vector<Stage>> stages_from_json(std::string_view text);
[[nodiscard]] Result<std::vector<unsigned>> numbers_from_json(std::string_view text);
[[nodiscard]] Result<std::vector<std::string>> texts_from_json(std::string_view text);
[[nodiscard]] Result<ClockMark> clock_mark_from_json(std::string_view text);

} // namespace jit
