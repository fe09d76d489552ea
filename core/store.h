// SPDX-License-Identifier: MIT
// The truth: /var/lib/jit/jit.db. Requests, answers, and the audit chain, each change in one transaction with
// its event. jitd is the only writer (WAL, synchronous=FULL: what has been committed survives a power cut).
//
// MUST:
//  1. A change and its event are committed together or not at all.
//  2. What the file holds is checked as it is read: a row that makes no sense is an error, never a default.
//  3. A file with a newer schema is refused, not guessed at.
//  4. A full disk keeps no end from being recorded (core/reserve.h).
#pragma once

#include "core/audit.h"
#include "core/db.h"
#include "core/error.h"
#include "core/grant.h"
#include "core/json.h"
#include "core/lock.h"
#include "core/reserve.h"
#include "core/use.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace jit {

struct AuditHead {
    std::int64_t seq = 0;
    Hash hash{};
};

struct MadeAccount {
    std::string name;
    Uid uid = no_uid;
    RequestId grant; // empty: nothing of it is on the host
    TemporaryAccount::Home home = TemporaryAccount::Home::keep;
};

// Of a report of what was left behind.
struct Review {
    Time due;               // what it tells was found then
    std::optional<Time> at; // none: nobody has looked at it yet
    std::string by;         // the person
    std::string reason;
};

class Store {
public:
    enum class Mode { owner, reader }; // reader: for `jitctl audit verify --db`
    static Result<std::unique_ptr<Store>> open(const std::string& path, Mode mode);

    // Runs f, which returns Result<T>, in one transaction: committed if f returns a value, else rolled back.
    template <class F>
    auto transact(F&& f) -> std::invoke_result_t<F> {
        return guarded([&]() -> std::invoke_result_t<F> {
            reserve_.make_room();
            const Unwind unwind(*this);
            Transaction transaction(db_);
            auto result = std::forward<F>(f)();
            if (result) {
                transaction.commit();
                committed_ = fresh_.size();
            }
            return result;
        });
    }

    // An error where what is left of the disk is for ends: asked before anything is given.
    [[nodiscard]] Result<void> room_to_give() const;
    // Whether the disk is so full that what can wait isn't to be written.
    [[nodiscard]] bool short_of_room() const { return reserve_.is_near(); }

    // Runs f, which returns Result<T>, and makes a database error into an Error.
    template <class F>
    auto guarded(F&& f) -> std::invoke_result_t<F> {
        try {
            return std::forward<F>(f)();
        } catch (const DbError& error) {
            return fail(Errc::unavailable, describe(error));
        }
    }

    // All below throw DbError, and so are for use inside transact() or guarded().

    [[nodiscard]] std::optional<Request> find(const RequestId& id);
    [[nodiscard]] std::vector<Request> pending();
    [[nodiscard]] std::vector<Request> active();
    // With `of_role`: only grants of roles that it says yes to; the others are passed over unread.
    using OfRole = std::function<bool(std::string_view role)>;
    [[nodiscard]] std::vector<Request> active_of(Uid uid, const OfRole& of_role = {});
    [[nodiscard]] std::vector<Uid> active_uids(); // those who have a grant
    // Pending ones that have waited long enough, and grants that are over by either clock.
    [[nodiscard]] std::vector<Request> due(const Now& now, const std::string& boot_id);
    [[nodiscard]] std::vector<Request> newest(std::int64_t limit); // over or not
    // The grants of one chain of extensions that are pending or active.
    [[nodiscard]] std::vector<Request> chain_of(const RequestId& chain);
    [[nodiscard]] Time chain_start(const RequestId& chain); // the first one's not_before
    [[nodiscard]] std::int64_t count(State state);
    [[nodiscard]] std::int64_t count_pending_of(std::string_view requester_person);
    // When the next pending request times out or grant ends: by UTC, and by the clock of the boot named by
    // boot_id.
    struct NextChange {
        std::optional<Time> time;
        std::optional<BootTime> boot;
    };
    [[nodiscard]] NextChange next_change(const std::string& boot_id);
    // What was to end in another boot, grants and locks, gets a deadline by the clock of this one too.
    void take_over(const Now& now, const std::string& boot_id);

    [[nodiscard]] RequestId new_id(); // of a request or a lock: free, random, short while few are taken
    void insert(const Request& request);
    void update(const Request& request); // state, times and who ended it; what was asked for never changes
    void add_answer(const RequestId& id, const Answer& answer);

    void insert(const Use& use); // and counts it to its grant, and as a use of that one's chain
    void update(const Use& use); // exited, status, ended and chains; the command of one that has ended is in
                                 // its event only
    [[nodiscard]] std::vector<Use> live_uses();
    [[nodiscard]] std::optional<Use> find_use(const std::string& id);
    // What an audit session of that boot is, or was, by right of.
    [[nodiscard]] std::optional<Use> use_of_session(std::uint32_t session, const std::string& boot_id);
    // When something that the grants of one chain carry began or was over last; none: nothing has begun.
    void set_last_used(const RequestId& chain, Time at);
    [[nodiscard]] std::optional<Time> last_used(const RequestId& chain);
    // Whether an audit session of that boot is one that jit-sudo made: nobody answers from inside one.
    [[nodiscard]] bool is_elevation_session(std::uint32_t session, const std::string& boot_id);

