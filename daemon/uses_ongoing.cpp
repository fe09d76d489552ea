// SPDX-License-Identifier: MIT
// What is going on, and when it was last used.
#include "daemon/uses.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace jit {

void Uses::counts_as_over(Live& live, BootTime at) {
    if (!live.over_at) {
        live.last_use->used(std::min(at, clock_.now().boot));
    }
    live.over_at = std::min(live.over_at.value_or(at), at);
    settle();
    use_changed_(live.use.by.uid);
}

// Since it was written down, or now.
void Uses::counts_as_over_since(Live& live) {
    const Now now = clock_.now();
    live.unseen = !live.use.exited;
    counts_as_over(live, now.boot - (now.time - live.use.exited.value_or(now.time)));
}

// Within a transaction.
void Uses::used(const std::set<RequestId>& chains, Time at) {
    for (const RequestId& chain : chains) {
        store_.set_last_used(chain, at);
    }
}

// What is over by the kernel's word is written down as that, whoever else has yet to tell: what it has left
// behind puts off nothing, and goes on by nothing that is for the command alone.
void Uses::record_over(const Now& now) {
    std::vector<const Use*> over;
    for (auto& [id, live] : live_) {
        if (!live.over_at || live.use.exited) {
            continue;
        }
        if (*live.over_at > now.boot) {
            settle();
        } else {
            live.use.exited = now.time - (now.boot - live.last_use->at());
            over.push_back(&live.use);
        }
    }
    if (over.empty()) {
        return;
    }
    const auto recorded = store_.transact([&]() -> Result<void> {
        for (const Use* use : over) {
            store_.update(*use);
            used(use->chains, *use->exited);
        }
        return {};
    });
    if (!recorded) {
        journal_.send(Journal::Level::critical,
                      "when something was over can't be recorded: " + recorded.error().message);
    }
}

// That a grant has carried it is known also when it is gone.
void Uses::record_carriers(Live& live, const Now& now) {
    std::set<RequestId> more;
    std::ranges::set_difference(live.carrier->chains, live.use.chains, std::inserter(more, more.end()));
    if (more.empty()) {
        return;
    }
    Use use = live.use;
    use.chains.insert(more.begin(), more.end());
    const auto recorded = store_.transact([&]() -> Result<void> {
        store_.update(use);
        used(more, now.time);
        return {};
    });
    if (!recorded) {
        want(now.boot + longest_retry);
        return journal_.send(Journal::Level::critical,
                             "what carries something can't be recorded: " + recorded.error().message);
    }
    live.use.chains = std::move(use.chains);
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
    look_at_terminals(uid, false);
}

// One person's, or everybody's. `ours`: what has changed there was our doing.
void Uses::look_at_terminals(std::optional<Uid> whose, bool ours) {
    const auto is_meant = [&](const Live& live) {
        return !live.over_at && (!whose || live.use.by.uid == *whose);
    };
    std::set<std::uint32_t> sessions;
    for (const auto& [id, live] : live_) {
        if (is_meant(live) && live.use.login && live.use.session) {
            sessions.insert(*live.use.session);
        }
    }
    const auto terminals = use_of_terminals(sessions);
    const BootTime now = clock_.now().boot;
    const Time wall = read_system_clock().realtime;
    for (auto& [id, live] : live_) {
        if (!is_meant(live)) {
            continue;
        }
        TerminalUse seen;
        if (!live.use.login) {
            seen = use_of_terminal(live.use.tty);
        } else if (live.use.session && terminals && terminals->contains(*live.use.session)) {
            seen = terminals->at(*live.use.session);
        }
        if (!seen.visible) {
            live.last_use->used(now);
        } else if (seen.last && ours) {
            live.last_use->pass_over(*seen.last);
        } else if (seen.last) {
            live.last_use->look(*seen.last, wall, now);
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
    if (lines.empty()) {
        return;
    }
    // What we write is no use of the terminals, whatever else runs there: a command, somebody who came by su.
    const bool matters =
        std::ranges::any_of(policy_.roles, [](const auto& role) { return role.second.idle.has_value(); });
    if (matters) {
        look_at_terminals({}, false);
    }
    tell_sessions(lines);
    if (matters) {
        look_at_terminals({}, true);
    }
}

} // namespace jit
