// SPDX-License-Identifier: MIT
// Asking: a request, a grant in another's name, an extension.
#include "core/record.h"
#include "core/ssh_key.h"
#include "core/text.h"
#include "daemon/requests.h"
#include "daemon/requests_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace jit {
namespace {

constexpr std::size_t longest_ticket = 64;
constexpr std::size_t most_parts = 64; // commands and groups that one request names
constexpr std::size_t most_keys = 8;
constexpr std::int64_t most_pending = 16; // of one person
constexpr Millis shortest_grant = std::chrono::seconds(1);

Result<void> check_ticket(const Role& role, const std::string& ticket) {
    if (ticket.size() > longest_ticket || !is_text(ticket)) {
        return fail(Errc::invalid,
                    fmt::format("the ticket must be UTF-8 text of at most {} bytes", longest_ticket));
    }
    if (!ticket_matches(role.ticket, ticket)) {
        return fail(Errc::invalid, ticket.empty() ? fmt::format("role {} needs a ticket (--ticket) like {}",
                                                                role.name, role.ticket)
                                                  : fmt::format("the ticket must match {}", role.ticket));
    }
    return {};
}

Json filed_fields(const Request& request) {
    Json fields{{"request", request.id},
                {"role", request.role},
                {"beneficiary", to_json(request.beneficiary)},
                {"requester", to_json(request.requester)},
                {"login_person", request.login_person},
                {"reason", request.reason},
                {"ticket", request.ticket},
                {"duration", request.duration.count()},
                {"answer_by", request.answer_by.time_since_epoch().count()},
                {"scope", to_json(request.scope)},
                {"stages", to_json(request.stages)}};
    if (!request.extends.empty()) {
        fields["extends"] = request.extends;
    }
    if (request.account) {
        fields["account"] = describe(*request.account);
    }
    return fields;
}

Result<std::optional<AccountWish>> account_wish(const Role& role, const std::vector<std::string>& keys) {
    if (!role.account) {
        return keys.empty()
                   ? Result<std::optional<AccountWish>>(std::nullopt)
                   : fail(Errc::invalid, fmt::format("role {} makes no account: leave --key out", role.name));
    }
    if (keys.size() > most_keys) {
        return fail(Errc::invalid, fmt::format("at most {} ssh keys in one request", most_keys));
    }
    AccountWish wish{.home = role.account->home, .shell = role.account->shell, .keys = {}};
    for (const std::string& line : keys) {
        const auto key = parse_ssh_key(line);
        if (!key) {
            return std::unexpected(key.error());
        }
        wish.keys.push_back(key->text());
    }
    return wish;
}

} // namespace

Result<Request> Requests::draft(const Caller& caller, const Party& beneficiary, const Role& role,
                                const Ask& ask) {
    if (!caller.login_known) {
        return fail(Errc::unavailable,
                    "who is logged in behind this call can't be told; ask from a login of your own");
    }
    if (auto free = not_locked(caller); !free) {
        return std::unexpected(free.error());
    }
    if (auto good = check_reason(ask.reason); !good) {
        return std::unexpected(good.error());
    }
    if (auto good = check_ticket(role, ask.ticket); !good) {
        return std::unexpected(good.error());
    }
    if (ask.commands.size() + ask.groups.size() > most_parts) {
        return fail(Errc::invalid, fmt::format("at most {} commands and groups in one request", most_parts));
    }
    auto scope = scope_of(role, ask.commands, ask.groups);
    if (!scope) {
        return std::unexpected(scope.error());
    }
    const Millis duration = ask.duration.value_or(default_duration(policy_, role));
    if (duration < shortest_grant || duration > role.max) {
        return fail(duration > role.max ? Errc::refused : Errc::invalid,
                    fmt::format("role {} can be had for {} at a time, not {}: --for {}", role.name,
                                format_duration(role.max), format_duration(duration),
                                format_duration(role.max)));
    }
    const Time now = clock_.now().time;
    if (auto open = in_hours(role, now); !open) {
        return std::unexpected(open.error());
    }
    auto stages = route(policy_, role, duration);
    if (!stages) {
        return std::unexpected(stages.error());
    }
    auto account = account_wish(role, ask.keys);
    if (!account) {
        return std::unexpected(account.error());
    }
    Request request;
    request.role = role.name;
    request.scope = std::move(*scope);
    request.stages = std::move(*stages);
    request.beneficiary = beneficiary;
    request.account = std::move(*account);
    request.requester = caller.party;
    request.login_person = caller.login_person;
    request.reason = ask.reason;
    request.ticket = ask.ticket;
    request.uses = role.uses;
    request.duration = duration;
    request.filed = now;
    request.answer_by = now + policy_.site.pending;
    return request;
}

