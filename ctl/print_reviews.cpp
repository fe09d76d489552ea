// SPDX-License-Identifier: MIT
// What grants left behind, and who has looked at it.
#include "ctl/columns.h"
#include "ctl/print.h"

#include <fmt/format.h>

#include <algorithm>

namespace jit {
namespace {

constexpr std::size_t longest_thing_in_list = 160;

std::string things_of(const reply::Request::LeftBehind& report, const RequestId& id) {
    std::string text;
    for (const std::string& thing : report.left) {
        text += fmt::format("      {}\n", shortened(thing, longest_thing_in_list));
    }
    if (const auto more = report.count - std::ssize(report.left); more > 0) {
        text += fmt::format("      and {} more: jitctl show {}\n", more, id);
    }
    return text;
}

} // namespace

std::string things_text(std::int64_t count) {
    return count == 1 ? "1 thing was left behind" : fmt::format("{} things were left behind", count);
}

std::string review_text(const reply::Request& r) {
    if (!r.review->at) {
        return fmt::format("due since {}{}", describe_utc(r.review->due),
                           r.review->yours ? fmt::format(": jitctl review {} --reason TEXT", r.id) : "");
    }
    return fmt::format("by {}, {}{}{}", r.review->by, describe_utc(*r.review->at),
                       r.review->reason.empty() ? "" : ": ", r.review->reason);
}

std::string to_review_text(std::int64_t count) {
    return count == 0 ? ""
                      : fmt::format("waiting for your review, what {} left behind: jitctl review\n",
                                    count == 1 ? "1 grant" : fmt::format("{} grants", count));
}

std::string reviews_text(const reply::Requests& due, Time now) {
    if (due.requests.empty()) {
        return "nothing waits for a review that you may see\n";
    }
    std::vector<std::vector<std::string>> rows{{"ID", "ROLE", "WHO", "ENDED", "FOUND", "REASON"}};
    for (const reply::Request& r : due.requests) {
        rows.push_back({r.id, r.role, r.person, r.ended ? at_time(*r.ended, now) : "",
                        std::to_string(r.left_behind ? r.left_behind->count : 0),
                        shortened(r.reason, longest_reason_in_table)});
    }
    const auto lines = aligned(rows);
    std::string text = lines.front() + "\n";
    bool any_yours = false;
    for (std::size_t index = 0; index < due.requests.size(); ++index) {
        const reply::Request& r = due.requests[index];
        const bool yours = r.review && r.review->yours;
        any_yours = any_yours || yours;
        text += lines[index + 1] + "\n";
        text += r.left_behind ? things_of(*r.left_behind, r.id) : "";
        text += yours ? "" : "      not yours to review\n";
    }
    if (due.left_out > 0) {
        text += fmt::format("and {} more grants, once these are reviewed\n", due.left_out);
    }
    if (any_yours) {
        text += "all of it: jitctl show ID. You have looked at it: jitctl review ID --reason TEXT\n";
    }
    return text;
}

} // namespace jit
