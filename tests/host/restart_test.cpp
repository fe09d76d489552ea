// SPDX-License-Identifier: MIT
// What is left after jitd, or the whole host, went away at a bad moment: what people were told, no more, no
// less.
#include "tests/host/access.h"

#include <gmock/gmock.h>

#include <map>
#include <set>
#include <sstream>

namespace jit::host {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr const char* ASK_ON = R"(for n in $(seq 60); do
    jitctl --json request logs --for 30m --reason "number $n"
done)";

// The ids of the grants that a person was told of by jitctl --json. The last line may be broken off.
std::set<std::string> told(const std::string& output) {
    std::set<std::string> ids;
    std::istringstream lines(output);
    for (std::string line; std::getline(lines, line);) {
        const Json reply = Json::parse(line, nullptr, false);
        if (reply.is_object() && reply.contains("request"))
            ids.insert(reply.at("request").at("id").get<std::string>());
    }
    return ids;
}

// All that people were told is there and in force, each start is in the audit, and nothing else is.
void expect_all_there(Host& host, const std::set<std::string>& ids) {
    std::set<std::string> active;
    const Json list = json_of(host.root("jitctl --json list"));
    for (const Json& request : list.at("requests"))
        active.insert(request.at("id").get<std::string>());
    for (const std::string& id : ids)
        EXPECT_TRUE(active.contains(id)) << id;

    std::set<std::string> started;
    std::istringstream lines(host.root("jitctl --json audit --kind grant.started").out);
    for (std::string line; std::getline(lines, line);)
        started.insert(Json::parse(Json::parse(line).at("body").get<std::string>()).at("request"));
    EXPECT_EQ(started, active);
    const Result verified = host.root("jitctl audit verify");
    EXPECT_EQ(verified.status, 0) << verified;
}

TEST(Restart, AKilledJitdForgetsNothingThatAnybodyWasTold) {
    Host host;
    host.policy(POLICY);
    std::map<std::string, Session> people;
    for (const char* person : {"alice", "bob", "dave"})
        people.emplace(person, host.begin_as(person, ASK_ON));
    ASSERT_TRUE(people.at("alice").shows("active"));
    host.root("for n in 1 2 3 4 5; do sleep .3; until systemctl -q is-active jitd; do sleep .02; done; "
              "systemctl kill --signal=KILL jitd; done");
    std::set<std::string> ids;
    for (auto& [person, session] : people) {
        const auto run = session.wait(60s);
        ASSERT_TRUE(run.has_value());
        ids.merge(told(run->out));
    }
    EXPECT_GT(ids.size(), 30U);
    EXPECT_TRUE(eventually([&] { return host.root("systemctl show -P NRestarts jitd").out == "5\n"; }));
    expect_all_there(host, ids);
}

TEST(Restart, APowerFailureForgetsNothingThatAnybodyWasTold) {
    Host host;
    host.policy(POLICY);
    Session alice = host.begin_as("alice", ASK_ON);
    Session dave = host.begin_as("dave", ASK_ON);
    ASSERT_TRUE(alice.shows("number 7"));
    host.power_failure();
    std::set<std::string> ids = told(alice.output());
    ids.merge(told(dave.output()));
    EXPECT_GE(ids.size(), 6U);
    expect_all_there(host, ids);
}

TEST(Restart, AGrantLivesOverARebootAndEndsWhenItsTimeIsOver) {
    Host host;
    host.policy(POLICY);
    const std::string longer = ask(host, "alice", "logs --for 30m");
    const std::string shorter = ask(host, "alice", "logs --for 1s");
    const Json before = show(host, longer);
    host.reboot();
    EXPECT_EQ(state(host, longer), "active");
    EXPECT_EQ(show(host, longer).at("not_after"), before.at("not_after"));
    // Its second may not be over yet: a reboot takes less.
    EXPECT_TRUE(eventually([&] { return state(host, shorter) == "ended (expired)"; }));
}

