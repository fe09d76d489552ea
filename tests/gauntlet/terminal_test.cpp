// SPDX-License-Identifier: MIT
// The caller's terminal: what a command may do to it, and how it is left.
#include "tests/gauntlet/arena.h"

namespace jit::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

class Terminal : public Arena {
protected:
    // What is typed shows, and is read back whole after a line.
    static constexpr const char* STATE =
        R"(stty -a | tr ' ;' '\n\n' | grep -xE -- '-?(echo|icanon|isig)' | tr '\n' ' '; echo .)";
    static constexpr const char* SANE = "isig icanon echo .";
};

TEST_F(Terminal, g058_a_command_types_nothing_into_its_callers_shell) {
    const std::vector<std::string> ways = {
        "jit-sudo -n -u carol oddly type injected",
        "jit-sudo -n oddly type injected",
        "jit-sudo -n -u carol oddly type injected </dev/null",
        "jit-sudo -n -u carol oddly type injected | cat",
        "jit-sudo -n -u carol oddly type injected </dev/null >/dev/null 2>&1",
        "jit-sudo -n oddly type injected </dev/null >/dev/null 2>&1",
        "echo | jit-sudo -n -u carol oddly type injected",
        "setsid -w jit-sudo -n -u carol oddly type injected",
        "jit-sudo -n -u carol sh -c 'oddly type injected & sleep .2'",
    };
    // What is typed is there when the command has ended: nobody has to wait for it.
    std::string script;
    for (std::size_t way = 0; way < ways.size(); ++way)
        script += ways[way] + "; read -t .1 line; echo \"" + std::to_string(way) + "<$line>\"; ";
    const Result run = host().as("alice", script, {.tty = true});
    for (std::size_t way = 0; way < ways.size(); ++way)
        EXPECT_THAT(run.out, HasSubstr(std::to_string(way) + "<>")) << ways[way] << run;
}

TEST_F(Terminal, g058_without_its_own_terminal_a_command_has_none) {
    const Result run =
        host().as("alice",
                  "jit-sudo -n sh -c 'sh -c \"echo x >/dev/tty\" 2>/dev/null && echo it has one || "
                  "echo it has none' </dev/null 2>/dev/null | cat",
                  {.tty = true});
    EXPECT_THAT(run.out, HasSubstr("it has none")) << run;
}

TEST_F(Terminal, g078_what_was_typed_of_a_password_shows_nowhere_when_it_is_interrupted) {
    for (const char* end : {"\x03", "\x1c"}) {
        Session dave = host().begin_as("dave",
                                       std::string("trap : INT QUIT; ulimit -c 0; jit-sudo id; ") + STATE +
                                           "; read -t 1 line; echo \"left<$line>\"",
                                       {.tty = true});
        ASSERT_TRUE(dave.shows("password for dave"));
        dave.type(std::string("pw-da") + end);
        const auto ended = dave.wait();
        ASSERT_TRUE(ended);
        EXPECT_THAT(ended->out, HasSubstr(SANE)) << *ended;
        EXPECT_THAT(ended->out, HasSubstr("left<>")) << *ended;
        EXPECT_THAT(ended->out, Not(HasSubstr("pw-da"))) << *ended;
    }
}

TEST_F(Terminal, g078_nor_when_it_is_stopped_and_goes_on) {
    Session dave = host().begin_as("dave", "", {.tty = true}); // a shell with jobs
    dave.type("PS1=; jit-sudo id -u; echo co''de=$?\n");
    ASSERT_TRUE(dave.shows("password for dave"));
    dave.type("pw-da\x1a");
    ASSERT_TRUE(dave.shows("Stopped"));
    dave.type(std::string(STATE) + "\n");
    ASSERT_TRUE(dave.shows(SANE)) << dave.output();
    dave.type("echo fore''ground; fg\n");
    ASSERT_TRUE(dave.shows("foreground"));
    ASSERT_TRUE(eventually([&] {
        const std::string& shown = dave.output();
        return shown.find("password for dave", shown.find("foreground")) != std::string::npos;
    }));
    dave.type("pw-dave\n");
    EXPECT_TRUE(dave.shows("0\r\n")) << dave.output();
    // Typed while the command is still ending it is the command's.
    ASSERT_TRUE(eventually(
        [&] {
            dave.type("exit\n");
            return dave.wait(std::chrono::milliseconds(500)).has_value();
        },
        std::chrono::seconds(10)));
    EXPECT_THAT(dave.output(), Not(HasSubstr("pw-da")));
}

TEST_F(Terminal, g078_a_signal_from_elsewhere_leaves_it_as_it_was) {
    for (const char* number : {"TERM", "HUP", "USR1"}) {
        Session dave = host().begin_as("dave", std::string("trap : TERM HUP USR1; jit-sudo id; ") + STATE,
                                       {.tty = true});
        ASSERT_TRUE(dave.shows("password for dave"));
        dave.type("pw-da");
        host().root(std::string("pkill -") + number + " -x jit-sudo");
        const auto ended = dave.wait();
        ASSERT_TRUE(ended) << number;
        EXPECT_THAT(ended->out, HasSubstr(SANE)) << number << *ended;
        EXPECT_THAT(ended->out, Not(HasSubstr("pw-da"))) << *ended;
    }
}

TEST_F(Terminal, x16_what_a_command_does_to_its_terminal_is_not_done_to_the_callers) {
    for (const char* command :
         {"jit-sudo -n sh -c 'stty raw -echo -isig'", "jit-sudo -n sh -c 'stty -echo; kill -KILL $$'",
          "jit-sudo -n -u carol sh -c 'stty -icanon; kill -SEGV $$'"}) {
        Session alice =
            host().begin_as("alice", std::string(command) + " 2>/dev/null; " + STATE, {.tty = true});
        const auto ended = alice.wait();
        ASSERT_TRUE(ended) << command;
        EXPECT_THAT(ended->out, HasSubstr(SANE)) << command << *ended;
    }
}

TEST_F(Terminal, x17_a_terminal_without_a_size_or_with_none_to_write_to_hangs_nobody) {
    const auto runs = all("alice", {"jit-sudo -n sh -c 'head -c 300000 /dev/zero' >/dev/full; echo $?",
                                    "jit-sudo -n sh -c 'head -c 300000 /dev/zero; echo $? >&2' | true",
                                    "jit-sudo -n id -u <&1", "jit-sudo -n id -u </",
                                    "jit-sudo -n id -u 0</dev/full 2>/dev/full"});
    EXPECT_NE(runs[0].out, "0\n") << runs[0];
    EXPECT_EQ(runs[1].status, 0) << runs[1];
    for (std::size_t index = 2; index < runs.size(); ++index)
        EXPECT_THAT(runs[index], RanAndSaid("0\n")) << index;
}

TEST_F(Terminal, x25_a_terminal_of_a_devpts_of_ones_own_is_not_recorded_as_another_of_its_number) {
    std::vector<Session> others;
    while (host().root("test -e /dev/pts/0").status != 0 && others.size() < 3) {
        others.push_back(host().begin_as("bob", "echo begun; exec sleep 60", {.tty = true}));
        ASSERT_TRUE(others.back().shows("begun"));
    }
    const Result forged = one("alice", "oddly mounted jit-sudo -n sh -c 'tty; echo forged'");
    EXPECT_THAT(forged.out, HasSubstr("forged")) << forged;
    std::string last = audit("use.started");
    last = last.substr(last.rfind('\n', last.size() - 2) + 1);
    EXPECT_THAT(last, AllOf(HasSubstr("forged"), Not(HasSubstr("pts/0"))));
}

} // namespace
} // namespace jit::host
