// SPDX-License-Identifier: MIT
// How a login ends: with its grants, wholly, and with nobody else's.
#include "tests/host/logins.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

// What somebody leaves behind in the hope that it stays: in another session, without a terminal, ignoring
// every signal, moved to their service manager, in another's shell.
constexpr const char* LEAVE_BEHIND =
    "setsid sleep 701 </dev/null >/dev/null 2>&1 & nohup sleep 702 </dev/null >/dev/null 2>&1 & "
    "(trap '' TERM HUP INT; sleep 703; sleep 703) </dev/null >/dev/null 2>&1 & "
    "systemd-run --user --scope -q sleep 704 </dev/null >/dev/null 2>&1 & "
    "sh -c 'sleep 705 & sleep 0.2; kill -STOP $!' </dev/null >/dev/null 2>&1 & sleep 0.5; echo left; ";

class LoginEnd : public GatedHost {
protected:
    LoginEnd() { gate("sshd", "--only sre"); }

    bool all_left() { return host.root("pgrep -fxc '.*sleep 70[1-5]'").out == "5\n"; }
    bool none_left() { return host.root("pgrep -fx '.*sleep 70[1-5]'").out.empty(); }
};

TEST_F(LoginEnd, at_the_deadline_with_all_that_was_left_behind) {
    let_in("door --for 8s");
    Session session = host.begin_as("alice", std::string(LEAVE_BEHIND) + "sleep 600");
    ASSERT_TRUE(session.shows("left"));
    EXPECT_TRUE(eventually([&] { return all_left(); }));
    const auto ended = session.wait(15s);
    ASSERT_TRUE(ended);
    EXPECT_NE(ended->status, 0);
    EXPECT_TRUE(eventually([&] { return none_left(); }, 3s)) << host.root("ps -ef").out;
    EXPECT_TRUE(eventually([&] { return registered().empty(); }));
    EXPECT_THAT(audit(), HasSubstr("cause=expired"));
    EXPECT_NE(host.as("alice", "true").status, 0);
}

TEST_F(LoginEnd, who_forks_without_a_pause_and_is_never_met_ends_too) {
    host.copy(JIT_FORK_CHAIN, "/usr/local/bin/fork_chain", "0755");
    const std::string id = let_in("web-login --for 10m");
    const auto beats = [&] { return host.root("cat /home/alice/beat* 2>/dev/null | wc -c").out; };
    // One of them stays where the session was, one moves to the service manager.
    EXPECT_EQ(host.as("alice",
                      "fork_chain ~/beat1 30 </dev/null >/dev/null 2>&1; "
                      "systemd-run --user --scope -q fork_chain ~/beat2 30 </dev/null >/dev/null 2>&1; "
                      "sleep 2; echo out")
                  .out,
              "out\n");
    // Nobody takes it for ended in the meantime.
    std::string before = beats();
    EXPECT_TRUE(eventually([&] { return beats() != before; }));
    EXPECT_THAT(registered(), Not(IsEmpty()));
    EXPECT_EQ(host.root("jitctl revoke " + id + " --reason enough").status, 0);
    EXPECT_TRUE(eventually([&] { return registered().empty(); }));
    before = beats();
    EXPECT_FALSE(eventually([&] { return beats() != before; }, 2s));
    EXPECT_THAT(host.root("cat /sys/fs/cgroup/user.slice/user-1000.slice/*/cgroup.freeze").out,
                Not(HasSubstr("1")));
}

TEST_F(LoginEnd, what_stays_after_logging_out_ends_with_the_grant) {
    const std::string id = let_in("door --for 10m");
    EXPECT_EQ(host.as("alice", LEAVE_BEHIND).out, "left\n");
    EXPECT_TRUE(eventually([&] { return all_left(); }));
    EXPECT_EQ(host.root("jitctl revoke " + id + " --reason enough").status, 0);
    EXPECT_TRUE(eventually([&] { return none_left(); }, 3s)) << host.root("ps -ef").out;
    EXPECT_TRUE(eventually([&] { return registered().empty(); }));
}

