// SPDX-License-Identifier: MIT
// When the person is told that their time will be up: 5 minutes and 1 minute before, each only if at least
// twice that was left when it was planned, so that nobody is warned of what they just asked for.
#pragma once

#include "core/time.h"

#include <array>
#include <cstddef>
#include <optional>

namespace jit {

class Notices {
public:
    void plan(Millis left); // at the start, and whenever there is another end
    // How long until the next one is due, zero if it is now; none: there is none any more.
    [[nodiscard]] std::optional<Millis> wait(Millis left) const;
    void given(Millis left);

private:
    static constexpr std::array<Millis, 2> before{std::chrono::minutes(5), std::chrono::minutes(1)};
    std::size_t next_ = before.size();
};

} // namespace jit
