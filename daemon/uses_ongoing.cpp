// SPDX-License-Identifier: MIT
// What is going on, and when it was last used.
#include "daemon/uses.h"

#include <algorithm>
#include <utility>

namespace jit {

void Uses::counts_as_over(Live& live, BootTime at) {
    if (!live.over_at) {
        live.last_use->used(std::min(at, clock_.now().boot));
    }
    live.over_at = std::min(live.over_at.value_or(at), at);
    use_changed_(live.use.by.uid);
}

std::vector<Ongoing> Uses::ongoing(Uid uid) const {
    std::vector<Ongoing> found;
    for (const auto& [id, live] : live_) {
        if (live.use.by.uid == uid) {
            found.push_back({.grant = live.use.grant,
                             .chain = live.chain,
                             .carried_by = live.carrier ? live.carrier->chains : std::set<RequestId>(),
                             .last_used = live.last_use->at(),
                             .over = live.over_at});
        }
    }
    return found;
}

bool Uses::is_about_to_begin(const RequestId& chain) const {
    return std::ranges::any_of(reserved_, [&](const auto& place) { return place.second.chain == chain; });
}

void Uses::look_at_use(Uid uid) {
    const BootTime now = clock_.now().boot;
    std::set<std::uint32_t> sessions;
    for (auto& [id, live] : live_) {
        if (live.use.by.uid != uid || live.over_at) {
            continue;
        }
        if (live.use.login && live.use.session) {
            sessions.insert(*live.use.session);
        } else if (const TerminalUse use = use_of_terminal(live.use.tty); !use.visible) {
            live.last_use->used(now);
        } else if (use.last) {
            live.last_use->look(*use.last, read_system_clock().realtime, now);
        }
    }
    look_at_terminals(sessions, false);
}

// `ours`: what has changed there was our doing.
void Uses::look_at_terminals(const std::set<std::uint32_t>& sessions, bool ours) {
    if (sessions.empty()) {
        return;
    }
    const auto terminals = use_of_terminals(sessions);
    const BootTime now = clock_.now().boot;
    const Time wall = read_system_clock().realtime;
    for (auto& [id, live] : live_) {
        if (!live.use.login || !live.use.session || live.over_at || !sessions.contains(*live.use.session)) {
            continue;
        }
        const auto found = terminals ? terminals->find(*live.use.session) : decltype(terminals->end()){};
        if (!terminals || found == terminals->end() || !found->second.visible) {
            live.last_use->used(now);
        } else if (found->second.last && ours) {
            live.last_use->pass_over(*found->second.last);
        } else if (found->second.last) {
            live.last_use->look(*found->second.last, wall, now);
        }
    }
}

void Uses::tell_logins(const RequestId& chain, const std::string& line) {
    for (const auto& [id, live] : live_) {
        if (live.use.login && live.use.session && !live.over &&
            (live.chain == chain || (live.carrier && live.carrier->chains.contains(chain)))) {
            to_tell_[*live.use.session] = {.uid = live.use.by.uid, .line = line};
        }
    }
    tell();
}

void Uses::tell() {
    const auto lines = std::exchange(to_tell_, {});
    std::set<std::uint32_t> sessions;
    // What we write there is no use of it.
    if (std::ranges::any_of(policy_.roles, [](const auto& role) { return role.second.idle.has_value(); })) {
        for (const auto& [session, told] : lines) {
            sessions.insert(session);
        }
    }
    look_at_terminals(sessions, false);
    tell_sessions(lines);
    look_at_terminals(sessions, true);
}

} // namespace jit