TEST(Restart, WhatBecameDueWhileJitdWasDownIsEndedAtItsStart) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "logs --for 2s");
    host.root("systemctl stop jitd.socket jitd.service; sleep 2; systemctl start jitd.socket jitd.service");
    EXPECT_EQ(state(host, id), "ended (expired)");
}

TEST(Restart, WhoeverWaitsForAnAnswerGoesOnWaitingOverARestart) {
    Host host;
    host.policy(POLICY);
    Session alice = host.begin_as("alice", "jitctl request web-ops --reason test --wait");
    ASSERT_TRUE(alice.shows("Waiting"));
    ASSERT_EQ(host.root("systemctl restart jitd").status, 0);
    const std::string id = json_of(host.as("bob", "jitctl --json list")).at("requests").at(0).at("id");
    EXPECT_EQ(host.as("bob", "jitctl approve " + id).status, 0);
    const auto run = alice.wait();
    ASSERT_TRUE(run.has_value());
    EXPECT_EQ(run->status, 0) << *run;
    EXPECT_THAT(run->out, HasSubstr("approved by bob"));
}

TEST(Restart, WhatAKilledJitdHadHalfWrittenInRunIsPutRight) {
    Host host;
    host.root("groupadd vault");
    host.policy(R"(
[risk.low]
auto_approve = "1h"
[role.member]
risk        = "low"
eligible    = ["alice"]
max         = "1h"
memberships = ["vault"]
[role.groups]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
authenticate = false
groups       = ["vault"]
login        = ["sshd"]
)");
    const std::string drop_in = "/run/userdb/alice:vault.membership";
    ask(host, "alice", "groups");
    ask(host, "alice", "member");
    ASSERT_TRUE(eventually([&] { return host.root("test -e " + drop_in).status == 0; }));
    Session elevation = host.begin_as("alice", "jit-sudo -n -g vault sleep 1006");
    ASSERT_TRUE(eventually([&] { return host.root("pgrep -fx 'sleep 1006'").status == 0; }));
    const std::string what = "cut -d' ' -f1,2 /run/jit/live"; // deadlines are reckoned anew
    ASSERT_TRUE(eventually([&] { return host.root(what + " | wc -l").out == "2\n"; }));
    const std::string published = host.root(what).out;

    // It never writes them in their place, but if it did this is what would be there.
    host.stop_sweep();
    const Result cut =
        host.root("systemctl stop jitd.socket jitd-helper.socket jitd.service && "
                  "for file in /run/jit/live /run/jit/logins.db " +
                  drop_in +
                  "; do truncate -s $(($(stat -c %s $file) / 2)) $file && cp $file $file.new || "
                  "exit; done; cp " +
                  drop_in +
                  " /run/userdb/alice:vault.jit-new && "
                  "systemctl start jitd.socket jitd-helper.socket jitd.service");
    ASSERT_EQ(cut.status, 0) << cut;
    host.root("rm " + drop_in + ".new"); // a name that is none of ours
    EXPECT_TRUE(eventually([&] { return host.root(what).out == published; })) << host.root(what);
    EXPECT_TRUE(eventually([&] { return host.as("alice", "id -Gn | grep -w vault").status == 0; }));
    EXPECT_EQ(host.root("ls -A /run/userdb").out, "alice:vault.membership\n");
    EXPECT_EQ(host.root("ls /run/jit | grep new").out, "");
    EXPECT_EQ(host.root("pgrep -fx 'sleep 1006'").status, 0) << "it was ended";
    const Result leftovers = host.root("jitctl leftovers");
    EXPECT_EQ(leftovers.status, 0) << leftovers;
}

TEST(Restart, AStoppedJitdGivesNothingAndSaysHowToStartIt) {
    Host host;
    host.policy(POLICY);
    host.root("systemctl stop jitd.socket jitd.service");
    const Result asked = host.as("alice", "jitctl request logs --reason x");
    EXPECT_EQ(asked.status, 4) << asked;
    EXPECT_THAT(asked.err, HasSubstr("systemctl status jitd.socket"));
}

} // namespace
} // namespace jit::host