TEST_F(LoginEnd, when_it_is_revoked_or_released_or_the_role_is_gone) {
    std::string id = let_in("door --for 10m");
    Session first = host.begin_as("alice", "echo in; sleep 600");
    ASSERT_TRUE(first.shows("in"));
    EXPECT_EQ(host.root("jitctl revoke " + id + " --reason enough").status, 0);
    EXPECT_TRUE(first.wait(3s));

    let_in("door --for 10m");
    Session second = host.begin_as("alice", "echo in; sleep 600");
    ASSERT_TRUE(second.shows("in"));
    EXPECT_EQ(host.as("alice", "jitctl release $JIT_GRANT; sleep 9").status, 255);
    EXPECT_TRUE(second.wait(3s));

    let_in("door --for 10m");
    Session third = host.begin_as("alice", "echo in; sleep 600");
    ASSERT_TRUE(third.shows("in"));
    std::string without = LOGIN_POLICY;
    const std::size_t begin = without.find("[role.door]");
    without.erase(begin, without.find("[role.tools]") - begin);
    host.policy(without);
    EXPECT_TRUE(third.wait(3s));
}

TEST_F(LoginEnd, who_has_a_terminal_is_told_before_and_nobody_is_waited_for) {
    std::string policy = LOGIN_POLICY;
    policy.insert(policy.find("help ="), "notices = [\"6s\"]\n");
    host.policy(policy);
    const std::string id = let_in("web-login --for 14s");
    Session one = host.begin_as("alice", "echo in; sleep 600", {.tty = true});
    Session quiet = host.begin_as("alice", "chmod g-w $(tty); echo in; sleep 600", {.tty = true});
    Session held = host.begin_as("alice", "echo in; sleep 600", {.tty = true});
    Session bob = host.begin_as("bob", "echo in; sleep 600", {.tty = true});
    for (Session* each : {&one, &quiet, &held, &bob}) {
        ASSERT_TRUE(each->shows("in"));
    }
    held.type("\x13"); // ^S: it takes nothing more
    EXPECT_TRUE(one.shows("jit: web-login ends in 6 seconds, at ", 15s)) << one.output();
    EXPECT_THAT(one.output(),
                HasSubstr("and this login with it. To go on: jitctl extend " + id + " --reason"));
    EXPECT_TRUE(one.wait(10s));
    EXPECT_TRUE(held.wait(3s)) << "on time";
    EXPECT_TRUE(quiet.wait(3s));
    EXPECT_THAT(quiet.output(), Not(HasSubstr("ends in"))) << "they said no";
    EXPECT_THAT(bob.output(), Not(HasSubstr("ends in"))) << "not theirs";
}

TEST_F(LoginEnd, those_who_were_in_before_the_gate_and_those_not_gated_stay) {
    host.root("jitctl pam disable sshd");
    Session before = host.begin_as("alice", "echo in; sleep 600");
    ASSERT_TRUE(before.shows("in"));
    gate("sshd", "--only sre");
    Session bob = host.begin_as("bob", "echo in; sleep 600");
    ASSERT_TRUE(bob.shows("in"));
    const std::string id = let_in("door --for 10m");
    Session gated = host.begin_as("alice", "echo in; sleep 600");
    ASSERT_TRUE(gated.shows("in"));
    EXPECT_EQ(host.root("jitctl revoke " + id + " --reason enough").status, 0);
    EXPECT_TRUE(gated.wait(3s));
    EXPECT_FALSE(before.wait(500ms));
    EXPECT_FALSE(bob.wait(10ms));
}

