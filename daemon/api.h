// SPDX-License-Identifier: MIT
// The methods of io.jitsudo.Access. Each gathers what it needs from outside (who calls, what NSS says), then
// decides and replies in one go.
#pragma once

#include "core/audit.h"
#include "daemon/accounts.h"
#include "daemon/leftovers.h"
#include "daemon/policy_keeper.h"
#include "daemon/requests.h"
#include "daemon/temporary_accounts.h"
#include "daemon/uses.h"
#include "daemon/varlink.h"

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <string>

namespace jit {

class Parameters;

class Api {
public:
    struct Parts {
        Loop& loop;
        Store& store;
        Clock& clock;
        PolicyKeeper& policy;
        Requests& requests;
        const Uses& uses;
        Accounts& accounts;
        TemporaryAccounts& temporary;
        const HostKey& host_key;
        std::string machine_id;
        std::string version;
        std::function<Result<void>()> reload_policy;
        std::function<Result<std::vector<Leftover>>()> leftovers;
    };
    explicit Api(Parts parts);

    void handle(const CallPtr& call);

    // Tells those who wait for it.
    void request_changed(const Request& request);
    void events_appended();
    void overview_changed();

    static constexpr std::int64_t most_listed = 1000;

private:
    using Method = void (Api::*)(const CallPtr&, Parameters&);
    using WithCaller = std::function<void(const Caller&)>;

    // Tells the client which parameter is wrong, if one is.
    static bool rejected(const CallPtr& call, const Parameters& parameters);
    void ask_who(const CallPtr& call, WithCaller then);
    void ask_account(const CallPtr& call, AccountKey key, std::function<void(const Account&)> then);
    // Root itself, without asking NSS: what only takes away works where that hangs. None: others, who are
    // refused as not those who `may`.
    std::optional<Root> root_behind(const CallPtr& call, std::string_view may);
    void set_lock(const CallPtr& call, const Root& root, const LockWish& wish);
    // The caller's own or one they may see; otherwise "there is no such request", as for one that there
    // isn't.
    Result<Request> visible(const Caller& caller, const RequestId& id) const;
    // Those that the caller may see: pending and active, or with `all` the newest; with `mine` only theirs.
    Result<std::vector<Request>> listed(const Caller& caller, bool all, bool mine);
    void finish(const CallPtr& call, const Caller& caller, std::string_view what,
                const Result<Request>& result);
    // One step in the life of a request that the caller may see.
    void step(const CallPtr& call, const RequestId& id, const char* verb,
              std::function<Result<Request>(const Caller&)> take);
    void watch(const CallPtr& call, const Caller& caller, const Request& request);

    // As it is shown to the caller.
    [[nodiscard]] Json shown(const Request& request, const Caller& caller) const;
    void make_account(const CallPtr& call, const Caller& caller, const std::string& what,
                      const std::string& person, const Ask& ask,
                      const std::function<Result<Request>(const Account&)>& then);

    void request(const CallPtr& call, Parameters& parameters);
    void grant(const CallPtr& call, Parameters& parameters);
    void extend(const CallPtr& call, Parameters& parameters);
    void list(const CallPtr& call, Parameters& parameters);
    void show(const CallPtr& call, Parameters& parameters);
    // What it left behind, where the caller may see that: all that is kept, or the first things of it.
    enum class Report { all, first };
    [[nodiscard]] Result<void> add_report(Json& view, const Request& request, const Caller& caller,
                                          Report how_much);
    void reply_with_report(const CallPtr& call, const Request& request, const Caller& caller);
    // Those whose report nobody has reviewed, as far as the caller may see it.
    [[nodiscard]] Result<std::vector<const Request*>> to_review(const Caller& caller);
    void add_count_to_review(Json& reply, const Caller& caller);
    void reviews(const CallPtr& call, Parameters& parameters);
    void review(const CallPtr& call, Parameters& parameters);
    void watch_method(const CallPtr& call, Parameters& parameters);
    void overview(const CallPtr& call, Parameters& parameters);
    void approve(const CallPtr& call, Parameters& parameters);
    void deny(const CallPtr& call, Parameters& parameters);
    void cancel(const CallPtr& call, Parameters& parameters);
    void release(const CallPtr& call, Parameters& parameters);
    void revoke(const CallPtr& call, Parameters& parameters);
    void explain(const CallPtr& call, Parameters& parameters);
    void lock(const CallPtr& call, Parameters& parameters);
    void unlock(const CallPtr& call, Parameters& parameters);
    void locks(const CallPtr& call, Parameters& parameters);
    void leftovers(const CallPtr& call, Parameters& parameters);
    void audit(const CallPtr& call, Parameters& parameters);
    void checkpoints(const CallPtr& call, Parameters& parameters);
    void status(const CallPtr& call, Parameters& parameters);
    void reload(const CallPtr& call, Parameters& parameters);
    void reset_clock(const CallPtr& call, Parameters& parameters);

    struct Follower {
        CallPtr call;
        std::int64_t after;
        bool follow;
    };
    void feed(const std::shared_ptr<Follower>& follower);

    struct Watcher {
        CallPtr call;
        Caller caller;
        RequestId id;
    };

    struct Viewer {
        CallPtr call;
        std::array<unsigned char, 32> told{}; // a hash of the last reply, but for its time
        bool asking = false;
    };
    void tell(const std::shared_ptr<Viewer>& viewer);
    Result<Json> overview_of(const Caller& caller);

    Parts parts_;
    Time started_;
    // Read once for all who look on: there may be many that nobody has reviewed.
    struct {
        std::int64_t version = 0; // of the store's
        std::vector<Request> requests;
    } due_;
    std::list<Watcher> watchers_;
    std::list<std::shared_ptr<Follower>> followers_;
    std::vector<std::shared_ptr<Viewer>> viewers_;
    bool telling_due_ = false;
    BootTime told_;
    Loop::Source telling_;
};

} // namespace jit
