// SPDX-License-Identifier: MIT
// Accounts that exist only while a grant lives: a projection of the live grants that make one, as records in
// /run/userdb (account_files.h), with a home that jit-account makes and removes (account_protocol.h).
//
// MUST:
//  1. A name keeps its uid for ever and no other gets it; an account that exists is never taken over.
//  2. Made after it is recorded, and visible only when its home is ready; what can't be recorded isn't made.
//  3. At the end first the record goes, then whatever runs with that uid or was logged in by it, then what it
//     had on the host. None of that asks anybody, and all of it is done again until nothing is left: what is
//     still to be removed is in the database.
//  4. What jit gave is nobody's own: such an account approves nothing and is in no group that counts.
#pragma once

#include "core/store.h"
#include "daemon/account_files.h"
#include "daemon/account_protocol.h"
#include "daemon/accounts.h"
#include "daemon/journal.h"
#include "daemon/loop.h"
#include "daemon/one_shot.h"

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace jit {

class TemporaryAccounts {
public:
    struct Parts {
        Loop& loop;
        Store& store;
        const Clock& clock;
        const Policy& policy;
        Journal& journal;
        Accounts& accounts;
        // The name or the uid is somebody else's now: what the account has ends.
        std::function<void(Uid)> lost;
    };
    explicit TemporaryAccounts(Parts parts, std::string directory = userdb_directory);

    // For a request: the account as it would be, with the uid that is its own from now on. refused: it isn't
    // to be had; unavailable: it can't be told.
    using Done = std::function<void(const Result<Account>&)>;
    void reserve(const std::string& name, Done done);
    // One that is there by a live grant.
    [[nodiscard]] std::optional<Account> find(const AccountKey& key);

    // After a start: takes up what is there. Nothing is made or removed before.
    [[nodiscard]] Result<void> load(); // which accounts there are
    void adopt();

    // These requests changed. What isn't had any more is no account when this returns.
    void requests_changed(const std::vector<Request>& requests);
    void policy_changed();
    // Makes what is missing, and ends what is over.
    void enforce();
    // Once a minute: whether the files are still as we left them, and whether the name is still free.
    void look_again();

    // Whether what is wanted of it has been made, or couldn't be.
    [[nodiscard]] bool is_settled(Uid uid) const;
    // Calls back once it is.
    void when_settled(Uid uid, const std::function<void()>& done);
    // Why it couldn't be made.
    [[nodiscard]] std::string problem_of(Uid uid) const;

private:
    enum class Step { nothing, asking, making, made, ending, removing };
    struct Wanted { // by the live grants; the one that lives longest
        RequestId grant;
        std::string role;
        Party beneficiary;
        AccountWish wish;
        Deadline until;
    };
    struct One {
        std::string name;
        Uid uid = no_uid;
        RequestId grant; // by which something of it is on the host
        TemporaryAccount::Home home = TemporaryAccount::Home::keep;
        std::optional<Wanted> wanted;
        std::optional<AccountWish> sent;     // what jit-account was told to make
        std::optional<AccountRecord> record; // as it was put
        Step step = Step::nothing;
        BootTime at{};           // of what is to be done next
        std::size_t unclean = 0; // so many looks in a row found what couldn't be ended
        std::size_t looks = 0;   // for what runs still
        int killed = 0;          // altogether
        bool removed = false;    // what it had, since the last that was killed
        std::vector<std::string> done;
        std::string problem; // why it couldn't be made or removed
        std::string said;    // of that, in the audit
        std::vector<std::function<void()>> waiting;
        Millis retry = first_retry;
    };

    [[nodiscard]] std::optional<Wanted> wanted_of(Uid uid);
    void refresh(One& one);
    void work_on(One& one);
    void want(One& one, BootTime at);
    void arm();

    void ask(One& one);
    void answered(const std::string& name, const Result<bool>& free);
    void make(One& one);
    void made(One& one, const Result<AccountReply>& reply);
    void put(One& one);
    void failed(One& one, const std::string& why);
    void settle(One& one);
    [[nodiscard]] static std::vector<NssKey> numbers(Uid uid);
    // Whether nobody else has the name, or the number where one is given.
    void ask_whether_free(const std::string& name, std::optional<Uid> uid,
                          const std::function<void(const Result<bool>&)>& done, Turn turn = Turn::person);
    void reserve_next(const std::string& name, Uid candidate, int tries, const Done& done);
    [[nodiscard]] Result<Uid> next_uid();
    [[nodiscard]] static Account account_of(const One& one, const AccountWish& wish, const RequestId& grant);

    // temporary_accounts_ending.cpp
    void take(One& one);
    void look_for_processes();
    // What runs by an account that isn't there: by a set-id file of its, say.
    void look_for_strays();
    void not_clean(One& one, BootTime now);
    void tell_of(One& one, const std::string& problem);
    void remove(One& one);
    void removed(One& one, const Result<AccountReply>& reply);
    void forget(One& one);
    void lose(One& one);
    void number_lost(One& one);

    void send(One& one, const AccountJob& job,
              void (TemporaryAccounts::*done)(One&, const Result<AccountReply>&));
    void send_next();

    static constexpr int passes = 8; // over all processes
    static constexpr std::size_t most_waiting = 64;
    static constexpr Millis first_retry = std::chrono::seconds(1);
    static constexpr Millis longest_retry = std::chrono::minutes(1);

    Parts parts_;
    AccountFiles files_;
    std::map<std::string, One> ones_;
    bool adopted_ = false;
    struct Sending {
        std::string name;
        std::string question;
        void (TemporaryAccounts::*done)(One&, const Result<AccountReply>&);
    };
    std::vector<Sending> queue_; // one at a time: they are short
    OneShot one_shot_;
    Loop::Source timer_;
};

} // namespace jit
