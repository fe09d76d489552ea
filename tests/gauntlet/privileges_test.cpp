// SPDX-License-Identifier: MIT
// Ids, groups, limits, descriptors: what becoming somebody else leaves undone, or takes along.
#include "tests/gauntlet/arena.h"

namespace jit::host {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

class Privileges : public Arena {
protected:
    static std::string uid_of(const std::string& name) {
        std::string uid = host().root("id -u " + name).out;
        uid.pop_back();
        return uid;
    }
    // A role for a while: erin has it, to run anything as any of these.
    static void grant_erin(const std::string& run_as, const std::string& more = "") {
        host().policy(
            std::string(GAUNTLET_POLICY) +
            "[role.extra]\nrisk = \"low\"\neligible = [\"erin\"]\nmax = \"1h\"\nauthenticate = false\n"
            "run_as = [" +
            run_as + "]\ncommands = [\"/usr/bin/id **\", \"/usr/bin/sh **\"]\n" + more);
        const Result asked = host().root("runuser -u erin -- jitctl request extra --reason test");
        ASSERT_EQ(asked.status, 0) << asked;
    }
    static void ungrant() { host().policy(GAUNTLET_POLICY); }
    static Result as_erin(const std::string& command) { return one("root", "runuser -u erin -- " + command); }
};

TEST_F(Privileges, g041_a_change_of_ids_that_fails_ends_it_before_anything_runs) {
    std::vector<std::string> specs = {"setgroups",  "setresgid",  "setresuid", "getresuid",   "getresgid",
                                      "getgroups",  "prctl:0=4",  "setsid",    "close_range", "connect",
                                      "socketpair", "getsockopt", "fstatfs"};
    for (const char* call : {"setresuid:0=", "setresgid:0="})
        specs.push_back(call + uid_of("carol"));
    specs.push_back("setresuid:1=" + uid_of("alice"));
    std::vector<std::string> commands;
    for (const std::string& spec : specs)
        for (const char* error : {"1", "11", "38"}) // EPERM, EAGAIN, ENOSYS
            commands.push_back("oddly filtered alice " + spec + ' ' + error + " jit-sudo -n -u carol id");
    // It says that it did it, and didn't.
    for (const std::string& spec :
         {std::string("setgroups"), std::string("setresgid"), std::string("setresuid"),
          "setresuid:0=" + uid_of("carol"), "setresgid:0=" + uid_of("carol")})
        commands.push_back("oddly filtered alice " + spec + " 0 jit-sudo -n -u carol id");
    const auto runs = all("root", commands);
    for (std::size_t index = 0; index < runs.size(); ++index)
        EXPECT_THAT(runs[index], AllOf(RanNothing(), testing::Field(&Result::status, testing::Lt(99))))
            << commands[index];
    EXPECT_THAT(one("root", "oddly filtered alice kill 1 jit-sudo -n -u carol id -un"), RanAndSaid("carol\n"))
        << "with a filter that it doesn't meet it works";
}

TEST_F(Privileges, g042_the_command_has_the_targets_groups_and_none_of_the_callers) {
    host().root("usermod -aG sre,sre-leads,adm,disk erin; "
                "for i in $(seq 2000); do echo many$i:x:$((30000 + i)):many; done >>/etc/group; "
                "useradd many; echo 'lone:x:4243:54321::/:/bin/sh' >>/etc/passwd");
    grant_erin("\"root\", \"carol\", \"many\", \"lone\", \"erin\"");
    for (const char* target : {"root", "carol", "many", "lone"}) {
        const std::string name = target;
        EXPECT_THAT(
            as_erin("jit-sudo -n -u " + name + " sh -c 'id -u; id -g; id -G | tr \" \" \"\\n\" | sort'"),
            RanAndSaid(
                host()
                    .root("id -u " + name + "; id -g " + name + "; id -G " + name + " | tr ' ' '\\n' | sort")
                    .out))
            << name;
    }
    EXPECT_THAT(as_erin("jit-sudo -n -u many sh -c 'id -G | wc -w'"), RanAndSaid("2001\n"));
    EXPECT_THAT(as_erin("jit-sudo -n -u lone sh -c 'id -G'"), RanAndSaid("54321\n"));
    // The other way round: it is the caller who has them.
    host().policy(std::string(GAUNTLET_POLICY) +
                  "[role.many]\nrisk = \"low\"\neligible = [\"many\"]\nmax = \"1h\"\n"
                  "authenticate = false\ncommands = [\"/usr/bin/id **\"]\n");
    EXPECT_THAT(one("root", "runuser -u many -- jitctl request many --reason test >/dev/null; "
                            "runuser -u many -- jit-sudo -n id -G"),
                RanAndSaid("0\n"));
    // A group that the grant doesn't name.
    EXPECT_THAT(
        all("alice", {"jit-sudo -n -g disk id", "jit-sudo -n -u root -g disk id", "jit-sudo -n -g sudo id"}),
        Each(IsRefused()));
    ungrant();
    host().root("userdel many; sed -i '/^lone:/d' /etc/passwd; sed -i '/^many/d' /etc/group; "
                "for g in sre sre-leads adm disk; do gpasswd -d erin $g; done");
}

TEST_F(Privileges, g043_a_lookup_that_fails_is_nobody_and_never_root) {
    host().root("cat >>/etc/passwd",
                {.stdin_text = "odd1:x:word:100::/:/bin/sh\nodd2:x::::/:/bin/sh\n"
                               "odd3:x:-1:-1::/:/bin/sh\nodd4:x:4294967295:4294967295::/:/bin/sh\n"
                               "odd5:x:4294967296:4294967296::/:/bin/sh\nodd6:x\nodd7\n"
                               "odd8:x:18446744073709551616:0::/:/bin/sh\n"});
    std::string names = "\"root\"";
    std::vector<std::string> commands;
    for (char number = '1'; number <= '8'; ++number) {
        names += std::string(", \"odd") + number + '"';
        commands.push_back(std::string("runuser -u erin -- jit-sudo -n -u odd") + number + " id -u");
    }
    grant_erin(names);
    EXPECT_THAT(all("root", commands), Each(IsRefused()));
    ungrant();
    host().root("sed -i '/^odd[0-9]/d' /etc/passwd");
    EXPECT_THAT(one("root", "setpriv --reuid 55555 --regid 0 --clear-groups jit-sudo -n id"), IsRefused());
    const std::string alice =
        "setpriv --reuid " + uid_of("alice") + " --regid 1000 --clear-groups jit-sudo -n id -u";
    // No answer at all.
    host().root("cp /etc/nsswitch.conf /root/; sed -i 's/^passwd:.*/passwd: nonesuch/' /etc/nsswitch.conf");
    EXPECT_TRUE(eventually([&] { return one("root", alice).status == 1; }, 15s))
        << "what was known is kept so long";
    EXPECT_THAT(one("root", alice), IsRefused());
    host().root("cp /root/nsswitch.conf /etc/");
    EXPECT_TRUE(eventually([&] { return one("root", alice).out == "0\n"; }, 15s));
}

TEST_F(Privileges, g097_a_group_that_cannot_be_found_is_never_group_0) {
    host().root("echo 'nogroup1:x:4244:::/:/bin/sh' >>/etc/passwd; echo 'odd:x:word:' >>/etc/group; "
                "echo 'odder:x::' >>/etc/group");
    grant_erin("\"nogroup1\"", "groups = [\"odd\", \"odder\", \"nonesuch\"]\n");
    EXPECT_THAT(
        all("root", {"runuser -u erin -- jit-sudo -n -g odd id", "runuser -u erin -- jit-sudo -n -g odder id",
                     "runuser -u erin -- jit-sudo -n -g nonesuch id",
                     "runuser -u erin -- jit-sudo -n -u nogroup1 id"}),
        Each(IsRefused()));
    ungrant();
    host().root("sed -i '/^nogroup1:/d' /etc/passwd; sed -i '/^odd/d' /etc/group");
}

TEST_F(Privileges, g048_a_crash_leaves_no_core_also_where_the_caller_wants_one) {
    host().write("/usr/local/bin/hold",
                 "#!/bin/sh\ntouch /run/held\nwhile [ -e /run/hold ]; do sleep .05; done\n", "0755");
    const Line line(host(), "/etc/pam.d/jit-sudo", "account required pam_exec.so quiet /usr/local/bin/hold");
    host().root("touch /run/hold");
    Session command =
        host().begin_as("alice", "mkdir -p ~/cores; cd ~/cores; ulimit -c unlimited; jit-sudo -n id; "
                                 "echo status=$?");
    ASSERT_TRUE(eventually([&] { return host().root("test -e /run/held").status == 0; }));
    EXPECT_THAT(host().root("grep core /proc/$(pgrep -x -o jit-sudo)/limits").out,
                testing::ContainsRegex("Max core file size +0 "));
    host().root("pkill -SEGV -x jit-sudo; rm -f /run/hold /run/held");
    const auto ended = command.wait();
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->out, "status=139\n") << *ended;
    EXPECT_THAT(ended->err, Not(HasSubstr("core dumped"))) << *ended;
    EXPECT_EQ(host().root("ls /home/alice/cores").out, "");
}

