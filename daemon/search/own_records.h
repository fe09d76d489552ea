// SPDX-License-Identifier: MIT
// What jit itself has in /run/userdb (daemon/membership_files.h, account_files.h): it comes and goes with
// grants, and nobody leaves it behind.
//
// MUST: it counts as ours only as jit writes it, to the letter, and jitd takes it away where no grant gives
// it. Our marker alone is anybody's to write who is root.
#pragma once

namespace jit {

// A file or a link in that directory.
[[nodiscard]] bool is_own_record(int directory, const char* name);

} // namespace jit
