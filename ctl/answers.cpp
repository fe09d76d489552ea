// SPDX-License-Identifier: MIT
// Answering a request, ending one, and saying that one has looked at what one left behind.
#include "ctl/print.h"
#include "ctl/reply.h"
#include "ctl/verbs.h"

#include <fmt/format.h>

namespace jit {
namespace {

// Said once it is done: "approved 7f3a", and where that leaves the request.
std::string done_text(std::string_view done, const reply::Request& request) {
    const std::string what = fmt::format("{} {}: {} for {}", done, request.id, request.role, request.person);
    switch (request.state) {
    case State::active:
        return fmt::format("{}, active until {}\n", what,
                           until_time(request.not_after.value_or(wall_clock()), wall_clock()));
    case State::pending:
        return fmt::format("{}, still pending: {}\n", what, missing_text(request));
    default: {
        const std::string_view how = request.cause ? name_of(*request.cause) : name_of(request.state);
        return how == done ? what + "\n" : fmt::format("{}, {}\n", what, state_text(request));
    }
    }
}

std::string reviewed_text(std::string_view done, const reply::Request& request) {
    return fmt::format("{} {}: {} for {}, {}\n", done, request.id, request.role, request.person,
                       things_text(request.left_behind ? request.left_behind->count : 0));
}

// Each id is a call of its own: one that fails keeps none of the others from being done.
Outcome<Exit> each(const Context& context, std::string_view method, std::string_view done,
                   const AnswerOptions& options, decltype(done_text)& text = done_text) {
    if (options.reason && options.reason->find_first_not_of(' ') == std::string::npos) {
        return usage_failure("--reason is empty: say why; it is kept and shown");
    }
    auto client = Client::connect(context.client);
    if (!client) {
        return std::unexpected(client.error());
    }
    Exit result = Exit::done;
    for (const std::string& id : options.ids) {
        Json parameters{{"id", id}};
        if (options.reason) {
            parameters["reason"] = *options.reason;
        }
        const auto reply = client->call(method, parameters);
        const auto request =
            reply ? reply::read_request(*reply) : Outcome<reply::Request>(std::unexpected(reply.error()));
        if (request) {
            context.print_json(*reply);
            context.print_text(text(done, *request));
            continue;
        }
        if (options.ids.size() == 1 || request.error().exit == Exit::unreachable) {
            return std::unexpected(request.error());
        }
        Failure failure = request.error();
        failure.message = fmt::format("{}: {}", id, failure.message);
        context.print_failure(failure);
        result = result == Exit::done ? failure.exit : result;
    }
    return result;
}

} // namespace

Outcome<Exit> approve(const Context& context, const AnswerOptions& options) {
    return each(context, "Approve", "approved", options);
}
Outcome<Exit> deny(const Context& context, const AnswerOptions& options) {
    return each(context, "Deny", "denied", options);
}
Outcome<Exit> cancel(const Context& context, const AnswerOptions& options) {
    return each(context, "Cancel", "cancelled", options);
}
Outcome<Exit> release(const Context& context, const AnswerOptions& options) {
    return each(context, "Release", "released", options);
}
Outcome<Exit> revoke(const Context& context, const AnswerOptions& options) {
    return each(context, "Revoke", "revoked", options);
}
Outcome<Exit> review(const Context& context, const AnswerOptions& options) {
    return each(context, "Review", "reviewed", options, reviewed_text);
}

} // namespace jit
