// SPDX-License-Identifier: MIT
// What grants left behind, and who has looked at it.
#include "core/json.h"
#include "daemon/api.h"
#include "daemon/parameters.h"
#include "daemon/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

namespace jit {
namespace {

constexpr std::int64_t most_reviews = 100;
// Of each thing in a list of many, and of how many things: a reply of them all stays small.
constexpr std::size_t first_things = 3;
constexpr std::size_t longest_thing = 300; // bytes

// As much of a text as has room, whole characters.
std::string beginning(const std::string& text) {
    if (text.size() <= longest_thing) {
        return text;
    }
    std::size_t size = longest_thing;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) {
        --size;
    }
    return text.substr(0, size) + "…";
}

void keep_beginning(Json& report) {
    for (const char* key : {"left", "problems"}) {
        const auto texts = report.find(key);
        if (texts == report.end()) {
            continue;
        }
        Json first = Json::array();
        for (const Json& text : *texts | std::views::take(first_things)) {
            first.push_back(text.is_string() ? Json(beginning(text.get_ref<const std::string&>())) : text);
        }
        *texts = std::move(first);
    }
}

} // namespace

Result<void> Api::add_report(Json& view, const Request& request, const Caller& caller, Report how_much) {
    const Policy& policy = parts_.policy.policy();
    if (!may_see_left_behind(policy, request, caller)) {
        return {};
    }
    return parts_.store.guarded([&]() -> Result<void> {
        const auto text = parts_.store.left_behind(request.id);
        if (!text) {
            return {};
        }
        auto report = parse_json(*text);
        if (!report) {
            return std::unexpected(report.error());
        }
        if (how_much == Report::first) {
            keep_beginning(*report);
        }
        view["left_behind"] = std::move(*report);
        if (const auto review = parts_.store.review(request.id)) {
            view["review"] = view_of(*review, reviewable(policy, request, caller).has_value());
        }
        return {};
    });
}

void Api::reply_with_report(const CallPtr& call, const Request& request, const Caller& caller) {
    Json view = shown(request, caller);
    if (const auto added = add_report(view, request, caller, Report::all); !added) {
        return call->fail(added.error());
    }
    call->reply({{"request", std::move(view)}});
}

Result<std::vector<const Request*>> Api::to_review(const Caller& caller) {
    if (due_.version != parts_.store.reviews_version()) {
        auto due = parts_.store.guarded(
            [&]() -> Result<std::vector<Request>> { return parts_.store.to_review(most_listed); });
        if (!due) {
            return std::unexpected(due.error());
        }
        due_ = {.version = parts_.store.reviews_version(), .requests = std::move(*due)};
    }
    std::vector<const Request*> theirs;
    for (const Request& request : due_.requests) {
        if (may_see_left_behind(parts_.policy.policy(), request, caller)) {
            theirs.push_back(&request);
        }
    }
    return theirs;
}

// It comes with what was asked for, which is told also where this can't be.
void Api::add_count_to_review(Json& reply, const Caller& caller) {
    const auto due = to_review(caller);
    const auto theirs = !due ? 0 : std::ranges::count_if(*due, [&](const Request* request) {
        return reviewable(parts_.policy.policy(), *request, caller).has_value();
    });
    if (theirs > 0) {
        reply["to_review"] = theirs;
    }
}

void Api::reviews(const CallPtr& call, Parameters& parameters) {
    if (rejected(call, parameters)) {
        return;
    }
    ask_who(call, [this, call](const Caller& caller) {
        const auto due = to_review(caller);
        if (!due) {
            return call->fail(due.error());
        }
        Json list = Json::array();
        for (const Request* request : *due | std::views::take(most_reviews)) {
            Json view = shown(*request, caller);
            if (const auto added = add_report(view, *request, caller, Report::first); !added) {
                return call->fail(added.error());
            }
            list.push_back(std::move(view));
        }
        call->reply({{"requests", std::move(list)},
                     {"left_out", std::max<std::int64_t>(0, std::ssize(*due) - most_reviews)}});
    });
}

void Api::review(const CallPtr& call, Parameters& parameters) {
    const RequestId id = parameters.text("id");
    const std::string reason = parameters.optional_text("reason").value_or("");
    if (rejected(call, parameters)) {
        return;
    }
    ask_who(call, [this, call, id, reason](const Caller& caller) {
        const auto seen = visible(caller, id);
        const auto reviewed = seen ? parts_.requests.review(caller, id, reason) : seen;
        if (!reviewed) {
            return finish(call, caller, fmt::format("review {}", id), reviewed);
        }
        reply_with_report(call, *reviewed, caller);
    });
}

} // namespace jit
