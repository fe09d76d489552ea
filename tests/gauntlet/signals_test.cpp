// SPDX-License-Identifier: MIT
// Signals, timers, children: who is hit, and who isn't told.
#include "tests/gauntlet/arena.h"

namespace jit::host {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

class Signals : public Arena {
protected:
    static bool runs(const std::string& command) {
        return host().root("pgrep -fx '" + command + "'").status == 0;
    }
    static std::string helper() { // of the one command that runs
        std::string pid = host().root("pgrep -x -o jit-sudo").out;
        pid.erase(pid.find_last_not_of('\n') + 1);
        return pid;
    }
};

TEST_F(Signals, g062_a_signal_reaches_the_command_though_no_number_may_be_signalled) {
    // kill(2) fails throughout: what arrives was sent to a pidfd.
    host().root("setsid oddly filtered alice kill 1 jit-sudo -n sleep 4062 >/dev/null 2>&1 </dev/null &");
    ASSERT_TRUE(eventually([] { return runs("sleep 4062"); }));
    host().root("kill -TERM " + helper());
    EXPECT_TRUE(eventually([] { return !runs("sleep 4062"); }));
    EXPECT_TRUE(eventually([] { return helper().empty(); }));
}

TEST_F(Signals, g063_when_the_terminal_goes_nothing_but_the_command_is_hit) {
    Session other = host().begin_as("alice", "sleep 4163");
    host().root("setsid sleep 4263 >/dev/null 2>&1 </dev/null &");
    Session command = host().begin_as("alice", "jit-sudo -n sleep 4063", {.tty = true});
    ASSERT_TRUE(eventually([] { return runs("sleep 4063") && runs("sleep 4163") && runs("sleep 4263"); }));
    command.end();
    EXPECT_TRUE(eventually([] { return !runs("sleep 4063"); }));
    EXPECT_TRUE(eventually([] { return helper().empty(); }));
    EXPECT_TRUE(runs("sleep 4163"));
    EXPECT_TRUE(runs("sleep 4263"));
    EXPECT_EQ(host().root("systemctl is-active jitd").out, "active\n");
    host().root("pkill -fx 'sleep 4[12]63'");
}

TEST_F(Signals, g068_no_handler_of_ours_runs_ever) {
    const auto caught = [](const std::string& pid) {
        return host().root("grep SigCgt /proc/" + pid + "/status").out;
    };
    Session command = host().begin_as("alice", "jit-sudo -n sleep 4068");
    ASSERT_TRUE(eventually([] { return runs("sleep 4068"); }));
    EXPECT_EQ(caught(helper()), "SigCgt:\t0000000000000000\n");
    host().root("pkill -fx 'sleep 4068'");
    ASSERT_TRUE(command.wait());
    Session asking = host().begin_as("dave", "jit-sudo id", {.tty = true});
    ASSERT_TRUE(asking.shows("password for"));
    EXPECT_EQ(caught(helper()), "SigCgt:\t0000000000000000\n");
    asking.type("\x03");
    EXPECT_TRUE(asking.wait());
}

TEST_F(Signals, x10_signals_that_the_caller_blocks_or_ignores_end_the_command_all_the_same) {
    const auto runs =
        all("alice", {
                         "oddly deaf jit-sudo -n sh -c 'kill -TERM $$; echo alive'",
                         "oddly deaf jit-sudo -n sh -c 'kill -ALRM $$; echo alive'",
                         "oddly deaf jit-sudo -n cat /proc/self/status | grep -E 'SigBlk|SigIgn|ShdPnd'",
                         "oddly deaf jit-sudo -n sh -c 'exit 7'",
                         "trap '' HUP; jit-sudo -n cat /proc/self/status | grep SigIgn",
                     });
    EXPECT_EQ(runs[0].status, 143) << runs[0];
    EXPECT_EQ(runs[1].status, 142) << runs[1];
    // Like nohup(1): HUP, INT and QUIT stay ignored, and PIPE, TSTP, USR1 and USR2; nothing by which a
    // command waits, or is ended. (Above 31: of libc, or of who started the host.)
    EXPECT_THAT(runs[2].out,
                testing::MatchesRegex("ShdPnd:\t0{16}\nSigBlk:\t0{16}\nSigIgn:\t[0-9a-f]{8}[08]0081a07\n"));
    EXPECT_EQ(runs[3].status, 7) << "its status is lost where SIGCHLD is ignored\n" << runs[3];
    EXPECT_THAT(runs[4].out, testing::MatchesRegex("SigIgn:\t[0-9a-f]{8}[08]0{6}1\n"));
    EXPECT_EQ(runs[0].out + runs[1].out, "");
}

TEST_F(Signals, x11_an_alarm_that_the_caller_set_does_not_go_off) {
    const Result run = one("alice", "oddly alarmed jit-sudo -n sh -c 'sleep 1; echo whole'");
    EXPECT_THAT(run, RanAndSaid("whole\n"));
}

TEST_F(Signals, x12_children_that_the_caller_left_it_are_not_the_command) {
    const auto runs =
        all("alice", {"sleep .1 & (exit 9) & exec jit-sudo -n sh -c 'sleep .5; echo whole; exit 7'",
                      "(exit 3) & exec jit-sudo -n true"});
    EXPECT_EQ(runs[0].status, 7) << runs[0];
    EXPECT_EQ(runs[0].out, "whole\n");
    EXPECT_EQ(runs[1].status, 0) << runs[1];
}

TEST_F(Signals, x13_one_that_is_stopped_until_its_grant_is_gone_runs_nothing) {
    host().write("/usr/local/bin/hold",
                 "#!/bin/sh\ntouch /run/held\nwhile [ -e /run/hold ]; do sleep .05; done\n", "0755");
    const Line line(host(), "/etc/pam.d/jit-sudo", "session required pam_exec.so quiet /usr/local/bin/hold");
    const std::string id = ask(host(), "carol", "short");
    host().root("touch /run/hold");
    Session command = host().begin_as("carol", "jit-sudo -n id -u");
    ASSERT_TRUE(eventually([] { return host().root("test -e /run/held").status == 0; }));
    host().root("pkill -STOP -x jit-sudo");
    EXPECT_EQ(host().root("jitctl revoke " + id + " --reason over").status, 0);
    host().root("rm -f /run/hold /run/held; pkill -CONT -x jit-sudo");
    const auto ended = command.wait();
    ASSERT_TRUE(ended);
    EXPECT_THAT(*ended, IsRefused());
}

TEST_F(Signals, x22_a_command_that_says_it_is_traced_chooses_no_signal_for_others) {
    // What it is stopped by would be passed on as root: to those who started jit-sudo.
    for (const bool tty : {false, true}) {
        for (const int number : {SIGHUP, SIGUSR1, SIGTERM, SIGTTIN}) {
            const Result run = host().as("alice",
                                         "sh -c 'jit-sudo -n -u carol oddly traced " +
                                             std::to_string(number) + "; echo whole'",
                                         {.tty = tty});
            EXPECT_THAT(run.out, testing::MatchesRegex("went on\r?\nwhole\r?\n")) << number << run;
        }
    }
}

TEST_F(Signals, x14_killed_at_any_moment_it_leaves_nothing_that_runs_unrecorded) {
    const std::size_t before = starts();
    // From before main to after the start.
    const Result killed =
        one("alice", "for i in $(seq 0 40); do jit-sudo -n sleep 4514 & p=$!; "
                     "perl -e 'select undef, undef, undef, $ARGV[0]' .$(printf %03d $i); "
                     "kill -KILL $p 2>/dev/null || kill -TERM $p 2>/dev/null; done 2>/dev/null; echo");
    EXPECT_EQ(killed.status, 0) << killed;
    // Root can do it at any moment.
    host().root("for i in $(seq 0 40); do runuser -u alice -- jit-sudo -n sleep 4514 & "
                "perl -e 'select undef, undef, undef, $ARGV[0]' .$(printf %03d $i); pkill -KILL -x jit-sudo; "
                "done; wait",
                {.timeout = 60s});
    const auto count = [](const std::string& text) { return std::stoul(text); };
    EXPECT_TRUE(
        eventually([&] { return count(host().root("pgrep -cfx 'sleep 4514'").out) <= starts() - before; }));
    host().root("pkill -KILL -x jit-sudo; pkill -KILL -fx 'sleep 4514'");
    EXPECT_TRUE(eventually(
        [] {
            return host()
                .root("ls -d /sys/fs/cgroup/jit.slice/jit-elevations.service/*-*/ 2>/dev/null")
                .out.empty();
        },
        20s));
}

TEST_F(Signals, x15_in_a_cgroup_that_is_full_it_runs_whole_or_not_at_all) {
    const auto runs = all("alice", {
                                       "XDG_RUNTIME_DIR=/run/user/$(id -u) systemd-run --user --scope -q -p "
                                       "TasksMax=1 jit-sudo -n id -u",
                                       "XDG_RUNTIME_DIR=/run/user/$(id -u) systemd-run --user --scope -q -p "
                                       "TasksMax=2 jit-sudo -n id -u",
                                       "XDG_RUNTIME_DIR=/run/user/$(id -u) systemd-run --user --scope -q -p "
                                       "MemoryMax=64K jit-sudo -n id -u",
                                   });
    EXPECT_THAT(runs, Each(testing::AnyOf(RanAndSaid("0\n"), RanNothing())));
}

} // namespace
} // namespace jit::host
