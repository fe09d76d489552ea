// SPDX-License-Identifier: MIT
// A host whose disk is full: somebody must be able to get in and clean up, and ends are recorded whatever
// others write.
#include "tests/host/access.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr const char* DISK_POLICY = R"(
[risk.low]
auto_approve = "1h"
[role.tools]
risk         = "low"
eligible     = ["alice", "dave"]
max          = "1h"
authenticate = false
commands     = ["/usr/bin/id", "/usr/bin/sleep *"]
)";

class FullDisk : public testing::Test {
protected:
    FullDisk() {
        host.root(
            "systemctl stop jitd.socket jitd-helper.socket jitd && cp -a /var/lib/jit /root/state && "
            "mount -t tmpfs -o size=96m,mode=0700 state /var/lib/jit && cp -a /root/state/. /var/lib/jit && "
            "systemctl start jitd.socket jitd-helper.socket jitd");
        host.policy(DISK_POLICY);
    }
    // Somebody else writes until there is no room.
    void fill() { host.root("dd if=/dev/zero bs=64k >>/var/lib/jit/somebody-elses 2>/dev/null"); }
    std::string parts() { return host.root("ls /var/lib/jit | grep -c reserve").out; }

    long ended(const std::string& user) {
        return std::stol(host.root("jitctl audit --kind use.ended | grep -c by=" + user).out);
    }

    Host host;
};

TEST_F(FullDisk, lives_on_its_reserve_then_gives_nothing_but_records_every_end) {
    const std::string kept = ask(host, "alice", "tools");
    for (int turn = 0; turn < 3; ++turn) {
        host.as("alice", "jit-sudo -n id"); // a part with each that is written
    }
    EXPECT_TRUE(eventually([&] { return ended("alice") == 3; }));
    EXPECT_EQ(parts(), "4\n");
    fill();
    // Somebody can still be let in and clean up.
    ask(host, "dave", "tools");
    EXPECT_EQ(host.as("dave", "jit-sudo -n id").status, 0);
    EXPECT_TRUE(eventually([&] { return ended("dave") == 1; }));
    EXPECT_EQ(parts(), "3\n");
    // Whoever writes on and on takes what was given up too, until only the ends' part is left.
    for (int turn = 0; turn < 3; ++turn) {
        fill();
        host.as("dave", "jitctl request tools --for " + std::to_string(turn + 1) + "m --reason x");
    }
    EXPECT_EQ(parts(), "1\n");
    EXPECT_THAT(host.as("alice", "jit-sudo -n id").err, HasSubstr("kept for recording ends"));
    EXPECT_THAT(host.as("alice", "jitctl extend " + kept + " --reason x").status, testing::Ne(0));
    EXPECT_EQ(host.root("jitctl revoke " + kept + " --reason full").status, 0);
    EXPECT_EQ(state(host, kept), "ended (revoked)");
    // Over a crash too.
    host.root("systemctl kill -s KILL jitd");
    EXPECT_TRUE(eventually([&] { return host.root("jitctl status").status == 0; }));
    EXPECT_EQ(state(host, kept), "ended (revoked)");
    EXPECT_THAT(host.root("jitctl audit verify").out, HasSubstr("intact"));
    EXPECT_EQ(parts(), "0\n") << "the end has used it";
    // Room again: it goes on, and the reserve comes back.
    host.root("rm /var/lib/jit/somebody-elses");
    for (int turn = 0; turn < 4; ++turn) {
        EXPECT_EQ(host.as("dave", "jit-sudo -n id").status, 0);
    }
    EXPECT_EQ(parts(), "4\n");
}

TEST_F(FullDisk, ends_come_on_time) {
    ask(host, "alice", "tools --for 4s");
    Session one = host.begin_as("alice", "jit-sudo -n sleep 1001");
    ASSERT_TRUE(eventually([&] { return !host.root("pgrep -fx 'sleep 1001'").out.empty(); }));
    fill();
    EXPECT_TRUE(one.wait(6s));
    // The command ends a moment before its grant: at the notice.
    EXPECT_TRUE(eventually([&] { return !host.root("jitctl audit --kind grant.ended").out.empty(); }));
    EXPECT_THAT(host.root("jitctl audit").out, AllOf(HasSubstr("grant.ended"), HasSubstr("cause=expired")));
}

} // namespace
} // namespace jit::host
