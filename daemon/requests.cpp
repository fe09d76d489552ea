// SPDX-License-Identifier: MIT
#include "daemon/requests.h"

#include "core/notices.h"
#include "core/record.h"
#include "core/text.h"
#include "daemon/requests_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace jit {
namespace {

constexpr std::size_t longest_reason = 1000; // bytes

std::string_view kind_of_end(State state) {
    switch (state) {
    case State::denied:
        return "request.denied";
    case State::cancelled:
        return "request.cancelled";
    case State::timed_out:
        return "request.timed_out";
    default:
        return "grant.ended";
    }
}

} // namespace

Result<void> check_reason(const std::string& reason) {
    if (reason.find_first_not_of(" \t\r\n") == std::string::npos) {
        return fail(Errc::invalid, "a reason is needed: --reason \"what for\"");
    }
    if (reason.size() > longest_reason || !is_text(reason)) {
        return fail(Errc::invalid,
                    fmt::format("the reason must be UTF-8 text of at most {} bytes", longest_reason));
    }
    return {};
}

Json answer_fields(const Request& request, const Answer& answer) {
    return {{"request", request.id},       {"role", request.role},    {"by", to_json(answer.by)},
            {"approves", answer.approves}, {"stages", answer.stages}, {"reason", answer.reason}};
}

std::string described_state(const Request& request) {
    std::string text = fmt::format("request {} is {}", request.id,
                                   request.state == State::timed_out ? "timed out" : name_of(request.state));
    if (request.cause) {
        text += fmt::format(" ({})", name_of(*request.cause));
    }
    return text;
}

std::string described_end(const Request& request) {
    if (request.state != State::ended || !request.cause) {
        return fmt::format("{} no longer gives this", request.role);
    }
    switch (*request.cause) {
    case Cause::revoked:
        return fmt::format("{} revoked {}: {}", request.ended_by, request.role, request.ended_reason);
    case Cause::released:
        return fmt::format("{} released {}", request.ended_by, request.role);
    case Cause::locked:
    case Cause::ineligible:
    case Cause::used_up:
    case Cause::idle:
    case Cause::closed:
    case Cause::outside_hours:
        return fmt::format("{} has ended: {}", request.role, request.ended_reason);
    case Cause::expired:
        break;
    }
    return fmt::format("{} ended at {}", request.role, describe_utc(*request.ended));
}

std::string described_time_left(const Request& grant, Millis left, bool can_be_extended) {
    return fmt::format("jit: {} ends in {}, at {}, and this login with it.{}", grant.role,
                       left_in_words(left), describe_utc(grant.not_after->time),
                       can_be_extended ? fmt::format(" To go on: jitctl extend {} --reason …", grant.id)
                                       : "");
}

std::string described_idle(const Request& grant, Millis left) {
    return fmt::format("jit: {} isn't used and ends in {}, and this login with it. To go on, press Enter.",
                       grant.role, left_in_words(left));
}

std::string Requests::access_of(const Role& role) const {
    const auto risk = policy_.risks.find(role.risk);
    std::string text = fmt::format("up to {}", format_duration(role.max));
    if (!role.hours.empty()) {
        text = fmt::format("{}, {}", describe(role.hours), text);
    }
    if (risk == policy_.risks.end()) {
        return text;
    }
    std::vector<std::string> stages;
    for (const Stage& stage : risk->second.stages) {
        stages.push_back(fmt::format("{} of {}{}", stage.count == 1 ? "one" : std::to_string(stage.count),
                                     stage.from, stage.is_signed ? " (signed)" : ""));
    }
    if (risk->second.auto_approve) {
        const Millis at_once = std::min(*risk->second.auto_approve, role.max);
        text = stages.empty() || at_once == role.max
                   ? fmt::format("up to {} without asking anybody", format_duration(at_once))
                   : fmt::format("{}, up to {} without asking anybody", text, format_duration(at_once));
        if (stages.empty() || at_once == role.max) {
            return text;
        }
        text += ", more if ";
    } else {
        text += " if ";
    }
    return fmt::format("{}{} approve{}", text, fmt::join(stages, " and "), stages.size() == 1 ? "s" : "");
}

