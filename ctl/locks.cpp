// SPDX-License-Identifier: MIT
// Locks: nothing for a user, by a role, or on this host.
#include "ctl/print.h"
#include "ctl/reply.h"
#include "ctl/verbs.h"

#include <fmt/format.h>

namespace jit {

Outcome<Exit> lock(const Context& context, const LockOptions& options) {
    if (options.reason.find_first_not_of(' ') == std::string::npos) {
        return usage_failure("--reason is empty: say why; those whom it concerns read it");
    }
    Json parameters{{"kind", name_of(options.kind)}, {"reason", options.reason}};
    if (options.kind != LockKind::host) {
        parameters["name"] = options.name;
    }
    if (auto set = set_duration(parameters, options.duration); !set) {
        return std::unexpected(set.error());
    }
    const auto reply = call(context, "Lock", parameters);
    if (!reply) {
        return std::unexpected(reply.error());
    }
    const auto locked = reply::read_locked(*reply);
    if (!locked) {
        return std::unexpected(locked.error());
    }
    context.print_json(*reply);
    context.print_text(locked_text(*locked, wall_clock()));
    return Exit::done;
}

Outcome<Exit> unlock(const Context& context, const UnlockOptions& options) {
    Json parameters{{"id", options.id}};
    if (options.reason) {
        parameters["reason"] = *options.reason;
    }
    const auto reply = call(context, "Unlock", parameters);
    if (!reply) {
        return std::unexpected(reply.error());
    }
    const auto lock = reply::read_lock(*reply);
    if (!lock) {
        return std::unexpected(lock.error());
    }
    context.print_json(*reply);
    context.print_text(fmt::format("lifted {}: {} may have grants again; what the lock ended stays ended\n",
                                   lock->id, lock_subject(*lock)));
    return Exit::done;
}

Outcome<Exit> locks(const Context& context) {
    const auto reply = call(context, "Locks", Json::object());
    if (!reply) {
        return std::unexpected(reply.error());
    }
    const auto locks = reply::read_locks(*reply);
    if (!locks) {
        return std::unexpected(locks.error());
    }
    context.print_json(*reply);
    if (locks->empty()) {
        context.print_text("no locks\n");
    }
    for (const reply::Lock& lock : *locks) {
        context.print_text(lock_text(lock, wall_clock()));
    }
    return Exit::done;
}

} // namespace jit
