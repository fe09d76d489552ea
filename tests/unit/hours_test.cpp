// SPDX-License-Identifier: MIT
#include "core/hours.h"

#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jit {
namespace {

using testing::HasSubstr;

std::vector<Hours> all_of(std::initializer_list<const char*> texts) {
    std::vector<Hours> all;
    for (const char* text : texts) {
        auto parsed = parse_hours(text);
        EXPECT_TRUE(parsed) << text;
        all.push_back(std::move(*parsed));
    }
    return all;
}

std::string until(std::initializer_list<const char*> texts, const char* at) {
    const auto end = open_until(all_of(texts), *parse_utc(at));
    return end ? format_utc(*end) : "closed";
}

std::string next(std::initializer_list<const char*> texts, const char* at) {
    const auto begin = opens_at(all_of(texts), *parse_utc(at));
    return begin ? format_utc(*begin) : "never";
}

constexpr const char* office = "Mon..Fri 08:00..18:00 Europe/Zurich";

// 2027-01-15 is a Friday.
TEST(Hours, are_those_of_their_zone_in_winter_and_in_summer) {
    EXPECT_EQ(until({office}, "2027-01-15T06:59:59Z"), "closed");
    EXPECT_EQ(until({office}, "2027-01-15T07:00:00Z"), "2027-01-15T17:00:00Z");
    EXPECT_EQ(until({office}, "2027-01-15T16:59:59Z"), "2027-01-15T17:00:00Z");
    EXPECT_EQ(until({office}, "2027-01-15T17:00:00Z"), "closed") << "their end isn't in them";
    EXPECT_EQ(until({office}, "2027-07-16T06:00:00Z"), "2027-07-16T16:00:00Z");
    EXPECT_EQ(next({office}, "2027-01-15T17:00:00Z"), "2027-01-18T07:00:00Z") << "on Monday";
    EXPECT_EQ(next({office}, "2027-01-15T06:00:00Z"), "2027-01-15T07:00:00Z");
}

TEST(Hours, of_a_day_on_which_the_clocks_change_are_an_hour_less_or_more) {
    constexpr const char* night = "Sun 00:00..06:00 Europe/Zurich";
    EXPECT_EQ(until({night}, "2027-03-27T23:00:00Z"), "2027-03-28T04:00:00Z");
    EXPECT_EQ(until({night}, "2027-10-30T22:00:00Z"), "2027-10-31T05:00:00Z");
}

TEST(Hours, that_end_on_the_next_day_belong_to_the_day_on_which_they_begin) {
    constexpr const char* shift = "Fri 22:00..06:00 UTC";
    EXPECT_EQ(until({shift}, "2027-01-15T21:59:59Z"), "closed");
    EXPECT_EQ(until({shift}, "2027-01-15T22:00:00Z"), "2027-01-16T06:00:00Z");
    EXPECT_EQ(until({shift}, "2027-01-16T05:59:59Z"), "2027-01-16T06:00:00Z");
    EXPECT_EQ(until({shift}, "2027-01-15T05:00:00Z"), "closed") << "of Thursday";
    EXPECT_EQ(until({"00:00..00:00 UTC"}, "2027-01-15T00:00:00Z").substr(0, 4), "2028")
        << "all day, each day";
}

TEST(Hours, that_follow_each_other_without_a_gap_are_one) {
    EXPECT_EQ(until({"Fri 08:00..12:00 UTC", "Fri 12:00..14:00 UTC", "Fri 15:00..16:00 UTC"},
                    "2027-01-15T09:00:00Z"),
              "2027-01-15T14:00:00Z");
    EXPECT_EQ(until({"Fri..Sun 00:00..24:00 UTC", "Mon 00:00..06:00 UTC"}, "2027-01-15T09:00:00Z"),
              "2027-01-18T06:00:00Z");
    EXPECT_EQ(next({"Sat 08:00..12:00 UTC", "Fri 20:00..21:00 UTC"}, "2027-01-15T09:00:00Z"),
              "2027-01-15T20:00:00Z");
    EXPECT_EQ(next({"Fri 08:00..09:00 UTC"}, "2027-01-15T09:00:00Z"), "2027-01-22T08:00:00Z");
}

TEST(Hours, are_no_matter_of_where_the_process_thinks_it_is) {
    ASSERT_EQ(setenv("TZ", "Asia/Tokyo", 1), 0);
    EXPECT_EQ(until({office}, "2027-01-15T07:00:00Z"), "2027-01-15T17:00:00Z");
    EXPECT_STREQ(std::getenv("TZ"), "Asia/Tokyo");
    unsetenv("TZ");
    EXPECT_EQ(until({office}, "2027-01-15T07:00:00Z"), "2027-01-15T17:00:00Z");
    EXPECT_EQ(std::getenv("TZ"), nullptr);
}

TEST(Hours, none_at_all_have_no_end_and_a_zone_that_is_gone_has_none) {
    EXPECT_EQ(open_until({}, *parse_utc("2027-01-15T07:00:00Z")), Time::max());
    auto gone = all_of({office});
    gone.front().zone = "Europe/Atlantis";
    EXPECT_EQ(open_until(gone, *parse_utc("2027-01-15T07:00:00Z")), std::nullopt);
    EXPECT_EQ(opens_at(gone, *parse_utc("2027-01-15T07:00:00Z")), std::nullopt);
}

TEST(Hours, are_days_a_span_and_a_zone) {
    for (const char* good :
         {"08:00..18:00 UTC", "Mon 00:00..24:00 UTC", "Mon,Wed,Fri..Sun 08:00..18:00 UTC",
          "Sat..Mon 08:00..08:30 America/Argentina/Buenos_Aires", "Mon 23:59..00:01 Etc/GMT+5"}) {
        EXPECT_TRUE(parse_hours(good)) << good;
    }
    const auto weekend = parse_hours("Sat..Mon 08:00..09:00 UTC");
    EXPECT_EQ(weekend->days, (std::array{true, true, false, false, false, false, true}));
    for (const char* bad :
         {"", " ", "08:00..18:00", "Mon 08:00..18:00", "mon 08:00..18:00 UTC", "Monday 08:00..18:00 UTC",
          "Mon-Fri 08:00..18:00 UTC", "Mon.. 08:00..18:00 UTC", "..Fri 08:00..18:00 UTC",
          "Mon, 08:00..18:00 UTC", "Mon 8:00..18:00 UTC", "Mon 08:00-18:00 UTC", "Mon 08:00..24:01 UTC",
          "Mon 24:00..06:00 UTC", "Mon 08:60..18:00 UTC", "Mon 08:00..18:00..19:00 UTC",
          "Mon  08:00..18:00 UTC", "Mon 08:00..18:00 UTC ", "Mon +8:00..18:00 UTC"}) {
        const auto parsed = parse_hours(bad);
        ASSERT_FALSE(parsed) << bad;
        EXPECT_THAT(parsed.error().message, HasSubstr("Mon..Fri 08:00..18:00 Europe/Zurich")) << bad;
    }
    for (const char* zone : {"Europe/Atlantis", "../../../etc/passwd", "/etc/localtime", "Europe",
                             "tzdata.zi", "CET-1", "zone.tab"}) {
        const auto parsed = parse_hours(std::string("08:00..18:00 ") + zone);
        ASSERT_FALSE(parsed) << zone;
        EXPECT_THAT(parsed.error().message, HasSubstr("no time zone")) << zone;
    }
}

} // namespace
} // namespace jit
