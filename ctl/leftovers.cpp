// SPDX-License-Identifier: MIT
// Whether anything is on the host that belongs to no live grant.
#include "ctl/reply.h"
#include "ctl/verbs.h"

#include <fmt/format.h>

namespace jit {

Outcome<Exit> leftovers(const Context& context) {
    const auto reply = call(context, "Leftovers", Json::object());
    if (!reply) {
        return std::unexpected(reply.error());
    }
    const auto found = reply::read_leftovers(*reply);
    if (!found) {
        return std::unexpected(found.error());
    }
    context.print_json(*reply);
    for (const std::string& what : *found) {
        context.print_text(what + "\n");
    }
    context.print_text(fmt::format("{} leftover{}\n", found->size(), found->size() == 1 ? "" : "s"));
    return found->empty() ? Exit::done : Exit::refused;
}

} // namespace jit
