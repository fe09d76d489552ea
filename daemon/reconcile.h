// SPDX-License-Identifier: MIT
// The one loop that keeps the host as the database says. It wakes at the next deadline, when the clock is
// set, when told, and while grants live once a minute and when the host's accounts or groups change
// (eligibility is read again). With no grant and no request it sleeps.
#pragma once

#include "core/audit.h"
#include "core/fd.h"
#include "daemon/accounts.h"
#include "daemon/ends.h"
#include "daemon/journal.h"
#include "daemon/loop.h"
#include "daemon/memberships.h"
#include "daemon/policy_keeper.h"
#include "daemon/requests.h"
#include "daemon/temporary_accounts.h"
#include "daemon/uses.h"

#include <cstdint>
#include <set>
#include <string>

namespace jit {

class Reconciler {
public:
    Reconciler(Loop& loop, Store& store, Clock& clock, PolicyKeeper& policy, Requests& requests, Uses& uses,
               Memberships& memberships, TemporaryAccounts& temporary, Ends& ends, Accounts& accounts,
               const HostKey& host_key, Journal& journal);

    // Does all that is due now, and sleeps until the next.
    void reconcile();

    // Loads the policy and applies it to what lives. An error: the audit couldn't be written.
    Result<void> reload_policy();

    // Asks NSS about everybody who has a grant, and ends what they are no longer eligible for. An account
    // that can't be looked up keeps its grants until their end: an outage of a directory must not end the
    // work of all.
    void check_eligibility();

    // Signs the newest event, if it isn't yet.
    void checkpoint();

private:
    void checked(Uid uid, const Result<std::optional<Account>>& found);
    void arm();
    void watch_clock();
    void watch_accounts();

    Loop& loop_;
    Store& store_;
    Clock& clock_;
    PolicyKeeper& policy_;
    Requests& requests_;
    Uses& uses_;
    Memberships& memberships_;
    TemporaryAccounts& temporary_;
    Ends& ends_;
    Accounts& accounts_;
    const HostKey& host_key_;
    Journal& journal_;
    std::set<Uid> checking_;
    BootTime next_check_;
    BootTime next_checkpoint_;
    std::int64_t signed_ = 0; // the newest event with a checkpoint
    bool failing_ = false;
    Loop::Source timer_;
    Fd clock_watch_;
    Loop::Source clock_set_;
    Fd accounts_watch_; // of /etc
    Loop::Source accounts_seen_;
};

} // namespace jit
