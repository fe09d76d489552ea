// SPDX-License-Identifier: MIT
// The machine misbehaves while grants live. New access fails closed, an end is on time, and nothing is left.
#include "tests/host/logins.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

class Machine : public GatedHost {
protected:
    Machine() {
        host.policy(std::string(LOGIN_POLICY) + R"(
[role.run]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
authenticate = false
commands     = ["/usr/bin/sleep *"]

[role.member]
risk        = "low"
eligible    = ["alice"]
max         = "1h"
memberships = ["vault"]
)");
        host.root("groupadd vault");
    }
    Session runs(const std::string& seconds) {
        Session command = host.begin_as("alice", "jit-sudo -n sleep " + seconds);
        EXPECT_TRUE(eventually([&] { return !running("sleep " + seconds).empty(); }));
        return command;
    }
};

TEST_F(Machine, a_stopped_jitd_is_noticed_by_systemd_and_what_became_due_meanwhile_ends) {
    host.root(
        "mkdir -p /run/systemd/system/jitd.service.d; printf '[Service]\\nWatchdogSec=2\\n' "
        ">/run/systemd/system/jitd.service.d/watchdog.conf; systemctl daemon-reload; systemctl restart jitd");
    ask(host, "alice", "run --for 4s");
    Session command = runs("9301");
    host.stop_sweep();
    host.root("systemctl kill -s STOP jitd; kill -STOP $(pgrep -x jit-sudo)"); // nobody but systemd can help
    EXPECT_TRUE(eventually([&] { return running("sleep 9301").empty(); }, 30s));
    EXPECT_TRUE(eventually([&] { return audit().find("grant.ended") != std::string::npos; }));
    host.root("kill -CONT $(pgrep -x jit-sudo)");
    host.start_sweep();
}

// All that root in a grant has to do so that nothing is left which ends anything.
TEST_F(Machine, who_stops_jitd_and_the_sweep_stops_no_end) {
    ask(host, "alice", "member --for 5s");
    ask(host, "alice", "run --for 5s");
    Session carries = host.begin_as("alice", "sleep 9302 & exec sleep 9302");
    Session command = runs("9303");
    host.root("systemctl stop jitd.socket jitd-helper.socket jitd.service jit-sweep.timer jit-sweep.service");
    EXPECT_TRUE(eventually([&] { return running("sleep 930[23]").empty(); }, 60s));
    EXPECT_NE(host.root("systemctl is-active jitd.service").status, 0) << "jitd itself stays stopped";
    EXPECT_NE(host.root("test -e /run/userdb/alice:vault.membership").status, 0);
    host.root("systemctl start jitd.socket jitd-helper.socket jitd.service");
    EXPECT_THAT(audit(), HasSubstr("daemon.stopped"));
    EXPECT_TRUE(eventually([&] { return audit().find("use.ended") != std::string::npos; }));
    EXPECT_THAT(host.root("jitctl audit --kind use.ended").out,
                AllOf(HasSubstr("unseen=true"), Not(HasSubstr("run_time"))))
        << "how long it ran isn't known";
}

TEST_F(Machine, nothing_of_systemd_that_restarts_prolongs_or_ends_a_grant) {
    gate("sshd", "--only sre");
    let_in("door --for 8s");
    ask(host, "alice", "run --for 8s");
    Session login = host.begin_as("alice", "echo in; sleep 9311");
    ASSERT_TRUE(login.shows("in"));
    Session command = runs("9312");
    host.root("systemctl daemon-reload; systemctl restart systemd-logind systemd-journald; systemctl "
              "daemon-reexec");
    EXPECT_THAT(running("sleep 931[12]"), Not(IsEmpty()));
    EXPECT_TRUE(login.wait(15s));
    EXPECT_TRUE(eventually([&] { return running("sleep 931[12]").empty(); }, 10s));
}

TEST_F(Machine, with_an_account_database_that_hangs_whatever_is_asked_ends_are_on_time_and_all_is_answered) {
    host.copy(JIT_NSS_HANG, "/usr/lib/libnss_hang.so.2");
    host.root(
        "sed -Ei 's/^(passwd|group): */&hang /' /etc/nsswitch.conf; ldconfig; systemctl restart jit-nss");
    ASSERT_THAT(host.root("grep hang /etc/nsswitch.conf").out,
                AllOf(HasSubstr("passwd:"), HasSubstr("group:")));
    gate("sshd", "--only sre");
    let_in("door --for 8s");
    const std::string id = ask(host, "alice", "run --for 8s");
    Session login = host.begin_as("alice", "echo in; sleep 9341");
    ASSERT_TRUE(login.shows("in"));
    Session command = runs("9342");
    Session carol = host.begin_as("carol", "echo in; read go; jitctl request logs --reason x; echo $?");
    ASSERT_TRUE(carol.shows("in"));
    host.root("touch /etc/nss-hangs");
    carol.type("\n");
    EXPECT_TRUE(carol.shows("8\n", 15s)) << "it isn't known who she is: " << carol.output();
    EXPECT_TRUE(login.wait(10s)) << "it still hangs";
    const Json ended = show(host, id); // it doesn't any more
    EXPECT_EQ(ended.at("cause"), "expired");
    EXPECT_LT(ended.at("ended").get<long>() - ended.at("not_after").get<long>(), 1000);
    EXPECT_THAT(running("sleep 934[12]"), IsEmpty());
    EXPECT_THAT(registered(), IsEmpty());
    EXPECT_EQ(request(host, "carol", "logs").at("state"), "pending");
}

