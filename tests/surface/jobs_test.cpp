// SPDX-License-Identifier: MIT
// ^Z, fg, bg and what else a shell does with its jobs: with jit-sudo in front as without.
//
// Who has typed `fg` waits until the terminal is jit-sudo's (`until -isig`; a shell's line editor leaves that
// on): what is typed earlier is the shell's to read, as it is with any command. After what shows at no
// certain time an empty line brings a prompt that is certain.
#include "tests/surface/player.h"

namespace jit::host {
namespace {

// A command that isn't jit-sudo's is typed at when it has begun, or when the shell's line editor has left the
// terminal (`until icanon`): while that has it, Enter ends no line.
class Jobs : public AtATerminal {
protected:
    // A shell that leaves the terminal as its commands left it; bash mends much.
    static constexpr const char* PLAIN = "sh -i";
};

TEST_F(Jobs, a_command_is_stopped_and_goes_on_where_it_was) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"(
        run jit-sudo cat
        until -isig
        line one
        expect one\r\none\r\n
        key Z
        expect Stopped
        run jobs
        expect Stopped
        expect jit-sudo cat
    )"));
    for (int turn = 0; turn < 5; ++turn)
        EXPECT_TRUE(alice.does(R"(
            run fg
            expect jit-sudo cat
            until -isig
            line two
            expect two\r\ntwo\r\n
            key Z
            expect Stopped
        )"));
    EXPECT_TRUE(alice.does(R"(
        run fg
        until -isig
        key D
        run echo status $?
        expect status 0
    )"));
}

TEST_F(Jobs, a_command_that_was_stopped_goes_on_in_the_background) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"(
        run mkfifo ~/go
        run jit-sudo sh -c 'echo begun; read a <~alice/go; echo got $a; exec sleep 601'
        expect begun\r\n
        key Z
        expect Stopped
        run bg
        expect jit-sudo sh
        run echo news >~/go
        expect got news\r\n
        line
        run jobs
        expect Running
        run fg
        expect jit-sudo sh
    )"));
    // A job that runs already isn't told that it is in front now.
    EXPECT_TRUE(comes_true("ps -o stat= -p $(pgrep -o -x jit-sudo) | grep -F +"));
    EXPECT_TRUE(alice.does(R"(
        key C
        run echo status $?
        expect status 130
    )"));
    EXPECT_TRUE(comes_true("! pgrep -fx 'sleep 601'"));
}

TEST_F(Jobs, a_command_in_the_background_that_reads_is_stopped_until_it_is_in_front) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"(
        run jit-sudo cat &
        run until jobs -s | grep jit-sudo; do sleep .1; done
        expect Stopped
        run fg
        expect jit-sudo cat
        until -isig
        line hello
        expect hello\r\nhello\r\n
        key Z
        expect Stopped
        run bg
        run until jobs -s | grep jit-sudo; do sleep .1; done
        expect Stopped
        run fg
        until -isig
        line again
        expect again\r\nagain\r\n
        key D
        run echo status $?
        expect status 0
    )"));
}

TEST_F(Jobs, a_command_in_the_background_that_sets_its_terminal_is_stopped_until_it_is_in_front) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"(
        run jit-sudo sh -c 'stty -echo && echo it is set' &
        run until jobs -s | grep jit-sudo; do sleep .1; done
        expect Stopped
        run fg
        expect it is set\r\n
        run echo status $?
        expect status 0
    )"));
}

TEST_F(Jobs, a_command_in_the_background_writes_as_any_does) {
    Player alice(host(), "alice", PLAIN);
    EXPECT_TRUE(alice.does(R"(
        run jit-sudo sh -c 'echo one; echo two' & wait
        expect one\r\ntwo\r\n
        until icanon echo isig opost icrnl
        run jit-sudo stty -a &
        expect speed
        expect echoctl
        line
        run wait
        prompt
    )"));
}

// Its lines are written at once: the shell may write its prompt between two of them.
TEST_F(Jobs, with_b_a_command_is_no_job_and_its_output_still_shows) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"(
        run mkfifo ~/late
        run jit-sudo -b sh -c 'a=$(echo one; cat ~alice/late); echo "$a"'
        run jobs; echo none''.
        expect none.
        run echo late >~/late
        expect one\r\nlate\r\n
        line
        run cat
        until icanon
        line mine
        expect mine\r\nmine\r\n
        key D
        prompt
    )"));
}