TEST_F(Privileges, g051_what_was_open_is_not_open_in_the_command) {
    const auto runs =
        all("alice", {"echo marked >~/marked; oddly holding ~/marked jit-sudo -n ls /proc/self/fd",
                      "oddly holding ~/marked jit-sudo -n -u carol sh -c 'echo x >&9 || echo closed'",
                      "cat ~/marked"});
    EXPECT_THAT(runs[0], RanAndSaid("0\n1\n2\n3\n")); // 3: the directory that ls reads
    EXPECT_THAT(runs[1].out, "closed\n") << runs[1];
    EXPECT_THAT(runs[2], RanAndSaid("marked\n"));
    const Result on_terminal = host().as("alice", "jit-sudo -n ls -1 /proc/self/fd", {.tty = true});
    EXPECT_THAT(on_terminal.out, "0\r\n1\r\n2\r\n3\r\n") << on_terminal;
}

TEST_F(Privileges, g052_the_caller_can_neither_trace_nor_read_it_nor_signal_the_command) {
    Session command = host().begin_as("alice", "jit-sudo -n sleep 4052");
    ASSERT_TRUE(eventually([&] { return host().root("pgrep -fx 'sleep 4052'").status == 0; }));
    for (const char* who : {"pgrep -fx 'sleep 4052'", "pgrep -x -o jit-sudo"}) {
        // The helper is theirs to signal as soon as the command runs; what it runs isn't.
        const bool helper = std::string(who).ends_with("jit-sudo");
        EXPECT_THAT(one("alice", "kill -0 $(" + std::string(who) + ") 2>/dev/null && echo sent").out,
                    helper ? "sent\n" : "")
            << who;
        // The last of what it sends kills.
        EXPECT_THAT(one("alice", "oddly touch $(" + std::string(who) + ") | grep -v '^sent'").out, "") << who;
    }
    EXPECT_TRUE(command.wait());
}

