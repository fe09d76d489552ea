// SPDX-License-Identifier: MIT
// Who calls, what they may see, and who waits for what.
#include "daemon/api.h"

#include "core/text.h"
#include "daemon/parameters.h"
#include "daemon/view.h"

#include <fmt/format.h>

#include <algorithm>

namespace jit {
namespace {

constexpr std::size_t most_watchers = 1024;

} // namespace

bool Api::rejected(const CallPtr& call, const Parameters& parameters) {
    const auto wrong = parameters.wrong();
    if (wrong) {
        call->fail_varlink("InvalidParameter", {{"parameter", *wrong}});
    }
    return wrong.has_value();
}

Api::Api(Parts parts) : parts_(std::move(parts)), started_(parts_.clock.now().time) {}

void Api::handle(const CallPtr& call) {
    static const std::map<std::string_view, Method> methods{
        {"Request", &Api::request},     {"Grant", &Api::grant},         {"Extend", &Api::extend},
        {"List", &Api::list},           {"Show", &Api::show},           {"Watch", &Api::watch_method},
        {"Approve", &Api::approve},     {"Deny", &Api::deny},           {"Cancel", &Api::cancel},
        {"Release", &Api::release},     {"Revoke", &Api::revoke},       {"Explain", &Api::explain},
        {"Lock", &Api::lock},           {"Unlock", &Api::unlock},       {"Locks", &Api::locks},
        {"Leftovers", &Api::leftovers}, {"Audit", &Api::audit},         {"Checkpoints", &Api::checkpoints},
        {"Status", &Api::status},       {"ReloadPolicy", &Api::reload}, {"ResetClock", &Api::reset_clock},
        {"Overview", &Api::overview},   {"Reviews", &Api::reviews},     {"Review", &Api::review},
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

void Api::ask_who(const CallPtr& call, WithCaller done) {
    const Peer* peer = call->peer();
    if (peer == nullptr) {
        return;
    }
    // Read at once: the caller is waiting for us now, and may be gone when NSS has answered.
    auto login = login_of(*peer);
    ask_account(
        call, peer->uid,
        [this, call, login = std::move(login), done = std::move(done)](const Account& account) {
            const auto then = [&done, &account](Caller& caller) {
                if (!account.made_by.empty() && caller.not_attested.empty()) {
                    // Whoever granted it may hold its keys: they would be two people.
                    caller.not_attested =
                        fmt::format("{} is there by grant {} alone: answer from an account that is yours",
                                    account.name, account.made_by);
                }
                done(caller);
            };
            Caller caller{.party = party_of(parts_.policy.policy(), account),
                          .account = account,
                          .login_person = {},
                          .login_known = login.has_value(),
                          .not_attested = {}};
            if (!login) {
                caller.not_attested = login.error().message;
                return then(caller);
            }
            if (!login->uid || !login->session) {
                caller.not_attested =
                    "this session has no login of its own (cron, a service, or su from one): log in by "
                    "ssh or at the console and answer from there";
                return then(caller);
            }
            const auto elevated = parts_.store.guarded([&]() -> Result<bool> {
                return parts_.store.is_elevation_session(*login->session, parts_.clock.boot_id());
            });
            if (!elevated || *elevated) {
                caller.login_known = false;
                caller.not_attested =
                    "this is an elevation, and may be anybody who got into it: answer from a "
                    "login of your own, outside of jit-sudo";
                return then(caller);
            }
            if (*login->uid != account.uid) {
                return ask_account(
                    call, *login->uid, [this, caller, then = done](const Account& logged_in) mutable {
                        caller.login_person = parts_.policy.policy().person_of(logged_in.name);
                        caller.not_attested =
                            fmt::format("this session was logged in by {}, not {}: answer from a login of "
                                        "your own",
                                        logged_in.name, caller.account.name);
                        then(caller);
                    });
            }
            caller.login_person = caller.party.person;
            if (!login->in_login_scope) {
                caller.not_attested =
                    "this is a service that runs in your name (systemd --user, cron, at), not a "
                    "login: answer from an ssh or console session";
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

Json Api::shown(const Request& request, const Caller& caller) const {
    Json view = view_of(parts_.policy.policy(), request, caller);
    const std::string problem = request.account && request.state == State::active
                                    ? parts_.temporary.problem_of(request.beneficiary.uid)
                                    : "";
    if (!problem.empty()) {
        view["made"]["problem"] = problem;
    }
    return view;
}

void Api::finish(const CallPtr& call, const Caller& caller, std::string_view what,
                 const Result<Request>& result) {
    if (!result) {
        if (result.error().code == Errc::refused) {
            parts_.requests.record_refusal(caller, what, result.error());
        }
        return call->fail(result.error());
    }
    if (result->account && result->state == State::active &&
        !parts_.temporary.is_settled(result->beneficiary.uid)) {
        // What is said to be had, is.
        return parts_.temporary.when_settled(result->beneficiary.uid,
                                             [this, call, caller, what = std::string(what), id = result->id] {
                                                 finish(call, caller, what, parts_.requests.find(id));
                                             });
    }
    if (call->more() && !result->over()) {
        return watch(call, caller, *result);
    }
    call->reply({{"request", shown(*result, caller)}});
}

void Api::step(const CallPtr& call, const RequestId& id, const char* verb,
               std::function<Result<Request>(const Caller&)> take) {
    ask_who(call, [this, call, id, verb, take = std::move(take)](const Caller& caller) {
        const auto seen = visible(caller, id);
        finish(call, caller, fmt::format("{} {}", verb, id), seen ? take(caller) : seen);
    });
}

void Api::watch(const CallPtr& call, const Caller& caller, const Request& request) {
    if (watchers_.size() >= most_watchers) {
        std::erase_if(watchers_, [](const Watcher& watcher) { return !watcher.call->open(); });
        if (watchers_.size() >= most_watchers) {
            return call->fail({Errc::exhausted, "too many are watching; try again later"});
        }
    }
    call->reply_more({{"request", shown(request, caller)}});
    watchers_.push_back({.call = call, .caller = caller, .id = request.id});
}

void Api::request_changed(const Request& request) {
    if (request.account && request.state == State::active &&
        !parts_.temporary.is_settled(request.beneficiary.uid)) {
        return parts_.temporary.when_settled(request.beneficiary.uid, [this, id = request.id] {
            if (const auto now = parts_.requests.find(id)) {
                request_changed(*now);
            }
        });
    }
    for (auto watcher = watchers_.begin(); watcher != watchers_.end();) {
        if (watcher->id != request.id) {
            ++watcher;
            continue;
        }
        const Json reply{{"request", shown(request, watcher->caller)}};
        if (request.over()) {
            watcher->call->reply(reply);
        } else {
            watcher->call->reply_more(reply);
        }
        watcher = watcher->call->open() ? std::next(watcher) : watchers_.erase(watcher);
    }
}

} // namespace jit
