// SPDX-License-Identifier: MIT
// When somebody is told that their time will be up: so long before the end as the policy says ([site]
// notices), each only if at least twice that was left when it was planned, so that nobody is warned of what
// they just asked for. Where that leaves the first out, half of what was left takes its place, if
// that isn't just before the next.
#pragma once

#include "core/time.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace jit {

inline constexpr std::size_t most_notices = 8;
inline constexpr Millis longest_before_end = std::chrono::hours(24);

class Notices {
public:
    // `before`: the longest first; none: nobody is told anything.
    void plan(const std::vector<Millis>& before,
              Millis left); // at the start, and whenever the end is another
    // How long until the next one is due, zero if it is now; none: there is none any more.
    [[nodiscard]] std::optional<Millis> wait(Millis left) const;
    void given(Millis left);

private:
    std::vector<Millis> due_; // before the end; the next first
};

// "5 minutes", "1 minute", "20 seconds": rounded up, as people would say it.
[[nodiscard]] std::string left_in_words(Millis left);

} // namespace jit
