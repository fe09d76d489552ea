// SPDX-License-Identifier: MIT
// When a grant's time is up: what the person is told before, and how they get their terminal back.
#include "tests/surface/player.h"

#include <vector>

namespace jit::host {
namespace {

using testing::HasSubstr;
using testing::Not;

class LastCall : public AtATerminal {
protected:
    void SetUp() override {} // each asks for the time that it needs

    // A shell that leaves the terminal as its commands left it; bash mends much.
    static constexpr const char* PLAIN = "sh -i";
    static constexpr const char* COOKED = "until icanon echo isig opost icrnl\n";
    // What a program with the whole screen has done is undone.
    static constexpr const char* LEFT = "expect \\e[?1049l\nexpect \\e[?25h\n";

    static std::size_t lines_of_ours(const std::string& shown) {
        std::size_t count = 0;
        for (std::size_t at = 0; (at = shown.find("jit-sudo: ", at)) != std::string::npos; ++at)
            ++count;
        return count;
    }
    static Result revoke(const std::string& id) {
        return host().root("jitctl revoke " + id + " --reason 'nginx is well again'");
    }
};

// The one that waits for more than a minute: all that is to be seen is seen in it.
TEST_F(LastCall, a_minute_before_the_end_the_person_is_told_on_their_terminal_and_nobody_else_is) {
    Player plain(host()), full(host(), "alice", PLAIN), redirected(host()), pipeline(host()), late(host());
    for (Player* each : {&plain, &full, &redirected, &pipeline, &late})
        ASSERT_TRUE(each->does("run echo there\nexpect there"));
    const std::string id = ask(host(), "alice", "work --for 2m10s");
    Session nowhere = host().begin_as("alice", "jit-sudo sh -c 'echo begun; exec sleep 621'");
    plain.begins("run jit-sudo cat\nuntil -isig\nline one\nexpect one\\r\\none\\r\\n");
    full.begins("run jit-sudo full_screen\nexpect screen of 40x250\nsend x\nexpect <x>");
    redirected.begins(
        "run jit-sudo sh -c 'echo begun >&2; echo one; exec sleep 622' >~/redirected\nexpect begun");
    pipeline.begins(
        "run jit-sudo sh -c 'echo begun >&2; echo one; exec sleep 623' | cat >~/piped\nexpect begun");
    for (Player* each : {&plain, &full, &redirected, &pipeline})
        ASSERT_TRUE(each->ends());
    ASSERT_TRUE(nowhere.shows("begun"));

    for (Player* each : {&plain, &full, &redirected, &pipeline})
        EXPECT_TRUE(
            each->does("patience 90\nexpect jit-sudo: work ends in 1 minute\nexpect jitctl extend " + id));
    EXPECT_TRUE(plain.does("line two\nexpect two\\r\\ntwo\\r\\n"));
    // Its program draws anew what the warning hid.
    EXPECT_TRUE(full.does("expect screen of 40x250\nsend y\nexpect <y>\nuntil -icanon -echo -isig"));
    // Who begins now knows.
    ASSERT_TRUE(late.does("run jit-sudo cat\nuntil -isig\nline one\nexpect one\\r\\none\\r\\n"));
    EXPECT_EQ(host().root("cat ~alice/redirected ~alice/piped").out, "one\none\n");

    EXPECT_EQ(host().as("alice", "jitctl extend " + id + " --for 5m --reason 'not done yet'").status, 0);
    EXPECT_TRUE(plain.does("line three\nexpect three\\r\\nthree\\r\\n\nkey D\nprompt"));
    const Json requests = json_of(host().root("jitctl --json list")).at("requests");
    for (const Json& each : requests)
        revoke(each.at("id").get<std::string>());
    EXPECT_TRUE(late.does("expect nginx is well again\nprompt"));
    EXPECT_THAT(late.shown(), Not(HasSubstr("ends in")));
    const auto ended = nowhere.wait();
    ASSERT_TRUE(ended.has_value());
    EXPECT_THAT(ended->out + ended->err, Not(HasSubstr("ends in")));
}

TEST_F(LastCall, a_full_screen_is_left_when_the_time_is_up_and_why_is_said_in_a_line) {
    // One that ends when it is told, without a word to its terminal, and one that has to be killed.
    host().write("/usr/local/bin/deaf",
                 "trap '' TERM HUP; stty raw -echo; printf '\\033[?1049h\\033[?25lscreen of'\n"
                 "while :; do sleep 600; done\n");
    const std::vector<std::string> commands = {"full_screen", "sh /usr/local/bin/deaf"};
    std::vector<Player> players;
    players.reserve(commands.size());
    for (std::size_t index = 0; index < commands.size(); ++index) {
        players.emplace_back(host(), "alice", PLAIN);
        ASSERT_TRUE(players.back().does("run stty -ixon\nprompt"));
    }
    ask(host(), "alice", "work --for 5s");
    for (std::size_t index = 0; index < commands.size(); ++index)
        players[index].begins("line jit-sudo " + commands[index] +
                              "\nexpect screen of\nuntil -icanon -echo\n" + LEFT + R"(
            expect jit-sudo: work ended at
            expect jitctl request work
            expect \r\n
            prompt
            until icanon echo isig opost icrnl -ixon
        )");
    for (std::size_t index = 0; index < commands.size(); ++index) {
        EXPECT_TRUE(players[index].ends()) << commands[index];
        EXPECT_EQ(lines_of_ours(players[index].shown()), 1U) << players[index].shown();
    }
}

TEST_F(LastCall, who_revokes_it_and_why_is_said_at_the_terminal) {
    Player alice(host(), "alice", PLAIN);
    ASSERT_TRUE(alice.does("prompt"));
    const std::string id = ask(host(), "alice", "work");
    ASSERT_TRUE(alice.does("line jit-sudo full_screen\nexpect screen of\nsend x\nexpect <x>"));
    ASSERT_EQ(revoke(id).status, 0);
    EXPECT_TRUE(alice.does(LEFT + std::string("expect jit-sudo: \nprompt\n") + COOKED));
    EXPECT_THAT(alice.shown(), HasSubstr("root revoked work: nginx is well again"));
    EXPECT_EQ(lines_of_ours(alice.shown()), 1U) << alice.shown();
}

TEST_F(LastCall, a_time_of_ones_own_leaves_a_full_screen_too) {
    Player alice(host(), "alice", PLAIN);
    ask(host(), "alice", "work");
    EXPECT_TRUE(alice.does(std::string("run jit-sudo -T 1 full_screen\nexpect screen of\n") + LEFT +
                           "expect (-T)\nprompt\n" + COOKED));
}

TEST_F(LastCall, the_panic_button_gives_everyone_their_terminal_back) {
    Player alice(host(), "alice", PLAIN);
    ask(host(), "alice", "work");
    ASSERT_TRUE(alice.does("run jit-sudo full_screen\nexpect screen of\nsend x\nexpect <x>"));
    host().root("systemctl stop jit-elevations.service");
    EXPECT_TRUE(alice.does(LEFT + std::string("prompt\n") + COOKED));
    host().root("systemctl start jit-elevations.service");
}

TEST_F(LastCall, a_command_that_is_stopped_ends_too_and_fg_says_why) {
    Player alice(host());
    const std::string id = ask(host(), "alice", "work");
    ASSERT_TRUE(alice.does(R"(
        run jit-sudo sh -c 'echo begun; exec sleep 624'
        expect begun
        key Z
        expect Stopped
    )"));
    ASSERT_EQ(revoke(id).status, 0);
    EXPECT_TRUE(comes_true("! pgrep -fx 'sleep 624'"));
    EXPECT_TRUE(alice.does(R"(
        run fg
        expect nginx is well again
        run jobs; echo none''.
        expect none.
        prompt
    )"));
}

TEST_F(LastCall, a_command_in_the_background_ends_without_taking_the_terminal) {
    Player alice(host());
    const std::string id = ask(host(), "alice", "work");
    ASSERT_TRUE(alice.does(R"(
        run jit-sudo sh -c 'echo begun; exec sleep 625' &
        expect begun
        line
        run cat
        until icanon
        line one
        expect one\r\none\r\n
    )"));
    ASSERT_EQ(revoke(id).status, 0);
    EXPECT_TRUE(alice.does(R"(
        expect nginx is well again
        until icanon echo isig opost icrnl
        line two
        expect two\r\ntwo\r\n
        key D
        run jobs; echo none''.
        expect none.
        prompt
    )"));
}

} // namespace
} // namespace jit::host
