// SPDX-License-Identifier: MIT
#include "helper/notices.h"
#include "helper/screen.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace jit {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// The times left at which somebody is told, who has `left` at first and is looked after to the end.
std::vector<Millis> told(Notices& notices, Millis left) {
    std::vector<Millis> times;
    while (const auto wait = notices.wait(left)) {
        left -= *wait;
        times.push_back(left);
        notices.given(left);
    }
    return times;
}

TEST(NoticesTest, AreGivenTwiceBeforeTheEnd) {
    Notices notices;
    notices.plan(minutes(60));
    EXPECT_EQ(told(notices, minutes(60)), (std::vector<Millis>{minutes(5), minutes(1)}));
}

TEST(NoticesTest, AreNotGivenToWhoeverHasJustAsked) {
    Notices notices;
    notices.plan(minutes(10));
    EXPECT_EQ(told(notices, minutes(10)), (std::vector<Millis>{minutes(5), minutes(1)}));
    notices.plan(minutes(10) - Millis(1));
    EXPECT_EQ(told(notices, minutes(9)), (std::vector<Millis>{minutes(1)}));
    notices.plan(minutes(2) - Millis(1));
    EXPECT_FALSE(notices.wait(minutes(1)));
    notices.plan(Millis(-5));
    EXPECT_FALSE(notices.wait(Millis(-5)));
}

TEST(NoticesTest, AreGivenOnceAlsoWhereTheTimeLeaps) {
    Notices notices;
    notices.plan(minutes(60));
    EXPECT_EQ(notices.wait(seconds(30)), Millis(0)) << "the clock was set forward";
    notices.given(seconds(30));
    EXPECT_FALSE(notices.wait(seconds(30)));
    notices.plan(minutes(30)); // extended
    EXPECT_EQ(notices.wait(minutes(30)), minutes(25));
}

TEST(NoticesTest, BeforeTheyArePlannedThereAreNone) {
    EXPECT_FALSE(Notices().wait(minutes(1)));
}

TEST(ScreenTest, IsAlternateFromTheSwitchToTheSwitchBack) {
    Screen screen;
    screen.see("hello\r\n");
    EXPECT_FALSE(screen.is_alternate());
    screen.see("\x1b[1m\x1b[?1049hsome text");
    EXPECT_TRUE(screen.is_alternate());
    screen.see("\x1b[?25l\x1b[2J");
    EXPECT_TRUE(screen.is_alternate());
    screen.see("\x1b[?1049l");
    EXPECT_FALSE(screen.is_alternate());
}

TEST(ScreenTest, SeesASwitchThatComesInPieces) {
    const std::string there = "x\x1b[?1049h", back = "\x1b[?1049l";
    for (std::size_t cut = 0; cut <= there.size(); ++cut) {
        Screen screen;
        screen.see(there.substr(0, cut));
        screen.see("");
        screen.see(there.substr(cut));
        EXPECT_TRUE(screen.is_alternate()) << cut;
        for (const char byte : back) {
            screen.see(std::string_view(&byte, 1));
        }
        EXPECT_FALSE(screen.is_alternate()) << cut;
    }
}

TEST(ScreenTest, SeesNothingElseInWhatIsSimilar) {
    for (const char* text :
         {"[?1049h", "\x1b[?1048h", "\x1b[?1049", "\x1b[?1049xh", "\x1b[?104\x1b[?h", "\x1b?1049h"}) {
        Screen screen;
        screen.see(text);
        screen.see("\n");
        EXPECT_FALSE(screen.is_alternate()) << text;
    }
    Screen screen;
    screen.see("\x1b[?10\x1b[?1049\x1b[?1049h");
    EXPECT_TRUE(screen.is_alternate()) << "after two false starts";
}

TEST(ScreenTest, GivesBackWhatAFullScreenProgramTook) {
    Screen screen;
    screen.see("\x1b[?1049h");
    screen.see(Screen::back);
    EXPECT_FALSE(screen.is_alternate());
}

} // namespace
} // namespace jit
