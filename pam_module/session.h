// SPDX-License-Identifier: MIT
// pam_sm_open_session: registers what lives by a grant, so that jitd can end it.
//
// MUST:
//  1. What can't be registered isn't let in, and the table is read again after: a grant that ended meanwhile
//  is
//     seen by us, or our file is seen by jitd.
//  2. Only what is registered is ever ended: a login that no grant touches leaves no trace here.
#pragma once

#include "pam_module/gate.h"

namespace jit {

[[nodiscard]] int open_session(const Pam& pam, const Gate& gate, const Places& places);

} // namespace jit
