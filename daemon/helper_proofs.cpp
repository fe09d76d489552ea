// SPDX-License-Identifier: MIT
// Whether somebody has to prove who they are, and what is remembered of it.
#include "daemon/helper_server.h"

#include <algorithm>
#include <utility>

namespace jit {

Millis HelperServer::timeout_of(const Role& role) const {
    return role.auth_timeout.value_or(parts_.policy.site.auth_timeout);
}

bool HelperServer::is_proven(const Connection& connection, const Role& role) const {
    return connection.ask.proof.use && connection.seat &&
           proofs_.holds(*connection.seat, parts_.clock.now().boot, timeout_of(role));
}

void HelperServer::remember_proof(const Connection& connection) {
    if (connection.ask.proof.keep && connection.seat) {
        proofs_.remember(*connection.seat, parts_.clock.now().boot);
    }
}

// Before an answer is looked at, so that who is killed, or stopped, or is many at once, has tried as well.
bool HelperServer::trying(Connection& connection) {
    if (tries_.take(connection.account.uid, parts_.clock.now().boot)) {
        ++connection.tries;
        return send(connection, done_frame());
    }
    constexpr const char* why = "too many wrong answers; try again in a minute";
    if (connection.wanted.command) {
        record_refusal(connection, why, why);
        connection.tries = 0; // said
    }
    send(connection, to_frame(HelperRefused{.message = why, .next = {}, .offers = {}}));
    return false;
}

void HelperServer::was_right(Connection& connection) {
    tries_.put_back(connection.account.uid, parts_.clock.now().boot, std::exchange(connection.tries, 0));
}

void HelperServer::forget(std::uint64_t id) {
    Connection& connection = *find(id);
    if (connection.ask.what == HelperWhat::forget_all) {
        proofs_.forget_all(*connection.caller);
    } else if (connection.seat) {
        proofs_.forget(*connection.seat);
    }
    send(connection, done_frame());
    drop(id);
}

// Asks for a password where any of the commands that they have now would.
void HelperServer::validate(std::uint64_t id) {
    Connection& connection = *find(id);
    const auto active = parts_.store.guarded([&]() -> Result<std::vector<Request>> {
        return parts_.store.active_of(connection.account.uid, [](std::string_view) { return true; });
    });
    if (!active) {
        return refuse(id, active.error());
    }
    const Now now = parts_.clock.now();
    bool any = false;
    for (const Request& grant : *active) {
        const auto role = parts_.policy.roles.find(grant.role);
        if (role == parts_.policy.roles.end() || !grant.not_after ||
            grant.not_after->over(now, parts_.clock.boot_id()) ||
            (role->second.commands.empty() && role->second.groups.empty())) {
            continue;
        }
        const bool wanted = role->second.authenticate.value_or(connection.account.has_password);
        const bool held = wanted && is_proven(connection, role->second);
        connection.authenticate = (any && connection.authenticate) || (wanted && !held);
        connection.proven_before = connection.proven_before || held;
        any = true;
    }
    if (!any) {
        return refuse(id,
                      Error{Errc::refused,
                            "you have no grant for a command now. Type the command: it says how to get one"});
    }
    if (!starts_.take(connection.account.uid, now.boot)) {
        return refuse(id, Error{Errc::exhausted, "too often in a short time; try again in a few seconds"});
    }
    connection.awaits = Awaits::proven;
    connection.deadline =
        parts_.loop.after(std::chrono::minutes(6), std::chrono::seconds(1), [this, id] { drop(id); });
    if (!send(connection, to_frame(HelperProve{.proven = connection.authenticate ? Proven::no : Proven::yes,
                                               .caller = connection.account.name}))) {
        drop(id);
    }
}

void HelperServer::proven(std::uint64_t id, const HelperProven& message) {
    Connection& connection = *find(id);
    if (connection.authenticate && message.proven != Proven::yes) {
        return refuse(id, Error{Errc::refused, "a password was asked for, and not proven"});
    }
    was_right(connection);
    if (connection.authenticate || connection.proven_before) {
        remember_proof(connection);
    }
    send(connection, done_frame());
    drop(id);
}

} // namespace jit
