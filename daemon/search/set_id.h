// SPDX-License-Identifier: MIT
// Programs with set-id bits that were made while a grant gave the right to make them, and would give it for
// ever: `chgrp adm bash; chmod g+s bash` takes one second in the group. They lose the bits, and what ran from
// them ends.
//
// MUST:
//  1. Only what the grant made possible: set-id files whose ctime isn't before the grant's beginning. Nobody
//  but
//     root sets a ctime.
//  2. In the trees that the policy names, the homes of those concerned, and where one without a name is open;
//     elsewhere (root's) they are told of.
//  3. What is disarmed is written down first, and what runs by it ends, also when this dies in between and it
//     is searched again.
#pragma once

#include "daemon/search/lookups.h"
#include "daemon/search_protocol.h"

#include <vector>

namespace jit {

// `run_as`: as whom the commands of each of the job's grants ran; `searched`, which is added to: likewise.
void search_set_id_files(const SearchJob& job, const std::vector<AccountNames>& run_as,
                         std::vector<Searched>& searched);

} // namespace jit
