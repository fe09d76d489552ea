// SPDX-License-Identifier: MIT
// Ways out of a grant that need no root (docs/security.md lists them): each is shown to work where the end is
// that of a session, or of sudo's TIMEOUT, and then not to.
#include "tests/host/logins.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

class Escapes : public GatedHost {
protected:
    Escapes() {
        host.policy(std::string(LOGIN_POLICY) + R"(
[role.journal]
risk        = "medium"
eligible    = ["@sre"]
max         = "1h"
memberships = ["systemd-journal"]

[role.run]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
authenticate = false
commands     = ["/usr/bin/bash **"]
)");
        gid = host.root("getent group systemd-journal | cut -d: -f3 | tr -d '\\n'").out;
    }
    // The command lines of alice's processes that have the group, by any of their gids.
    std::string carriers() {
        return host
            .root("for p in /proc/[0-9]*; do grep -qsE '^Uid:.*\\b1000\\b' $p/status && grep -qsE "
                  "'^(Gid|Groups):.*\\b" +
                  gid + "\\b' $p/status && tr '\\0' ' ' <$p/cmdline && echo; done; true")
            .out;
    }
    std::string gid;
};

// Each sleeps for a time of its own. What runs in a service of alice's manager, by at or by cron never had a
// group that only the login's processes have.
const char* const WAYS = "export XDG_RUNTIME_DIR=/run/user/1000; "
                         "(setsid sleep 9001 >/dev/null 2>&1 &); nohup sleep 9002 >/dev/null 2>&1 & disown; "
                         "tmux new-session -d 'sleep 9003'; screen -dmS s sleep 9004; "
                         "systemd-run -q --user --scope --unit=way setsid sleep 9005 >/dev/null 2>&1 & "
                         "(trap '' TERM HUP INT; sleep 9006 >/dev/null 2>&1 &); "
                         "sleep 9007 >/dev/null 2>&1 & until pgrep -fx 'sleep 9007' >/dev/null; do sleep "
                         "0.1; done; kill -STOP $!; "
                         "(sg systemd-journal -c 'sleep 9008' >/dev/null 2>&1 &); "
                         "systemd-run -q --user sleep 9101; systemd-run -q --user --on-active=1 "
                         "--timer-property=AccuracySec=10ms sleep 9102; "
                         "echo 'sleep 9103' | at now 2>/dev/null; "
                         "until pgrep -fx 'sleep 9005' >/dev/null && pgrep -f 'sleep 9102$' >/dev/null; do "
                         "sleep 0.1; done; echo left; ";

TEST_F(Escapes, a_login_with_a_session_group_leaves_nobody_in_the_group) {
    host.root("systemctl start atd; mkdir -p /var/lib/systemd/linger; touch /var/lib/systemd/linger/alice; "
              "systemctl start user@1000");
    gate("sshd", "--only sre");
    const std::string grant = let_in("web-login --for 10m");
    Session session = host.begin_as("alice", std::string(WAYS) + "sleep 600");
    ASSERT_TRUE(session.shows("left", 30s));
    ASSERT_TRUE(eventually([&] { return !running("sleep 9103").empty(); }));
    for (const char* way : {"9001", "9002", "9003", "9004", "9005", "9006", "9007"}) {
        EXPECT_THAT(carriers(), HasSubstr(std::string("sleep ") + way + " \n"));
    }
    EXPECT_THAT(carriers(), AllOf(Not(HasSubstr("sleep 9101 \n")), Not(HasSubstr("sleep 9102 \n")),
                                  Not(HasSubstr("sleep 9103 \n"))));
    // The end of the session leaves them there.
    host.root("pkill -fx 'sleep 600'");
    EXPECT_TRUE(session.wait(30s));
    EXPECT_THAT(carriers(), HasSubstr("sleep 9005 \n"));
    host.root("jitctl revoke " + grant + " --reason enough");
    EXPECT_TRUE(eventually([&] { return carriers().empty(); })) << carriers();
    EXPECT_THAT(running("sleep 9005"), IsEmpty());
}

TEST_F(Escapes, a_membership_ends_in_services_timers_and_jobs_that_were_started_while_it_held) {
    host.root(
        "systemctl start atd cron; mkdir -p /var/lib/systemd/linger; touch /var/lib/systemd/linger/alice");
    const std::string grant = let_in("journal --for 10m");
    ASSERT_TRUE(
        eventually([&] { return host.root("id alice").out.find("systemd-journal") != std::string::npos; }));
    host.root("systemctl restart user@1000"); // it lingers, and would else be from before
    Session session = host.begin_as("alice", std::string(WAYS) + "sleep 600");
    ASSERT_TRUE(session.shows("left", 30s));
    ASSERT_TRUE(eventually([&] { return !running("sleep 9103").empty(); }));
    for (const char* way : {"9001", "9003", "9004", "9005", "9101", "9102", "9103"}) {
        EXPECT_THAT(carriers(), HasSubstr(std::string("sleep ") + way + " \n"));
    }
    // And for later: an at job of the next minute, and cron's.
    host.as("alice", "echo 'id -nG >/tmp/later' | at now + 1 minute 2>/dev/null; "
                     "echo '* * * * * id -nG >/tmp/cron' | crontab -");
    host.root("jitctl revoke " + grant + " --reason enough");
    EXPECT_TRUE(eventually([&] { return carriers().empty(); })) << carriers();
    EXPECT_TRUE(
        eventually([&] { return host.root("test -s /tmp/later && test -s /tmp/cron").status == 0; }, 90s));
    EXPECT_THAT(host.root("cat /tmp/later /tmp/cron").out, Not(HasSubstr("systemd-journal")));
}

