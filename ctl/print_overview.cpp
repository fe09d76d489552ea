// SPDX-License-Identifier: MIT
// What is live now.
#include "ctl/columns.h"
#include "ctl/print.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace jit {
namespace {

using Rows = std::vector<std::vector<std::string>>;

// Those that are over soonest first.
void sort_by_end(std::vector<reply::Request>& requests) {
    std::ranges::stable_sort(requests, {}, [](const reply::Request& request) {
        return request.state == State::active ? request.not_after : request.answer_by;
    });
}

std::string left(const std::optional<Time>& end, Time now) {
    return end && *end > now ? describe_duration(*end - now) : "over";
}

// "login 812 by sshd on pts/3 since 14:30 UTC, with group adm": what others chose comes last, where it hides
// nothing.
std::string use_line(const reply::Use& use, Time now) {
    const bool login = !use.login.empty();
    std::string line = fmt::format("{} {}", login ? "login" : "command", use.pid);
    if (login) {
        line += " by " + use.login;
    }
    if (use.run_as != use.account) {
        line += " as " + use.run_as;
    }
    if (!use.groups.empty()) {
        line += fmt::format(" with group {}", fmt::join(use.groups, ", "));
    }
    if (!use.tty.empty()) {
        line += " on " + use.tty;
    }
    line += " since " + at_time(use.since, now);
    if (use.exited) {
        line += ", ended, what it left behind runs on";
    }
    if (!login) {
        line += ": " + (use.command.empty() ? "(very long)" : use.command);
    }
    return line;
}

std::string grants_text(const std::vector<reply::Request>& grants, const std::vector<reply::Use>& uses,
                        Time now) {
    Rows rows{{"ID", "ROLE", "WHO", "LEFT", "UNTIL", "REASON"}};
    for (const reply::Request& grant : grants) {
        rows.push_back({grant.id, grant.role, grant.person, left(grant.not_after, now),
                        grant.not_after ? at_time(*grant.not_after, now) : "",
                        shortened(grant.reason, longest_reason_in_table)});
    }
    const auto lines = aligned(rows);
    std::string text = lines.front() + "\n";
    for (std::size_t index = 0; index < grants.size(); ++index) {
        text += lines[index + 1] + "\n";
        for (const reply::Use& use : uses) {
            if (use.grant == grants[index].id) {
                text += "      " + use_line(use, now) + "\n";
            }
        }
    }
    return text;
}

std::string pending_text(const std::vector<reply::Request>& pending, Time now) {
    Rows rows{{"PENDING", "ROLE", "WHO", "FOR", "ANSWER BY", "REASON"}};
    for (const reply::Request& request : pending) {
        rows.push_back({request.id, request.role, request.person, format_duration(request.duration),
                        request.answer_by ? until_time(*request.answer_by, now) : "",
                        shortened(request.reason, longest_reason_in_table)});
    }
    const auto lines = aligned(rows);
    std::string text = lines.front() + "\n";
    for (std::size_t index = 0; index < pending.size(); ++index) {
        text += lines[index + 1] + "\n";
        if (pending[index].yours_to_answer) {
            text += fmt::format("      waits for you: jitctl approve {0}, or jitctl deny {0} --reason TEXT\n",
                                pending[index].id);
        }
    }
    return text;
}

std::vector<reply::Request> those(const std::vector<reply::Request>& requests, State state) {
    std::vector<reply::Request> found;
    std::ranges::copy_if(requests, std::back_inserter(found),
                         [&](const reply::Request& request) { return request.state == state; });
    sort_by_end(found);
    return found;
}

} // namespace

std::string overview_text(const reply::Overview& overview, Time now) {
    const auto grants = those(overview.requests, State::active);
    const auto pending = those(overview.requests, State::pending);
    std::string text;
    if (!pending.empty()) {
        text += pending_text(pending, now) + (grants.empty() ? "" : "\n");
    }
    if (!grants.empty()) {
        text += grants_text(grants, overview.uses, now);
    }
    if (text.empty()) {
        text = "nothing is live or pending that concerns you\n";
    }
    if (overview.left_out > 0) {
        text += fmt::format("and {} more that are too many to show\n", overview.left_out);
    }
    if (overview.to_review > 0) {
        text += "\n" + to_review_text(overview.to_review);
    }
    return text;
}

std::string brief_text(std::vector<reply::Request> requests, Time now) {
    sort_by_end(requests);
    std::vector<std::string> grants;
    for (const reply::Request& request : requests) {
        if (request.state == State::active) {
            grants.push_back(fmt::format("{} {}", request.role, left(request.not_after, now)));
        }
    }
    return fmt::format("{}", fmt::join(grants, ", "));
}

} // namespace jit