TEST_F(Jobs, two_are_stopped_and_each_goes_on_alone) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"(
        run jit-sudo cat
        until -isig
        line one
        expect one\r\none\r\n
        key Z
        expect Stopped
        run jit-sudo sh -c 'while read a; do echo "<$a>"; done'
        line two
        expect <two>
        key Z
        expect Stopped
        run fg %1
        until -isig
        line three
        expect three\r\nthree\r\n
        key D
        run fg %2
        until -isig
        line four
        expect <four>
        key D
        run jobs; echo none''.
        expect none.
    )"));
}

TEST_F(Jobs, a_pipeline_is_stopped_and_goes_on_as_one) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"(
        run jit-sudo sh -c 'echo begun >&2; exec cat' | cat
        expect begun
        until -icanon
        line one
        expect one\r\none\r\n
        key Z
        expect Stopped
        run fg
        expect | cat\r\n
        until -icanon
        line two
        expect two\r\ntwo\r\n
        key D
        run yes | jit-sudo sh -c 'echo begun >&2; exec cat' | cat >/dev/null
        expect begun
        key Z
        expect Stopped
        prompt
    )"));
    EXPECT_TRUE(comes_true("! ps -eo stat=,comm= | grep -E ' (yes|cat)$' | grep -v ^T"))
        << host().root("ps -ef").out;
    EXPECT_TRUE(alice.does(R"(
        line fg
        expect /dev/null\r\n
    )"));
    EXPECT_TRUE(comes_true("ps -eo stat=,comm= | grep -E ' (yes|cat)$' | grep -v ^T"));
    EXPECT_TRUE(alice.does(R"(
        key C
        run echo over
        expect over
    )"));
    EXPECT_TRUE(comes_true("! pgrep -x 'yes|cat'"));
}

TEST_F(Jobs, an_interrupt_ends_all_of_a_pipeline) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"(
        run jit-sudo sh -c 'echo begun >&2; exec sleep 602' | cat
        expect begun
        key C
        run sleep 602 | jit-sudo sh -c 'echo begun >&2; exec sleep 602'
        expect begun
        key C
        run echo "status ${PIPESTATUS[@]}"
        expect status 130 130
        run sleep 602 | jit-sudo sh -c 'echo begun >&2; exec sleep 602' | cat
        expect begun
        key \\
        prompt
    )"));
    EXPECT_TRUE(comes_true("! pgrep -fx 'sleep 602'"));
}

TEST_F(Jobs, a_shell_has_jobs_of_its_own) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"(
        run jit-sudo bash --norc
        expect #
        line PS1='in# '
        expect \r\nin#\s
        line sh -c 'echo beg""un; exec cat'
        expect begun
        line one
        expect one\r\none\r\n
        key Z
        expect Stopped
        expect in#\s
        line bash --norc
        expect #
        line PS1='deep# '
        expect \r\ndeep#\s
        line sh -c 'echo beg""un; exec cat'
        expect begun
        key Z
        expect Stopped
        expect deep#\s
        line fg
        expect exec cat'\r\n
        line back
        expect back\r\nback\r\n
        key C
        expect deep#\s
        line exit
        expect in#\s
        line fg
        expect exec cat'\r\n
        line two
        expect two\r\ntwo\r\n
        key D
        expect in#\s
        line cat | cat &
        expect in#\s
        line wait %1; jobs
        expect Stopped
        expect in#\s
        line kill -KILL %1; while jobs -s >~/stopped; test -s ~/stopped; do sleep .1; done; echo g""one
        expect gone
        expect in#\s
        line suspend
        expect Stopped
        expect [play]$
        line jobs
        expect jit-sudo bash
        run fg
        until -isig
        line echo a''live
        expect alive
        expect in#\s
        line exit 5
        run echo status $?
        expect status 5
    )"));
}

