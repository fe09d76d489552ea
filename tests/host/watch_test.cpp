// SPDX-License-Identifier: MIT
// jitctl watch, of a jitd that works.
#include "tests/host/access.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace jit::host {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr const char* SLEEPER = R"(
[role.sleeper]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
authenticate = false
commands     = ["/usr/bin/sleep *"]
)";
constexpr const char* LEAVES_PAGE = "\x1b[?1049l";

TEST(Watching, ShowsWhatIsLiveAsItChangesAndToNobodyMoreThanTheyMaySee) {
    Host host;
    host.policy(std::string(POLICY) + SLEEPER);
    Session page = host.begin_as("alice", "TERM=xterm jitctl watch", {.tty = true});
    EXPECT_TRUE(page.shows("nothing is live or pending")) << page.output();
    Session dave = host.begin_as("dave", "jitctl watch --json");
    EXPECT_TRUE(dave.shows("\n"));
    Session bob = host.begin_as("bob", "jitctl watch");
    EXPECT_TRUE(bob.shows("nothing is live or pending")) << bob.output();

    // Her own, as it begins.
    const std::string grant = ask(host, "alice", "sleeper");
    EXPECT_TRUE(page.shows("sleeper  alice  ")) << page.output();
    Session sleeping = host.begin_as("alice", "jit-sudo -n sleep 4711");
    EXPECT_TRUE(page.shows("UTC: /usr/bin/sleep 4711")) << page.output();
    const Json all = json_of(host.root("jitctl watch --once --json"));
    ASSERT_THAT(all.at("uses"), SizeIs(1)) << all;
    const Json& use = all.at("uses")[0];
    EXPECT_EQ(use.at("grant"), grant);
    EXPECT_THAT(use.at("argv"), ElementsAre("/usr/bin/sleep", "4711"));
    EXPECT_EQ(use.at("run_as"), "root");
    EXPECT_EQ(host.root("pgrep -fx 'sleep 4711'").out, to_string(use.at("pid")) + "\n");

    // What waits for bob, and nothing of what doesn't concern him.
    const std::string request = ask(host, "alice", "web-ops --for 10m");
    EXPECT_TRUE(bob.shows("waits for you: jitctl approve " + request)) << bob.output();
    const std::string told = host.as("bob", "jitctl watch --once --json").out;
    EXPECT_THAT(told, AllOf(HasSubstr(request), Not(HasSubstr("sleep"))));
    EXPECT_EQ(host.as("bob", "jitctl approve " + request).status, 0);
    EXPECT_TRUE(page.shows("web-ops  alice  ")) << page.output();

    // Over a restart, and to the end of it all.
    host.root("systemctl restart jitd");
    EXPECT_EQ(host.root("jitctl revoke --reason enough " + grant + " " + request).status, 0);
    EXPECT_TRUE(sleeping.wait());
    const auto nothing_is_left = [&] {
        page.shows("no such text", std::chrono::milliseconds(50));
        const std::string& shown = page.output();
        return shown.rfind("nothing is live or pending") > shown.rfind("sleeper");
    };
    EXPECT_TRUE(eventually(nothing_is_left, std::chrono::seconds(20))) << page.output();
    page.type("q");
    const auto ended = page.wait();
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->status, 0) << *ended;
    EXPECT_THAT(ended->out, HasSubstr(LEAVES_PAGE));

    // dave was told that there is nothing, once and again after the restart; that others did something,
    // never.
    EXPECT_TRUE(eventually([&] {
        dave.shows("no such text", std::chrono::milliseconds(50));
        return std::ranges::count(dave.output(), '\n') == 2;
    })) << dave.output();
    EXPECT_THAT(dave.output(), Not(HasSubstr("sleeper")));
}

TEST(Watching, KilledItLeavesTheTerminalAsItWas) {
    Host host;
    host.policy(POLICY);
    Session page =
        host.begin_as("alice", "stty >~/before; TERM=xterm jitctl watch; stty >~/after", {.tty = true});
    EXPECT_TRUE(page.shows("nothing is live or pending")) << page.output();
    EXPECT_THAT(host.root("stty -F $(ps -o tty= -C jitctl | sed s,^,/dev/,)").out, HasSubstr("-icanon"));
    host.root("pkill -TERM -x jitctl");
    const auto ended = page.wait();
    ASSERT_TRUE(ended);
    EXPECT_THAT(ended->out, HasSubstr(LEAVES_PAGE));
    EXPECT_EQ(host.root("cmp ~alice/before ~alice/after").status, 0);
}

} // namespace
} // namespace jit::host
