// SPDX-License-Identifier: MIT
// Grants that end before their time by what was done with them, and what is said then.
#include "tests/host/logins.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

constexpr const char* ENDS_POLICY = R"(
[people.oncall]
members = ["bob"]

[risk.low]
auto_approve = "1h"
stages = [{ from = "oncall" }]

[role.once]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
uses         = 1
authenticate = false
commands     = ["/usr/bin/sh **"]

[role.thrice]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
uses         = 3
authenticate = false
commands     = ["/usr/bin/id -u"]
)";

class Ends : public GatedHost {
protected:
    Ends() { host.policy(ENDS_POLICY); }

    bool ended(const std::string& id, const std::string& cause) {
        return eventually([&] { return state(host, id) == "ended (" + cause + ")"; }, 15s);
    }
    bool ends(const std::string& what) {
        return eventually([&] { return running(what).empty(); }, 15s);
    }
};

TEST_F(Ends, used_up_with_its_last_command_and_what_that_left_behind) {
    const std::string id = ask(host, "alice", "once");
    EXPECT_THAT(host.as("alice", "jit-sudo -l").out, HasSubstr("1 command\n"));
    Session last = host.begin_as("alice", "jit-sudo sh -c 'sleep 901 & echo begun; sleep 902'");
    ASSERT_TRUE(last.shows("begun"));
    const Result refused = host.as("alice", "jit-sudo -n sh -c true");
    EXPECT_EQ(refused.status, 1) << refused;
    EXPECT_THAT(refused.err, AllOf(HasSubstr("your grant " + id + " of once is used up"),
                                   HasSubstr("jitctl request once --reason")));
    EXPECT_THAT(host.as("alice", "jitctl list").out, HasSubstr("0 commands"));
    EXPECT_EQ(state(host, id), "active") << "its command is running";
    host.root("pkill -fx 'sleep 902'");
    EXPECT_TRUE(ended(id, "used_up")) << state(host, id);
    EXPECT_TRUE(ends("sleep 901"));
    const auto end = last.wait();
    ASSERT_TRUE(end);
    EXPECT_EQ(end->status, 128 + SIGTERM) << *end;
    EXPECT_THAT(end->err, Not(HasSubstr("ended"))) << "the command has ended by itself";
    EXPECT_THAT(audit(), HasSubstr("cause=used_up"));
    EXPECT_THAT(host.as("alice", "jitctl show " + id).out, HasSubstr("its one command is over"));

    // Whose jit-sudo is held up doesn't keep what was left behind.
    const std::string held = ask(host, "alice", "once");
    Session stopped = host.begin_as("alice", "jit-sudo sh -c 'sleep 903 & echo begun; sleep 904'");
    ASSERT_TRUE(stopped.shows("begun"));
    host.root("pkill -STOP -x jit-sudo; pkill -fx 'sleep 904'");
    EXPECT_TRUE(ended(held, "used_up")) << state(host, held);
    EXPECT_TRUE(ends("sleep 903"));
    host.root("pkill -CONT -x jit-sudo");

    // Nor does a jitd that wasn't there when it was over.
    const std::string unseen = ask(host, "alice", "once");
    Session unwatched = host.begin_as("alice", "jit-sudo sh -c 'sleep 905 & echo begun; sleep 906'");
    ASSERT_TRUE(unwatched.shows("begun"));
    host.root("systemctl stop jitd.socket jitd-helper.socket jitd.service; pkill -KILL -x jit-sudo; "
              "pkill -fx 'sleep 906'; systemctl start jitd.socket jitd-helper.socket jitd.service");
    EXPECT_TRUE(ended(unseen, "used_up")) << state(host, unseen);
    EXPECT_TRUE(ends("sleep 905"));
}

TEST_F(Ends, of_many_that_start_at_once_no_more_than_are_left_do) {
    const std::string id = ask(host, "alice", "thrice");
    const Result many = host.as("alice", "for n in $(seq 12); do jit-sudo -n id -u & done 2>/dev/null; wait");
    EXPECT_EQ(many.out, "0\n0\n0\n") << many;
    EXPECT_TRUE(ended(id, "used_up")) << state(host, id);
    EXPECT_TRUE(eventually([&] { return host.root("jitctl audit --kind use.ended | wc -l").out == "3\n"; }));
    EXPECT_THAT(host.root("jitctl audit --kind use.ended").out, Not(HasSubstr("killed=true")))
        << "they had ended by themselves";
}

} // namespace
} // namespace jit::host
