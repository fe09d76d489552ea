// SPDX-License-Identifier: MIT
// jitctl leftovers: what it finds. That there are none is looked at after every test on a host (kit.cpp).
#include "tests/host/logins.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

class Leftovers : public GatedHost {
protected:
    Leftovers() {
        host.policy(std::string(LOGIN_POLICY) + R"(
[role.run]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
authenticate = false
commands     = ["/usr/bin/sleep *"]
memberships  = ["adm"]
)");
        gate("sshd", "--only sre");
    }
    Result look() { return host.root("jitctl leftovers"); }
};

TEST_F(Leftovers, what_is_had_by_right_is_none) {
    let_in("web-login --for 10m");
    ask(host, "alice", "run");
    Session command = host.begin_as("alice", "jit-sudo -n sleep 600");
    ASSERT_TRUE(eventually([&] { return host.root("pgrep -fx 'sleep 600'").status == 0; }));
    ASSERT_TRUE(eventually([&] { return host.root("ls /run/userdb/alice:adm.membership").status == 0; }));
    const Result looked = look();
    EXPECT_EQ(looked.status, 0) << looked;
    EXPECT_EQ(looked.out, "0 leftovers\n");
    EXPECT_EQ(host.as("bob", "jitctl leftovers").status, 1) << "auditors and root look";
}

TEST_F(Leftovers, what_belongs_to_no_live_grant_is_found_and_named) {
    let_in("web-login --for 10m");
    ask(host, "alice", "run");
    Session command = host.begin_as("alice", "jit-sudo -n sleep 600");
    ASSERT_TRUE(eventually([&] { return host.root("pgrep -fx 'sleep 600'").status == 0; }));
    ASSERT_TRUE(eventually([&] { return host.root("ls /run/userdb/alice:adm.membership").status == 0; }));
    // Nothing is on its way any more that would have jitd look by itself.
    ASSERT_TRUE(eventually([&] { return host.root("ls /run/jit/uses | wc -l").out == "1\n"; }));
    // As if it had been forgotten: the database says that it is over, and the host doesn't know.
    edit_database(host, "UPDATE requests SET state = 'ended' WHERE state = 'active'");
    const Result looked = look();
    EXPECT_EQ(looked.status, 1) << looked;
    EXPECT_THAT(looked.out, AllOf(ContainsRegex("process [0-9]+ .sleep. of use [0-9a-f-]+ by alice"),
                                  ContainsRegex("process [0-9]+ .sshd"),
                                  ContainsRegex("cgroup [0-9a-f-]+ of a command by alice, with processes"),
                                  ContainsRegex("registration of session [0-9]+ by alice"),
                                  HasSubstr("membership of alice in adm"),
                                  ContainsRegex("login by [0-9a-f]+"), HasSubstr(" leftovers\n")));
    edit_database(host, "UPDATE requests SET state = 'active' WHERE state = 'ended'");
    EXPECT_EQ(look().status, 0);
    // As if a helper had gone astray, or root had.
    host.root("mkdir /sys/fs/cgroup/jit.slice/jit-elevations.service/abcd-01");
    EXPECT_THAT(look().out, HasSubstr("cgroup abcd-01 of no use, empty\n1 leftover\n"));
}

TEST_F(Leftovers, not_being_able_to_look_is_an_error) {
    host.root("rm /run/jit/logins.db");
    const Result looked = look();
    EXPECT_EQ(looked.status, 8) << looked;
    EXPECT_THAT(looked.err, HasSubstr("logins.db"));
}

} // namespace
} // namespace jit::host
