// SPDX-License-Identifier: MIT
#include "ctl/print.h"

#include "core/text.h"
#include "ctl/columns.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace jit {
namespace {

bool for_another(const reply::Request& request) {
    return request.requester != request.person;
}

std::string stage_text(const reply::Stage& stage) {
    return fmt::format("{} of {} must approve{} ({})",
                       stage.missing == 1 ? "one" : std::to_string(stage.missing), stage.from,
                       stage.is_signed ? " with a signature" : "", fmt::join(stage.members, ", "));
}

std::string over_text(const reply::Request& r) {
    std::string text = state_text(r);
    if (!r.ended_by.empty()) {
        text += fmt::format(" by {}", r.ended_by);
    }
    if (!r.ended_reason.empty()) {
        text += fmt::format(": {}", r.ended_reason);
    }
    if (r.state == State::denied) {
        for (const reply::Answer& answer : r.answers) {
            if (!answer.approves) {
                return fmt::format("denied by {}: {}", answer.person, answer.reason);
            }
        }
    }
    if (r.state == State::timed_out) {
        text += ": nobody answered in time";
    }
    return text;
}

void field(std::string& out, std::string_view name, std::string_view value) {
    if (!value.empty()) {
        fmt::format_to(std::back_inserter(out), "{:<12}{}\n", fmt::format("{}:", name), value);
    }
}

void fields(std::string& out, std::string_view name, const std::vector<std::string>& values) {
    for (const std::string& value : values) {
        field(out, name, value);
    }
}

std::string commands_left(std::int64_t left) {
    return left == 1 ? "1 command" : fmt::format("{} commands", left);
}

// Of an account that is there by the grant alone.
std::string made_text(const reply::Request& r) {
    const std::string home = r.made->home == "keep"     ? "its home is kept"
                             : r.made->home == "remove" ? "its home is removed at the end"
                                                        : "its home is in memory only";
    return fmt::format("{}, there while the grant lives; {}", r.account, home);
}

std::string lock_end(const reply::Lock& lock, Time now) {
    return lock.until ? "until " + until_time(*lock.until, now) : "until it is lifted";
}

} // namespace

std::string sentence(std::string_view message) {
    return is_printable(message) ? std::string(message) : escape(message);
}

std::string at_time(Time time, Time now) {
    const std::string full = describe_utc(time);
    constexpr std::size_t date = std::string_view("2026-11-21 ").size();
    return full.starts_with(describe_utc(now).substr(0, date)) ? full.substr(date) : full;
}

std::string until_time(Time time, Time now) {
    return time > now ? fmt::format("{} ({})", at_time(time, now), describe_duration(time - now))
                      : fmt::format("{} (over)", at_time(time, now));
}

std::string state_text(const reply::Request& request) {
    if (request.state == State::timed_out) {
        return "timed out";
    }
    return request.cause ? fmt::format("{} ({})", name_of(request.state), name_of(*request.cause))
                         : std::string(name_of(request.state));
}

std::string missing_text(const reply::Request& request) {
    std::vector<std::string> stages;
    for (const reply::Stage& stage : request.stages) {
        if (stage.missing > 0) {
            stages.push_back(stage_text(stage));
        }
    }
    return fmt::format("{}", fmt::join(stages, " and "));
}

std::string answer_text(const reply::Request& request, const reply::Answer& answer) {
    std::string text = fmt::format("{} by {} after {}", answer.approves ? "approved" : "denied",
                                   answer.person, describe_duration(answer.at - request.filed));
    if (!answer.reason.empty()) {
        text += ": " + answer.reason;
    }
    return text;
}

std::string summary(const reply::Request& r, Time now) {
    const std::string whom = for_another(r) ? fmt::format(" for {}", r.person) : std::string();
    switch (r.state) {
    case State::pending:
        return fmt::format("request {} ({}{}, {}) is pending: {}", r.id, r.role, whom,
                           format_duration(r.duration), missing_text(r));
    case State::active:
        return fmt::format("granted: {}{} until {}, id {}", r.role, whom,
                           until_time(r.not_after.value_or(now), now), r.id);
    default:
        return fmt::format("request {} ({}{}) is {}", r.id, r.role, whom, over_text(r));
    }
}

