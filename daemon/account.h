// SPDX-License-Identifier: MIT
// An account of this host as NSS tells it, and the question to ask.
#pragma once

#include "core/types.h"

#include <string>
#include <variant>
#include <vector>

namespace jit {

struct Account {
    std::string name;
    Uid uid = no_uid;
    Gid gid = no_gid;
    std::vector<std::string> groups; // names, the primary one included
    std::vector<Gid> gids;           // the same as numbers, also of groups without a name
    std::string home;
    std::string shell;
    bool has_password = true; // false where shadow(5) says that none can be typed
    RequestId made_by{};      // the grant by which alone it is there; empty: an account of the host
};

using AccountKey = std::variant<Uid, std::string>;

struct GroupName {
    std::string name;
};

} // namespace jit
