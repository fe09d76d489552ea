// SPDX-License-Identifier: MIT
// At what hours a role may be had: "Mon..Fri 08:00..18:00 Europe/Zurich".
//
//   [DAYS ]FROM..TO ZONE
//
// DAYS are Mon Tue Wed Thu Fri Sat Sun, single or FIRST..LAST, with commas between; without them it is every
// day. FROM and TO are HH:MM by the clocks of ZONE; TO isn't in it any more, may be 24:00, and is on the next
// day where it isn't after FROM. ZONE is a name of the time zone database (tzdata, RFC 9636 files), or UTC.
#pragma once

#include "core/error.h"
#include "core/time.h"

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

struct Hours {
    std::array<bool, 7> days{}; // of the week, from Sunday on
    std::chrono::minutes from{0};
    std::chrono::minutes to{0}; // after `from`; may be on the next day
    std::string zone;
    std::string text; // as it was written
};

// An error also where this host doesn't know the zone.
[[nodiscard]] Result<Hours> parse_hours(std::string_view text);

// When they end that it is in at this time, with those that follow without a gap; none: it is in none of
// them, or nobody can tell, because the zone's file is gone. No hours at all: there is no end to them.
[[nodiscard]] std::optional<Time> open_until(const std::vector<Hours>& hours, Time at);

// When the next begin.
[[nodiscard]] std::optional<Time> opens_at(const std::vector<Hours>& hours, Time at);

// "Mon..Fri 08:00..18:00 Europe/Zurich, Sat 09:00..12:00 Europe/Zurich"
[[nodiscard]] std::string describe(const std::vector<Hours>& hours);

} // namespace jit
