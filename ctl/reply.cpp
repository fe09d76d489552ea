// SPDX-License-Identifier: MIT
#include "ctl/reply.h"

#include "core/policy_load.h"
#include "core/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

namespace jit::reply {
namespace {

// The last moment that can be written: 9999-12-31T23:59:59.999Z. Within it, sums and differences can't
// overflow.
constexpr std::int64_t latest = 253'402'300'799'999;

struct Nonsense : std::runtime_error {
    using std::runtime_error::runtime_error;
};

[[noreturn]] void nonsense(const char* key) {
    throw Nonsense(key);
}

const Json* optional_field(const Json& object, const char* key) {
    if (!object.is_object()) {
        nonsense(key);
    }
    const auto field = object.find(key);
    return field == object.end() || field->is_null() ? nullptr : &*field;
}

const Json& field(const Json& object, const char* key) {
    const Json* value = optional_field(object, key);
    return value != nullptr ? *value : throw Nonsense(key);
}

std::string text_of(const Json& value, const char* key) {
    return value.is_string() ? escape(value.get_ref<const std::string&>()) : throw Nonsense(key);
}

std::string text(const Json& object, const char* key) {
    return text_of(field(object, key), key);
}

std::string optional_text(const Json& object, const char* key) {
    const Json* value = optional_field(object, key);
    return value != nullptr ? text_of(*value, key) : std::string();
}

bool boolean(const Json& object, const char* key) {
    const Json& value = field(object, key);
    return value.is_boolean() ? value.get<bool>() : throw Nonsense(key);
}

// Nothing that jitd counts, and no time or uid, is negative or beyond `latest`.
std::int64_t whole_of(const Json& value, const char* key) {
    if (!value.is_number_integer() ||
        (value.is_number_unsigned() && !std::in_range<std::int64_t>(value.get<std::uint64_t>()))) {
        nonsense(key);
    }
    const auto number = value.get<std::int64_t>();
    if (number < 0 || number > latest) {
        nonsense(key);
    }
    return number;
}

std::int64_t whole(const Json& object, const char* key) {
    return whole_of(field(object, key), key);
}

std::int64_t optional_whole(const Json& object, const char* key) {
    const Json* value = optional_field(object, key);
    return value != nullptr ? whole_of(*value, key) : 0;
}

Time time(const Json& object, const char* key) {
    return Time(Millis(whole(object, key)));
}

std::optional<Time> optional_time(const Json& object, const char* key) {
    const Json* value = optional_field(object, key);
    return value != nullptr ? std::optional(Time(Millis(whole_of(*value, key)))) : std::nullopt;
}

template <class T, class Read>
std::vector<T> list(const Json& object, const char* key, Read read) {
    const Json& values = field(object, key);
    if (!values.is_array()) {
        nonsense(key);
    }
    std::vector<T> read_values;
    read_values.reserve(values.size());
    for (const Json& value : values) {
        read_values.push_back(read(value));
    }
    return read_values;
}

std::vector<std::string> texts(const Json& object, const char* key) {
    return list<std::string>(object, key, [key](const Json& value) { return text_of(value, key); });
}

Request request_of(const Json& json) {
    Request r;
    r.id = text(json, "id");
    const auto state = state_named(text(json, "state"));
    if (!is_request_id(r.id) || !state) {
        nonsense(state ? "id" : "state");
    }
    r.state = *state;
    if (const std::string cause = optional_text(json, "cause"); !cause.empty()) {
        r.cause = cause_named(cause);
    }
    r.role = text(json, "role");
    r.title = optional_text(json, "title");
    r.person = text(json, "person");
    r.account = text(json, "account");
    r.uid = whole(json, "uid");
    r.requester = text(json, "requester");
    const Json& scope = field(json, "scope");
    r.scope = {.run_as = texts(scope, "run_as"),
               .commands = texts(scope, "commands"),
               .groups = texts(scope, "groups"),
               .memberships = texts(scope, "memberships"),
               .login = texts(scope, "login")};
    r.reason = text(json, "reason");
    r.ticket = optional_text(json, "ticket");
    r.duration = Millis(whole(json, "duration"));
    r.filed = time(json, "filed");
    r.answer_by = optional_time(json, "answer_by");
    r.not_before = optional_time(json, "not_before");
    r.not_after = optional_time(json, "not_after");
    r.ended = optional_time(json, "ended");
    r.ended_by = optional_text(json, "ended_by");
    r.ended_reason = optional_text(json, "ended_reason");
    r.extends = optional_text(json, "extends");
    if (json.contains("uses_left")) {
        r.uses_left = whole(json, "uses_left");
    }
    if (json.contains("ends_when")) {
        r.ends_when = texts(json, "ends_when");
    }
    if (json.contains("confined")) {
        r.confined = texts(json, "confined");
    }
    if (json.contains("made")) {
        const Json& made = field(json, "made");
        r.made = {.home = text(made, "home"),
                  .shell = text(made, "shell"),
                  .keys = texts(made, "keys"),
                  .problem = optional_text(made, "problem")};
    }
    if (json.contains("left_behind")) {
        const Json& left = field(json, "left_behind");
        r.left_behind = {.count = whole(left, "count"), .left = texts(left, "left"), .problems = {}};
        if (left.contains("problems")) {
            r.left_behind->problems = texts(left, "problems");
        }
    }
    if (json.contains("review")) {
        const Json& review = field(json, "review");
        r.review = {.due = time(review, "due"),
                    .at = optional_time(review, "at"),
                    .by = optional_text(review, "by"),
                    .reason = optional_text(review, "reason"),
                    .yours = boolean(review, "yours")};
    }
    r.stages = list<Stage>(json, "stages", [](const Json& stage) {
        return Stage{.from = text(stage, "from"),
                     .members = texts(stage, "members"),
                     .count = whole(stage, "count"),
                     .is_signed = boolean(stage, "is_signed"),
                     .missing = whole(stage, "missing")};
    });
    r.answers = list<Answer>(json, "answers", [](const Json& answer) {
        return Answer{.person = text(answer, "person"),
                      .account = text(answer, "account"),
                      .approves = boolean(answer, "approves"),
                      .reason = optional_text(answer, "reason"),
                      .at = time(answer, "at")};
    });
    r.yours_to_answer = boolean(json, "yours_to_answer");
    return r;
}

Lock lock_of(const Json& json) {
    const auto kind = lock_kind_named(text(json, "kind"));
    Lock lock{.id = text(json, "id"),
              .kind = kind ? *kind : throw Nonsense("kind"),
              .name = optional_text(json, "name"),
              .reason = text(json, "reason"),
              .by = text(json, "by"),
              .since = time(json, "since"),
              .until = optional_time(json, "until")};
    if (!is_request_id(lock.id)) {
        nonsense("id");
    }
    return lock;
}

// What jitd has escaped itself, because it needn't be text.
std::string escaped_text(const Json& value, const char* key) {
    return value.is_string() ? unescape(value.get_ref<const std::string&>()) : throw Nonsense(key);
}

Use use_of(const Json& json) {
    Use use{.id = text(json, "id"),
            .grant = text(json, "grant"),
            .account = text(json, "account"),
            .login = optional_text(json, "login"),
            .command = {},
            .run_as = text(json, "run_as"),
            .groups = texts(json, "groups"),
            .tty = {},
            .pid = whole(json, "pid"),
            .since = time(json, "since"),
            .exited = optional_time(json, "exited")};
    if (const Json* tty = optional_field(json, "tty")) {
        use.tty = escape(escaped_text(*tty, "tty"));
    }
    if (optional_field(json, "argv") != nullptr) {
        const auto words = list<std::string>(
            json, "argv", [](const Json& word) { return shell_word(escaped_text(word, "argv")); });
        use.command = fmt::format("{}", fmt::join(words, " "));
        if (json.contains("argv_cut") && boolean(json, "argv_cut")) {
            use.command += " …";
        }
    }
    return use;
}

Check check(const Json& object, const char* key) {
    const Json& value = field(object, key);
    return {.ok = boolean(value, "ok"), .text = text(value, "text")};
}

// Problem::text() escapes, so its parts are taken as they came.
std::string raw_text(const Json& object, const char* key) {
    const Json& value = field(object, key);
    return value.is_string() ? value.get<std::string>() : throw Nonsense(key);
}

std::vector<ProblemLine> problems(const Json& object, const char* key) {
    return list<ProblemLine>(object, key, [](const Json& problem) {
        const Problem read{.severity = raw_text(problem, "severity") == "warning" ? Problem::Severity::warning
                                                                                  : Problem::Severity::error,
                           .where = {.file = raw_text(problem, "file"),
                                     .line = static_cast<unsigned>(std::min<std::int64_t>(
                                         whole(problem, "line"), std::numeric_limits<unsigned>::max()))},
                           .key = raw_text(problem, "key"),
                           .message = raw_text(problem, "message")};
        return ProblemLine{.is_error = read.severity == Problem::Severity::error, .text = read.text()};
    });
}

// Runs `read`, whose exceptions (ours, none of the JSON library's) stay in this file.
template <class Read>
auto guarded(Read read) -> Outcome<decltype(read())> {
    try {
        return read();
    } catch (const Nonsense& key) {
        return internal_failure(
            fmt::format("jitd's answer makes no sense: {} is missing or not what it should be. "
                        "Is jitd of another version than this jitctl? try: jitctl status",
                        key.what()));
    }
}

} // namespace

Outcome<Request> read_request(const Json& parameters) {
    return guarded([&] { return request_of(field(parameters, "request")); });
}

Outcome<Requests> read_requests(const Json& parameters) {
    return guarded([&] {
        return Requests{.requests = list<Request>(parameters, "requests", request_of),
                        .left_out = optional_whole(parameters, "left_out"),
                        .to_review = optional_whole(parameters, "to_review")};
    });
}

Outcome<Overview> read_overview(const Json& parameters) {
    return guarded([&] {
        return Overview{.now = time(parameters, "now"),
                        .requests = list<Request>(parameters, "requests", request_of),
                        .uses = list<Use>(parameters, "uses", use_of),
                        .left_out = whole(parameters, "left_out"),
                        .to_review = optional_whole(parameters, "to_review")};
    });
}

Outcome<Explanation> read_explanation(const Json& parameters) {
    return guarded([&] {
        return Explanation{.verdict = text(parameters, "verdict"),
                           .grants = texts(parameters, "grants"),
                           .roles = list<RoleAnswer>(parameters, "roles",
                                                     [](const Json& role) {
                                                         return RoleAnswer{.role = text(role, "role"),
                                                                           .ticket =
                                                                               optional_text(role, "ticket"),
                                                                           .who = check(role, "who"),
                                                                           .what = check(role, "what"),
                                                                           .where = check(role, "where"),
                                                                           .when = check(role, "when")};
                                                     }),
                           .help = text(parameters, "help")};
    });
}

Outcome<Status> read_status(const Json& parameters) {
    return guarded([&] {
        return Status{.version = text(parameters, "version"),
                      .now = time(parameters, "now"),
                      .started = time(parameters, "started"),
                      .policy_loaded = time(parameters, "policy_loaded"),
                      .policy_current = boolean(parameters, "policy_current"),
                      .problems = problems(parameters, "policy_problems"),
                      .roles = whole(parameters, "roles"),
                      .pending = whole(parameters, "pending"),
                      .active = whole(parameters, "active"),
                      .locks = whole(parameters, "locks"),
                      .to_review = whole(parameters, "to_review"),
                      .clock_synchronised = boolean(parameters, "clock_synchronised"),
                      .clock_mark = optional_time(parameters, "clock_mark")};
    });
}

Outcome<std::vector<std::string>> read_leftovers(const Json& parameters) {
    return guarded([&] {
        return list<std::string>(parameters, "leftovers",
                                 [](const Json& leftover) { return text(leftover, "what"); });
    });
}

Outcome<Lock> read_lock(const Json& parameters) {
    return guarded([&] { return lock_of(field(parameters, "lock")); });
}

Outcome<Locked> read_locked(const Json& parameters) {
    return guarded([&] {
        return Locked{.lock = lock_of(field(parameters, "lock")),
                      .ended = whole(parameters, "ended"),
                      .cancelled = whole(parameters, "cancelled")};
    });
}

Outcome<std::vector<Lock>> read_locks(const Json& parameters) {
    return guarded([&] { return list<Lock>(parameters, "locks", lock_of); });
}

Outcome<std::vector<ProblemLine>> read_problems(const Json& parameters) {
    return guarded([&] { return problems(parameters, "problems"); });
}

Outcome<Time> read_time(const Json& parameters, const char* key) {
    return guarded([&] { return time(parameters, key); });
}

Outcome<bool> read_bool(const Json& parameters, const char* key) {
    return guarded([&] { return boolean(parameters, key); });
}

} // namespace jit::reply
