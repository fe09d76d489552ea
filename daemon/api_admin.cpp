// SPDX-License-Identifier: MIT
// The methods of auditors and of root.
#include "daemon/api.h"
#include "daemon/parameters.h"
#include "daemon/view.h"

#include <algorithm>

namespace jit {
namespace {

constexpr std::int64_t events_a_reply = 200;
constexpr std::size_t most_followers = 64;

} // namespace

void Api::audit(const CallPtr& call, Parameters& parameters) {
    const std::int64_t after = std::max(parameters.optional_number("after").value_or(0), std::int64_t{0});
    const bool follow = parameters.flag("follow");
    if (rejected(call, parameters)) {
        return;
    }
    ask_who(call, [this, call, after, follow](const Caller& caller) {
        if (!is_auditor(parts_.policy.policy(), caller)) {
            const Error error{Errc::refused,
                              "only auditors ([site] auditors in the policy) and root read the audit"};
            parts_.requests.record_refusal(caller, "audit", error);
            return call->fail(error);
        }
        if (followers_.size() >= most_followers) {
            return call->fail({Errc::exhausted, "too many are reading the audit; try again later"});
        }
        auto follower = std::make_shared<Follower>(Follower{.call = call, .after = after, .follow = follow});
        followers_.push_back(follower);
        feed(follower);
    });
}

// Sends what there is, as fast as the client reads and no faster.
void Api::feed(const std::shared_ptr<Follower>& follower) {
    const auto done = [&] { followers_.remove(follower); };
    while (follower->call->open() && follower->call->drained()) {
        auto events = parts_.store.guarded([&]() -> Result<std::vector<Event>> {
            return parts_.store.events_after(follower->after, events_a_reply);
        });
        if (!events) {
            follower->call->fail(events.error());
            return done();
        }
        const bool last = std::ssize(*events) < events_a_reply;
        if (!events->empty()) {
            follower->after = events->back().seq;
        }
        Json list = Json::array();
        for (const Event& event : *events) {
            list.push_back(view_of(event));
        }
        if (!follower->call->more() || (last && !follower->follow)) {
            follower->call->reply({{"events", list}});
            return done();
        }
        if (!events->empty()) {
            follower->call->reply_more({{"events", list}});
        }
        if (last) {
            return; // events_appended() goes on
        }
        // One batch a turn: a long audit must not hold up anybody's end.
        return follower->call->on_drained([this, follower] { feed(follower); });
    }
    if (!follower->call->open()) {
        return done();
    }
    follower->call->on_drained([this, follower] { feed(follower); });
}

void Api::events_appended() {
    std::erase_if(followers_, [](const auto& follower) { return !follower->call->open(); });
    std::erase_if(watchers_, [](const Watcher& watcher) { return !watcher.call->open(); });
    const auto followers = followers_; // feed() may remove
    for (const auto& follower : followers) {
        if (follower->follow) {
            feed(follower);
        }
    }
}

void Api::checkpoints(const CallPtr& call, Parameters& parameters) {
    if (rejected(call, parameters)) {
        return;
    }
    ask_who(call, [this, call](const Caller& caller) {
        if (!is_auditor(parts_.policy.policy(), caller)) {
            return call->fail({Errc::refused, "only auditors and root read the audit's checkpoints"});
        }
        auto found = parts_.store.guarded(
            [&]() -> Result<std::vector<Checkpoint>> { return parts_.store.checkpoints(); });
        if (!found) {
            return call->fail(found.error());
        }
        Json list = Json::array();
        for (const Checkpoint& checkpoint : *found) {
            list.push_back(view_of(checkpoint));
        }
        call->reply({{"public_key", to_hex(parts_.host_key.public_key())},
                     {"machine_id", parts_.machine_id},
                     {"head", parts_.store.head().seq},
                     {"checkpoints", list}});
    });
}

void Api::leftovers(const CallPtr& call, Parameters& parameters) {
    if (rejected(call, parameters)) {
        return;
    }
    const auto answer = [this, call] {
        const auto found = parts_.leftovers();
        if (!found) {
            return call->fail(found.error());
        }
        Json list = Json::array();
        for (const Leftover& leftover : *found) {
            list.push_back({{"kind", name_of(leftover.kind)}, {"what", leftover.what}});
        }
        call->reply({{"leftovers", list}});
    };
    if (call->peer() != nullptr && call->peer()->uid == root_uid) {
        return answer(); // also where no account can be looked up
    }
    ask_who(call, [this, call, answer](const Caller& caller) {
        if (!is_auditor(parts_.policy.policy(), caller)) {
            return call->fail({Errc::refused, "only auditors and root look for leftovers"});
        }
        answer();
    });
}

void Api::status(const CallPtr& call, Parameters& parameters) {
    if (rejected(call, parameters)) {
        return;
    }
    struct Counts {
        std::int64_t pending, active, locks, to_review;
    };
    const auto counts = parts_.store.guarded([&]() -> Result<Counts> {
        return Counts{.pending = parts_.store.count(State::pending),
                      .active = parts_.store.count(State::active),
                      .locks = std::ssize(parts_.store.locks()),
                      .to_review = parts_.store.count_to_review()};
    });
    if (!counts) {
        return call->fail(counts.error());
    }
    const auto count_of = [](Time time) { return time.time_since_epoch().count(); };
    Json reply{{"version", parts_.version},
               {"now", count_of(parts_.clock.now().time)},
               {"started", count_of(started_)},
               {"policy_loaded", count_of(parts_.policy.loaded())},
               {"policy_current", parts_.policy.current()},
               {"policy_problems", view_of(parts_.policy.problems())},
               {"roles", parts_.policy.policy().roles.size()},
               {"pending", counts->pending},
               {"active", counts->active},
               {"locks", counts->locks},
               {"to_review", counts->to_review},
               {"clock_synchronised", parts_.clock.synchronised()}};
    if (parts_.clock.mark()) {
        reply["clock_mark"] = count_of(parts_.clock.mark()->time);
    }
    call->reply(reply);
}

void Api::reload(const CallPtr& call, Parameters& parameters) {
    if (rejected(call, parameters)) {
        return;
    }
    if (call->peer() == nullptr || call->peer()->uid != root_uid) {
        return call->fail({Errc::refused, "only root reloads the policy"});
    }
    if (const auto loaded = parts_.reload_policy(); !loaded) {
        return call->fail(loaded.error());
    }
    call->reply({{"taken", parts_.policy.current()}, {"problems", view_of(parts_.policy.problems())}});
}

void Api::reset_clock(const CallPtr& call, Parameters& parameters) {
    if (rejected(call, parameters)) {
        return;
    }
    if (call->peer() == nullptr || call->peer()->uid != root_uid) {
        return call->fail({Errc::refused, "only root resets the clock mark"});
    }
    const Time before = parts_.clock.now().time;
    const auto old_mark = parts_.clock.mark();
    parts_.clock.set_mark(std::nullopt);
    const Time now = parts_.clock.now().time;
    const auto recorded = parts_.store.transact([&]() -> Result<void> {
        parts_.store.append("clock.reset", now, {{"was", before.time_since_epoch().count()}});
        parts_.store.set_clock_mark(std::nullopt);
        return {};
    });
    if (!recorded) {
        parts_.clock.set_mark(old_mark);
        return call->fail(recorded.error());
    }
    call->reply({{"now", now.time_since_epoch().count()}});
}

} // namespace jit
