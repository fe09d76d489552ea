// SPDX-License-Identifier: MIT
#include "daemon/ends.h"

#include "daemon/decide.h"
#include "daemon/requests_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <vector>

namespace jit {
namespace {

constexpr Millis retry = std::chrono::seconds(1);
constexpr Millis between_looks = std::chrono::seconds(1); // each may read all of /proc
// `scp a; scp b` in a script, and who comes back at once, go on by the same grant.
constexpr Millis before_closing = std::chrono::seconds(10);
constexpr Millis idle_notice = std::chrono::minutes(1);

} // namespace

Ends::Ends(Parts parts)
    : parts_(parts), timer_(parts_.loop.at(BootTime::max(), Millis(1), [this] { enforce(); })) {}

void Ends::look_at(Uid uid) {
    want(uid, parts_.clock.now().boot);
}

void Ends::look_at_all() {
    const auto uids =
        parts_.store.guarded([&]() -> Result<std::vector<Uid>> { return parts_.store.active_uids(); });
    if (!uids) {
        return parts_.journal.send(Journal::Level::critical, uids.error().message);
    }
    std::ranges::for_each(*uids, [this](Uid uid) { look_at(uid); });
}

void Ends::want(Uid uid, BootTime time) {
    time = std::max(time, not_before_);
    const auto [next, added] = next_.emplace(uid, time);
    next->second = std::min(next->second, time);
    timer_.set_time(std::ranges::min(next_ | std::views::values));
}

void Ends::enforce() {
    const Now now = parts_.clock.now();
    std::vector<Uid> due;
    for (const auto& [uid, time] : next_) {
        if (time <= now.boot) {
            due.push_back(uid);
        }
    }
    if (!due.empty()) {
        not_before_ = now.boot + between_looks;
    }
    for (const Uid uid : due) {
        next_.erase(uid);
        const auto looked = enforce(uid, now);
        if (looked) {
            failing_.erase(uid);
            continue;
        }
        if (failing_.insert(uid).second) {
            parts_.journal.send(Journal::Level::critical, "what ends by its use: " + looked.error().message);
        }
        want(uid, now.boot + retry);
    }
    if (!next_.empty()) {
        timer_.set_time(std::ranges::min(next_ | std::views::values));
    }
}

Result<void> Ends::enforce(Uid uid, const Now& now) {
    const auto active =
        parts_.store.guarded([&]() -> Result<std::vector<Request>> { return parts_.store.active_of(uid); });
    if (!active) {
        return std::unexpected(active.error());
    }
    auto before = chains_.extract(uid);
    for (const Request& grant : *active) {
        const auto role = parts_.policy.roles.find(grant.role);
        if (role == parts_.policy.roles.end()) {
            continue; // it is ended for that
        }
        if (uses_left(grant, role->second) == 0U) {
            if (auto done = use_up(grant, now); !done) {
                return done;
            }
        }
        if ((role->second.closes || role->second.idle) && !chains_[uid].contains(grant.chain)) {
            Chain& chain = chains_[uid][grant.chain];
            if (before && before.mapped().contains(grant.chain)) {
                chain = before.mapped().at(grant.chain);
            }
            if (auto done = look_at(chain, grant, role->second, now); !done) {
                return done;
            }
        }
    }
    return {};
}

Result<void> Ends::use_up(const Request& grant, const Now& now) {
    const Uid uid = grant.beneficiary.uid;
    const auto over = all_over(parts_.uses.ongoing(uid), grant.id);
    if (!over) {
        return {};
    }
    if (*over > now.boot) {
        want(uid, *over);
        return {};
    }
    return parts_.requests.end_by_use(grant, Cause::used_up,
                                      grant.used == 1 ? std::string("its one command is over")
                                                      : fmt::format("its {} commands are over", grant.used));
}

Result<void> Ends::look_at(Chain& chain, const Request& grant, const Role& role, const Now& now) {
    const auto last_used = parts_.store.guarded([&]() -> Result<std::optional<Time>> {
        if (!chain.last) {
            const Time start = parts_.store.chain_start(grant.chain);
            chain.last.emplace(now.boot - (now.time - start), now.time, now.boot);
        }
        return parts_.store.last_used(grant.chain);
    });
    if (!last_used) {
        return std::unexpected(last_used.error());
    }
    if (*last_used) {
        chain.last->look(**last_used, now.time, now.boot);
    }
    const Uid uid = grant.beneficiary.uid;
    if (role.closes && *last_used) {
        const Unused unused = unused_since(parts_.uses.ongoing(uid), grant.chain, chain.last->at());
        if (!unused.going_on && parts_.uses.is_about_to_begin(grant.chain)) {
            want(uid, now.boot + retry);
        } else if (!unused.going_on && now.boot < unused.last + before_closing) {
            want(uid, unused.last + before_closing);
        } else if (!unused.going_on) {
            return parts_.requests.end_by_use(grant, Cause::closed, "its last login or command is over");
        }
    }
    return role.idle ? look_for_use(chain, grant, *role.idle, now) : Result<void>();
}

Result<void> Ends::look_for_use(Chain& chain, const Request& grant, Millis idle, const Now& now) {
    const Uid uid = grant.beneficiary.uid;
    const Millis notice = std::min(idle_notice, idle / 2);
    const auto last = [&] {
        return unused_since(parts_.uses.ongoing(uid), grant.chain, chain.last->at()).last;
    };
    if (now.boot >= last() + idle - notice) {
        parts_.uses.look_at_use(uid);
    }
    const BootTime unused = last();
    if (now.boot >= unused + idle) {
        return parts_.requests.end_by_use(grant, Cause::idle,
                                          fmt::format("not used for {}", format_duration(idle)));
    }
    if (now.boot < unused + idle - notice) {
        want(uid, unused + idle - notice);
        return {};
    }
    if (chain.told != unused) {
        chain.told = unused;
        const Millis left = unused + idle - now.boot;
        parts_.uses.tell_logins(grant.chain, described_idle(grant, left));
    }
    want(uid, unused + idle);
    return {};
}

std::optional<BootTime> all_over(const std::vector<Ongoing>& ongoing, const RequestId& grant) {
    std::optional<BootTime> over = BootTime();
    for (const Ongoing& use : ongoing) {
        if (use.grant == grant) {
            over = over && use.over ? std::optional(std::max(*over, *use.over)) : std::nullopt;
        }
    }
    return over;
}

Unused unused_since(const std::vector<Ongoing>& ongoing, const RequestId& chain, BootTime last) {
    Unused unused{.going_on = false, .last = last};
    for (const Ongoing& use : ongoing) {
        if (use.chain == chain || use.carried_by.contains(chain)) {
            unused.going_on = unused.going_on || !use.over;
            unused.last = std::max(unused.last, use.last_used);
        }
    }
    return unused;
}

} // namespace jit
