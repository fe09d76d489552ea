// SPDX-License-Identifier: MIT
// The highest uid that was ever given to an account of jit's on this host: kept in a file beside the
// database, whose own record of it an old copy of the database would take back. The larger of both holds.
#pragma once

#include "core/error.h"
#include "core/types.h"

#include <optional>
#include <string>

namespace jit {

inline constexpr const char* uid_mark_file = "/var/lib/jit/highest-uid";

// None: no file. An error where it is there and says nothing that makes sense: then no uid is new for sure.
[[nodiscard]] Result<std::optional<Uid>> read_uid_mark(const std::string& path = uid_mark_file);
// On the disk when this returns without an error.
[[nodiscard]] Result<void> write_uid_mark(Uid uid, const std::string& path = uid_mark_file);

} // namespace jit