Result<Request> Requests::file_or_start(Request request) {
    // Not before it is known that the caller has any business with them: why somebody is locked isn't
    // everybody's.
    if (auto free = not_locked(request.beneficiary, request.role); !free) {
        return std::unexpected(free.error());
    }
    if (auto room = store_.room_to_give(); !room) {
        return std::unexpected(room.error());
    }
    const BootTime asked = clock_.now().boot;
    if (!share_.has_left(request.requester.uid, asked)) {
        return fail(Errc::exhausted, share_is_used_up);
    }
    const std::int64_t before = store_.appended();
    auto filed = store_.transact([&]() -> Result<Request> {
        if (store_.count_pending_of(request.requester.person) >= most_pending) {
            return fail(Errc::exhausted,
                        fmt::format("{} has {} requests pending; cancel one (jitctl list, jitctl "
                                    "cancel ID) or wait for answers",
                                    request.requester.person, most_pending));
        }
        for (const Request& other : store_.pending()) {
            if (other.beneficiary == request.beneficiary && other.role == request.role &&
                other.scope == request.scope && other.extends == request.extends) {
                return fail(Errc::conflict,
                            fmt::format("request {} asks for the same and is pending; jitctl watch {}",
                                        other.id, other.id));
            }
        }
        if (auto alone = only_one(request); !alone) {
            return std::unexpected(alone.error());
        }
        request.id = store_.new_id();
        if (request.chain.empty()) {
            request.chain = request.id;
        }
        store_.insert(request);
        store_.append("request.filed", request.filed, filed_fields(request));
        for (const Answer& answer : request.answers) {
            store_.append("request.approved", answer.at, answer_fields(request, answer));
        }
        if (satisfied(request.stages, request.answers)) {
            start(request, clock_.now());
        }
        return request;
    });
    if (filed) {
        share_.take(request.requester.uid, asked, cost_of_recording(store_.appended() - before));
        changed_({*filed});
    }
    return filed;
}

// What two grants said of one account could differ, and so there is one of them, with its extensions.
Result<void> Requests::only_one(const Request& request) {
    if (!request.account) {
        return {};
    }
    auto others = store_.active_of(request.beneficiary.uid);
    std::ranges::move(store_.pending(), std::back_inserter(others));
    for (const Request& other : others) {
        if (other.account && other.beneficiary.uid == request.beneficiary.uid &&
            (request.chain.empty() || other.chain != request.chain)) {
            return fail(Errc::conflict,
                        fmt::format("the account {} is {} {}: {}", request.beneficiary.account,
                                    other.state == State::active ? "there by grant" : "asked for by request",
                                    other.id,
                                    other.state == State::active
                                        ? fmt::format("for more time, jitctl extend {}", other.id)
                                        : "wait for its answer, or take it back"));
        }
    }
    return {};
}

Result<bool> Requests::makes_account(const std::string& role) const {
    const auto found = role_named(role);
    return found ? Result<bool>((*found)->account.has_value()) : std::unexpected(found.error());
}

Result<void> Requests::may_make(const Caller& caller, const std::string& person, const Ask& ask) const {
    const auto role = role_named(ask.role);
    if (!role) {
        return std::unexpected(role.error());
    }
    if (!is_account_name(ask.account)) {
        return fail(Errc::invalid,
                    fmt::format("role {} makes an account: say which with --account NAME, one of {}'s in the "
                                "policy ([person.{}] accounts)",
                                ask.role, person, person));
    }
    if (policy_.person_of(ask.account) != person) {
        return fail(Errc::refused, fmt::format("{} isn't an account of {}'s: the policy would say so "
                                               "([person.{}] accounts)",
                                               ask.account, person, person));
    }
    const Party party{.person = person, .account = ask.account, .uid = no_uid};
    if (!includes((*role)->eligible, party, Account())) {
        return fail(Errc::refused, fmt::format("{} is not eligible for role {}", person, ask.role));
    }
    if (person != caller.party.person) {
        const auto positions = could_answer(caller, party, **role);
        return positions ? Result<void>() : std::unexpected(positions.error());
    }
    return {};
}

Result<Request> Requests::file(const Caller& caller, const Ask& ask, const Account* made) {
    if (caller.is_root()) {
        return fail(Errc::refused, "root asks for nothing: it has all there is");
    }
    // Whoever made the account in another's name knows its keys, and would ask as that person.
    if (!caller.account.made_by.empty()) {
        return fail(Errc::refused,
                    fmt::format("{} is there by grant {} alone, and asks for nothing: somebody who may "
                                "approve it grants it, jitctl grant {} {} --reason '…'",
                                caller.party.account, caller.account.made_by, caller.party.account,
                                ask.role));
    }
    auto role = role_named(ask.role);
    if (!role) {
        return std::unexpected(role.error());
    }
    if (!eligible(**role, caller.party, caller.account)) {
        return fail(Errc::refused,
                    fmt::format("{} is not eligible for role {}", caller.party.person, ask.role));
    }
    auto request = draft(caller, made != nullptr ? party_of(policy_, *made) : caller.party, **role, ask);
    return request ? file_or_start(std::move(*request)) : request;
}

