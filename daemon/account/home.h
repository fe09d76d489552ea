// SPDX-License-Identifier: MIT
// The home of an account that exists only while a grant lives.
//
// MUST:
//  1. Whatever lies in a home may have been laid there for us: it is written to as the account itself only,
//     and removed without following a link.
//  2. A directory that isn't the account's own is neither used nor removed.
#pragma once

#include "daemon/account_protocol.h"

#include <functional>
#include <string>

namespace jit {

// Runs it in a process of the account's own, without any other right; what it returns is what went wrong.
[[nodiscard]] std::string as_account(Uid uid, const std::function<std::string()>& work);

// The home with what /etc/skel has, and the keys of those who may log in. Made already is no error.
void make_home(const AccountJob& job, AccountReply& reply);
// Unmounts what lies in it, and removes it unless it is kept.
void remove_home(const AccountJob& job, AccountReply& reply);

} // namespace jit
