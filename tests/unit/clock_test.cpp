// SPDX-License-Identifier: MIT
#include "core/clock.h"

#include <gtest/gtest.h>

namespace jit {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

ClockReading reading;
ClockReading fake() {
    return reading;
}

constexpr Time noon{Millis(1'800'000'000'000)};
constexpr BootTime an_hour_up{hours(1)};

class ClockTest : public testing::Test {
protected:
    void SetUp() override { reading = {.realtime = noon, .boot = an_hour_up, .synchronised = true}; }
    Clock clock{"boot-1", fake};
};

TEST_F(ClockTest, without_a_mark_it_is_what_the_clock_says) {
    EXPECT_EQ(clock.now().time, noon);
}

TEST_F(ClockTest, a_clock_set_back_does_not_go_behind_the_mark) {
    clock.set_mark(clock.next_mark());
    reading.realtime -= hours(10);
    reading.boot += seconds(5);
    EXPECT_EQ(clock.now().time, noon + seconds(5));
}

TEST_F(ClockTest, after_a_reboot_at_least_its_age_has_passed_since_the_mark) {
    clock.set_mark(ClockMark{.time = noon, .boot = BootTime(hours(900)), .boot_id = "boot-0"});
    reading.realtime = Time(seconds(0)); // a flat battery: 1970
    reading.boot = BootTime(seconds(30));
    EXPECT_EQ(clock.now().time, noon + seconds(30));
}

TEST_F(ClockTest, an_unsynchronised_clock_does_not_move_the_mark) {
    clock.set_mark(clock.next_mark());
    const auto before = clock.mark();
    reading.realtime += hours(24 * 365 * 10);
    reading.synchronised = false;
    EXPECT_EQ(clock.next_mark(), before);
}

TEST_F(ClockTest, the_mark_never_moves_back_by_itself) {
    clock.set_mark(clock.next_mark());
    reading.realtime -= hours(1);
    EXPECT_GE(clock.next_mark()->time, noon);
}

TEST_F(ClockTest, a_deadline_is_over_by_whichever_clock_says_so_first) {
    const Deadline deadline = deadline_at(noon + hours(1), clock, clock.now());
    EXPECT_FALSE(deadline.over(clock.now(), "boot-1"));
    EXPECT_TRUE(deadline.over({.time = noon + hours(1), .boot = an_hour_up}, "boot-1"));
    EXPECT_TRUE(deadline.over({.time = noon - hours(5), .boot = an_hour_up + hours(1)}, "boot-1"));
}

TEST_F(ClockTest, the_boot_clock_of_another_boot_says_nothing) {
    const Deadline deadline = deadline_at(noon + hours(1), clock, clock.now());
    EXPECT_FALSE(deadline.over({.time = noon, .boot = an_hour_up + hours(9)}, "boot-2"));
}

TEST_F(ClockTest, the_end_itself_is_over) {
    const Deadline deadline = deadline_at(noon, clock, clock.now());
    EXPECT_TRUE(deadline.over({.time = noon, .boot = BootTime(seconds(0))}, "boot-2"));
}

TEST(SystemClock, is_read) {
    const ClockReading first = read_system_clock();
    EXPECT_GT(first.realtime, Time(hours(24 * 365 * 50)));
    EXPECT_GE(read_system_clock().boot, first.boot);
    EXPECT_EQ(read_boot_id().size(), 36U);
}

} // namespace
} // namespace jit
