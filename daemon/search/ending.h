// SPDX-License-Identifier: MIT
// Ends what may run from a set-id file that was disarmed: it has what the file gave, without a grant.
#pragma once

#include "daemon/search_protocol.h"

#include <map>
#include <set>
#include <string>

namespace jit {

// Processes of the grant's account that carry one of `gids` or, by real uid or login, have become one of
// `uids`. What another grant gives is spared.
void end_what_ran(const SearchFor& grant, const std::map<Gid, std::string>& gids, const std::set<Uid>& uids,
                  Searched& searched);

} // namespace jit
