// SPDX-License-Identifier: MIT
// Answering, and taking back or away.
#include "daemon/requests.h"
#include "daemon/requests_text.h"

#include <fmt/format.h>

namespace jit {

Result<Request> Requests::approve(const Caller& caller, const RequestId& id, const std::string& reason,
                                  const Account& beneficiary) {
    if (!reason.empty()) {
        if (auto good = check_reason(reason); !good) {
            return std::unexpected(good.error());
        }
    }
    auto request = find(id);
    if (!request) {
        return request;
    }
    const Now now = clock_.now();
    if (request->state != State::pending || now.time >= request->answer_by) {
        return fail(Errc::conflict, fmt::format("{}; it can't be approved any more",
                                                request->state == State::pending
                                                    ? fmt::format("request {} has waited too long", id)
                                                    : described_state(*request)));
    }
    if (auto free = not_locked(caller); !free) {
        return std::unexpected(free.error());
    }
    auto positions = answerable(policy_, *request, caller);
    if (!positions) {
        return std::unexpected(positions.error());
    }
    if (auto free = not_locked(party_of(policy_, beneficiary), request->role); !free) {
        return std::unexpected(free.error());
    }
    if (auto room = store_.room_to_give(); !room) {
        return std::unexpected(room.error());
    }
    const Answer answer{.by = caller.party,
                        .approves = true,
                        .stages = std::move(*positions),
                        .reason = reason,
                        .at = now.time};
    auto answered = store_.transact([&]() -> Result<Request> {
        store_.add_answer(id, answer);
        request->answers.push_back(answer);
        store_.append("request.approved", now.time, answer_fields(*request, answer));
        if (satisfied(request->stages, request->answers)) {
            const auto role = policy_.roles.find(request->role);
            if (role != policy_.roles.end() && beneficiary.uid == request->beneficiary.uid &&
                eligible(role->second, party_of(policy_, beneficiary), beneficiary)) {
                if (auto open = in_hours(role->second, now.time); !open) {
                    return std::unexpected(open.error()); // the answer waits as well
                }
                start(*request, now);
            } else {
                end(*request, State::cancelled, Cause::ineligible, now.time, "",
                    fmt::format("{} is no longer eligible for role {}", request->beneficiary.person,
                                request->role));
            }
        }
        return *request;
    });
    if (answered) {
        changed_({*answered});
    }
    return answered;
}

Result<Request> Requests::deny(const Caller& caller, const RequestId& id, const std::string& reason) {
    if (auto good = check_reason(reason); !good) {
        return std::unexpected(good.error());
    }
    auto request = find(id);
    if (!request) {
        return request;
    }
    if (request->state != State::pending) {
        return fail(Errc::conflict,
                    described_state(*request) + (request->state == State::active
                                                     ? fmt::format("; to end it: jitctl revoke {}", id)
                                                     : ""));
    }
    if (auto free = not_locked(caller); !free) {
        return std::unexpected(free.error());
    }
    auto positions = answerable(policy_, *request, caller);
    if (!positions) {
        return std::unexpected(positions.error());
    }
    const Time now = clock_.now().time;
    const Answer answer{
        .by = caller.party, .approves = false, .stages = std::move(*positions), .reason = reason, .at = now};
    auto answered = store_.transact([&]() -> Result<Request> {
        store_.add_answer(id, answer);
        request->answers.push_back(answer);
        end(*request, State::denied, std::nullopt, now, caller.party.person, reason);
        return *request;
    });
    if (answered) {
        changed_({*answered});
    }
    return answered;
}

Result<Request> Requests::cancel(const Caller& caller, const RequestId& id) {
    auto request = find(id);
    if (!request) {
        return request;
    }
    if (request->requester.uid != caller.party.uid && request->beneficiary.uid != caller.party.uid) {
        return fail(Errc::refused, "only the one who asked takes a request back");
    }
    if (request->state != State::pending) {
        return fail(Errc::conflict,
                    described_state(*request) + (request->state == State::active
                                                     ? fmt::format("; to end it: jitctl release {}", id)
                                                     : ""));
    }
    auto cancelled = store_.transact([&]() -> Result<Request> {
        end(*request, State::cancelled, std::nullopt, clock_.now().time, caller.party.person, "");
        return *request;
    });
    if (cancelled) {
        changed_({*cancelled});
    }
    return cancelled;
}

// A grant and its extensions are one access to the person who has it: they end together.
Result<Request> Requests::end_chain(const Request& request, Cause cause, const std::string& by,
                                    const std::string& reason) {
    const Time now = clock_.now().time;
    auto ended = store_.transact([&]() -> Result<std::vector<Request>> {
        auto chain = store_.chain_of(request.chain);
        for (Request& member : chain) {
            if (member.state == State::active) {
                end(member, State::ended, cause, now, by, reason);
            } else {
                end(member, State::cancelled, std::nullopt, now, by, "the grant that it extends has ended");
            }
        }
        return chain;
    });
    if (!ended) {
        return std::unexpected(ended.error());
    }
    changed_(*ended);
    return find(request.id);
}

Result<Request> Requests::release(const Caller& caller, const RequestId& id) {
    auto request = find(id);
    if (!request) {
        return request;
    }
    const bool same_person =
        caller.account.made_by.empty() && request->beneficiary.person == caller.party.person;
    if (request->beneficiary.uid != caller.party.uid && !same_person) {
        return fail(Errc::refused, fmt::format("it is {}'s; to take it away: jitctl revoke {}",
                                               request->beneficiary.person, id));
    }
    if (request->state != State::active) {
        return fail(Errc::conflict,
                    described_state(*request) + (request->state == State::pending
                                                     ? fmt::format("; to take it back: jitctl cancel {}", id)
                                                     : "; there is nothing to release"));
    }
    return end_chain(*request, Cause::released, caller.party.person, "");
}

Result<Request> Requests::revoke(const Caller& caller, const RequestId& id, const std::string& reason) {
    if (auto good = check_reason(reason); !good) {
        return std::unexpected(good.error());
    }
    auto request = find(id);
    if (!request) {
        return request;
    }
    const auto role = policy_.roles.find(request->role);
    const auto risk =
        role != policy_.roles.end() ? policy_.risks.find(role->second.risk) : policy_.risks.end();
    const bool could_approve = risk != policy_.risks.end() && caller.account.made_by.empty() &&
                               !stages_of(policy_, risk->second.stages, caller.party, caller.account).empty();
    if (!caller.is_root() && !could_approve) {
        return fail(Errc::refused,
                    "root, and those who could approve it, revoke a grant; one's own is released: "
                    "jitctl release " +
                        id);
    }
    if (auto free = not_locked(caller); !free && !caller.is_root()) {
        return std::unexpected(free.error());
    }
    if (request->over()) {
        return fail(Errc::conflict, described_state(*request) + "; there is nothing to revoke");
    }
    if (request->state == State::active) {
        return end_chain(*request, Cause::revoked, caller.party.person, reason);
    }
    auto denied = store_.transact([&]() -> Result<Request> {
        end(*request, State::denied, std::nullopt, clock_.now().time, caller.party.person, reason);
        return *request;
    });
    if (denied) {
        changed_({*denied});
    }
    return denied;
}

} // namespace jit
