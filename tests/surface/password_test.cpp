// SPDX-License-Identifier: MIT
// Passwords: how they are asked for, and for how long one counts.
#include "tests/surface/surface.h"

namespace jit::host {
namespace {

using namespace std::chrono_literals;

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Password : public Surface {
protected:
    void SetUp() override { ask(host(), "dave", "proven"); }

    // What one login of dave's types, each word of which prints yes or no.
    static std::string says(const std::string& script) {
        return host()
            .as("dave",
                "y() { if \"$@\" >/dev/null 2>&1; then echo -n 'yes '; else echo -n 'no '; fi; }; " + script)
            .out;
    }
};

TEST_F(Password, is_read_from_standard_input_as_one_line_only) {
    const Result run = host().as("dave", "printf 'pw-dave\\nthe rest\\n' | jit-sudo -S cat");
    EXPECT_EQ(run.out, "the rest\n") << run;
    EXPECT_THAT(run.err, HasSubstr("[jit-sudo] password for dave: "));
    const Result prompted = host().as("dave", "echo pw-dave | jit-sudo -Sp 'for %U, says %u, %p: ' id -u");
    EXPECT_EQ(prompted.err, "for root, says dave, dave: ");
    EXPECT_EQ(host().as("dave", R"(printf 'pw-dave\r\n' | jit-sudo -kSp 'a\b	c ' id -u)").err, "a\\b	c ");
    EXPECT_EQ(host().as("dave", "jit-sudo -kSp '? ' id -u </dev/null").err,
              "? \njit-sudo: no password was given\n");
    EXPECT_EQ(host().as("dave", "echo pw-dave | SUDO_PROMPT='%u? ' jit-sudo -Sk id -u").err, "dave? ");
    EXPECT_EQ(host().as("dave", "echo pw-dave | SUDO_PROMPT='%u? ' jit-sudo -Skp '%u! ' id -u").err,
              "dave! ");
    EXPECT_EQ(host().as("dave", "echo pw-dave | jit-sudo -S -p '' id -u").err, "");
}

TEST_F(Password, is_wrong_three_times_at_most) {
    const Result wrong = host().as("dave", "yes wrong | jit-sudo -S id");
    EXPECT_EQ(wrong.status, 1);
    EXPECT_THAT(wrong.err, AllOf(HasSubstr("Sorry, try again."), HasSubstr("3 incorrect password attempts")));
    EXPECT_THAT(host().root("jitctl audit --kind request.refused").out,
                HasSubstr("3 incorrect password attempts"));
    EXPECT_TRUE(eventually([] {
        return host()
                   .root("journalctl -q -t jit-sudo -o cat _COMM=jitd")
                   .out.find("dave : 3 incorrect password attempts ; TTY=unknown ; PWD=/home/dave ; "
                             "USER=root ; COMMAND=") != std::string::npos;
    }));
    const Result second = host().as("dave", "printf 'wrong\\npw-dave\\n' | jit-sudo -S id -u");
    EXPECT_EQ(second.out, "0\n") << second;
    EXPECT_THAT(host().as("dave", "jit-sudo -S id </dev/null").err, HasSubstr("no password was given"));
}

TEST_F(Password, counts_for_what_follows_in_the_same_session) {
    EXPECT_EQ(
        says("y jit-sudo -n id; echo pw-dave | y jit-sudo -S id; y jit-sudo -n id; y jit-sudo -n -u root id"),
        "no yes yes yes ");
    EXPECT_EQ(says("y jit-sudo -n id"), "no ") << "another login";
    EXPECT_EQ(says("echo pw-dave | y jit-sudo -S id; y setsid -w jit-sudo -n id"), "yes no ")
        << "another session";
}

TEST_F(Password, is_not_waited_for_longer_than_the_caller_likes) {
    const Result run = host().as(
        "dave", "timeout --foreground 2 jit-sudo id; echo status=$?; stty -a | grep -o '[-]*echo\\b'",
        {.tty = true, .timeout = 20s});
    EXPECT_THAT(run.out, AllOf(HasSubstr("status=124"), HasSubstr("echo"), Not(HasSubstr("-echo"))));
}

TEST_F(Password, that_was_tried_is_on_record_though_the_one_who_tried_gave_up) {
    Session dave = host().begin_as("dave", "jit-sudo id", {.tty = true});
    ASSERT_TRUE(dave.shows("password for dave: "));
    dave.type("wrong\r");
    ASSERT_TRUE(dave.shows("Sorry, try again."));
    dave.type("\x03");
    EXPECT_TRUE(dave.wait());
    EXPECT_TRUE(eventually([] {
        return host()
                   .root("jitctl audit --kind request.refused")
                   .out.find("1 incorrect password attempt, then given up") != std::string::npos;
    }));
}

TEST_F(Password, is_forgotten_when_told_to) {
    EXPECT_EQ(says("echo pw-dave | y jit-sudo -S id; y jit-sudo -k; y jit-sudo -n id"), "yes yes no ");
    EXPECT_EQ(says("echo pw-dave | y jit-sudo -S id; y jit-sudo -K; y jit-sudo -n id"), "yes yes no ");
    EXPECT_EQ(says("echo pw-dave | y jit-sudo -S id; y jit-sudo -nk id; y jit-sudo -n id"), "yes no yes ");
    EXPECT_EQ(says("echo pw-dave | y jit-sudo -SN id; y jit-sudo -n id"), "yes no ");
}

TEST_F(Password, may_be_given_before_it_is_needed) {
    EXPECT_EQ(says("y jit-sudo -Nnv; echo pw-dave | y jit-sudo -Sv; y jit-sudo -Nnv; y jit-sudo -n id; echo "
                   "wrong | y jit-sudo -Skv"),
              "no yes yes yes no ");
    EXPECT_THAT(host().as("bob", "jit-sudo -v").err, HasSubstr("you have no grant for a command now"));
}

TEST_F(Password, counts_no_longer_once_any_is_changed) {
    Session dave = host().begin_as("dave", "echo pw-dave | jit-sudo -S id -u; jit-sudo -n id -u; echo waits; "
                                           "read x; jit-sudo -n id -u; echo status $?");
    ASSERT_TRUE(dave.shows("0\n0\nwaits"));
    host().root("echo carol:pw-carol | chpasswd");
    dave.type("\n");
    ASSERT_TRUE(dave.wait().has_value());
    EXPECT_THAT(dave.output(), HasSubstr("waits\nstatus 1"));
}

TEST_F(Password, counts_no_longer_after_a_restart_of_jitd) {
    Session dave = host().begin_as(
        "dave", "echo pw-dave | jit-sudo -S id -u; echo waits; read x; jit-sudo -n id -u; echo status $?");
    ASSERT_TRUE(dave.shows("0\nwaits"));
    host().root("systemctl restart jitd");
    dave.type("\n");
    ASSERT_TRUE(dave.wait().has_value());
    EXPECT_THAT(dave.output(), HasSubstr("waits\nstatus 1"));
}

TEST_F(Password, is_asked_for_each_time_where_the_role_says_so) {
    ask(host(), "dave", "each-time");
    EXPECT_EQ(says("echo pw-dave | y jit-sudo -S true; y jit-sudo -n true; echo pw-dave | y jit-sudo -S id; "
                   "y jit-sudo -n id; "
                   "y jit-sudo -n true"),
              "yes no yes yes no ");
}

TEST_F(Password, of_an_account_that_is_locked_counts_for_nothing) { // CVE-2022-24755, and sudo-rs 1612
    Session dave = host().begin_as("dave", "echo pw-dave | jit-sudo -S id -u; echo waits; read x; jit-sudo "
                                           "-n id -u; echo status $?; jit-sudo -n -v; echo status $?");
    ASSERT_TRUE(dave.shows("0\nwaits"));
    host().root("chage -E0 dave");
    dave.type("\n");
    const auto run = dave.wait();
    host().root("chage -E-1 dave");
    ASSERT_TRUE(run.has_value());
    EXPECT_THAT(run->out, HasSubstr("waits\nstatus 1\nstatus 1\n"));
}

} // namespace
} // namespace jit::host
