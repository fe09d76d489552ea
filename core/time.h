// SPDX-License-Identifier: MIT
// Time as text. Records hold integer UTC milliseconds; no time zone, locale or floating point comes near
// (CVE-2026-96512: a caller's TZ moved sudo's NOTAFTER by a day).
#pragma once

#include "core/error.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace jit {

using Millis = std::chrono::milliseconds;
using Time = std::chrono::sys_time<Millis>; // UTC, since 1970-01-01T00:00:00Z

// CLOCK_BOOTTIME of this boot: counts suspend, can't be set.
struct BootClock {
    using rep = std::int64_t;
    using period = std::milli;
    using duration = Millis;
    using time_point = std::chrono::time_point<BootClock>;
    static constexpr bool is_steady = true;
};
using BootTime = BootClock::time_point;

inline constexpr Millis longest_duration = std::chrono::days(366);

// "45s", "30m", "1h", "1h30m", "7d8h30m10s": whole numbers, units d h m s in this order, each at most once,
// more than nothing and at most longest_duration. A bare number is refused: nobody agrees on its unit.
[[nodiscard]] Result<Millis> parse_duration(std::string_view text);

// The one canonical text, without parts that are nothing: "1h30m", "7d". parse_duration reads it back as the
// same where it is in range; fractions of a second are dropped, and less than a second is "0s".
[[nodiscard]] std::string format_duration(Millis duration);

// For people, rounded down: the largest unit and the one below it, and no seconds from ten minutes on:
// "40 s", "9 min 30 s", "59 min", "1 h 5 min", "3 d 2 h". Less than a second is "0 s".
[[nodiscard]] std::string describe_duration(Millis duration);

// RFC 3339 in UTC with a capital Z, to the second or with .mmm: "2026-11-21T14:32:05Z". Years 1970 to 9999.
// Without a Z it is refused: a time without a zone is a guess.
[[nodiscard]] Result<Time> parse_utc(std::string_view text);
// Rounded down; a time outside those years is shown as the nearest within.
[[nodiscard]] std::string format_utc(Time time);   // to the second
[[nodiscard]] std::string describe_utc(Time time); // "2026-11-21 14:32 UTC"

} // namespace jit
