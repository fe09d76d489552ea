// SPDX-License-Identifier: MIT
// The methods that people use: asking, answering, looking.
#include "core/text.h"
#include "daemon/api.h"
#include "daemon/explain.h"
#include "daemon/parameters.h"
#include "daemon/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

namespace jit {
namespace {

Ask ask_from(Parameters& parameters) {
    Ask ask;
    ask.role = parameters.text("role");
    ask.reason = parameters.text("reason");
    ask.duration = parameters.optional_duration("duration");
    ask.ticket = parameters.optional_text("ticket").value_or("");
    ask.commands = parameters.texts("commands");
    ask.groups = parameters.texts("groups");
    ask.keys = parameters.texts("keys");
    return ask;
}

} // namespace

void Api::request(const CallPtr& call, Parameters& parameters) {
    Ask ask = ask_from(parameters);
    ask.account = parameters.optional_text("account").value_or("");
    if (rejected(call, parameters)) {
        return;
    }
    ask_who(call, [this, call, ask = std::move(ask)](const Caller& caller) {
        if (!parts_.requests.makes_account(ask.role).value_or(false)) {
            return finish(
                call, caller, "request " + ask.role,
                ask.account.empty()
                    ? parts_.requests.file(caller, ask)
                    : fail(Errc::invalid,
                           fmt::format("role {} makes no account: leave --account out", escape(ask.role))));
        }
        make_account(
            call, caller, "request " + ask.role, caller.party.person, ask,
            [this, caller, ask](const Account& made) { return parts_.requests.file(caller, ask, &made); });
    });
}

// Sets aside what the account needs, and then asks for it.
void Api::make_account(const CallPtr& call, const Caller& caller, const std::string& what,
                       const std::string& person, const Ask& ask,
                       const std::function<Result<Request>(const Account&)>& then) {
    if (const auto may = parts_.requests.may_make(caller, person, ask); !may) {
        return finish(call, caller, what, std::unexpected(may.error()));
    }
    parts_.temporary.reserve(ask.account, [this, call, caller, what, then](const Result<Account>& made) {
        finish(call, caller, what, made ? then(*made) : std::unexpected(made.error()));
    });
}

void Api::grant(const CallPtr& call, Parameters& parameters) {
    Ask ask = ask_from(parameters);
    std::string user = parameters.text("user");
    if (rejected(call, parameters)) {
        return;
    }
    ask.account = user;
    ask_who(call, [this, call, ask = std::move(ask), user = std::move(user)](const Caller& caller) {
        if (parts_.requests.makes_account(ask.role).value_or(false)) {
            return make_account(call, caller, fmt::format("grant {} {}", user, ask.role),
                                parts_.policy.policy().person_of(user), ask,
                                [this, caller, ask](const Account& made) {
                                    return parts_.requests.grant(caller, made, ask);
                                });
        }
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
    step(call, id, "extend", [this, id, reason, duration](const Caller& caller) {
        return parts_.requests.extend(caller, id, reason, duration);
    });
}

void Api::list(const CallPtr& call, Parameters& parameters) {
    const bool all = parameters.flag("all");
    const bool mine = parameters.flag("mine");
    const std::int64_t limit =
        std::clamp(parameters.optional_number("limit").value_or(most_listed), std::int64_t{1}, most_listed);
    if (rejected(call, parameters)) {
        return;
    }
    ask_who(call, [this, call, all, mine, limit](const Caller& caller) {
        const auto requests = listed(caller, all, mine);
        if (!requests) {
            return call->fail(requests.error());
        }
        Json list = Json::array();
        for (const Request& request : *requests | std::views::take(limit)) {
            list.push_back(shown(request, caller));
        }
        Json reply{{"requests", list}};
        if (!all && !mine) {
            add_count_to_review(reply, caller);
        }
        call->reply(reply);
    });
}

Result<std::vector<Request>> Api::listed(const Caller& caller, bool all, bool mine) {
    const Uid uid = caller.party.uid;
    auto requests = parts_.store.guarded([&]() -> Result<std::vector<Request>> {
        if (all) {
            return parts_.store.newest(most_listed);
        }
        auto found = parts_.store.pending();
        std::ranges::move(mine ? parts_.store.active_of(uid) : parts_.store.active(),
                          std::back_inserter(found));
        return found;
    });
    if (requests) {
        std::erase_if(*requests, [&](const Request& request) {
            return (mine && request.beneficiary.uid != uid) ||
                   !may_see(parts_.policy.policy(), request, caller);
        });
    }
    return requests;
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
        reply_with_report(call, *seen, caller);
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
        const auto approve = [this, call, id, reason, caller](const Account& beneficiary) {
            finish(call, caller, "approve " + id, parts_.requests.approve(caller, id, reason, beneficiary));
        };
        if (!seen->account) {
            return ask_account(call, seen->beneficiary.uid, approve);
        }
        parts_.temporary.reserve(
            seen->beneficiary.account, [this, call, caller, id, approve](const Result<Account>& made) {
                made ? approve(*made) : finish(call, caller, "approve " + id, std::unexpected(made.error()));
            });
    });
}

void Api::deny(const CallPtr& call, Parameters& parameters) {
    const RequestId id = parameters.text("id");
    const std::string reason = parameters.text("reason");
    if (rejected(call, parameters)) {
        return;
    }
    step(call, id, "deny",
         [this, id, reason](const Caller& caller) { return parts_.requests.deny(caller, id, reason); });
}

void Api::cancel(const CallPtr& call, Parameters& parameters) {
    const RequestId id = parameters.text("id");
    if (rejected(call, parameters)) {
        return;
    }
    step(call, id, "cancel", [this, id](const Caller& caller) { return parts_.requests.cancel(caller, id); });
}

void Api::release(const CallPtr& call, Parameters& parameters) {
    const RequestId id = parameters.text("id");
    if (rejected(call, parameters)) {
        return;
    }
    step(call, id, "release",
         [this, id](const Caller& caller) { return parts_.requests.release(caller, id); });
}

void Api::revoke(const CallPtr& call, Parameters& parameters) {
    const RequestId id = parameters.text("id");
    const std::string reason = parameters.text("reason");
    if (rejected(call, parameters)) {
        return;
    }
    step(call, id, "revoke",
         [this, id, reason](const Caller& caller) { return parts_.requests.revoke(caller, id, reason); });
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
            const auto locks = parts_.requests.locks();
            if (!locks) {
                return call->fail(locks.error());
            }
            const auto reply =
                jit::explain(parts_.policy.policy(), account, wish, *active, *locks,
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

} // namespace jit
