// SPDX-License-Identifier: MIT
#include "core/notices.h"
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

const std::vector<Millis> usual{minutes(15), minutes(5), minutes(1)};

TEST(NoticesTest, AreGivenBeforeTheEnd) {
    Notices notices;
    notices.plan(usual, minutes(60));
    EXPECT_EQ(told(notices, minutes(60)), usual);
    notices.plan({}, minutes(60));
    EXPECT_FALSE(notices.wait(minutes(60)));
}

TEST(NoticesTest, OfWhatIsShortTheFirstIsAtHalfOfIt) {
    Notices notices;
    for (const auto& [left, times] : std::vector<std::pair<Millis, std::vector<Millis>>>{
             {minutes(20), {minutes(10), minutes(5), minutes(1)}},
             {minutes(10), {minutes(5), minutes(1)}},
             {minutes(8), {minutes(4), minutes(1)}},
             {minutes(3), {minutes(1)}},
             {seconds(90), {seconds(45)}},
             {seconds(29), {}},
             {Millis(-5), {}}}) {
        notices.plan(usual, left);
        EXPECT_EQ(told(notices, left), times) << left.count();
    }
}

TEST(NoticesTest, AreGivenOnceAlsoWhereTheTimeLeaps) {
    Notices notices;
    notices.plan(usual, minutes(60));
    EXPECT_EQ(notices.wait(seconds(30)), Millis(0)) << "the clock was set forward";
    notices.given(seconds(30));
    EXPECT_FALSE(notices.wait(seconds(30)));
    notices.plan(usual, minutes(30)); // extended
    EXPECT_EQ(notices.wait(minutes(30)), minutes(15));
}

TEST(NoticesTest, SayHowLongAsPeopleDo) {
    EXPECT_EQ(left_in_words(minutes(5)), "5 minutes");
    EXPECT_EQ(left_in_words(minutes(4) + Millis(1)), "5 minutes");
    EXPECT_EQ(left_in_words(minutes(1)), "1 minute");
    EXPECT_EQ(left_in_words(minutes(1) - Millis(1)), "1 minute");
    EXPECT_EQ(left_in_words(seconds(59)), "59 seconds");
    EXPECT_EQ(left_in_words(Millis(1)), "1 second");
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
