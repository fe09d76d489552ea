// SPDX-License-Identifier: MIT
// What grants left behind and nobody has looked at yet.
#include "ctl/print.h"
#include "ctl/reply.h"
#include "ctl/verbs.h"

namespace jit {

Outcome<Exit> reviews(const Context& context) {
    const auto reply = call(context, "Reviews", Json::object());
    if (!reply) {
        return std::unexpected(reply.error());
    }
    const auto due = reply::read_requests(*reply);
    if (!due) {
        return std::unexpected(due.error());
    }
    context.print_json(*reply);
    context.print_text(reviews_text(*due, wall_clock()));
    return Exit::done;
}

} // namespace jit
