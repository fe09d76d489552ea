// SPDX-License-Identifier: MIT
// The methods about locks.
#include "core/text.h"
#include "daemon/api.h"
#include "daemon/locks.h"
#include "daemon/parameters.h"
#include "daemon/view.h"

#include <fmt/format.h>

#include <algorithm>

namespace jit {

std::optional<Root> Api::root_behind(const CallPtr& call, std::string_view may) {
    const Peer* peer = call->peer();
    if (peer == nullptr || peer->uid != root_uid) {
        ask_who(call, [this, call, may = std::string(may)](const Caller& caller) {
            const Error error{Errc::refused, fmt::format("only root {}", may)};
            parts_.requests.record_refusal(caller, may, error);
            call->fail(error);
        });
        return std::nullopt;
    }
    const auto login = login_of(*peer);
    return Root{
        .party = {.person = parts_.policy.policy().person_of("root"), .account = "root", .uid = root_uid},
        .login_uid = login ? login->uid : std::nullopt};
}

void Api::lock(const CallPtr& call, Parameters& parameters) {
    const auto kind = lock_kind_named(parameters.text("kind"));
    LockWish wish{.kind = kind.value_or(LockKind::host),
                  .name = parameters.optional_text("name").value_or(""),
                  .account = {},
                  .duration = parameters.optional_duration("duration"),
                  .reason = parameters.text("reason")};
    if (rejected(call, parameters)) {
        return;
    }
    if (!kind || (*kind == LockKind::host) != wish.name.empty()) {
        return call->fail({Errc::invalid, "lock a user, a role, or the host: lock user NAME"});
    }
    const auto root = root_behind(call, "sets locks");
    if (!root) {
        return;
    }
    if (*kind == LockKind::role && !parts_.policy.policy().roles.contains(wish.name)) {
        return call->fail({Errc::not_found, fmt::format("there is no role '{}'", escape(wish.name))});
    }
    if (*kind != LockKind::user) {
        return set_lock(call, *root, wish);
    }
    if (!is_account_name(wish.name)) {
        return call->fail({Errc::invalid, fmt::format("'{}' is not a user", escape(wish.name))});
    }
    parts_.accounts.look_up(wish.name, [this, call, root,
                                        wish](const Result<std::optional<Account>>& found) mutable {
        // Somebody is locked in a hurry: not known is refused, because it is a slip of the fingers; but a
        // directory that doesn't answer holds up no lock.
        const bool in_policy = parts_.policy.policy().person_by_account.contains(wish.name);
        if (found && !*found && !in_policy) {
            return call->fail({Errc::not_found, fmt::format("there is no account '{}'", escape(wish.name))});
        }
        if (found && *found) {
            wish.account = **found;
            wish.name = (*found)->name; // as the directory writes it
        }
        if (wish.account && wish.account->uid == root_uid) {
            return call->fail({Errc::invalid, "root has nothing by grants that a lock could hold"});
        }
        set_lock(call, *root, wish);
    });
}

void Api::set_lock(const CallPtr& call, const Root& root, const LockWish& wish) {
    const auto locked = parts_.requests.lock(root, wish);
    if (!locked) {
        return call->fail(locked.error());
    }
    call->reply(
        {{"lock", view_of(locked->lock)}, {"ended", locked->ended}, {"cancelled", locked->cancelled}});
}

void Api::unlock(const CallPtr& call, Parameters& parameters) {
    const RequestId id = parameters.text("id");
    const std::string reason = parameters.optional_text("reason").value_or("");
    if (rejected(call, parameters)) {
        return;
    }
    const auto root = root_behind(call, "lifts locks");
    if (!root) {
        return;
    }
    const auto lifted = parts_.requests.unlock(*root, id, reason);
    if (!lifted) {
        return call->fail(lifted.error());
    }
    call->reply({{"lock", view_of(*lifted)}});
}

void Api::locks(const CallPtr& call, Parameters& parameters) {
    if (rejected(call, parameters)) {
        return;
    }
    ask_who(call, [this, call](const Caller& caller) {
        const auto held = parts_.requests.locks();
        if (!held) {
            return call->fail(held.error());
        }
        const bool all = is_auditor(parts_.policy.policy(), caller);
        Json list = Json::array();
        for (const Lock& lock : *held) {
            if (all || lock.kind != LockKind::user ||
                lock_on({lock}, parts_.policy.policy(), caller.party, "") != nullptr) {
                list.push_back(view_of(lock));
            }
        }
        call->reply({{"locks", list}});
    });
}

} // namespace jit