Result<const Role*> Requests::role_named(const std::string& name) const {
    const auto role = policy_.roles.find(name);
    if (role == policy_.roles.end()) {
        return fail(Errc::not_found, fmt::format("there is no role '{}'", escape(name)));
    }
    return &role->second;
}

Result<Request> Requests::find(const RequestId& id) {
    return store_.guarded([&]() -> Result<Request> {
        auto request = is_request_id(id) ? store_.find(id) : std::nullopt;
        if (!request) {
            return fail(Errc::not_found, fmt::format("there is no request '{}'", escape(id)));
        }
        return std::move(*request);
    });
}

void Requests::start(Request& request, const Now& now) {
    Time until = now.time + request.duration;
    BootTime boot = now.boot + request.duration;
    const auto role = policy_.roles.find(request.role);
    if (!request.extends.empty()) {
        // Without a gap: from the latest end that the chain has, within what the role lets a chain reach. By
        // both clocks: where one was set back, the difference of the other's ends is no time to be had.
        for (const Request& other : store_.chain_of(request.chain)) {
            if (other.state == State::active) {
                until = std::max(until, other.not_after->time + request.duration);
                boot = std::max(boot, in_this_boot(*other.not_after, clock_, now).boot + request.duration);
            }
        }
        const Millis reach =
            role != policy_.roles.end() ? role->second.extend.value_or(role->second.max) : Millis(0);
        until = std::min(until, store_.chain_start(request.chain) + reach);
        if (const auto first = store_.find(request.chain); first && first->not_after) {
            const Millis window = first->not_after->time - *first->not_before;
            boot = std::min(boot, in_this_boot(*first->not_after, clock_, now).boot - window + reach);
        }
    }
    if (role != policy_.roles.end() && !role->second.hours.empty()) {
        until = std::min(until, open_until(role->second.hours, now.time).value_or(now.time));
        boot = std::min(boot, now.boot + (until - now.time));
    }
    request.state = State::active;
    request.not_before = now.time;
    request.not_after = deadline_at(until, clock_, now);
    request.not_after->boot = std::min(request.not_after->boot, boot);
    store_.update(request);
    store_.append("grant.started", now.time,
                  {{"request", request.id},
                   {"role", request.role},
                   {"beneficiary", to_json(request.beneficiary)},
                   {"not_before", now.time.time_since_epoch().count()},
                   {"not_after", until.time_since_epoch().count()}});
    const auto mark = clock_.next_mark();
    store_.set_clock_mark(mark);
    clock_.set_mark(mark);
}

void Requests::end(Request& request, State state, std::optional<Cause> cause, Time at, const std::string& by,
                   const std::string& reason) {
    request.state = state;
    request.cause = cause;
    request.ended = at;
    request.ended_by = by;
    request.ended_reason = reason;
    store_.update(request);
    Json fields{
        {"request", request.id}, {"role", request.role}, {"beneficiary", to_json(request.beneficiary)}};
    if (cause) {
        fields["cause"] = name_of(*cause);
    }
    if (!by.empty()) {
        fields["by"] = by;
    }
    if (!reason.empty()) {
        fields["reason"] = reason;
    }
    store_.append(kind_of_end(state), at, fields);
}

Result<void> Requests::take_over() {
    return store_.transact([&]() -> Result<void> {
        store_.take_over(clock_.now(), clock_.boot_id());
        return {};
    });
}

Result<void> Requests::advance() {
    const Now now = clock_.now();
    if (auto lifted = lift_due(now); !lifted) {
        return lifted;
    }
    auto due =
        store_.guarded([&]() -> Result<std::vector<Request>> { return store_.due(now, clock_.boot_id()); });
    if (!due) {
        return std::unexpected(due.error());
    }
    if (due->empty()) {
        return {};
    }
    const auto ended = store_.transact([&]() -> Result<void> {
        for (Request& request : *due) {
            if (request.state == State::pending) {
                end(request, State::timed_out, std::nullopt, now.time, "", "");
            } else {
                // Its end is that of the hours, where they end first.
                const auto role = policy_.roles.find(request.role);
                const auto open =
                    role != policy_.roles.end() ? in_hours(role->second, now.time) : Result<void>();
                end(request, State::ended, open ? Cause::expired : Cause::outside_hours, now.time, "",
                    open ? "" : open.error().message);
            }
        }
        return {};
    });
    if (ended) {
        changed_(*due);
    }
    return ended;
}

