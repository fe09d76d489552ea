// SPDX-License-Identifier: MIT
#include "daemon/api.h"

#include "core/text.h"
#include "daemon/explain.h"
#include "daemon/parameters.h"
#include "daemon/view.h"

#include <fmt/format.h>

#include <algorithm>

namespace jit {
namespace {

constexpr std::int64_t most_listed = 1000;
constexpr std::int64_t events_a_reply = 200;
constexpr std::size_t most_followers = 64;
constexpr std::size_t most_watchers = 1024;

Ask ask_from(Parameters& parameters) {
    Ask ask;
    ask.role = parameters.text("role");
    ask.reason = parameters.text("reason");
    ask.duration = parameters.optional_duration("duration");
    ask.ticket = parameters.optional_text("ticket").value_or("");
    ask.commands = parameters.texts("commands");
    ask.groups = parameters.texts("groups");
    return ask;
}

// Tells the client which parameter is wrong, if one is.
bool rejected(const CallPtr& call, const Parameters& parameters) {
    const auto wrong = parameters.wrong();
    if (wrong) {
        call->fail_varlink("InvalidParameter", {{"parameter", *wrong}});
    }
    return wrong.has_value();
}

} // namespace

Api::Api(Parts parts) : parts_(std::move(parts)), started_(parts_.clock.now().time) {}

void Api::handle(const CallPtr& call) {
    static const std::map<std::string_view, Method> methods{
        {"Request", &Api::request},
        {"Grant", &Api::grant},
        {"Extend", &Api::extend},
        {"List", &Api::list},
        {"Show", &Api::show},
        {"Watch", &Api::watch_method},
        {"Approve", &Api::approve},
        {"Deny", &Api::deny},
        {"Cancel", &Api::cancel},
        {"Release", &Api::release},
        {"Revoke", &Api::revoke},
        {"Explain", &Api::explain},
        {"Audit", &Api::audit},
        {"Checkpoints", &Api::checkpoints},
        {"Status", &Api::status},
        {"ReloadPolicy", &Api::reload},
        {"ResetClock", &Api::reset_clock},
    };
    const std::string_view name = std::string_view(call->method()).substr(call->method().rfind('.') + 1);
    const auto method = methods.find(name);
    if (method == methods.end()) {
        return call->fail_varlink("MethodNotFound", {{"method", call->method()}});
    }
    Parameters parameters(call->parameters());
    (this->*method->second)(call, parameters);
}

void Api::ask_account(const CallPtr& call, AccountKey key, std::function<void(const Account&)> then) {
    parts_.accounts.look_up(key, [call, key,
                                  then = std::move(then)](const Result<std::optional<Account>>& found) {
        if (!found) {
            return call->fail(found.error());
        }
        const auto* uid = std::get_if<Uid>(&key);
        if (!*found) {
            return call->fail({Errc::not_found,
                               uid != nullptr ? fmt::format("there is no account with uid {}", number(*uid))
                                              : fmt::format("there is no account '{}'",
                                                            escape(std::get<std::string>(key)))});
        }
        if ((uid != nullptr && (*found)->uid != *uid) || !is_account_name((*found)->name)) {
            return call->fail(
                {Errc::refused, fmt::format("the account name '{}' is not one that jit works with",
                                            escape((*found)->name))});
        }
        then(**found);
    });
}

void Api::ask_who(const CallPtr& call, WithCaller then) {
    const Peer* peer = call->peer();
    if (peer == nullptr) {
        return;
    }
    // Read at once: the caller is waiting for us now, and may be gone when NSS has answered.
    auto login = login_of(*peer);
    ask_account(
        call, peer->uid,
        [this, call, login = std::move(login), then = std::move(then)](const Account& account) {
            Caller caller{.party = party_of(parts_.policy.policy(), account),
                          .account = account,
                          .login_person = {},
                          .login_known = login.has_value(),
                          .not_attested = {}};
            if (!login) {
                caller.not_attested = login.error().message;
            } else if (!login->uid || !login->session) {
                caller.not_attested =
                    "this session has no login of its own (cron, a service, or su from one): log in by "
                    "ssh or at the console and answer from there";
            } else if (*login->uid != account.uid) {
                return ask_account(call, *login->uid, [this, caller, then](const Account& logged_in) mutable {
                    caller.login_person = parts_.policy.policy().person_of(logged_in.name);
                    caller.not_attested =
                        fmt::format("this session was logged in by {}, not {}: answer from a login of "
                                    "your own",
                                    logged_in.name, caller.account.name);
                    then(caller);
                });
            } else {
                caller.login_person = caller.party.person;
                const auto elevated = parts_.store.guarded([&]() -> Result<bool> {
                    return parts_.store.is_elevation_session(*login->session, parts_.clock.boot_id());
                });
                if (!elevated || *elevated) {
                    caller.not_attested =
                        "this is an elevation, and may be anybody who got into it: answer from a "
                        "login of your own, outside of jit-sudo";
                }
            }
            then(caller);
        });
}

Result<Request> Api::visible(const Caller& caller, const RequestId& id) const {
    auto request = parts_.requests.find(id);
    if (request && !may_see(parts_.policy.policy(), *request, caller)) {
        return fail(Errc::not_found, fmt::format("there is no request '{}'", escape(id)));
    }
    return request;
}

void Api::finish(const CallPtr& call, const Caller& caller, std::string_view what,
                 const Result<Request>& result) {
    if (!result) {
        if (result.error().code == Errc::refused) {
            parts_.requests.record_refusal(caller, what, result.error());
        }
        return call->fail(result.error());
    }
    if (call->more() && !result->over()) {
        return watch(call, caller, *result);
    }
    call->reply({{"request", view_of(parts_.policy.policy(), *result, caller)}});
}

void Api::watch(const CallPtr& call, const Caller& caller, const Request& request) {
    if (watchers_.size() >= most_watchers) {
        std::erase_if(watchers_, [](const Watcher& watcher) { return !watcher.call->open(); });
        if (watchers_.size() >= most_watchers) {
            return call->fail({Errc::exhausted, "too many are watching; try again later"});
        }
    }
    call->reply_more({{"request", view_of(parts_.policy.policy(), request, caller)}});
    watchers_.push_back({.call = call, .caller = caller, .id = request.id});
}

void Api::request_changed(const Request& request) {
    for (auto watcher = watchers_.begin(); watcher != watchers_.end();) {
        if (watcher->id != request.id) {
            ++watcher;
            continue;
        }
        const Json reply{{"request", view_of(parts_.policy.policy(), request, watcher->caller)}};
        if (request.over()) {
            watcher->call->reply(reply);
        } else {
            watcher->call->reply_more(reply);
        }
        watcher = watcher->call->open() ? std::next(watcher) : watchers_.erase(watcher);
    }
}

void Api::request(const CallPtr& call, Parameters& parameters) {
    Ask ask = ask_from(parameters);
    if (rejected(call, parameters)) {
        return;
    }
    ask_who(call, [this, call, ask = std::move(ask)](const Caller& caller) {
        finish(call, caller, "request " + ask.role, parts_.requests.file(caller, ask));
    });
}

void Api::grant(const CallPtr& call, Parameters& parameters) {
    Ask ask = ask_from(parameters);
    std::string user = parameters.text("user");
    if (rejected(call, parameters)) {
        return;
    }
    ask_who(call, [this, call, ask = std::move(ask), user = std::move(user)](const Caller& caller) {
        ask_account(call, user, [this, call, ask, caller, user](const Account& beneficiary) {
            finish(call, caller, fmt::format("grant {} {}", user, ask.role),
                   parts_.requests.grant(caller, beneficiary, ask));
        });
    });
}

void Api::extend(const CallPtr& call, Parameters& parameters) {
    const RequestId id = parameters.text("id");
    const std::string reason = parameters.text("reason");
    const auto duration = parameters.optional_duration("duration");
    if (rejected(call, parameters)) {
        return;
    }
    ask_who(call, [this, call, id, reason, duration](const Caller& caller) {
        const auto seen = visible(caller, id);
        finish(call, caller, "extend " + id,
               seen ? parts_.requests.extend(caller, id, reason, duration) : seen);
    });
}

void Api::list(const CallPtr& call, Parameters& parameters) {
    const bool all = parameters.flag("all");
    const std::int64_t limit =
        std::clamp(parameters.optional_number("limit").value_or(most_listed), std::int64_t{1}, most_listed);
    if (rejected(call, parameters)) {
        return;
    }
    ask_who(call, [this, call, all, limit](const Caller& caller) {
        auto requests = parts_.store.guarded([&]() -> Result<std::vector<Request>> {
            if (all) {
                return parts_.store.newest(most_listed);
            }
            auto found = parts_.store.pending();
            std::ranges::move(parts_.store.active(), std::back_inserter(found));
            return found;
        });
        if (!requests) {
            return call->fail(requests.error());
        }
        Json list = Json::array();
        for (const Request& request : *requests) {
            if (std::ssize(list) < limit && may_see(parts_.policy.policy(), request, caller)) {
                list.push_back(view_of(parts_.policy.policy(), request, caller));
            }
        }
        call->reply({{"requests", list}});
    });
}

void Api::show(const CallPtr& call, Parameters& parameters) {
    const RequestId id = parameters.text("id");
    if (rejected(call, parameters)) {
        return;
    }
    ask_who(call, [this, call, id](const Caller& caller) {
        const auto seen = visible(caller, id);
        if (!seen) {
            return call->fail(seen.error());
        }
        call->reply({{"request", view_of(parts_.policy.policy(), *seen, caller)}});
    });
}

void Api::watch_method(const CallPtr& call, Parameters& parameters) {
    const RequestId id = parameters.text("id");
    if (rejected(call, parameters)) {
        return;
    }
    ask_who(call, [this, call, id](const Caller& caller) {
        finish(call, caller, "watch " + id, visible(caller, id));
    });
}

void Api::approve(const CallPtr& call, Parameters& parameters) {
    const RequestId id = parameters.text("id");
    const std::string reason = parameters.optional_text("reason").value_or("");
    if (rejected(call, parameters)) {
        return;
    }
    ask_who(call, [this, call, id, reason](const Caller& caller) {
        const auto seen = visible(caller, id);
        if (!seen) {
            return call->fail(seen.error());
        }
        ask_account(call, seen->beneficiary.uid,
                    [this, call, id, reason, caller](const Account& beneficiary) {
                        finish(call, caller, "approve " + id,
                               parts_.requests.approve(caller, id, reason, beneficiary));
                    });
    });
}

void Api::deny(const CallPtr& call, Parameters& parameters) {
    const RequestId id = parameters.text("id");
    const std::string reason = parameters.text("reason");
    if (rejected(call, parameters)) {
        return;
    }
    ask_who(call, [this, call, id, reason](const Caller& caller) {
        const auto seen = visible(caller, id);
        finish(call, caller, "deny " + id, seen ? parts_.requests.deny(caller, id, reason) : seen);
    });
}

void Api::cancel(const CallPtr& call, Parameters& parameters) {
    const RequestId id = parameters.text("id");
    if (rejected(call, parameters)) {
        return;
    }
    ask_who(call, [this, call, id](const Caller& caller) {
        const auto seen = visible(caller, id);
        finish(call, caller, "cancel " + id, seen ? parts_.requests.cancel(caller, id) : seen);
    });
}

void Api::release(const CallPtr& call, Parameters& parameters) {
    const RequestId id = parameters.text("id");
    if (rejected(call, parameters)) {
        return;
    }
    ask_who(call, [this, call, id](const Caller& caller) {
        const auto seen = visible(caller, id);
        finish(call, caller, "release " + id, seen ? parts_.requests.release(caller, id) : seen);
    });
}

void Api::revoke(const CallPtr& call, Parameters& parameters) {
    const RequestId id = parameters.text("id");
    const std::string reason = parameters.text("reason");
    if (rejected(call, parameters)) {
        return;
    }
    ask_who(call, [this, call, id, reason](const Caller& caller) {
        const auto seen = visible(caller, id);
        finish(call, caller, "revoke " + id, seen ? parts_.requests.revoke(caller, id, reason) : seen);
    });
}

void Api::explain(const CallPtr& call, Parameters& parameters) {
    Wish wish;
    const auto user = parameters.optional_text("user");
    wish.command = parameters.texts("command");
    wish.run_as = parameters.optional_text("run_as").value_or("root");
    wish.login = parameters.optional_text("login").value_or("");
    wish.group = parameters.optional_text("group").value_or("");
    if (rejected(call, parameters)) {
        return;
    }
    ask_who(call, [this, call, wish = std::move(wish), user](const Caller& caller) {
        const auto answer = [this, call, wish](const Account& account) {
            auto active = parts_.store.guarded(
                [&]() -> Result<std::vector<Request>> { return parts_.store.active_of(account.uid); });
            if (!active) {
                return call->fail(active.error());
            }
            const auto reply =
                jit::explain(parts_.policy.policy(), account, wish, *active,
                             [this](const Role& role) { return parts_.requests.access_of(role); });
            if (!reply) {
                return call->fail(reply.error());
            }
            call->reply(*reply);
        };
        if (!user || *user == caller.account.name) {
            return answer(caller.account);
        }
        if (!is_auditor(parts_.policy.policy(), caller)) {
            return call->fail({Errc::refused, "only auditors and root ask about others"});
        }
        ask_account(call, *user, answer);
    });
}

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

void Api::status(const CallPtr& call, Parameters& parameters) {
    if (rejected(call, parameters)) {
        return;
    }
    struct Counts {
        std::int64_t pending, active;
    };
    const auto counts = parts_.store.guarded([&]() -> Result<Counts> {
        return Counts{.pending = parts_.store.count(State::pending),
                      .active = parts_.store.count(State::active)};
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
