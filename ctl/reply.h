// SPDX-License-Identifier: MIT
// jitd's replies as records for printing.
//
// MUST: every text in these records has been through escape(), whoever wrote it. So nothing that is printed
// from them can do harm to a terminal, and no place that prints can forget it. What is sent back to jitd is
// taken from the reply itself, or checked to be an id.
#pragma once

#include "core/grant.h"
#include "core/json.h"
#include "core/lock.h"
#include "core/time.h"
#include "ctl/exit_codes.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jit::reply {

struct Stage {
    std::string from;
    std::vector<std::string> members;
    std::int64_t count = 1;
    bool is_signed = false;
    std::int64_t missing = 0;
};

struct Answer {
    std::string person;
    std::string account;
    bool approves = false;
    std::string reason;
    Time at;
};

struct Request {
    RequestId id;
    State state = State::pending;
    std::optional<Cause> cause;
    std::string role;
    std::string title;
    std::string person;
    std::string account;
    std::int64_t uid = 0;
    std::string requester;
    Scope scope;
    std::string reason;
    std::string ticket;
    Millis duration{0};
    Time filed;
    std::optional<Time> answer_by;
    std::optional<Time> not_before;
    std::optional<Time> not_after;
    std::optional<Time> ended;
    std::string ended_by;
    std::string ended_reason;
    std::string extends;
    std::optional<std::int64_t> uses_left; // commands that it still starts; none: any number
    std::vector<std::string> ends_when;    // before its time, a line each
    std::vector<std::string> confined;     // what its commands are held to, a line each
    struct LeftBehind {
        std::int64_t count = 0;
        std::vector<std::string> left; // the first of them
        std::vector<std::string> problems;
    };
    struct Review {
        Time due;
        std::optional<Time> at; // none: nobody has looked at it yet
        std::string by;
        std::string reason;
        bool yours = false; // to review now
    };
    struct Made {
        std::string home;
        std::string shell;
        std::vector<std::string> keys; // fingerprints
        std::string problem;           // why it couldn't be made so far
    };
    std::optional<Made> made;              // the account is there by the grant alone
    std::optional<LeftBehind> left_behind; // it was looked for, and the caller may know
    std::optional<Review> review;          // there was something to look at
    std::vector<Stage> stages;
    std::vector<Answer> answers;
    bool yours_to_answer = false;

    [[nodiscard]] bool over() const { return state != State::pending && state != State::active; }
};

struct Check {
    bool ok = false;
    std::string text;
};

struct RoleAnswer {
    std::string role;
    std::string ticket; // what one must look like; empty: it needs none
    Check who, what, where, when;
};

struct Explanation {
    std::string verdict;
    std::vector<std::string> grants;
    std::vector<RoleAnswer> roles;
    std::string help;
};

struct ProblemLine {
    bool is_error = true;
    std::string text;
};

struct Status {
    std::string version;
    Time now;
    Time started;
    Time policy_loaded;
    bool policy_current = false;
    std::vector<ProblemLine> problems;
    std::int64_t roles = 0;
    std::int64_t pending = 0;
    std::int64_t active = 0;
    std::int64_t locks = 0;
    std::int64_t to_review = 0;
    bool clock_synchronised = false;
    std::optional<Time> clock_mark;
};

struct Lock {
    RequestId id;
    LockKind kind = LockKind::host;
    std::string name;
    std::string reason;
    std::string by;
    Time since;
    std::optional<Time> until;
};

struct Locked {
    Lock lock;
    std::int64_t ended = 0;
    std::int64_t cancelled = 0;
};

struct Use {
    std::string id;
    RequestId grant;
    std::string account;
    std::string login;   // the PAM service; empty: a command
    std::string command; // as it would be typed in a shell (shell_word is as safe); empty: very long
    std::string run_as;
    std::vector<std::string> groups;
    std::string tty;
    std::int64_t pid = 0;
    Time since;
    std::optional<Time> exited;
};

// Those that concern the caller.
struct Requests {
    std::vector<Request> requests;
    std::int64_t left_out = 0;
    std::int64_t to_review = 0; // reports that wait for the caller
};

struct Overview {
    Time now;
    std::vector<Request> requests;
    std::vector<Use> uses;
    std::int64_t left_out = 0;
    std::int64_t to_review = 0; // reports that wait for the caller
};

// Each takes a reply's parameters. Fields that this version doesn't know are passed over: jitd may be newer.
[[nodiscard]] Outcome<Request> read_request(const Json& parameters);
[[nodiscard]] Outcome<Requests> read_requests(const Json& parameters);
[[nodiscard]] Outcome<Overview> read_overview(const Json& parameters);
[[nodiscard]] Outcome<Explanation> read_explanation(const Json& parameters);
[[nodiscard]] Outcome<Status> read_status(const Json& parameters);
[[nodiscard]] Outcome<std::vector<std::string>> read_leftovers(const Json& parameters); // what they are
[[nodiscard]] Outcome<Lock> read_lock(const Json& parameters);
[[nodiscard]] Outcome<Locked> read_locked(const Json& parameters);
[[nodiscard]] Outcome<std::vector<Lock>> read_locks(const Json& parameters);
[[nodiscard]] Outcome<std::vector<ProblemLine>> read_problems(const Json& parameters);
[[nodiscard]] Outcome<Time> read_time(const Json& parameters, const char* key);
[[nodiscard]] Outcome<bool> read_bool(const Json& parameters, const char* key);

} // namespace jit::reply
