// SPDX-License-Identifier: MIT
// The command's terminal: what it is, what goes through it, and how the caller's own is left.
#include "tests/surface/player.h"

#include <algorithm>
#include <cstdint>

namespace jit::host {
namespace {

using testing::HasSubstr;

// What play's `swallow` prints of seq's lines, `times` over.
std::string counted(int last, int times) {
    std::string lines;
    for (int number = 1; number <= last; ++number)
        lines += std::to_string(number) + "\r\n";
    std::uint64_t sum = 14695981039346656037U; // FNV-1a
    for (int time = 0; time < times; ++time)
        for (const char each : lines)
            sum = (sum ^ static_cast<unsigned char>(each)) * 1099511628211U;
    return "[" + std::to_string(lines.size() * static_cast<std::size_t>(times)) + " bytes, sum " +
           std::to_string(sum) + "]";
}

// What `swallow` prints is the last of it.
std::string end_of(const std::string& shown) {
    return shown.substr(shown.size() - std::min<std::size_t>(shown.size(), 100));
}

class Pty : public AtATerminal {
protected:
    // A shell that leaves the terminal as its commands left it; bash mends much.
    static constexpr const char* PLAIN = "sh -i";

    // None but the service's own are left in the cgroups of elevations.
    static bool nothing_is_left() {
        return comes_true(
            "test -z \"$(find /sys/fs/cgroup -path '*jit-elevations.service/*' -name cgroup.procs "
            "! -path '*/keeper/*' -exec cat {} +)\"");
    }
};

TEST_F(Pty, the_terminal_is_another_and_the_targets) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"~(
        run test "$(tty)" != "$(jit-sudo tty)" && echo another''.
        expect another.
        run jit-sudo -u carol sh -c 'stat -c "owner %U" $(tty)'
        expect owner carol
        run jit-sudo sh -c 'test $(ps -o tpgid= -p $$) = $(ps -o pgid= -p $$) && echo in front'
        expect in front\r\n
        run jit-sudo stty size
        expect 40 250
        prompt
    )~"));
}

TEST_F(Pty, the_window_has_the_size_of_the_callers) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"~(
        run jit-sudo full_screen
        expect screen of 40x250
        size 50 100
        expect screen of 50x100
        size 30 120
        expect screen of 30x120
        send q
        run jit-sudo stty size
        expect 30 120
        run yes | jit-sudo full_screen
        expect screen of 30x120
        size 51 101
        expect screen of 51x101
        send q
        prompt
    )~"));
}

