// SPDX-License-Identifier: MIT
#include "core/time.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace jit {
namespace {

using namespace std::chrono_literals;

constexpr Millis largest{std::numeric_limits<std::int64_t>::max()};
constexpr Millis smallest{std::numeric_limits<std::int64_t>::min()};

TEST(Duration, is_read_in_days_hours_minutes_and_seconds) {
    const std::vector<std::pair<std::string, Millis>> table = {
        {"45s", 45s},
        {"30m", 30min},
        {"1h", 1h},
        {"1h30m", 90min},
        {"7d", std::chrono::days(7)},
        {"7d8h30m10s", std::chrono::days(7) + 8h + 30min + 10s},
        {"90m", 90min},
        {"0h5m", 5min},
        {"05m", 5min},
        {"366d", longest_duration},
        {"8784h", longest_duration},
        {"31622400s", longest_duration},
        {"1s", 1s},
    };
    for (const auto& [text, expected] : table) {
        const auto duration = parse_duration(text);
        ASSERT_TRUE(duration) << text << ": " << duration.error().message;
        EXPECT_EQ(*duration, expected) << text;
    }
}

TEST(Duration, that_can_be_read_two_ways_or_none_is_refused) {
    const std::vector<std::string> table = {
        "",
        " ",
        "h",
        "1",
        "60",
        "-1h",
        "+1h",
        "1 h",
        "1h ",
        " 1h",
        "1.5h",
        "1,5h",
        "1e3s",
        "0x10s",
        "1H",
        "1min",
        "1w",
        "1y",
        "30m1h",
        "1h1h",
        "1s1m",
        "1h30",
        "1hm",
        "1h-5m",
        "1h+5m",
        "forever",
        "infinite",
        "\xD9\xA1h",
        std::string("1h\0", 3),
        std::string("1\0h", 3),
        "1h\n",
        "٣h",
    };
    for (const auto& text : table) {
        const auto duration = parse_duration(text);
        ASSERT_FALSE(duration) << text;
        EXPECT_EQ(duration.error().code, Errc::invalid);
    }
}

TEST(Duration, of_nothing_is_refused) {
    for (const auto* text : {"0s", "0d0h0m0s", "000m"}) {
        const auto duration = parse_duration(text);
        ASSERT_FALSE(duration) << text;
        EXPECT_EQ(duration.error().message, "a duration must be longer than nothing");
    }
}

TEST(Duration, beyond_a_year_is_refused_also_where_it_would_overflow) {
    for (const auto* text :
         {"367d", "366d1s", "8785h", "31622401s", "9223372036854775807s", "9223372036854775808s",
          "9223372036854775808d", "18446744073709551615d", "18446744073709551616s", "106751991167301d",
          "366d9223372036854775807s", "99999999999999999999999999999999h"}) {
        const auto duration = parse_duration(text);
        ASSERT_FALSE(duration) << text;
        EXPECT_EQ(duration.error().message, "longer than the longest duration, 366d") << text;
    }
}

TEST(Duration, as_a_bare_number_is_refused_with_the_way_to_write_it) {
    EXPECT_EQ(parse_duration("3600").error().message, "a number without a unit: write 45s, 30m, 1h or 7d");
}

TEST(Duration, is_written_in_one_canonical_way) {
    const std::vector<std::pair<Millis, std::string>> table = {
        {45s, "45s"},
        {60s, "1m"},
        {90min, "1h30m"},
        {24h, "1d"},
        {std::chrono::days(7) + 8h + 30min + 10s, "7d8h30m10s"},
        {1h + 1s, "1h1s"},
        {1999ms, "1s"},
        {999ms, "0s"},
        {0ms, "0s"},
        {-5h, "0s"},
        {smallest, "0s"},
        {longest_duration, "366d"},
        {largest, "106751991167d7h12m55s"},
    };
    for (const auto& [duration, expected] : table) {
        EXPECT_EQ(format_duration(duration), expected);
    }
}

TEST(Duration, that_was_written_is_read_back_as_the_same) {
    for (Millis duration = 1s; duration <= longest_duration; duration = duration * 3 / 2 + 1s) {
        const Millis whole = std::chrono::floor<std::chrono::seconds>(duration);
        EXPECT_EQ(parse_duration(format_duration(duration)), whole);
    }
}

TEST(Duration, is_described_by_two_units_and_never_as_longer_than_it_is) {
    const std::vector<std::pair<Millis, std::string>> table = {
        {40s, "40 s"},
        {40999ms, "40 s"},
        {60s, "1 min"},
        {9min + 30s, "9 min 30 s"},
        {10min + 59s, "10 min"},
        {59min + 59s + 999ms, "59 min"},
        {1h, "1 h"},
        {1h + 59s, "1 h"},
        {65min, "1 h 5 min"},
        {std::chrono::days(3) + 2h + 59min, "3 d 2 h"},
        {std::chrono::days(3) + 59min, "3 d"},
        {999ms, "0 s"},
        {-1s, "0 s"},
        {smallest, "0 s"},
        {largest, "106751991167 d 7 h"},
    };
    for (const auto& [duration, expected] : table) {
        EXPECT_EQ(describe_duration(duration), expected);
    }
}

Time at(std::int64_t millis) {
    return Time{Millis{millis}};
}

TEST(Utc, is_read_to_the_second_or_the_millisecond) {
    const std::vector<std::pair<std::string, std::int64_t>> table = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.001Z", 1},
        {"2026-11-21T14:32:05Z", 1795271525000},
        {"2026-11-21T14:32:05.678Z", 1795271525678},
        {"2000-02-29T23:59:59Z", 951868799000},
        {"2038-01-19T03:14:08Z", 2147483648000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };
    for (const auto& [text, expected] : table) {
        const auto time = parse_utc(text);
        ASSERT_TRUE(time) << text << ": " << time.error().message;
        EXPECT_EQ(*time, at(expected)) << text;
    }
}

TEST(Utc, without_an_explicit_Z_or_in_another_shape_is_refused) {
    const std::vector<std::string> table = {
        "",
        "2026-11-21T14:32:05",
        "2026-11-21T14:32:05z",
        "2026-11-21t14:32:05Z",
        "2026-11-21 14:32:05Z",
        "2026-11-21T14:32Z",
        "2026-11-21T14:32:05+00:00",
        "2026-11-21T14:32:05+02:00",
        "2026-11-21T14:32:05.6Z",
        "2026-11-21T14:32:05.678901Z",
        "2026-11-21T14:32:05,678Z",
        "2026-11-21T14:32:05Z ",
        " 2026-11-21T14:32:05Z",
        "2026-11-21T14:32:05ZZ",
        "26-11-21T14:32:05Z",
        "02026-11-21T14:32:05Z",
        "+2026-11-21T14:32:5Z",
        "2026-11-21T14:32:-5Z",
        "20261121143205Z", // sudo's NOTAFTER form
        "1795271525",
        "now",
        std::string("2026-11-21T14:32:05\0", 20),
    };
    for (const auto& text : table) {
        ASSERT_FALSE(parse_utc(text)) << text;
        EXPECT_EQ(parse_utc(text).error().code, Errc::invalid);
    }
}

TEST(Utc, that_is_on_no_calendar_or_clock_is_refused) {
    for (const auto* text :
         {"2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-00-10T00:00:00Z", "2026-13-10T00:00:00Z",
          "2026-04-31T00:00:00Z", "2026-04-00T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T23:60:00Z",
          "2016-12-31T23:59:60Z", "1969-12-31T23:59:59Z", "0000-01-01T00:00:00Z"}) {
        EXPECT_FALSE(parse_utc(text)) << text;
    }
}

TEST(Utc, is_written_as_it_is_read) {
    for (const auto* text : {"1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "2026-11-21T14:32:05Z",
                             "2038-01-19T03:14:08Z", "9999-12-31T23:59:59Z"}) {
        EXPECT_EQ(format_utc(parse_utc(text).value()), text);
    }
    EXPECT_EQ(format_utc(at(1795271525999)), "2026-11-21T14:32:05Z");
    EXPECT_EQ(describe_utc(at(1795271525999)), "2026-11-21 14:32 UTC");
}

TEST(Utc, beyond_the_years_that_can_be_written_is_shown_as_the_nearest) {
    for (const Time time : {Time::max(), at(253402300800000)}) {
        EXPECT_EQ(format_utc(time), "9999-12-31T23:59:59Z");
        EXPECT_EQ(describe_utc(time), "9999-12-31 23:59 UTC");
    }
    for (const Time time : {Time::min(), at(-1)}) {
        EXPECT_EQ(format_utc(time), "1970-01-01T00:00:00Z");
        EXPECT_EQ(describe_utc(time), "1970-01-01 00:00 UTC");
    }
}

TEST(Utc, is_not_moved_by_TZ_or_the_locale) {
    for (const auto* tz :
         {"Pacific/Kiritimati", "America/St_Johns", "XXX+24:59:59", "right/UTC", ":/dev/zero", ""}) {
        ASSERT_EQ(setenv("TZ", tz, 1), 0);
        tzset();
        EXPECT_EQ(parse_utc("2026-11-21T14:32:05Z"), at(1795271525000)) << tz;
        EXPECT_EQ(format_utc(at(1795271525000)), "2026-11-21T14:32:05Z") << tz;
        EXPECT_EQ(describe_utc(at(1795271525000)), "2026-11-21 14:32 UTC") << tz;
        EXPECT_EQ(parse_duration("1d"), 24h) << tz;
    }
    unsetenv("TZ");
    tzset();
}

} // namespace
} // namespace jit