TEST_F(Privileges, g052_one_that_its_caller_stops_or_kills_keeps_nothing_from_its_end) {
    const std::string id = ask(host(), "carol", "short");
    Session stopped = host().begin_as("carol", "jit-sudo -n sleep 4152");
    Session killed = host().begin_as("carol", "jit-sudo -n sleep 4252");
    const auto runs = [](const char* command) {
        return host().root("pgrep -fx '" + std::string(command) + "'").status == 0;
    };
    ASSERT_TRUE(eventually([&] { return runs("sleep 4152") && runs("sleep 4252"); }));
    host().as("carol", "kill -KILL $(pgrep -f '^jit-sudo -n sleep 4252'); "
                       "kill -STOP $(pgrep -f '^jit-sudo -n sleep 4152')");
    EXPECT_TRUE(eventually([&] { return !runs("sleep 4252"); }));
    EXPECT_TRUE(runs("sleep 4152"));
    EXPECT_EQ(host().root("jitctl revoke " + id + " --reason over").status, 0);
    EXPECT_TRUE(eventually([&] { return !runs("sleep 4152"); }));
    host().root("pkill -CONT -x jit-sudo");
    EXPECT_TRUE(stopped.wait());
    EXPECT_TRUE(killed.wait());
}

TEST_F(Privileges, g093_an_account_that_is_over_gets_nothing_whatever_was_granted) {
    grant_erin("\"root\"");
    EXPECT_THAT(as_erin("jit-sudo -n id -u"), RanAndSaid("0\n"));
    host().root("chage -E 0 erin");
    EXPECT_THAT(as_erin("jit-sudo -n id -u"), IsRefused());
    host().root("chage -E -1 erin; echo erin:pw-erin | chpasswd; chage -d 0 erin");
    EXPECT_THAT(as_erin("jit-sudo -n id -u"), IsRefused());
    host().root("chage -d $(date +%F) erin");
    EXPECT_THAT(as_erin("jit-sudo -n id -u"), RanAndSaid("0\n"));
    {
        const Line line(host(), "/etc/pam.d/jit-sudo", "account required pam_deny.so");
        EXPECT_THAT(as_erin("jit-sudo -n id -u"), IsRefused());
    }
    {
        const Line line(host(), "/etc/pam.d/jit-sudo", "session required pam_deny.so");
        EXPECT_THAT(as_erin("jit-sudo -n id -u"), IsRefused());
    }
    {
        const Line line(host(), "/etc/pam.d/jit-sudo", "account required pam_nonesuch.so");
        EXPECT_THAT(as_erin("jit-sudo -n id -u"), IsRefused());
    }
    ungrant();
}

