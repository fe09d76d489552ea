// SPDX-License-Identifier: MIT
// Ends what may run from a set-id file: it has what the file gave, without a grant.
#pragma once

#include "daemon/search/reach.h"

#include <set>

namespace jit {

// Processes of the grant's account that carry one of `gids` or, by real uid or login, have become one of
// `uids`. What another grant gives is spared.
void end_what_ran(const Reach& reach, const std::map<Gid, std::string>& gids, const std::set<Uid>& uids);

// Whether a process of these runs where it can't be held still (still.h): one that cron started.
[[nodiscard]] bool runs_elsewhere(const std::set<Uid>& uids);

} // namespace jit
