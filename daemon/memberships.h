// SPDX-License-Identifier: MIT
// Host-wide memberships: a projection of the live grants that give them, as drop-ins in /run/userdb
// (membership_files.h).
//
// MUST:
//  1. Given after it is recorded; taken back first, and recorded after. What can't be recorded is tried
//  again.
//  2. Taking back waits for nobody: what it needs was written down when it was given.
//  3. What the account has by itself when it would be given isn't given, and so isn't taken.
//  4. When it ends, that person's processes that carry the group end, but for those that have it by another
//     use's right. Again a little later: a login that was being made had read the drop-in already.
#pragma once

#include "core/store.h"
#include "daemon/accounts.h"
#include "daemon/carriers.h"
#include "daemon/journal.h"
#include "daemon/loop.h"
#include "daemon/membership_files.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace jit {

class Memberships {
public:
    struct Parts {
        Loop& loop;
        Store& store;
        const Clock& clock;
        const Policy& policy;
        Journal& journal;
        Accounts& accounts;
        // The audit sessions of what runs now and was given that very group.
        std::function<std::set<std::uint32_t>(Uid, const std::string& group)> sessions_given;
    };
    explicit Memberships(Parts parts, std::string directory = userdb_directory);

    // After a start: takes up what is there. Nothing is given or taken before.
    void adopt();

    // These requests changed. What isn't had any more opens nothing when this returns.
    void requests_changed(const std::vector<Request>& requests);
    // The policy did, or the clock was set.
    void policy_changed() { all_stale_ = true; }
    // The files as the live grants have it now; what is missing is asked for, and given when NSS has
    // answered.
    void publish();
    // And ends the processes of what was taken back.
    void enforce();
    // Once a minute: whether the files are still as we left them, and what NSS says of each.
    void look_again();

private:
    enum class Step { unasked, asking, settled, unanswered };
    struct Wanted { // by the live grants; the one that lives longest
        RequestId grant;
        std::string role;
        Party beneficiary;
        Deadline until;
        Step step = Step::unasked;
        BootTime ask_at;   // where it was asked, and not answered
        bool said = false; // why it isn't given
    };
    struct Ending {
        RequestId grant;
        Carriers carriers;
        std::size_t looks = 0;
        BootTime at; // of the next one
    };
    // Several of a name where the group's number changed meanwhile.
    using Endings = std::multimap<MembershipName, Ending>;
    using Found = Result<std::optional<Account>>;

    [[nodiscard]] bool refresh(const Now& now);
    void want_of(const Request& request, const Now& now);
    void observe();
    void ask(const MembershipName& name, Turn turn);
    void answered(const MembershipName& name, const Found& account, const Result<std::optional<Gid>>& gid);
    void give(const MembershipName& name, Wanted& wanted, Uid uid, Gid gid);
    void try_later(Wanted& wanted);
    void refuse(const MembershipName& name, Wanted& wanted, const std::string& why);
    void take(const MembershipName& name);
    void look_at_endings(const Now& now);
    Endings::iterator forget(Endings::iterator ending);
    [[nodiscard]] Result<void> record_taken(const MembershipName& name, const Ending& ending);
    void want(BootTime time);

    Parts parts_;
    DropIns drop_ins_;
    std::map<MembershipName, Wanted> wanted_;
    std::map<MembershipName, DropIn> given_;
    Endings endings_;
    bool adopted_ = false;
    bool all_stale_ = true;
    std::set<Uid> stale_;
    std::optional<BootTime> next_; // when there is something to do again
    static constexpr Millis first_retry = Millis(20);
    static constexpr Millis longest_retry = std::chrono::seconds(1);
    Millis retry_ = first_retry;
    Loop::Source timer_;
};

} // namespace jit
