// SPDX-License-Identifier: MIT
// How jitd is, and its clock.
#include "core/version.h"
#include "ctl/print.h"
#include "ctl/reply.h"
#include "ctl/verbs.h"

#include <fmt/format.h>

namespace jit {

Outcome<Exit> status(const Context& context) {
    const auto reply = call(context, "Status", Json::object());
    if (!reply) {
        return std::unexpected(reply.error());
    }
    const auto status = reply::read_status(*reply);
    if (!status) {
        return std::unexpected(status.error());
    }
    context.print_json(*reply);
    context.print_text(status_text(*status));
    return Exit::done;
}

Outcome<Exit> clock_reset(const Context& context) {
    const auto reply = call(context, "ResetClock", Json::object());
    if (!reply) {
        return std::unexpected(reply.error());
    }
    const auto now = reply::read_time(*reply, "now");
    if (!now) {
        return std::unexpected(now.error());
    }
    context.print_json(*reply);
    context.print_text(fmt::format("the clock mark is forgotten; for jitd it is now {}\n", format_utc(*now)));
    return Exit::done;
}

Outcome<Exit> print_version(const Context& context) {
    context.print_json({{"version", version}});
    context.print_text(fmt::format("jitctl {}\n", version));
    return Exit::done;
}

} // namespace jit
