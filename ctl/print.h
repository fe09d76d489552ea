// SPDX-License-Identifier: MIT
// What people read. Pure functions of records whose texts are escaped already (ctl/reply.h), and of the time.
#pragma once

#include "ctl/reply.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

// Whatever jitd or core says in a sentence of its own: what somebody wrote in it is escaped already, so
// backslashes are left as they are unless something in it needs escaping.
[[nodiscard]] std::string sentence(std::string_view message);

// "14:32 UTC" within a day of now, else with the date. "14:32 UTC (59 min)" with what is left of it.
[[nodiscard]] std::string at_time(Time time, Time now);
[[nodiscard]] std::string until_time(Time time, Time now);

// "pending", "active", "ended (expired)", "denied", …
[[nodiscard]] std::string state_text(const reply::Request& request);

// "one of oncall must approve (bob, carol) and one of security with a signature (dora)": the stages that
// still miss somebody.
[[nodiscard]] std::string missing_text(const reply::Request& request);

// "approved by bob after 41 s: looks right"
[[nodiscard]] std::string answer_text(const reply::Request& request, const reply::Answer& answer);

// One line on where a request is, as after filing, answering or waiting: "granted: web-ops until …, id 7f3a",
// "request 7f3a (web-ops, 1h) is pending: …", "request 7f3a is denied: …".
[[nodiscard]] std::string summary(const reply::Request& request, Time now);

// What an active grant allows, and how: some lines, each with its newline. Of very many commands the first.
inline constexpr std::size_t commands_at_a_glance = 10;
[[nodiscard]] std::string use_text(const reply::Request& request, Time now,
                                   std::size_t most_commands = commands_at_a_glance);
// All of the same for who has it, headed by what it is and how much of it is left.
[[nodiscard]] std::string grant_text(reply::Request own, Time now);

[[nodiscard]] std::string table(const std::vector<reply::Request>& requests, Time now);
[[nodiscard]] std::string details(const reply::Request& request, Time now);
// What is live, each grant with what runs by it, and what is pending (print_overview.cpp).
[[nodiscard]] std::string overview_text(const reply::Overview& overview, Time now);
// "web-ops 58 min, db 3 min": the time that is left of the grants among them, in a few words; empty: none.
[[nodiscard]] std::string brief_text(std::vector<reply::Request> requests, Time now);
// "3 things were left behind"
[[nodiscard]] std::string things_text(std::int64_t count);
// Of a request with a review: "by carol, 2026-11-21 14:40 UTC: harmless", or since when it is due.
[[nodiscard]] std::string review_text(const reply::Request& request);
// A line where reports wait for who looks; empty: none does.
[[nodiscard]] std::string to_review_text(std::int64_t count);
// What waits for a review, each with the first things that were found (print_reviews.cpp).
[[nodiscard]] std::string reviews_text(const reply::Requests& due, Time now);
[[nodiscard]] std::string status_text(const reply::Status& status);

// "alice", "role web-ops", "this host"
[[nodiscard]] std::string lock_subject(const reply::Lock& lock);
// One line on a lock, and what was done when it was set.
[[nodiscard]] std::string lock_text(const reply::Lock& lock, Time now);
[[nodiscard]] std::string locked_text(const reply::Locked& locked, Time now);

// "policy.toml:12: role.web-ops.max: …", one a line.
[[nodiscard]] std::string problem_lines(const std::vector<reply::ProblemLine>& problems);

// One event of the audit: number, time, kind, and its fields as name=value, shortened where that loses
// nothing that a person looks for. The exact text is what --json prints.
[[nodiscard]] std::string event_line(const Json& body);

} // namespace jit
