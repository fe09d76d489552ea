// SPDX-License-Identifier: MIT
// A second proof of who one is, where the role names a PAM service for it: the auth phase of that service, at
// each use, whatever was proven before.
//
// MUST:
//  1. A service without a file of its own is refused: PAM would ask the service "other", which isn't what was
//  meant.
//  2. It is never remembered, and -n refuses it unasked.
#pragma once

#include "core/error.h"
#include "helper/conversation.h"

#include <string>

namespace jit {

// `caller`: the account that authenticates; `target`: whom it is about to become. `tty` may be empty.
[[nodiscard]] Result<void> prove_second_factor(const std::string& service, const std::string& caller,
                                               const std::string& target, const std::string& tty,
                                               Asking asking);

} // namespace jit