TEST_F(Jobs, jit_sudo_itself_may_be_stopped_again_and_again) {
    Player alice(host());
    ASSERT_TRUE(alice.does(R"(
        run jit-sudo cat
        until -isig
        line one
        expect one\r\none\r\n
    )"));
    for (const char* name : {"STOP", "STOP", "STOP", "TSTP", "TTIN", "TTOU"}) {
        signal(name);
        ASSERT_TRUE(alice.does(R"(
            expect Stopped
            run fg
            until -isig
            line two
            expect two\r\ntwo\r\n
        )")) << name;
    }
    EXPECT_TRUE(alice.does(R"(
        key D
        run echo status $?
        expect status 0
    )"));
}

TEST_F(Jobs, a_command_that_takes_the_key_for_itself_is_not_stopped) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"(
        run jit-sudo sh -c 'trap "echo caught" TSTP; echo begun; while :; do read a && echo "<$a>"; done'
        expect begun
        key Z
        expect caught
        line two
        expect <two>
        key C
        run echo status $?
        expect status 130
        run jit-sudo sh -c 'stty -isig -icanon; echo begun; head -c 1 | od -An -tx1'
        expect begun
        key Z
        expect 1a
        prompt
    )"));
}

TEST_F(Jobs, a_program_with_the_whole_screen_leaves_the_terminal_to_the_shell_and_takes_it_again) {
    Player alice(host(), "alice", PLAIN);
    EXPECT_TRUE(alice.does(R"(
        run jit-sudo full_screen
        expect screen of 40x250
        send x
        expect <x>
        key Z
        expect \e[?1049l
        expect Stopped
        prompt
        until icanon echo isig opost icrnl
        size 30 100
        line fg
        expect \e[?1049h
        expect screen of 30x100
        until -icanon -isig -echo -opost
        send y
        expect <y>
        size 31 101
        expect screen of 31x101
        send q
        prompt
        until icanon echo isig opost icrnl
    )"));
}

TEST_F(Jobs, a_script_around_it_is_stopped_with_it) {
    Player alice(host());
    for (const std::string around : {"sh -c 'jit-sudo cat; echo after'", "(jit-sudo cat; echo after)"}) {
        EXPECT_TRUE(alice.does("run " + around + R"(
            until -isig
            line one
            expect one\r\none\r\n
            key Z
            expect Stopped
            run fg
            until -isig
            line two
            expect two\r\ntwo\r\n
            key D
            expect after
        )"));
    }
    EXPECT_TRUE(alice.does("prompt"));
}

TEST_F(Jobs, what_a_command_leaves_behind_goes_on_until_the_grant_ends) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"(
        run jit-sudo sh -c 'sleep 6001 & nohup sleep 6002 >/dev/null & setsid sleep 6003 & sleep .2; echo begun'
        expect begun\r\n
        run echo status $?
        expect status 0
    )"));
    EXPECT_EQ(host().root("sleep .3; pgrep -cfx 'sleep 600[123]'").out, "3\n");
    EXPECT_EQ(host().as("alice", "jitctl release " + grant_).status, 0);
    EXPECT_TRUE(comes_true("! pgrep -fx 'sleep 600[123]'"));
}

TEST_F(Jobs, a_command_reads_though_a_job_of_its_own_has_the_terminal) {
    // As a child that takes the foreground and keeps it; the command would be stopped again and again.
    host().write("/usr/local/bin/contended",
                 "#!/usr/bin/perl\nuse POSIX; $SIG{TTOU} = 'IGNORE'; pipe R, W; my $job = fork;\n"
                 "if (!$job) { setpgid 0, 0; tcsetpgrp 0, $$; close R; close W; sleep 600; exit }\n"
                 "close W; my $n = <R>; print 'read ', scalar <STDIN>; kill 9, $job;\n",
                 "0755");
    Player alice(host());
    EXPECT_TRUE(alice.does(R"(
        run jit-sudo contended
        until -isig
        line something
        expect read something
    )"));
}

TEST_F(Jobs, where_no_shell_could_let_it_go_on_it_is_not_stopped) {
    Player alice(host(), "alice", "sh -c 'jit-sudo cat; echo after'");
    EXPECT_TRUE(alice.does(R"(
        until -isig
        line one
        expect one\r\none\r\n
        key Z
        line two
        expect two\r\ntwo\r\n
        key Z
        line three
        expect three\r\nthree\r\n
        key D
        expect after
        end
    )"));
    Session ssh = host().begin_as("alice", "jit-sudo cat", {.tty = true});
    ssh.type("one\n");
    ASSERT_TRUE(ssh.shows("one\r\none"));
    ssh.type("\x1a");
    ssh.type("two\n");
    EXPECT_TRUE(ssh.shows("two\r\ntwo")) << ssh.output();
    ssh.type("\x04");
    const auto ended = ssh.wait();
    ASSERT_TRUE(ended.has_value()) << ssh.output();
    EXPECT_EQ(ended->status, 0) << *ended;
}

TEST_F(Jobs, it_stops_for_nobody_where_its_caller_ignores_the_key) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"~(
        run (trap '' TSTP; jit-sudo sh -c 'echo begun; read a; echo "got <$a>"')
        expect begun
        key Z
        line on
        expect got <on>
        prompt
    )~"));
}

TEST_F(Jobs, a_job_that_its_shell_leaves_behind_stopped_is_hung_up) {
    Player alice(host(), "alice", PLAIN);
    EXPECT_TRUE(alice.does(R"(
        run jit-sudo sh -c 'echo begun; exec sleep 604'
        expect begun
        key Z
        expect Stopped
        run exit
        expect stopped
        run exit
        end
    )"));
    EXPECT_TRUE(comes_true("! pgrep -fx 'sleep 604'"));
}

} // namespace
} // namespace jit::host