TEST_F(Pty, however_a_command_ends_the_terminal_is_as_it_was) {
    Player alice(host(), "alice", PLAIN);
    // Not the shell's usual settings, so that who just says "sane" is found out.
    ASSERT_TRUE(alice.does("run stty -ixon erase ^H; stty -g >~/before"));
    for (const char* command :
         {"jit-sudo true", "jit-sudo sh -c 'stty raw -echo; exit 3'",
          "jit-sudo sh -c 'stty raw -echo; kill -KILL $$'", "jit-sudo sh -c 'stty raw -echo; kill -KILL 0'",
          "jit-sudo sh -c 'stty raw -echo; kill -SEGV $$'", "jit-sudo broken", "jit-sudo nosuch",
          "jit-sudo -u nosuch true", "jit-sudo -n head -c 1 /none",
          "jit-sudo -n -u carol full_screen </dev/null", "jit-sudo -T 1 sh -c 'stty raw -echo; sleep 600'",
          "jit-sudo sh -c 'stty raw -echo' | cat",
          "yes | jit-sudo sh -c 'stty raw -echo </dev/tty; kill -KILL $$'"}) {
        EXPECT_TRUE(alice.does(std::string("run ") + command + R"~(
            run test "$(stty -g)" = "$(cat ~/before)" && echo as it was''.
            expect as it was.
        )~"))
            << command;
    }
    for (const char* name : {"TERM", "HUP", "INT", "QUIT"}) {
        EXPECT_TRUE(alice.does(R"~(
            run jit-sudo sh -c 'stty raw -echo; echo begun; exec sleep 600'
            expect begun
        )~"));
        signal(name);
        EXPECT_TRUE(alice.does(R"~(
            run test "$(stty -g)" = "$(cat ~/before)" && echo as it was''.
            expect as it was.
        )~"))
            << name;
    }
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(Pty, each_descriptor_is_what_the_caller_gave) {
    Player alice(host());
    // Which of them are terminals, into a file: there may be none to say it on.
    host().write("/usr/local/bin/terminals",
                 "#!/bin/sh\nout=\nfor f in 0 1 2; do test -t $f && out=$out$f || out=$out-; done\n"
                 "echo $out >>/home/alice/d\n",
                 "0755");
    EXPECT_TRUE(alice.does(R"~(
        run >~/d
        run jit-sudo sh -c terminals
        run echo x | jit-sudo sh -c terminals
        run jit-sudo sh -c terminals | cat
        run jit-sudo sh -c terminals 2>/dev/null
        run echo x | jit-sudo sh -c terminals | cat
        run echo x | jit-sudo sh -c terminals 2>&1 | cat
        run jit-sudo sh -c terminals >/dev/null 2>&1
        run jit-sudo sh -c terminals </dev/null
        run echo $(cat ~/d)
        expect 012 -12 0-2 01- --2 --- 0-- -12\r\n
    )~"));
}

TEST_F(Pty, what_goes_through_a_pipe_is_not_touched) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"~(
        run jit-sudo sh -c 'echo one; echo two' | od -An -tx1
        expect 6f 6e 65 0a 74 77 6f 0a\r\n
        run jit-sudo sh -c 'echo one; echo two >&2' 2>&1 >/dev/null | od -An -tx1
        expect 74 77 6f 0a\r\n
        run printf 'x\\r\\003\\004\\032y' | jit-sudo cat | od -An -tx1
        expect 78 0d 03 04 1a 79\r\n
        run echo x | jit-sudo sh -c 'cat; echo two; echo three >&2'
        expect x\r\ntwo\r\nthree\r\n
        run echo x | jit-sudo cat | wc -c
        expect 2\r\n
        run printf '' | jit-sudo cat | wc -c
        expect 0\r\n
        run jit-sudo cat </dev/null | wc -c
        expect 0\r\n
        run yes | jit-sudo cat | head -n 1
        expect y\r\n
        run jit-sudo yes | head -n 1
        expect y\r\n
        run jit-sudo head -c 100000000 /dev/zero | jit-sudo cat | wc -c
        expect 100000000\r\n
        run jit-sudo sh -c 'echo one; echo two' | cat; echo three
        swallow three
    )~"));
    // Through a terminal just once: no line ends twice.
    EXPECT_THAT(alice.shown(), HasSubstr("[10 bytes"));
}

TEST_F(Pty, a_pager_has_the_terminal_while_the_command_writes_to_it) {
    Player alice(host(), "alice", PLAIN);
    EXPECT_TRUE(alice.does(R"~(
        run stty -g >~/before
        run jit-sudo yes | full_screen
        expect screen of 40x250
        send x
        expect <x>
        until -icanon -isig -echo
        send q
        run yes | jit-sudo full_screen
        expect screen of 40x250
        send x
        expect <x>
        key Z
        expect Stopped
        prompt
        until icanon isig echo opost
        line fg
        expect screen of 40x250
        send y
        expect <y>
        send q
        run jit-sudo yes | jit-sudo full_screen
        expect screen of 40x250
        send x
        expect <x>
        send q
        run test "$(stty -g)" = "$(cat ~/before)" && echo as it was''.
        expect as it was.
    )~"));
}

TEST_F(Pty, in_a_pipeline_a_command_asks_the_person_at_the_terminal) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"~(
        run echo x | jit-sudo sh -c 'echo begun; read a </dev/tty; echo "got <$a>"; cat'
        expect begun
        line hello
        expect got <hello>\r\nx\r\n
        run jit-sudo sh -c 'echo begun >&2; read a </dev/tty; echo "got <$a>"' | cat
        expect begun
        line hello
        expect got <hello>\r\n
        run jit-sudo sh -c 'stty -echo; echo begun >/dev/tty; read a; stty echo; echo "got <$a>"' | cat
        expect begun
        line secret
        expect got <secret>\r\n
    )~"));
    const std::string shown = alice.shown();
    EXPECT_EQ(shown.find("secret"), shown.rfind("secret")) << "it was echoed:\n" << shown;
}

TEST_F(Pty, a_paste_arrives_whole) {
    host().root("head -c 3000000 /dev/urandom | base64 >/home/alice/big; chmod 644 /home/alice/big");
    Player alice(host());
    EXPECT_TRUE(alice.does(R"~(
        patience 60
        run jit-sudo sh -c 'stty -icanon -echo; echo begun; head -c $(stat -c %s ~alice/big) | cmp - ~alice/big && echo sa""me'
        expect begun
        paste /home/alice/big
        expect same
        run jit-sudo sh -c 'stty -echo; echo begun; head -c $(stat -c %s ~alice/big) | cmp - ~alice/big && echo sa""me'
        expect begun
        paste /home/alice/big
        expect same
        run jit-sudo sh -c 'echo begun; exec cat >~alice/copy'
        expect begun
        paste /home/alice/big
        key D
        run cmp ~/big ~/copy && echo sa""me
        expect same
    )~"));
}

TEST_F(Pty, no_output_is_lost_however_much_or_late) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"~(
        patience 60
        run jit-sudo seq 4000000
        swallow [play]$\s
    )~"));
    EXPECT_THAT(end_of(alice.shown()), HasSubstr(counted(4'000'000, 1)));
    EXPECT_TRUE(alice.does(R"~(
        line for i in $(seq 200); do jit-sudo seq 2; done
        expect done\r\n
        swallow [play]$\s
    )~"));
    EXPECT_THAT(end_of(alice.shown()), HasSubstr(counted(2, 200)));
    EXPECT_TRUE(alice.does(R"~(
        line for i in $(seq 20); do jit-sudo seq 30000; done
        expect done\r\n
        swallow [play]$\s
    )~"));
    EXPECT_THAT(end_of(alice.shown()), HasSubstr(counted(30'000, 20)));
}

TEST_F(Pty, output_that_a_slow_terminal_has_not_taken_yet_is_not_lost_at_the_end) {
    Player alice(host());
    ASSERT_TRUE(alice.does("prompt"));
    // At one of these sizes it all fits on its way to the terminal, so that the command ends, and more than
    // the terminal takes, which isn't read, and is told of other sizes. Waiting only makes it more likely
    // that what must not go wrong is tried.
    for (const int last : {3000, 5000, 7000, 9000, 12000}) {
        ASSERT_TRUE(alice.does("line jit-sudo seq " + std::to_string(last) + R"~(
            when sleep .3
            size 41 250
            when sleep .1
            size 42 250
            expect seq )~" + std::to_string(last) +
                               R"~(\r\n
            swallow [play]$\s
        )~"));
        EXPECT_THAT(end_of(alice.shown()), HasSubstr(counted(last, 1)));
    }
}

TEST_F(Pty, what_is_typed_before_the_command_has_begun_is_its_to_read) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"~(
        run until test -e ~/typed; do sleep .1; done; jit-sudo sh -c 'read a; read b; echo "got <$a> <$b>"'
        until icanon
        line ahead
        expect ahead\r\n
        send half
        expect half
    )~"));
    host().root("touch /home/alice/typed");
    EXPECT_TRUE(alice.does(R"~(
        until -isig
        line  a line
        expect got <ahead> <half a line>
        prompt
    )~"));
}

TEST_F(Pty, a_screen_that_a_command_leaves_switched_by_itself_stays_so) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"~(
        run jit-sudo sh -c 'printf "\033[?1049h"; echo switched'
        expect switched\r\n
        prompt
    )~"));
    EXPECT_THAT(alice.shown(), Not(HasSubstr("1049l")));
}

TEST_F(Pty, output_that_is_held_holds_nobody_up) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"~(
        run jit-sudo sh -c 'echo begun; while read a; do echo "<$a>"; done'
        expect begun
        key S
        line one
        key Q
        expect <one>
        key D
        run jit-sudo yes
        expect y\r\n
        key S
        key C
        run echo over''.
        expect over.
    )~"));
}

TEST_F(Pty, an_interrupt_ends_the_shells_loop_too) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"~(
        run for i in 1 2 3; do jit-sudo sh -c 'echo begun; exec sleep 605'; done
        expect begun
        key C
        run echo status $?
        expect status 130
        run jit-sudo sh -c 'echo begun; exec sleep 605'
        expect begun
        key \\
        run echo status $?
        expect status 131
    )~"));
}