Result<void> Requests::end_by_use(const Request& grant, Cause cause, const std::string& why) {
    if (cause != Cause::used_up) {
        const auto ended = end_chain(grant, cause, "", why);
        return ended ? Result<void>() : std::unexpected(ended.error());
    }
    const auto ended = store_.transact([&]() -> Result<std::vector<Request>> {
        auto now = store_.find(grant.id); // it may have ended since it was looked at
        if (!now || now->state != State::active) {
            return {};
        }
        end(*now, State::ended, cause, clock_.now().time, "", why);
        return std::vector{std::move(*now)};
    });
    if (!ended) {
        return std::unexpected(ended.error());
    }
    if (!ended->empty()) {
        changed_(*ended);
    }
    return {};
}

Result<void> Requests::apply_policy() {
    std::vector<Request> changed;
    const auto applied = store_.transact([&]() -> Result<void> {
        const auto locks = store_.locks();
        changed = end_those([&](const Request& request) -> std::optional<End> {
            const auto role = policy_.roles.find(request.role);
            if (role == policy_.roles.end()) {
                return End{Cause::ineligible,
                           fmt::format("the policy has no role {} any more", request.role)};
            }
            if (request.state == State::pending) {
                const auto stages = route(policy_, role->second, request.duration);
                if (!stages || *stages != request.stages || request.duration > role->second.max) {
                    return End{Cause::ineligible,
                               fmt::format("the policy for role {} changed; ask again", request.role)};
                }
            }
            if (const auto open = in_hours(role->second, clock_.now().time);
                !open && request.state == State::active) {
                return End{Cause::outside_hours, open.error().message};
            }
            return held_by(locks, request); // who somebody is, the policy says
        });
        return {};
    });
    if (applied) {
        changed_(changed);
    }
    return applied;
}

std::vector<Request> Requests::end_those(const std::function<std::optional<End>(const Request&)>& end_of) {
    const Time now = clock_.now().time;
    std::vector<Request> ended;
    const auto apply = [&](std::vector<Request> requests) {
        for (Request& request : requests) {
            if (const auto why = end_of(request)) {
                end(request, request.state == State::active ? State::ended : State::cancelled, why->cause,
                    now, "", why->why);
                ended.push_back(request);
            }
        }
    };
    apply(store_.pending());
    // A person's at a time: all at once would take many megabytes, which then stay with this process.
    for (const Uid uid : store_.active_uids()) {
        apply(store_.active_of(uid));
    }
    return ended;
}

Result<void> Requests::apply_account(Uid uid, const Account* account) {
    const Time now = clock_.now().time;
    std::vector<Request> changed;
    const auto applied = store_.transact([&]() -> Result<void> {
        for (Request& request : store_.active_of(uid)) {
            const auto role = policy_.roles.find(request.role);
            std::string why;
            if (account == nullptr || account->name != request.beneficiary.account) {
                why = fmt::format("there is no account {} with uid {} any more", request.beneficiary.account,
                                  number(uid));
            } else if (role == policy_.roles.end() ||
                       !eligible(role->second, party_of(policy_, *account), *account)) {
                why = fmt::format("{} is no longer eligible for role {}", request.beneficiary.person,
                                  request.role);
            }
            if (!why.empty()) {
                end(request, State::ended, Cause::ineligible, now, "", why);
                changed.push_back(request);
            }
        }
        return {};
    });
    if (applied) {
        changed_(changed);
    }
    return applied;
}

bool Requests::record_refusal(const Caller& caller, std::string_view what, const Error& error,
                              const Json& more) {
    const Now now = clock_.now();
    const auto left_out = refusals_.take(caller.party.uid, now.boot);
    if (!left_out) {
        return false;
    }
    Json fields{{"by", to_json(caller.party)}, {"wanted", what}, {"why", error.message}};
    fields.update(more);
    if (*left_out > 0) {
        fields["refusals_not_recorded_before"] = *left_out;
    }
    // Where even that can't be written, the refusal stands all the same.
    return store_
        .transact([&]() -> Result<void> {
            store_.append("request.refused", now.time, fields);
            return {};
        })
        .has_value();
}

} // namespace jit
