// SPDX-License-Identifier: MIT
// Accounts and groups by name, as NSS has them; jit-search is a program of its own and may wait for it.
#pragma once

#include "core/error.h"
#include "core/types.h"
#include "daemon/search_protocol.h"

#include <map>
#include <set>
#include <string>

namespace jit {

struct NamedAccount {
    Uid uid = no_uid;
    Gid primary = no_gid;
    std::string home;
};
// Errors say whether there is none, or it can't be told.
[[nodiscard]] Result<NamedAccount> account_named(const std::string& name);
[[nodiscard]] Result<std::string> account_of(Uid uid);
[[nodiscard]] Result<Gid> group_named(const std::string& name);
// Those that the account has by itself.
[[nodiscard]] Result<std::set<Gid>> own_groups(const std::string& account);

// What they are called.
using AccountNames = std::map<Uid, std::string>;
// As whom a grant's commands run. What can't be told is said in `searched`.
[[nodiscard]] AccountNames run_as_of(const SearchFor& grant, Searched& searched);

} // namespace jit
