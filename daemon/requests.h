// SPDX-License-Identifier: MIT
// The life of a request: each step is one transaction that changes the record and appends its event.
// Everything needed from outside (who calls, what NSS says of whom) is passed in.
#pragma once

#include "core/clock.h"
#include "core/store.h"
#include "daemon/decide.h"
#include "daemon/rate_limit.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace jit {

// What somebody asks for.
struct Ask {
    std::string role;
    std::string reason;
    std::optional<Millis> duration;
    std::string ticket;
    std::vector<std::string> commands;
    std::vector<std::string> groups;
    std::string account{};           // which one the role is to make; empty: its own of who asks
    std::vector<std::string> keys{}; // lines of .pub files
};

// uid 0, and who logged in behind it, where that is known.
struct Root {
    Party party;
    std::optional<Uid> login_uid;
};

// What is to be locked.
struct LockWish {
    LockKind kind = LockKind::host;
    std::string name;
    std::optional<Account> account; // of a user, where NSS knows it
    std::optional<Millis> duration; // none: until it is lifted
    std::string reason;
};

struct Locked {
    Lock lock;
    std::size_t ended = 0;     // grants
    std::size_t cancelled = 0; // requests
};

class Requests {
public:
    // `changed` is called after each commit, with the requests that were made or changed by it.
    using Changed = std::function<void(const std::vector<Request>&)>;
    // `policy`: the one in force, whenever that changes.
    Requests(Store& store, Clock& clock, const Policy& policy, Changed changed)
        : store_(store), clock_(clock), policy_(policy), changed_(std::move(changed)) {}

    // Whether the role makes accounts. An error: there is no such role.
    [[nodiscard]] Result<bool> makes_account(const std::string& role) const;
    // Before a uid is set aside for it: whether this person may have the role in that account.
    [[nodiscard]] Result<void> may_make(const Caller& caller, const std::string& person,
                                        const Ask& ask) const;

    // `made`: the account that the role makes, where it makes one.
    Result<Request> file(const Caller& caller, const Ask& ask, const Account* made = nullptr);
    Result<Request> grant(const Caller& caller, const Account& beneficiary, const Ask& ask);
    Result<Request> extend(const Caller& caller, const RequestId& id, const std::string& reason,
                           std::optional<Millis> duration);

    // `beneficiary` as NSS tells it now: eligibility is judged again when the last answer makes it a grant.
    Result<Request> approve(const Caller& caller, const RequestId& id, const std::string& reason,
                            const Account& beneficiary);
    Result<Request> deny(const Caller& caller, const RequestId& id, const std::string& reason);
    Result<Request> cancel(const Caller& caller, const RequestId& id);
    Result<Request> release(const Caller& caller, const RequestId& id);
    Result<Request> revoke(const Caller& caller, const RequestId& id, const std::string& reason);

    // The caller has looked at what it left behind. `reason`: what they say to it; may be empty.
    Result<Request> review(const Caller& caller, const RequestId& id, const std::string& reason);

    // Ends what it holds, at once, and refuses more of it until it is lifted.
    Result<Locked> lock(const Root& root, const LockWish& wish);
    Result<Lock> unlock(const Root& root, const RequestId& id, const std::string& reason);
    [[nodiscard]] Result<std::vector<Lock>> locks();
    // Whether no lock keeps somebody from anything, or from this role.
    [[nodiscard]] Result<void> not_locked(const Party& party, std::string_view role);
    // When advance() has a lock to lift.
    [[nodiscard]] std::optional<BootTime> next_lift();

    // Ends a grant that its use ended: one that is used up alone, one that is idle or closed with its
    // extensions.
    Result<void> end_by_use(const Request& grant, Cause cause, const std::string& why);

    // At start: what was given in another boot gets an end by this one's clock, which nobody sets.
    Result<void> take_over();
    // Time-outs and ends that are due, of locks too.
    Result<void> advance();
    // Ends what the policy no longer gives: the role or the routing is gone, or changed under a pending
    // request.
    Result<void> apply_policy();
    // Ends what `account` is no longer eligible for; nullptr: there is no such account any more.
    Result<void> apply_account(Uid uid, const Account* account);

    // Not done, and recorded: who wanted what and why not, within what RefusalLimit allows.
    // `more`: further fields of the event. Whether it was recorded.
    bool record_refusal(const Caller& caller, std::string_view what, const Error& error,
                        const Json& more = Json::object());

    [[nodiscard]] Result<Request> find(const RequestId& id);
    // Whether there is more time to be had for it.
    [[nodiscard]] bool can_be_extended(const Request& grant, const Role& role);
    [[nodiscard]] std::string access_of(const Role& role) const; // "up to 1h, oncall approves"

private:
    Result<const Role*> role_named(const std::string& name) const;
    Result<Request> draft(const Caller& caller, const Party& beneficiary, const Role& role, const Ask& ask);
    Result<Request> file_or_start(Request request);
    [[nodiscard]] Result<std::vector<unsigned>> could_answer(const Caller& caller, const Party& beneficiary,
                                                             const Role& role) const;
    [[nodiscard]] Result<void> only_one(const Request& request);
    // A chain of extensions: until when it is given now, and until when it could be.
    struct Reach {
        Time end, most;
    };
    [[nodiscard]] Reach reach_of(const Request& grant, const Role& role);
    void start(Request& request, const Now& now);
    struct End {
        Cause cause;
        std::string why;
    };
    // Ends the pending and active ones that `end_of` says an end of, within a transaction; those are
    // returned.
    std::vector<Request> end_those(const std::function<std::optional<End>(const Request&)>& end_of);
    [[nodiscard]] std::optional<End> held_by(const std::vector<Lock>& locks, const Request& request) const;
    [[nodiscard]] Result<void> not_locked(const Caller& caller);
    void lift(const Lock& lock, Time at, const Json& more);
    Result<void> lift_due(const Now& now);
    void end(Request& request, State state, std::optional<Cause> cause, Time at, const std::string& by,
             const std::string& reason);
    Result<Request> end_chain(const Request& request, Cause cause, const std::string& by,
                              const std::string& reason);

    Store& store_;
    Clock& clock_;
    const Policy& policy_;
    Changed changed_;
    RateLimit share_{4 * 1024 * 1024, Millis(20)}; // bytes of what is recorded for asking: 4 MiB a day
    RefusalLimit refusals_;
};

} // namespace jit
