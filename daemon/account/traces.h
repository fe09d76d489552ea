// SPDX-License-Identifier: MIT
// What an account leaves on a host besides its home, and that would act or count again when it is there the
// next time: jobs of cron and at, lingering, mail, IPC objects, keys, its runtime directory.
#pragma once

#include "daemon/account_protocol.h"

namespace jit {

void remove_traces(const AccountJob& job, AccountReply& reply);

} // namespace jit
