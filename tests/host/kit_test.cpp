// SPDX-License-Identifier: MIT
// The ground that the other host tests stand on.
#include "tests/host/kit.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

constexpr const char* UNSET = "4294967295";

TEST(Kit, TheHostStartsWithoutAFailedUnit) {
    Host host(With::nothing);
    EXPECT_EQ(host.root("systemctl --failed --no-legend").out, "");
}

TEST(Kit, APersonsLoginHasALoginUidAndAnAuditSessionAndRootCommandsHaveNone) {
    Host host(With::nothing);
    const Result alice =
        host.as("alice", "cat /proc/self/loginuid; echo; cat /proc/self/sessionid; echo; id -un");
    EXPECT_EQ(alice.status, 0) << alice;
    EXPECT_EQ(alice.out.substr(alice.out.rfind('\n', alice.out.size() - 2) + 1), "alice\n");
    EXPECT_THAT(alice.out, StartsWith(host.root("id -u alice").out));
    EXPECT_THAT(alice.out, Not(HasSubstr(UNSET)));
    EXPECT_EQ(host.root("cat /proc/self/loginuid /proc/self/sessionid").out, std::string(UNSET) + UNSET);
}

TEST(Kit, PeopleLogInWithAPasswordAndNotWithAWrongOne) {
    Host host(With::nothing);
    EXPECT_EQ(host.as("bob", "id -un", {.password = "pw-bob"}).out, "bob\n");
    EXPECT_EQ(host.as("bob", "id -un", {.password = "pw-alice"}).status, 255);
}

TEST(Kit, ACommandsExitCodeInputOutputAndErrorsComeBackApart) {
    Host host(With::nothing);
    const Result run = host.as("carol", "cat; echo oops >&2; exit 3", {.stdin_text = "hello"});
    EXPECT_EQ(run.status, 3);
    EXPECT_EQ(run.out, "hello");
    EXPECT_EQ(run.err, "oops\n");
    EXPECT_EQ(host.as("carol", "sleep 60", {.timeout = 1s}).status, 124);
}

TEST(Kit, ABackgroundSessionIsReadTypedToAndBroken) {
    Host host(With::nothing);
    {
        Session session =
            host.begin_as("dave", "echo ready; read line; echo got $line; sleep 1000", {.tty = true});
        ASSERT_TRUE(session.shows("ready"));
        session.type("a line\n");
        EXPECT_TRUE(session.shows("got a line"));
        EXPECT_FALSE(session.wait(100ms).has_value());
    }
    const auto gone = [&] {
        for (const Process& process : host.processes("dave"))
            if (process.command == "sleep 1000")
                return false;
        return true;
    };
    EXPECT_TRUE(eventually(gone));
}

TEST(Kit, AHostKeepsItsDiskAndNothingElseOverAPowerFailure) {
    Host host(With::nothing);
    host.write("/etc/kept", "kept");
    host.write("/run/lost", "lost");
    const std::string boot = host.root("cat /proc/sys/kernel/random/boot_id").out;
    host.power_failure();
    EXPECT_EQ(host.root("cat /etc/kept").out, "kept");
    EXPECT_NE(host.root("test -e /run/lost").status, 0);
    EXPECT_NE(host.root("cat /proc/sys/kernel/random/boot_id").out, boot);
}

} // namespace
} // namespace jit::host