TEST_F(Escapes, who_forks_without_a_pause_where_nobody_is_held_still_ends_too) {
    host.copy(JIT_FORK_CHAIN, "/usr/local/bin/fork_chain", "0755");
    // What is listed before it takes so long to read that it is another process by then.
    host.root("for i in $(seq 1000); do setsid sleep 900 </dev/null >/dev/null 2>&1 & done");
    host.root("systemctl start atd");
    // A service manager that its person has moved away from where one begins; and a job of at.
    const char* const moved =
        "systemd-run -q --user --scope fork_chain /tmp/beat 40 </dev/null >/dev/null 2>&1; "
        "cd /sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service; mkdir app.slice/x; "
        "for pid in $(cat init.scope/cgroup.procs); do echo $pid >app.slice/x/cgroup.procs; done";
    for (const std::string& way :
         {std::string("echo 'fork_chain /tmp/beat 40; true' | at now"), std::string(moved)}) {
        Session before_it = host.begin_as("alice", "echo in; sleep 600"); // its manager hasn't the group
        ASSERT_TRUE(before_it.shows("in"));
        const std::string grant = let_in("journal --for 10m");
        ASSERT_TRUE(eventually(
            [&] { return host.root("id alice").out.find("systemd-journal") != std::string::npos; }));
        host.as("alice", "export XDG_RUNTIME_DIR=/run/user/1000; " + way);
        const auto beats = [&] { return host.root("cat /tmp/beat 2>/dev/null | wc -c").out; };
        std::string before = beats();
        ASSERT_TRUE(eventually([&] { return beats() != before; })) << "nothing forks: " << way;
        host.root("jitctl revoke " + grant + " --reason enough; sleep 2");
        before = beats();
        EXPECT_FALSE(eventually([&] { return beats() != before; }, 2s)) << way;
        host.root("rm -f /tmp/beat");
    }
}

TEST_F(Escapes, what_outlives_the_timeout_of_sudo_doesnt_outlive_a_grant) {
    host.root("echo 'alice ALL=(ALL) TIMEOUT=1 NOPASSWD: /usr/bin/bash' >/etc/sudoers.d/timeout");
    const auto leave = [](const std::string& seconds) {
        return "/usr/bin/bash -c '(setsid sleep " + seconds + " >/dev/null 2>&1 &); exec sleep 600'";
    };
    host.as("alice", "sudo -n " + leave("9201"));
    EXPECT_THAT(running("sleep 9201"), Not(IsEmpty()));
    host.root("pkill -fx 'sleep 9201'");
    ask(host, "alice", "run --for 3s");
    host.as("alice", "jit-sudo -n " + leave("9202"));
    EXPECT_TRUE(eventually([&] { return running("sleep 9202").empty(); }, 5s));
}

TEST_F(Escapes, a_membership_ends_in_what_took_it_along_to_another_account) {
    host.root(
        "echo 'alice ALL=(bob,carol) NOPASSWD: ALL' >/etc/sudoers.d/as; gpasswd -a carol systemd-journal");
    const std::string grant = let_in("journal --for 10m");
    ASSERT_TRUE(
        eventually([&] { return host.root("id alice").out.find("systemd-journal") != std::string::npos; }));
    // -P: with the groups of who calls it.
    host.as("alice", "for way in '-P -u bob sleep 9311' '-u bob sleep 9312' '-u carol sleep 9313'; do "
                     "(setsid sudo -n $way >/dev/null 2>&1 </dev/null &); done; "
                     "until [ $(pgrep -fx 'sleep 931[123]' | wc -l) = 3 ]; do sleep .1; done");
    host.root("jitctl revoke " + grant + " --reason enough");
    EXPECT_TRUE(eventually([&] { return running("sleep 9311").empty(); }));
    EXPECT_THAT(running("sleep 9312"), Not(IsEmpty())) << "which never had it";
    EXPECT_THAT(running("sleep 9313"), Not(IsEmpty())) << "which has it by right";
}

TEST_F(Escapes, what_an_accomplice_runs_from_a_planted_file_ends_and_so_does_a_file_in_their_name) {
    host.root("echo 'alice ALL=(bob) NOPASSWD: ALL' >/etc/sudoers.d/as");
    gate("sshd", "--only sre");
    const std::string grant = let_in("web-login --for 10m");
    const auto plant = [](const std::string& file) {
        return "cp /usr/bin/bash " + file + "; chgrp systemd-journal " + file + "; chmod 2755 " + file + "; ";
    };
    EXPECT_EQ(host.as("alice", "umask 022; " + plant("/var/tmp/hers") + "sudo -n -P -u bob sh -c '" +
                                   plant("/var/tmp/his") + "ls /var/tmp/his'")
                  .out,
              "/var/tmp/his\n");
    host.as("bob", "(setsid /var/tmp/hers -p -c 'sleep 9321; true' >/dev/null 2>&1 </dev/null &); "
                   "(setsid /var/tmp/hers -p -c 'exec sleep 9322' >/dev/null 2>&1 </dev/null &); "
                   "until [ $(pgrep -fx 'sleep 932[12]' | wc -l) = 2 ]; do sleep .1; done");
    host.root("jitctl revoke " + grant + " --reason enough");
    EXPECT_TRUE(eventually([&] { return running("sleep 932[12]|.*hers.*").empty(); }, 20s));
    EXPECT_EQ(host.root("stat -c '%a %U' /var/tmp/hers /var/tmp/his").out, "755 alice\n755 bob\n");
}

} // namespace
} // namespace jit::host
