// SPDX-License-Identifier: MIT
// Files of ours among those that nss-systemd reads, which everybody's lookups do: /run/userdb.
//
// MUST:
//  1. Only a regular file of ours (root's) that begins with our marker is ever replaced, renamed or removed.
//     nss-systemd reads those of others too, and they stay.
//  2. A file is never seen half-written (nss-systemd takes an empty one for a mask).
#pragma once

#include "core/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace jit {

inline constexpr const char* userdb_directory = "/run/userdb";

[[nodiscard]] bool has_our_marker(std::string_view text);

// The names in a directory; none where it isn't there.
[[nodiscard]] Result<std::vector<std::string>> names_in_directory(const std::string& directory);

// not_found: there is none; refused: it isn't ours; unavailable: it can't be told.
[[nodiscard]] Result<std::string> read_our_file(const std::string& path);
// Writes it under a name that only we have a use for.
[[nodiscard]] Result<void> write_beside(const std::string& beside, std::string_view text);
// Gives it its name, in place of one of ours or of none. refused: somebody else's has it.
[[nodiscard]] Result<void> put_in_place(const std::string& beside, const std::string& path);
// Renamed, or where that fails removed: it isn't read any more. One that is gone, or not ours, is no error.
[[nodiscard]] Result<void> take_away(const std::string& path, const std::string& new_path);
void remove_our_file(const std::string& path);

} // namespace jit