TEST_F(Privileges, x06_closed_standard_streams_never_become_a_file_of_roots) {
    std::vector<std::string> commands;
    for (int closed = 0; closed < 8; ++closed) {
        std::string streams;
        for (int fd = 0; fd < 3; ++fd)
            if ((closed >> fd & 1) != 0)
                streams += " " + std::to_string(fd) + ">&-";
        commands.push_back("rm -f /tmp/x06; jit-sudo -n sh -c 'exec 9>/tmp/x06; for fd in 0 1 2; do "
                           "is=$(readlink /proc/$$/fd/$fd); echo $is >&9; done'" +
                           streams +
                           "; sed 's|.*/out$|other|; s|.*/err$|other|; s|/dev/full|/dev/null|' /tmp/x06");
    }
    const auto runs = all("alice", commands);
    for (int closed = 0; closed < 8; ++closed) {
        std::string expected;
        for (int fd = 0; fd < 3; ++fd)
            expected += fd == 0 || (closed >> fd & 1) != 0 ? "/dev/null\n" : "other\n";
        EXPECT_EQ(runs[static_cast<std::size_t>(closed)].out, expected) << closed;
    }
    host().root("rm -f /tmp/x06");
}

TEST_F(Privileges, x07_limits_of_nothing_end_in_all_or_nothing) {
    std::vector<std::string> commands;
    for (const char* limit : {"as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice",
                              "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack"})
        for (const char* value : {"0:0", "1:1", "0:", "1:"})
            commands.push_back(std::string("prlimit --") + limit + "=" + value +
                               " jit-sudo -n -u carol id -un | cat; exit ${PIPESTATUS[0]}");
    const auto runs = all("alice", commands);
    std::size_t ran = 0;
    for (std::size_t index = 0; index < runs.size(); ++index) {
        // With no second of the processor left the kernel kills the command itself at its first tick.
        if (runs[index].status != 137 || commands[index].find("--cpu=") == std::string::npos) {
            EXPECT_THAT(runs[index], AnyOf(RanAndSaid("carol\n"), RanNothing())) << commands[index];
        }
        ran += runs[index].status == 0 ? 1 : 0;
    }
    EXPECT_GT(ran, runs.size() / 2);
    // What the caller may not have is not given either: they are the caller's again in the command.
    EXPECT_THAT(one("alice", "ulimit -n 100; ulimit -u 50; jit-sudo -n -u carol sh -c 'ulimit -n'"),
                RanAndSaid("100\n"));
}

TEST_F(Privileges, x08_in_a_user_namespace_of_ones_own_it_is_nobodys_root) {
    const auto runs =
        all("alice",
            {
                "unshare --user --map-root-user jit-sudo -n id",
                "unshare --user --map-root-user --mount sh -c 'mkdir -p ~/fake && mount --bind ~/fake "
                "/etc/pam.d && "
                "jit-sudo -n id'",
                "unshare --user --map-root-user --mount sh -c 'mount -t tmpfs none /run && jit-sudo -n id'",
                "unshare --user --map-root-user --pid --fork --mount-proc jit-sudo -n id",
                "unshare --user jit-sudo -n id",
            });
    EXPECT_THAT(runs, Each(RanNothing()));
}

TEST_F(Privileges, x09_where_no_privileges_can_be_gained_it_says_so_and_runs_nothing) {
    const auto runs =
        all("alice", {"setpriv --no-new-privs jit-sudo -n id", "cp /usr/bin/jit-sudo ~/copy; ~/copy -n id",
                      "cp /usr/bin/jit-sudo ~/copy; chmod 4755 ~/copy; ~/copy -n id"});
    EXPECT_THAT(runs, Each(IsRefused()));
    EXPECT_THAT(runs[0].err, HasSubstr("no_new_privs"));
}

// Some files of /proc ask who writes, not who opened them: /proc/self/loginuid is one, and oom_score_adj.
TEST_F(Privileges, x24_what_it_says_is_written_with_the_callers_rights) {
    const auto runs = all("dave", {"cat /proc/self/autogroup",
                                   "echo wrong | SUDO_PROMPT=-12 jit-sudo -kS id 2>/proc/$$/autogroup",
                                   "jit-sudo -n -u -12 2>/proc/$$/autogroup", "cat /proc/self/autogroup"});
    EXPECT_THAT(runs[0].out, HasSubstr("nice 0\n")) << "this kernel has no such file";
    EXPECT_EQ(runs[1].status, 1);
    EXPECT_THAT(runs[3].out, HasSubstr("nice 0\n"));
    Session forger = host().begin_as(
        "dave", "echo pw-dave | sh -c 'exec jit-sudo -kS -p $(id -u bob) sleep 4024 2>/proc/self/loginuid'");
    ASSERT_TRUE(eventually([] { return host().root("pgrep -fx 'sleep 4024'").status == 0; }));
    EXPECT_EQ(host().root("cat /proc/$(pgrep -fx 'sleep 4024')/loginuid").out,
              host().root("printf %s $(id -u dave)").out);
    host().root("pkill -fx 'sleep 4024'");
    EXPECT_TRUE(forger.wait());
}

} // namespace
} // namespace jit::host
