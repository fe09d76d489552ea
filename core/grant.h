// SPDX-License-Identifier: MIT
// A request and the grant that it becomes: one record with one id for its whole life.
//
//   pending → active → ended (expired | released | revoked | locked | ineligible | used_up | idle |
//                     closed | outside_hours)
//   pending → denied | cancelled | timed_out
#pragma once

#include "core/clock.h"
#include "core/policy.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

enum class State { pending, active, ended, denied, cancelled, timed_out };
enum class Cause { expired, released, revoked, locked, ineligible, used_up, idle, closed, outside_hours };

// As written in the database, in the audit and on the socket.
[[nodiscard]] std::string_view name_of(State state);
[[nodiscard]] std::string_view name_of(Cause cause);
[[nodiscard]] std::optional<State> state_named(std::string_view name);
[[nodiscard]] std::optional<Cause> cause_named(std::string_view name);

// What was asked for, and given: the part of the role as it was when asked. A role that later gives more adds
// nothing to it; what the role later gives no more isn't had either (both must allow it).
struct Scope {
    std::vector<std::string> run_as;
    std::vector<std::string> commands; // CommandPattern::text()
    std::vector<std::string> groups;
    std::vector<std::string> memberships;
    std::vector<std::string> login;
    bool operator==(const Scope&) const = default;
};

// Whether who has it can be root, whatever it is meant for.
[[nodiscard]] bool gives_root(const Scope& scope);

// The account that a request asks for, and its grant makes, as the role had it then.
struct AccountWish {
    TemporaryAccount::Home home = TemporaryAccount::Home::remove;
    std::string shell;
    std::vector<std::string> keys; // SshKey::text(): who may log in with it
    bool operator==(const AccountWish&) const = default;
};

// An account on this host and the person it belongs to.
struct Party {
    std::string person;
    std::string account;
    Uid uid = no_uid;
    bool operator==(const Party&) const = default;
};

// One person's answer. `stages` are those (by position) whose people they were among when they answered.
struct Answer {
    Party by;
    bool approves = false;
    std::vector<unsigned> stages;
    std::string reason;
    Time at;
};

struct Request {
    RequestId id;
    State state = State::pending;
    std::optional<Cause> cause;
    std::string role;
    Scope scope;
    std::vector<Stage> stages; // as routed when it was filed; none: no person was asked
    Party beneficiary;
    std::optional<AccountWish> account; // of the beneficiary; it is there only while the grant lives
    Party requester;
    // The person who logged in to the session that the request came from (the audit login uid), where that is
    // known: bob in a `su - alice` files as alice and is still bob.
    std::string login_person;
    std::string reason;
    std::string ticket;
    std::optional<std::uint32_t> uses; // so many commands it starts, as its role had it when it was asked for
    std::uint32_t used = 0;            // what has begun under it
    Millis duration{0};
    Time filed;
    Time answer_by;
    std::optional<Time> not_before;
    std::optional<Deadline> not_after;
    std::optional<Time> ended;
    std::string ended_by; // a person, for released and revoked
    std::string ended_reason;
    RequestId extends; // empty: none
    RequestId chain;   // the first grant of a chain of extensions: its own id where it extends none
    std::vector<Answer> answers;

    [[nodiscard]] bool over() const { return state != State::pending && state != State::active; }
};

} // namespace jit