    void insert(const Lock& lock);
    void lift(const RequestId& lock, Time at);
    [[nodiscard]] std::vector<Lock> locks(); // those that aren't lifted, the oldest first

    // Searches for what was left behind (daemon/searches.h). A stock is how the host was when a grant began;
    // 0 is the stock of one that needs none.
    [[nodiscard]] std::vector<Request> without_stock(std::int64_t limit); // active ones
    [[nodiscard]] std::vector<Request> unsearched(std::int64_t limit);    // ended ones, the longest ago first
    [[nodiscard]] std::int64_t keep_stock(const std::string& items);
    void set_stock(const RequestId& grant, std::int64_t stock);
    [[nodiscard]] std::optional<std::int64_t> stock_of(const RequestId& grant);
    [[nodiscard]] std::optional<std::string> stock(std::int64_t id);
    // `left_behind`: JSON, for those who may see the grant; none where nothing was to be searched for.
    void set_searched(const RequestId& grant, Time at, const std::optional<std::string>& left_behind);
    void set_left_behind(const RequestId& grant, const std::string& so_far); // it is searched for again
    void forget_stocks();                                                    // those that nobody waits for
    [[nodiscard]] std::optional<std::string> left_behind(const RequestId& grant);

    // Reports that somebody is to look at. What is wanted again counts as not looked at.
    void want_review(const RequestId& grant, Time at);
    void set_reviewed(const RequestId& grant, Time at, const std::string& by, const std::string& reason);
    [[nodiscard]] std::optional<Review> review(const RequestId& grant); // none: there is nothing to look at
    [[nodiscard]] std::vector<Request> to_review(std::int64_t limit);   // the longest due first
    [[nodiscard]] std::int64_t count_to_review();
    // Another number after each change of what to_review() says.
    [[nodiscard]] std::int64_t reviews_version() const { return reviews_version_; }

    // Accounts that grants make, and have made: a name's uid is never another's.
    [[nodiscard]] std::vector<MadeAccount> accounts();
    void reserve_account(const std::string& name, Uid uid);
    // By right of which grant something of it is on the host, and what becomes of its home.
    void set_account(const std::string& name, const RequestId& grant, TemporaryAccount::Home home);
    void forget_account(const std::string& name); // nothing of it is any more

    // Appends to the chain. `fields` get "seq", "at" and "kind" before them.
    void append(std::string_view kind, Time at, const Json& fields);
    [[nodiscard]] const AuditHead& head() const { return head_; }
    // How many bytes of events were appended since this was opened: what somebody had us write down.
    [[nodiscard]] std::int64_t appended() const { return appended_; }
    // What is wrong with the newest event, if anything is: cut off or changed while nobody was looking.
    [[nodiscard]] std::optional<std::string> head_problem();
    // The events committed since this was last called, for the journal and those who follow.
    [[nodiscard]] std::vector<Event> take_committed();
    [[nodiscard]] std::vector<Event> events_after(std::int64_t seq, std::int64_t limit);
    void add_checkpoint(const Checkpoint& checkpoint);
    [[nodiscard]] std::vector<Checkpoint> checkpoints();

    [[nodiscard]] std::optional<ClockMark> clock_mark();
    void set_clock_mark(const std::optional<ClockMark>& mark);

    // The sources of the policy last taken, as JSON: a restart with broken files goes on with these.
    [[nodiscard]] std::optional<std::string> policy_sources();
    void set_policy_sources(std::string_view json);

    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

private:
    // Takes back what a transaction that wasn't committed had appended.
    class Unwind {
    public:
        explicit Unwind(Store& store) : store_(store), head_(store.head_) {}
        ~Unwind() {
            if (store_.fresh_.size() > store_.committed_) {
                store_.fresh_.resize(store_.committed_);
                store_.head_ = head_;
            }
        }
        Unwind(const Unwind&) = delete;
        Unwind& operator=(const Unwind&) = delete;

    private:
        Store& store_;
        AuditHead head_;
    };

    explicit Store(const std::string& path, Mode mode);
    void migrate();
    void load_head();
    [[nodiscard]] std::vector<Request> read_requests(Statement::Rows rows, const OfRole& of_role = {});
    [[nodiscard]] static std::vector<Use> read_uses(Statement::Rows rows);
    [[nodiscard]] static std::string describe(const DbError& error);
    struct Statements;

    Reserve reserve_;
    Database db_;
    AuditHead head_;
    std::int64_t appended_ = 0;
    std::int64_t reviews_version_ = 1;
    std::vector<Event> fresh_; // appended and not yet taken; the first committed_ of them are committed
    std::size_t committed_ = 0;
    std::unique_ptr<Statements> sql_;
};

} // namespace jit