// As one leaves it that is killed while it looks through what people run.
TEST_F(Machine, whom_a_killed_jitd_held_still_runs_again_by_the_next_or_by_the_sweep) {
    Session alice = host.begin_as("alice", "echo in; sleep 60");
    ASSERT_TRUE(alice.shows("in"));
    const std::string unit =
        host.root("cd /sys/fs/cgroup/user.slice; echo -n user-1000.slice/session-*.scope").out;
    const std::string freeze = "/sys/fs/cgroup/user.slice/" + unit + "/cgroup.freeze";
    const auto runs_again = [&] { return host.root("cat " + freeze).out == "0\n"; };
    const std::string hold = "echo " + unit + " >/run/jit/held-jitd; echo 1 >" + freeze + "; ";

    EXPECT_EQ(host.root(hold + "cat " + freeze + "; systemctl kill -s KILL jitd").out, "1\n");
    EXPECT_TRUE(eventually(runs_again));

    // The clock was set back since; and it was a while ago.
    for (const char* written : {"tomorrow", "5 seconds ago"}) {
        host.stop_sweep();
        host.root("systemctl stop jitd.socket jitd-helper.socket jitd; " + hold + "touch -d '" + written +
                  "' /run/jit/held-jitd; systemctl start jit-sweep");
        EXPECT_TRUE(eventually(runs_again)) << written;
    }
    EXPECT_NE(host.root("test -e /run/jit/held-jitd").status, 0);
    host.root("systemctl start jitd.socket jitd-helper.socket jitd");
    host.start_sweep();
}

// PID 1 waits for what it starts to execute: were that held as well, it would wait for ever, and nobody could
// start the next jitd.
TEST_F(Machine, pid_1_waits_for_nobody_whom_a_killed_jitd_held_still) {
    host.copy(JIT_AT_CALL, "/root/at_call", "0755");
    const std::string frozen = "cat /sys/fs/cgroup/user.slice/user-1000.slice/session-*.scope/cgroup.freeze";
    Session first = host.begin_as("alice", "echo in; sleep 600");
    Session second = host.begin_as("alice", "echo in; sleep 600");
    ASSERT_TRUE(first.shows("in") && second.shows("in"));
    ask(host, "alice", "member --for 3s");
    host.stop_sweep();
    host.root("mkdir -p /run/systemd/system/jitd.service.d; "
              "printf '[Service]\\nRestart=no\\n' >/run/systemd/system/jitd.service.d/once.conf; "
              "systemctl daemon-reload; /root/at_call $(pgrep -x jitd) 3 kill cgroup.freeze >/root/killed & "
              "until grep -q armed /root/killed; do sleep .01; done");
    EXPECT_TRUE(eventually([&] { return host.root("pgrep -x jitd").status != 0; }, 10s));
    EXPECT_THAT(host.root(frozen).out, HasSubstr("1\n1\n")) << host.root("cat /root/killed").out;
    EXPECT_EQ(host.root("timeout 10 systemd-run -q --wait --slice=user-1000.slice true").status, 0);
    host.root("rm /run/systemd/system/jitd.service.d/once.conf; systemctl daemon-reload; "
              "systemctl start jitd");
    host.start_sweep();
    EXPECT_THAT(host.root(frozen).out, Not(HasSubstr("1")));
}

TEST_F(Machine, with_run_full_nobody_new_gets_in_and_the_end_is_on_time) {
    gate("sshd", "--only sre");
    let_in("door --for 6s");
    ask(host, "alice", "run --for 6s");
    Session login = host.begin_as("alice", "echo in; sleep 9321");
    ASSERT_TRUE(login.shows("in"));
    Session command = runs("9322");
    host.root("dd if=/dev/zero of=/run/jit/full bs=1M 2>/dev/null; dd if=/dev/zero of=/run/jit/full2 bs=1 "
              "count=4096 "
              "2>/dev/null; true");
    EXPECT_THAT(host.root("df --output=avail /run/jit | tail -1 | tr -d ' '").out, "0\n");
    EXPECT_NE(host.as("alice", "true").status, 0) << "what can't be registered isn't let in";
    EXPECT_TRUE(login.wait(15s));
    EXPECT_TRUE(eventually([&] { return running("sleep 932[12]").empty(); }, 10s));
    host.root("rm /run/jit/full*");
    EXPECT_TRUE(eventually([&] { return host.root("jitctl leftovers").status == 0; }, 30s));
}

// Who has the gid that hidepid spares sees everybody, and by default that is root's: it takes a gid= to be
// blind.
TEST_F(Machine, hidepid_blinds_nobody_and_who_is_blind_says_so_and_not_0_leftovers) {
    const std::string blind = "nsenter -t $(pgrep -x jitd) -m mount -o remount,hidepid=2,gid=65534 /proc; ";
    EXPECT_EQ(host.root(blind + "jitctl leftovers").out, "0 leftovers\n") << "jitd has CAP_SYS_PTRACE";
    host.root(
        "mkdir -p /run/systemd/system/jitd.service.d; printf '[Service]\\nCapabilityBoundingSet=\\n"
        "CapabilityBoundingSet=CAP_KILL CAP_DAC_READ_SEARCH\\nProtectProc=invisible\\n' "
        ">/run/systemd/system/jitd.service.d/blind.conf; systemctl daemon-reload; systemctl restart jitd");
    const Result looked = host.root(blind + "jitctl leftovers");
    EXPECT_NE(looked.status, 0);
    EXPECT_THAT(looked.out + looked.err, AllOf(HasSubstr("hidepid"), Not(HasSubstr("0 leftovers"))));
    host.root(
        "rm /run/systemd/system/jitd.service.d/blind.conf; systemctl daemon-reload; systemctl restart jitd");
}

} // namespace
} // namespace jit::host
