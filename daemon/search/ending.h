// SPDX-License-Identifier: MIT
// Ends what may run from a set-id file: it has what the file gave, without a grant.
#pragma once

#include "daemon/carriers.h"
#include "daemon/search/reach.h"

#include <map>
#include <set>
#include <string>

namespace jit {

// What runs by set-id files of a grant's making.
struct Ran {
    std::map<Gid, std::string> gids; // the account's processes that carry one of these
    std::set<Gid> planted;  // of these, anybody's who has it by no right: a file that gives it was found
    std::set<Uid> uids;     // the account's, by real uid or login, that have become one of these
    std::set<FileId> files; // anybody's that run from these
};
// What another grant gives is spared.
void end_what_ran(const Reach& reach, const Ran& ran);

// Whether a process of these runs where it can't be held still (still.h): one that cron started.
[[nodiscard]] bool runs_elsewhere(const std::set<Uid>& uids);

} // namespace jit
