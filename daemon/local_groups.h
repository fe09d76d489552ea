// SPDX-License-Identifier: MIT
// Who has a group by /etc/passwd and /etc/group (passwd(5), group(5)): by right, and by no grant. What a
// directory service says isn't in there; for those who can't wait for one.
#pragma once

#include "core/types.h"

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace jit {

class LocalGroups {
public:
    LocalGroups(); // as the files are now; what can't be read is nobody's
    LocalGroups(std::string_view passwd, std::string_view group);

    [[nodiscard]] bool has(Uid uid, Gid gid) const;
    // The accounts that don't have it. Root needs no group.
    [[nodiscard]] std::set<Uid> without(Gid gid) const;

private:
    struct Account {
        std::set<std::string, std::less<>> names; // several may be one
        std::set<Gid> primary;
    };
    std::map<Uid, Account> accounts_;
    std::map<Gid, std::set<std::string, std::less<>>> members_;
};

} // namespace jit