std::string use_text(const reply::Request& r, Time now, std::size_t most_commands) {
    std::string out;
    const auto line = [&out](std::string_view name, std::string_view value) {
        fmt::format_to(std::back_inserter(out), "  {:<13}{}\n", name, value);
    };
    if (!r.scope.commands.empty()) {
        const bool as_root = r.scope.run_as == std::vector<std::string>{"root"};
        line("run", fmt::format("jit-sudo {}COMMAND, as {}, where COMMAND is", as_root ? "" : "-u USER ",
                                fmt::join(r.scope.run_as, " or ")));
        for (std::size_t index = 0; index < r.scope.commands.size(); ++index) {
            // A page of them would hide the line above, which says what was granted.
            if (index == most_commands) {
                line("",
                     fmt::format("  … and {} more: jitctl show {}", r.scope.commands.size() - index, r.id));
                break;
            }
            line("", "  " + r.scope.commands[index]);
        }
    }
    if (r.uses_left) {
        line("left", commands_left(*r.uses_left));
    }
    if (!r.scope.login.empty()) {
        line("log in", fmt::format("through {}", fmt::join(r.scope.login, ", ")));
    }
    if (r.made) {
        line("account", made_text(r));
        if (!r.made->problem.empty()) {
            line("", "isn't there yet: " + r.made->problem + " (it is tried again)");
        }
    }
    if (!r.scope.groups.empty()) {
        line("groups", fmt::format("{}: in a new login, or by jit-sudo -g GROUP COMMAND",
                                   fmt::join(r.scope.groups, ", ")));
    }
    if (!r.scope.memberships.empty()) {
        const bool one = r.scope.memberships.size() == 1;
        line("member of", fmt::format("{}: host-wide until {}", fmt::join(r.scope.memberships, ", "),
                                      r.not_after ? until_time(*r.not_after, now) : std::string("its end")));
        line("", fmt::format("when it ends, {} processes that carry {} are killed: logins, services, all",
                             for_another(r) ? r.person + "'s" : "your", one ? "the group" : "these groups"));
    }
    if (!r.ends_when.empty()) {
        line("ends when", fmt::format("{}", fmt::join(r.ends_when, ", or ")));
    }
    if (!for_another(r)) {
        line("when done", fmt::format("jitctl release {}", r.id));
    }
    return out;
}

std::string grant_text(reply::Request own, Time now) {
    own.requester = own.person; // whoever asked for it
    return fmt::format("{}  {} until {}\n{}", own.id, own.role, until_time(own.not_after.value_or(now), now),
                       use_text(own, now, own.scope.commands.size()));
}

std::string table(const std::vector<reply::Request>& requests, Time now) {
    std::vector<std::vector<std::string>> rows{
        {"ID", "STATE", "ROLE", "FOR", "WHO", "UNTIL/ANSWER-BY", "REASON"}};
    for (const reply::Request& r : requests) {
        std::string when;
        if (r.state == State::pending && r.answer_by) {
            when = until_time(*r.answer_by, now);
        } else if (r.state == State::active && r.not_after) {
            when = until_time(*r.not_after, now) + (r.uses_left ? ", " + commands_left(*r.uses_left) : "");
        } else if (r.ended) {
            when = at_time(*r.ended, now);
        }
        rows.push_back({r.id, state_text(r), r.role, format_duration(r.duration), r.person, when,
                        shortened(r.reason, longest_reason_in_table)});
    }
    return fmt::format("{}\n", fmt::join(aligned(rows), "\n"));
}

