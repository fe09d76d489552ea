// SPDX-License-Identifier: MIT
// Locks: what there is ends at once, and nothing begins until they are lifted.
#include "tests/host/logins.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

class Locks : public GatedHost {
protected:
    Locks() {
        host.policy(std::string(LOGIN_POLICY) + R"(
[role.run]
risk         = "low"
eligible     = ["alice", "bob"]
max          = "1h"
authenticate = false
commands     = ["/usr/bin/sh **", "/usr/bin/sleep *"]
)");
        gate("sshd", "--only sre");
    }
    std::string lock(const std::string& what) {
        return json_of(host.root("jitctl --json lock " + what)).at("lock").at("id");
    }
};

TEST_F(Locks, a_user_loses_the_login_and_the_command_at_once_and_is_told_why) {
    let_in("web-login --for 10m");
    Session login = host.begin_as("alice", "echo in; setsid sleep 711 & sleep 600");
    ASSERT_TRUE(login.shows("in"));
    ask(host, "bob", "run");
    Session others = host.begin_as("bob", "echo in; jit-sudo -n sleep 600");
    ASSERT_TRUE(others.shows("in"));
    ASSERT_EQ(host.as("alice", "jitctl request run --reason test").status, 0);
    Session elevated = host.begin_as(
        "alice", "jit-sudo -n sh -c 'echo root; trap \"\" TERM HUP; sleep 712; sleep 712'", {.tty = true});
    ASSERT_TRUE(elevated.shows("root"));

    const Result locked = host.root("jitctl lock user alice --reason 'laptop stolen'");
    EXPECT_EQ(locked.status, 0) << locked;
    EXPECT_THAT(locked.out,
                AllOf(HasSubstr("locked alice until it is lifted: 2 grants ended, 0 requests cancelled"),
                      HasSubstr("jitctl unlock ")));
    EXPECT_TRUE(login.wait(3s));
    EXPECT_TRUE(elevated.wait(3s));
    EXPECT_TRUE(eventually([&] { return running("sleep 71[12]").empty(); }, 3s)) << host.root("ps -ef").out;
    EXPECT_NE(host.as("alice", "true").status, 0);
    EXPECT_FALSE(others.wait(500ms)) << "bob's command goes on";
    const Result refused = host.as("bob", "jitctl grant alice door --reason please");
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.err, HasSubstr("alice is locked: laptop stolen"));
    EXPECT_THAT(audit(), AllOf(HasSubstr("lock.set"), HasSubstr("cause=locked")));
    // Nobody else's business.
    EXPECT_EQ(host.as("bob", "jitctl locks").out, "no locks\n");
}

TEST_F(Locks, jit_sudo_says_it_and_offers_nothing) {
    ask(host, "bob", "run");
    Session session = host.begin_as("bob", "jit-sudo sh -c 'echo root; sleep 600'", {.tty = true});
    ASSERT_TRUE(session.shows("root"));
    const std::string id = lock("user bob --reason 'on leave'");
    ASSERT_TRUE(session.shows("bob is locked: on leave")) << session.output();
    const Result refused = host.as("bob", "jit-sudo -n sleep 1");
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.err, HasSubstr("bob is locked: on leave"));
    EXPECT_THAT(refused.err, testing::Not(HasSubstr("jitctl request")));
    EXPECT_THAT(host.as("bob", "jitctl locks").out,
                AllOf(HasSubstr(id), HasSubstr("bob until it is lifted, by root")));
    EXPECT_THAT(host.as("bob", "jitctl explain -- /usr/bin/sleep 1").out,
                HasSubstr("bob is locked: on leave"));

    EXPECT_EQ(host.as("bob", "jitctl unlock " + id).status, 1) << "not by the one it is for";
    EXPECT_EQ(host.root("jitctl unlock " + id + " --reason back").status, 0);
    EXPECT_EQ(host.as("bob", "jit-sudo -n sleep 0").status, 1) << "what it ended stays ended";
    ask(host, "bob", "run");
    EXPECT_EQ(host.as("bob", "jit-sudo -n sleep 0").status, 0);
    EXPECT_EQ(host.root("jitctl locks").out, "no locks\n");

    // Who is another by su is still who logged in.
    const char* const as_bob = "echo pw-bob | su - bob -c 'jit-sudo -n sleep 0'";
    EXPECT_EQ(host.as("carol", as_bob).status, 0);
    lock("user carol --reason gone");
    const Result carol = host.as("carol", as_bob);
    EXPECT_EQ(carol.status, 1);
    EXPECT_THAT(carol.err, HasSubstr("carol is locked: gone"));
    EXPECT_EQ(host.as("bob", "jit-sudo -n sleep 0").status, 0);
}

TEST_F(Locks, a_role_or_the_whole_host_for_a_time_and_through_a_reboot) {
    ask(host, "bob", "run");
    lock("role run --reason incident");
    EXPECT_EQ(host.as("bob", "jit-sudo -n sleep 0").status, 1);
    EXPECT_THAT(host.as("bob", "jitctl request run --reason x").err,
                HasSubstr("role run is locked: incident"));
    lock("host --reason 'intruder' --for 30s");
    EXPECT_THAT(host.as("bob", "jitctl request run --reason x").err, HasSubstr("locked"));
    EXPECT_THAT(host.as("bob", "jitctl grant alice door --reason x").err,
                HasSubstr("this host is locked until"));
    host.reboot();
    EXPECT_THAT(host.as("bob", "jitctl grant alice door --reason x").err,
                HasSubstr("this host is locked until"));
    EXPECT_TRUE(
        eventually([&] { return host.as("bob", "jitctl grant alice door --reason x").status == 0; }, 60s));
    EXPECT_THAT(host.as("bob", "jitctl request run --reason x").err, HasSubstr("role run is locked"));
    EXPECT_THAT(audit(), HasSubstr("lock.lifted"));
}

TEST_F(Locks, what_is_mistyped_or_not_ones_to_lock_locks_nothing) {
    EXPECT_THAT(host.root("jitctl lock user alcie --reason x").err, HasSubstr("there is no account 'alcie'"));
    EXPECT_THAT(host.root("jitctl lock role rnu --reason x").err, HasSubstr("there is no role 'rnu'"));
    EXPECT_THAT(host.root("jitctl lock user root --reason x").err, HasSubstr("root has nothing by grants"));
    EXPECT_EQ(host.root("jitctl lock user alice").status, 2);
    EXPECT_EQ(host.root("jitctl lock host --reason ' '").status, 2);
    EXPECT_EQ(host.root("jitctl lock").status, 2);
    EXPECT_EQ(host.as("bob", "jitctl lock host --reason mine").status, 1);
    EXPECT_EQ(host.root("jitctl locks").out, "no locks\n");
    // A directory that doesn't answer holds up no lock.
    host.root("systemctl stop jit-nss.socket jit-nss.service && systemctl mask --runtime jit-nss.socket");
    EXPECT_EQ(host.root("jitctl lock user alice --reason x").status, 0);
}

} // namespace
} // namespace jit::host
