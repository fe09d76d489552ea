// SPDX-License-Identifier: MIT
#include "daemon/last_use.h"

#include <algorithm>
#include <utility>

namespace jit {
namespace {

constexpr Millis drift = std::chrono::seconds(5); // more than that, and the clock was set

Millis ahead(Time wall, BootTime now) {
    return wall.time_since_epoch() - now.time_since_epoch();
}

} // namespace

LastUse::LastUse(BootTime since, Time wall, BootTime now)
    : at_(std::min(since, now)), looked_(at_), ahead_(ahead(wall, now)) {}

void LastUse::look(Time mark, Time wall, BootTime now) {
    const Millis was_ahead = std::exchange(ahead_, ahead(wall, now));
    if (mark != mark_) {
        const bool was_set = std::chrono::abs(ahead_ - was_ahead) > drift;
        at_ = std::max(at_, was_set ? now : std::clamp(now - (wall - mark), std::min(looked_, now), now));
        mark_ = mark;
    }
    looked_ = now;
}

void LastUse::used(BootTime now) {
    at_ = std::max(at_, now);
    looked_ = now;
}

} // namespace jit