TEST_F(LoginEnd, an_extension_carries_it_on) {
    const std::string id = let_in("web-login --for 6s");
    Session session = host.begin_as("alice", "echo in; sleep 9; echo still here; sleep 600");
    ASSERT_TRUE(session.shows("in"));
    const std::string more =
        json_of(host.as("alice", "jitctl --json extend " + id + " --for 1m --reason more"))
            .at("request")
            .at("id");
    ASSERT_EQ(host.as("bob", "jitctl approve " + more).status, 0);
    EXPECT_TRUE(session.shows("still here", 15s));
    EXPECT_EQ(host.root("jitctl revoke " + more + " --reason enough").status, 0);
    EXPECT_TRUE(session.wait(3s));
}

TEST_F(LoginEnd, a_second_grant_for_the_same_carries_it_on) {
    const std::string one = let_in("door --for 10m");
    const std::string two = let_in("web-login --for 10m");
    host.root("jitctl pam disable sshd");
    gate("sshd", "--only sre");
    Session session = host.begin_as("alice", "echo in; sleep 600");
    ASSERT_TRUE(session.shows("in"));
    // It has the group of the second, which nothing else gives: taking the first away changes nothing.
    EXPECT_EQ(host.root("jitctl revoke " + one + " --reason enough").status, 0);
    EXPECT_FALSE(session.wait(1s));
    EXPECT_EQ(host.root("jitctl revoke " + two + " --reason enough").status, 0);
    EXPECT_TRUE(session.wait(3s));
}

TEST_F(LoginEnd, a_login_with_a_group_ends_with_it_unless_another_grant_gives_the_group_too) {
    const std::string door = let_in("door --for 10m");
    const std::string logs = let_in("logs --for 10m");
    Session session = host.begin_as("alice", "id; sleep 600");
    ASSERT_TRUE(session.shows("(adm)"));
    const std::string more = let_in("more-logs --for 10m");
    EXPECT_EQ(host.root("jitctl revoke " + logs + " --reason enough").status, 0);
    EXPECT_FALSE(session.wait(1s));
    EXPECT_EQ(host.root("jitctl revoke " + more + " --reason enough").status, 0);
    EXPECT_TRUE(session.wait(3s));
    EXPECT_THAT(host.as("alice", "id").out, Not(HasSubstr("adm")));
}

TEST_F(LoginEnd, somebody_who_is_not_gated_is_told_that_the_session_ends_with_the_group) {
    const std::string id = json_of(host.as("bob", "jitctl --json grant carol logs --for 10m --reason test"))
                               .at("request")
                               .at("id");
    Session shell = host.begin_as("carol", "", {.tty = true});
    ASSERT_TRUE(shell.shows("with group adm: this session ends with it")) << shell.output();
    Session other = host.begin_as("carol", "id; sleep 600");
    ASSERT_TRUE(other.shows("(adm)"));
    EXPECT_EQ(host.root("jitctl revoke " + id + " --reason enough").status, 0);
    EXPECT_TRUE(shell.wait(3s));
    EXPECT_TRUE(other.wait(3s));
    EXPECT_EQ(host.as("carol", "id -un").out, "carol\n");
}

TEST_F(LoginEnd, what_the_account_has_anyway_binds_it_to_nothing) {
    host.root("usermod -aG adm carol");
    const std::string id = json_of(host.as("bob", "jitctl --json grant carol logs --for 10m --reason test"))
                               .at("request")
                               .at("id");
    Session session = host.begin_as("carol", "id; sleep 600");
    ASSERT_TRUE(session.shows("(adm)"));
    EXPECT_THAT(registered(), IsEmpty());
    EXPECT_EQ(host.root("jitctl revoke " + id + " --reason enough").status, 0);
    EXPECT_FALSE(session.wait(1s));
}

