// SPDX-License-Identifier: MIT
// What each verb does, once the command line is read (ctl/command_line.cpp). Each says what it has to say
// through the Context.
#pragma once

#include "core/lock.h"
#include "core/time.h"
#include "ctl/client.h"
#include "ctl/exit_codes.h"

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

struct Context {
    std::ostream& out;
    std::ostream& err;
    bool json = false;
    ClientOptions client;
    std::string_view name = "jitctl"; // as who it is called, in front of a failure

    // With --json a reply's parameters, as one line; else nothing.
    void print_json(const Json& parameters) const;
    void print_text(std::string_view text) const; // without --json; flushed, so that who waits sees it
    void print_failure(const Failure& failure) const;
};

[[nodiscard]] Time wall_clock();

// One call on a connection of its own.
[[nodiscard]] Outcome<Json> call(const Context& context, std::string_view method, const Json& parameters);

// What --for says, where it was given.
[[nodiscard]] Outcome<void> set_duration(Json& parameters, const std::optional<std::string>& text);

// requests.cpp
struct AskOptions {
    std::string user; // grant: for whom
    std::string role;
    std::string id; // extend: what
    std::optional<std::string> duration;
    std::string reason;
    std::optional<std::string> ticket;
    std::vector<std::string> commands;
    std::vector<std::string> groups;
    std::string account;           // request: which one the role is to make
    std::vector<std::string> keys; // files, "-", or the keys themselves
    bool wait = false;
};
struct ListOptions {
    bool all = false;
    bool mine = false;
    bool now = false;
    bool in_detail = false;
    bool brief = false;              // one line for a prompt or a status bar
    std::optional<std::string> user; // only theirs
    std::optional<std::int64_t> limit;
};
Outcome<Exit> request(const Context& context, const AskOptions& options);
Outcome<Exit> grant(const Context& context, const AskOptions& options);
Outcome<Exit> extend(const Context& context, const AskOptions& options);
Outcome<Exit> list(const Context& context, const ListOptions& options);
Outcome<Exit> show(const Context& context, const std::string& id);

// waiting.cpp
Outcome<Exit> watch(const Context& context, const std::string& id);
enum class Telling { fully, briefly }; // with or without how a grant is used
// Until the request is active or over. `filed` is the reply that filed it.
Outcome<Exit> wait_for_answers(const Context& context, const Json& filed, Telling telling);

// overview.cpp
Outcome<Exit> watch_all(const Context& context);
Outcome<Exit> look_once(const Context& context);

// ask.cpp
struct AskAndRunOptions {
    std::string offers; // JSON: [{"role", "how", "ticket", "pending"}], the best first
    std::optional<std::string> reason;
    std::vector<std::string> words; // executed once one is granted
    std::string terminal = "/dev/tty";
    bool on_terminal = false; // what is told goes there too
};
Outcome<Exit> ask_and_run(const Context& context, const AskAndRunOptions& options);

// answers.cpp
struct AnswerOptions {
    std::vector<std::string> ids;
    std::optional<std::string> reason;
};
Outcome<Exit> approve(const Context& context, const AnswerOptions& options);
Outcome<Exit> deny(const Context& context, const AnswerOptions& options);
Outcome<Exit> cancel(const Context& context, const AnswerOptions& options);
Outcome<Exit> release(const Context& context, const AnswerOptions& options);
Outcome<Exit> revoke(const Context& context, const AnswerOptions& options);
Outcome<Exit> review(const Context& context, const AnswerOptions& options);

// reviews.cpp
Outcome<Exit> reviews(const Context& context); // what is to be reviewed

// explain.cpp
struct ExplainOptions {
    std::optional<std::string> user;
    std::vector<std::string> command;
    std::optional<std::string> run_as;
    std::optional<std::string> login;
    std::optional<std::string> group;
    bool now = false; // what could be had on request counts as refused
};
Outcome<Exit> explain(const Context& context, const ExplainOptions& options);

// leftovers.cpp
Outcome<Exit> leftovers(const Context& context);

// locks.cpp
struct LockOptions {
    LockKind kind = LockKind::host;
    std::string name; // of the user or role
    std::optional<std::string> duration;
    std::string reason;
};
struct UnlockOptions {
    std::string id;
    std::optional<std::string> reason;
};
Outcome<Exit> lock(const Context& context, const LockOptions& options);
Outcome<Exit> unlock(const Context& context, const UnlockOptions& options);
Outcome<Exit> locks(const Context& context);

// audit.cpp
struct AuditOptions {
    bool follow = false;
    std::int64_t after = 0;
    std::optional<std::string> kind;
    std::optional<std::string> request;
};
Outcome<Exit> audit(const Context& context, const AuditOptions& options);

// audit_verify.cpp
struct VerifyOptions {
    std::optional<std::string> db;
    std::optional<std::string> public_key;
    std::optional<std::string> machine_id;
};
Outcome<Exit> audit_verify(const Context& context, const VerifyOptions& options);

// policy.cpp
Outcome<Exit> policy_check(const Context& context, const std::optional<std::string>& path);
Outcome<Exit> policy_reload(const Context& context);

// pam.cpp, pam_status.cpp
struct PamOptions {
    std::string service; // status: empty for all
    std::string mode = "enforce";
    std::optional<std::string> only;
    std::vector<std::string> exempt;
    bool all = false; // disable: every service
};
Outcome<Exit> pam_enable(const Context& context, const PamOptions& options);
Outcome<Exit> pam_disable(const Context& context, const PamOptions& options);
Outcome<Exit> pam_status(const Context& context, const PamOptions& options);

// status.cpp
Outcome<Exit> status(const Context& context);
Outcome<Exit> clock_reset(const Context& context);
Outcome<Exit> print_version(const Context& context);

} // namespace jit
