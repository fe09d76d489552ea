// SPDX-License-Identifier: MIT
#include "helper/notices.h"

#include <algorithm>

namespace jit {

void Notices::plan(Millis left) {
    next_ = 0;
    while (next_ < before.size() && left < 2 * before[next_]) {
        ++next_;
    }
}

std::optional<Millis> Notices::wait(Millis left) const {
    if (next_ == before.size()) {
        return std::nullopt;
    }
    return std::max(left - before[next_], Millis{0});
}

void Notices::given(Millis left) {
    while (next_ < before.size() && left <= before[next_]) {
        ++next_;
    }
}

} // namespace jit
