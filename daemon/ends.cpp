// SPDX-License-Identifier: MIT
#include "daemon/ends.h"

#include "daemon/decide.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <vector>

namespace jit {
namespace {

constexpr Millis retry = std::chrono::seconds(1);

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
    for (const Uid uid : due) {
        next_.erase(uid);
        const auto looked = enforce(uid, now);
        if (!looked) {
            if (!failing_) {
                parts_.journal.send(Journal::Level::critical,
                                    "what ends by its use: " + looked.error().message);
            }
            want(uid, now.boot + retry);
        }
        failing_ = !looked;
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
    const auto ongoing = parts_.uses.ongoing(uid);
    for (const Request& grant : *active) {
        const auto role = parts_.policy.roles.find(grant.role);
        if (role == parts_.policy.roles.end() || uses_left(grant, role->second) != 0U) {
            continue;
        }
        const auto over = all_over(ongoing, grant.id);
        if (over && *over > now.boot) {
            want(uid, *over);
        } else if (over) {
            auto ended = parts_.requests.end_by_use(
                grant, Cause::used_up,
                grant.used == 1 ? std::string("its one command is over")
                                : fmt::format("its {} commands are over", grant.used));
            if (!ended) {
                return ended;
            }
        }
    }
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

} // namespace jit