TEST_F(LoginEnd, a_second_channel_of_a_multiplexed_connection_ends_too) {
    let_in("door --for 10m");
    const Result both =
        host.root("S='ssh -F none -i /root/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "
                  "-o BatchMode=yes "
                  "-S /root/mux'; $S -M -f -N alice@127.0.0.1 && ($S alice@127.0.0.1 'echo in; sleep 706' "
                  ">/root/second & for _ in $(seq 100); do grep -qs in /root/second && break; sleep 0.1; "
                  "done; jitctl revoke $(jitctl --json list --all | grep -o '\"id\":\"[0-9a-f]*' | head "
                  "-1 | cut -d'\"' -f4) "
                  "--reason enough; wait); cat /root/second; $S -O check alice@127.0.0.1");
    EXPECT_THAT(both.out, HasSubstr("in\n")) << both;
    EXPECT_NE(both.status, 0) << both;
    EXPECT_TRUE(eventually([&] { return running("sleep 706").empty(); }));
}

TEST_F(LoginEnd, systemd_knows_the_last_limit) {
    let_in("web-login --for 10m");
    Session session = host.begin_as("alice", "tail -1 /proc/self/cgroup; echo in; sleep 600");
    ASSERT_TRUE(session.shows("in"));
    const std::string scope = session.output().substr(session.output().rfind("session-"), 40);
    const std::string limit =
        host.root("systemctl show -P RuntimeMaxUSec " + scope.substr(0, scope.find('\n'))).out;
    // As far as extensions may reach.
    EXPECT_THAT(limit, testing::AnyOf(HasSubstr("2h"), HasSubstr("1h 59min"))) << scope;
}

TEST_F(LoginEnd, jitd_killed_meanwhile_ends_it_on_time_all_the_same) {
    let_in("door --for 8s");
    Session session = host.begin_as("alice", std::string(LEAVE_BEHIND) + "sleep 600");
    ASSERT_TRUE(session.shows("left"));
    host.root("systemctl kill -s KILL jitd");
    EXPECT_FALSE(session.wait(1s));
    EXPECT_TRUE(session.wait(12s));
    EXPECT_TRUE(eventually([&] { return none_left(); }, 3s));
    EXPECT_THAT(host.root("jitctl audit verify").out, HasSubstr("intact"));
}

TEST_F(LoginEnd, without_jitd_the_sweep_ends_it_also_one_that_jitd_never_saw) {
    let_in("door --for 6s");
    Session seen = host.begin_as("alice", "echo in; sleep 600");
    ASSERT_TRUE(seen.shows("in"));
    host.stop_sweep();
    host.root("systemctl stop jitd.service jitd.socket jitd-helper.socket");
    Session unseen =
        host.begin_as("alice", "setsid sleep 707 >/dev/null 2>&1 & sleep 0.2; echo in; sleep 600");
    ASSERT_TRUE(unseen.shows("in"));
    host.root("systemctl start jit-sweep.service");
    EXPECT_FALSE(seen.wait(100ms)) << "it isn't over yet";
    EXPECT_FALSE(unseen.wait(100ms));
    EXPECT_TRUE(eventually(
        [&] {
            host.root("systemctl start jit-sweep.service");
            return running("sleep 707").empty();
        },
        12s));
    EXPECT_TRUE(seen.wait(3s));
    EXPECT_TRUE(unseen.wait(3s));
    // The table, which nobody renews, lets nobody in either.
    EXPECT_NE(host.as("alice", "true").status, 0);
}

TEST_F(LoginEnd, after_a_reboot_the_grant_still_lets_in_and_nothing_of_before_is_left) {
    const std::string id = let_in("door --for 10m");
    Session session = host.begin_as("alice", "echo in; sleep 600");
    ASSERT_TRUE(session.shows("in"));
    host.reboot();
    EXPECT_EQ(host.as("alice", "echo $JIT_GRANT").out, id + "\n");
    EXPECT_TRUE(eventually([&] { return registered().empty(); }));
    EXPECT_EQ(host.root("jitctl audit | grep -c use.ended").out, "2\n");
}

} // namespace
} // namespace jit::host
