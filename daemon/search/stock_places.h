// SPDX-License-Identifier: MIT
// Where a stock looks, and what a file there is for.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

// jit-search has an empty /run/userdb, so that what jit gave is nobody's own group; nss-systemd doesn't look
// into this directory in it, where the host's is (jit-search@.service).
inline constexpr std::string_view userdb_of_host = "/run/userdb/.host";

inline constexpr std::string_view account_record = "account record";

// Trees of the host. /run/userdb isn't among them.
[[nodiscard]] std::vector<std::string> stocked_trees();
// "account", "unit", "PAM" … by a file's path.
[[nodiscard]] std::string purpose_of(std::string_view path);
// Not what systemd makes and removes with each login, nor what packages have besides their scripts.
[[nodiscard]] bool is_stocked(std::string_view path);
// Size and times of such a file are enough: there are many, or they are large.
[[nodiscard]] bool goes_by_status(std::string_view purpose);

// Trees of what goes on in somebody's name, below their home or below /run/user/UID.
struct Personal {
    std::string_view path;
    const char* what;
};
[[nodiscard]] std::span<const Personal> trees_at_home();
[[nodiscard]] std::span<const Personal> trees_at_run_time();

} // namespace jit