TEST_F(Pty, it_is_run_by_script_as_at_a_terminal) {
    Player alice(host());
    EXPECT_TRUE(alice.does(R"~(
        run script -qc 'jit-sudo cat' ~/typescript
        until -isig
        line one
        expect one\r\none\r\n
        key D
        run echo 'echo piped; exit' | script -qc 'jit-sudo bash --norc' /dev/null
        expect piped\r
        prompt
    )~"));
}

TEST_F(Pty, another_terminal_may_be_its_input_or_its_output) {
    Player other(host(), "alice", "sh -c 'tty; exec sleep 606'");
    ASSERT_TRUE(other.does("expect /dev/pts/\nexpect \\n"));
    std::string name = other.shown();
    name = name.substr(0, name.find('\r'));
    Player alice(host());
    ASSERT_TRUE(alice.does("run jit-sudo sh -c 'test -t 0 && echo begun; read a; echo \"got <$a>\"' <" +
                           name + "\nexpect begun"));
    EXPECT_TRUE(other.does("line hello"));
    EXPECT_TRUE(alice.does("expect got <hello>\nrun jit-sudo sh -c 'test -t 1 && echo shown there' >" + name +
                           "\nprompt"));
    EXPECT_TRUE(other.does("expect shown there\\r\\n"));
}

TEST_F(Pty, without_a_controlling_terminal_it_has_none_of_its_own) {
    EXPECT_EQ(host().as("alice", "jit-sudo tty").out, "not a tty\n");
    Player alice(host());
    EXPECT_TRUE(alice.does(R"~(
        run setsid -w jit-sudo sh -c 'echo begun; read a; echo "got <$a>"'
        expect begun
        line hello
        expect got <hello>
        prompt
    )~"));
}

TEST_F(Pty, a_terminal_that_is_gone_hangs_the_command_up) {
    {
        Player told(host());
        ASSERT_TRUE(told.does(R"~(
            run jit-sudo sh -c 'trap "echo HUP >~alice/told; exit" HUP; echo begun; while :; do sleep .1; done'
            expect begun
            hangup
        )~"));
        EXPECT_TRUE(comes_true("grep -q HUP ~alice/told"));
    }
    for (const char* command :
         {"sh -c 'echo begun >&2; exec sleep 607'", "sh -c 'echo begun >&2; sleep 607; :' | cat",
          "sh -c 'echo begun >&2; exec cat' | sleep 607", "bash --norc -c 'echo begun >&2; sleep 607; :'",
          "sh -c 'echo begun >&2; exec sleep 607' &"}) {
        Player alice(host());
        ASSERT_TRUE(alice.does(std::string("run jit-sudo ") + command + "\nexpect begun\nhangup"));
        EXPECT_TRUE(comes_true("! pgrep -fx 'sleep 607'")) << command;
        EXPECT_TRUE(nothing_is_left()) << command;
    }
}

TEST_F(Pty, what_its_shell_has_let_go_of_outlives_the_terminal) {
    for (const char* command : {"jit-sudo -b sleep 610", "jit-sudo sleep 610 & disown"}) {
        Player alice(host());
        ASSERT_TRUE(alice.does(std::string("run ") + command + "\nprompt"));
        ASSERT_TRUE(comes_true("pgrep -fx 'sleep 610'"));
        ASSERT_TRUE(alice.does("hangup"));
        EXPECT_TRUE(comes_true("! pgrep -u alice -r S,R -x bash")) << command;
        EXPECT_EQ(host().root("sleep 1; pkill -fx 'sleep 610'").status, 0) << command;
        EXPECT_TRUE(nothing_is_left()) << command;
    }
}

TEST_F(Pty, a_hang_up_reaches_what_the_command_is_just_starting) {
    // As a shell does it: no signal while there are two of it. The hang-up waits for the first one alone. In
    // a pipeline it isn't in the foreground, where the kernel would hang up on the second one too.
    host().write("/usr/local/bin/starting",
                 "use POSIX; my $all = POSIX::SigSet->new; $all->fillset; my $before = POSIX::SigSet->new;\n"
                 "sigprocmask(SIG_BLOCK, $all, $before); print STDERR \"begun\\n\"; sleep 2;\n"
                 "unless (fork) { sigprocmask(SIG_SETMASK, $before); exec 'sleep', '609' } sleep 1; "
                 "sigprocmask(SIG_SETMASK, $before); sleep 60;\n");
    Player alice(host());
    ASSERT_TRUE(
        alice.does("run jit-sudo sh -c 'exec perl /usr/local/bin/starting' | cat\nexpect begun\nhangup"));
    EXPECT_TRUE(comes_true("pgrep -fx 'sleep 609'"));
    EXPECT_TRUE(comes_true("! pgrep -fx 'sleep 609'"));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(Pty, a_helper_that_is_killed_takes_the_command_with_it) {
    Player alice(host());
    ASSERT_TRUE(alice.does(R"~(
        run jit-sudo sh -c 'echo begun; sleep 608; :'
        expect begun
    )~"));
    signal("KILL");
    EXPECT_TRUE(comes_true("! pgrep -fx 'sleep 608'"));
    EXPECT_TRUE(nothing_is_left());
}

} // namespace
} // namespace jit::host