// Who asks in another's name must be able to answer: judged as an answer to the same request by that one,
// against the stages of the tier even where no person need be asked for so short a time.
Result<std::vector<unsigned>> Requests::could_answer(const Caller& caller, const Party& beneficiary,
                                                     const Role& role) const {
    Request asked;
    asked.role = role.name;
    asked.beneficiary = beneficiary;
    asked.requester = beneficiary;
    const auto risk = policy_.risks.find(role.risk);
    if (risk != policy_.risks.end()) {
        asked.stages = risk->second.stages;
    }
    return answerable(policy_, asked, caller);
}

Result<Request> Requests::grant(const Caller& caller, const Account& beneficiary, const Ask& ask) {
    auto role = role_named(ask.role);
    if (!role) {
        return std::unexpected(role.error());
    }
    const Party party = party_of(policy_, beneficiary);
    if (!eligible(**role, party, beneficiary)) {
        return fail(Errc::refused, fmt::format("{} is not eligible for role {}", party.person, ask.role));
    }
    auto request = draft(caller, party, **role, ask);
    if (!request) {
        return request;
    }
    auto positions = could_answer(caller, party, **role);
    if (!positions) {
        return std::unexpected(positions.error());
    }
    if (!request->stages.empty()) {
        request->answers.push_back({.by = caller.party,
                                    .approves = true,
                                    .stages = std::move(*positions),
                                    .reason = ask.reason,
                                    .at = request->filed});
    }
    return file_or_start(std::move(*request));
}

Requests::Reach Requests::reach_of(const Request& grant, const Role& role) {
    Reach reach{.end = grant.not_after->time,
                .most = store_.chain_start(grant.chain) + role.extend.value_or(Millis(0))};
    for (const Request& other : store_.chain_of(grant.chain)) {
        if (other.state == State::active) {
            reach.end = std::max(reach.end, other.not_after->time);
        }
    }
    // Where nobody can tell what the hours are, there are none to be had.
    reach.most = std::min(reach.most, open_until(role.hours, clock_.now().time).value_or(reach.end));
    return reach;
}

bool Requests::can_be_extended(const Request& grant, const Role& role) {
    const auto reach = store_.guarded([&]() -> Result<Reach> { return reach_of(grant, role); });
    return reach && reach->most - reach->end >= shortest_grant;
}

Result<Request> Requests::extend(const Caller& caller, const RequestId& id, const std::string& reason,
                                 std::optional<Millis> duration) {
    auto extended = find(id);
    if (!extended) {
        return extended;
    }
    // An account that the grant made may be gone before its person can say so.
    const bool makes_theirs =
        extended->account &&
        (extended->beneficiary.uid == caller.party.uid ||
         (caller.account.made_by.empty() && extended->beneficiary.person == caller.party.person));
    if (extended->beneficiary.uid != caller.party.uid && !makes_theirs) {
        return fail(Errc::refused, "only the one who has a grant extends it");
    }
    if (extended->state != State::active) {
        return fail(Errc::conflict, fmt::format("{}: ask anew with jitctl request {}",
                                                described_state(*extended), extended->role));
    }
    auto role = role_named(extended->role);
    if (!role) {
        return std::unexpected(role.error());
    }
    if (!eligible(**role, caller.party, caller.account)) {
        return fail(Errc::refused,
                    fmt::format("{} is no longer eligible for role {}", caller.party.person, extended->role));
    }
    if (!(*role)->extend) {
        return fail(Errc::refused, fmt::format("role {} can't be extended; ask anew when the grant has ended",
                                               extended->role));
    }
    const auto reach = store_.guarded([&]() -> Result<Reach> { return reach_of(*extended, **role); });
    if (!reach) {
        return std::unexpected(reach.error());
    }
    const Millis room = reach->most - reach->end;
    if (room < shortest_grant || (duration && *duration > room)) {
        if (open_until((*role)->hours, clock_.now().time) == reach->most) {
            return fail(Errc::refused,
                        fmt::format("role {} is to be had {} only, now until {}; {} of that is left",
                                    extended->role, describe((*role)->hours), describe_utc(reach->most),
                                    format_duration(std::max(room, Millis(0)))));
        }
        return fail(Errc::refused,
                    fmt::format("role {} can be extended to {} in all, until {}; {} of that is left",
                                extended->role, format_duration(*(*role)->extend), describe_utc(reach->most),
                                format_duration(std::max(room, Millis(0)))));
    }
    const Millis wanted = duration.value_or(std::min({extended->duration, room, (*role)->max}));
    auto request = draft(caller, makes_theirs ? extended->beneficiary : caller.party, **role,
                         {.role = extended->role,
                          .reason = reason,
                          .duration = wanted,
                          .ticket = extended->ticket,
                          .commands = {},
                          .groups = {}});
    if (!request) {
        return request;
    }
    request->scope = extended->scope; // no more than what is extended
    request->account = extended->account;
    request->extends = extended->id;
    request->chain = extended->chain;
    return file_or_start(std::move(*request));
}

} // namespace jit