std::string details(const reply::Request& r, Time now) {
    std::string out;
    const auto moment = [&](std::string_view name, const std::optional<Time>& time) {
        field(out, name, time ? describe_utc(*time) : std::string());
    };
    field(out, "id", r.id);
    field(out, "state", r.over() ? over_text(r) : state_text(r));
    field(out, "role", r.title.empty() ? r.role : fmt::format("{} ({})", r.role, r.title));
    field(out, "for", fmt::format("{} (account {}, uid {})", r.person, r.account, r.uid));
    if (r.made) {
        field(out, "account", made_text(r));
        fields(out, "ssh key", r.made->keys);
        field(out, "problem", r.made->problem);
    }
    field(out, "asked by", for_another(r) ? r.requester : std::string());
    field(out, "reason", r.reason);
    field(out, "ticket", r.ticket);
    field(out, "duration", format_duration(r.duration));
    field(out, "extends", r.extends);
    moment("filed", r.filed);
    if (r.state == State::pending && r.answer_by) {
        field(out, "answer by",
              fmt::format("{} ({})", describe_utc(*r.answer_by),
                          *r.answer_by > now ? describe_duration(*r.answer_by - now) : "over"));
    }
    moment("from", r.not_before);
    if (r.not_after) {
        field(out, "until",
              r.state == State::active && *r.not_after > now
                  ? fmt::format("{} ({} left)", describe_utc(*r.not_after),
                                describe_duration(*r.not_after - now))
                  : describe_utc(*r.not_after));
    }
    moment("ended", r.ended);
    fields(out, "ends when", r.over() ? std::vector<std::string>() : r.ends_when);
    fields(out, "run as", r.scope.run_as);
    fields(out, "command", r.scope.commands);
    field(out, "left", r.uses_left && !r.over() ? commands_left(*r.uses_left) : std::string());
    fields(out, "confined", r.confined);
    fields(out, "group", r.scope.groups);
    for (const std::string& group : r.scope.memberships) {
        field(out, "membership",
              fmt::format("{} (host-wide; at the end the processes that carry it are killed)", group));
    }
    fields(out, "login", r.scope.login);
    for (const reply::Stage& stage : r.stages) {
        field(out, "stage",
              stage.missing == 0
                  ? fmt::format("{}: has approved", stage.from)
                  : fmt::format("{}: {} of {} missing{} ({})", stage.from, stage.missing, stage.count,
                                stage.is_signed ? ", signed" : "", fmt::join(stage.members, ", ")));
    }
    for (const reply::Answer& answer : r.answers) {
        field(out, "answer", fmt::format("{}, {}", answer_text(r, answer), describe_utc(answer.at)));
    }
    if (r.left_behind) {
        if (r.left_behind->count == 0) {
            field(out, "it left", "nothing that the search has found");
        }
        fields(out, "it left", r.left_behind->left);
        if (const auto more = r.left_behind->count - std::ssize(r.left_behind->left); more > 0) {
            field(out, "it left", fmt::format("and {} more", more));
        }
        fields(out, "not seen", r.left_behind->problems);
    }
    field(out, "review", r.review ? review_text(r) : std::string());
    if (r.yours_to_answer) {
        field(out, "you can", fmt::format("jitctl approve {0}, or jitctl deny {0} --reason TEXT", r.id));
    }
    return out;
}

std::string status_text(const reply::Status& s) {
    std::string out;
    field(out, "jitd",
          fmt::format("{}, up {}", s.version, describe_duration(std::max(Millis(0), s.now - s.started))));
    field(out, "policy",
          s.policy_current ? fmt::format("{} roles, loaded {}", s.roles, describe_utc(s.policy_loaded))
                           : fmt::format("THE FILES ARE BROKEN. In force: the one of {}, {} roles",
                                         describe_utc(s.policy_loaded), s.roles));
    field(out, "requests", fmt::format("{} pending, {} active", s.pending, s.active));
    field(out, "locks", s.locks > 0 ? fmt::format("{}, see jitctl locks", s.locks) : std::string());
    field(out, "reviews",
          s.to_review > 0 ? fmt::format("{} due, see jitctl review", s.to_review) : std::string());
    field(
        out, "clock",
        fmt::format("{}, {}", format_utc(s.now), s.clock_synchronised ? "synchronised" : "NOT synchronised"));
    if (s.clock_mark && !s.clock_synchronised) {
        field(out, "", fmt::format("known to be not before {}", format_utc(*s.clock_mark)));
    }
    return out + problem_lines(s.problems);
}

std::string lock_subject(const reply::Lock& lock) {
    switch (lock.kind) {
    case LockKind::host:
        return "this host";
    case LockKind::role:
        return "role " + lock.name;
    case LockKind::user:
        break;
    }
    return lock.name;
}

std::string lock_text(const reply::Lock& lock, Time now) {
    return fmt::format("{}  {} {}, by {} since {}: {}\n", lock.id, lock_subject(lock), lock_end(lock, now),
                       lock.by, at_time(lock.since, now), lock.reason);
}

std::string locked_text(const reply::Locked& locked, Time now) {
    const reply::Lock& lock = locked.lock;
    const auto counted = [](std::int64_t count, std::string_view what) {
        return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
    };
    std::string text = fmt::format("locked {} {}: {} ended, {} cancelled\n  {:<14}jitctl unlock {}\n",
                                   lock_subject(lock), lock_end(lock, now), counted(locked.ended, "grant"),
                                   counted(locked.cancelled, "request"), "lift it", lock.id);
    if (lock.kind == LockKind::host) {
        text += fmt::format("  {:<14}root, by a way in that no grant gives: the console, or an account that "
                            "the gates exempt\n",
                            "who can");
    }
    return text;
}

std::string problem_lines(const std::vector<reply::ProblemLine>& problems) {
    std::string out;
    for (const reply::ProblemLine& problem : problems) {
        out += problem.text + "\n";
    }
    return out;
}

} // namespace jit
