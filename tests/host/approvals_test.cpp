// SPDX-License-Identifier: MIT
// Who may answer a request, and who may not, whatever they try.
#include "tests/host/access.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::HasSubstr;

// `user` logs in, becomes `other` by su with their password, and runs the command. What came back, on a
// terminal.
std::string through_su(Host& host, const std::string& user, const std::string& other,
                       const std::string& command) {
    Session session = host.begin_as(user, "su - " + other + " -c '" + command + "'", {.tty = true});
    EXPECT_TRUE(session.shows("assword:"));
    session.type("pw-" + other + "\n");
    EXPECT_TRUE(session.wait().has_value());
    return session.output();
}

// A second account of bob's, with a password as all have it, and the policy that says whose it is.
void give_bob_a_second_account(Host& host) {
    ASSERT_EQ(host.root("useradd -m -s /bin/bash bob-adm && echo bob-adm:pw-bob-adm | chpasswd").status, 0);
    host.policy(std::string(POLICY) + "[person.bob]\naccounts = [\"bob\", \"bob-adm\"]\n");
}

TEST(Approvals, NobodyApprovesTheirOwnRequest) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "bob", "web-ops");
    const Result approved = host.as("bob", "jitctl approve " + id);
    EXPECT_EQ(approved.status, 1) << approved;
    EXPECT_THAT(approved.err, HasSubstr("nobody answers a request of their own"));
    EXPECT_EQ(state(host, id), "pending");
    EXPECT_EQ(host.as("carol", "jitctl approve " + id).status, 0);
}

TEST(Approvals, NobodyApprovesTheirOwnRequestUnderASecondAccount) {
    Host host;
    give_bob_a_second_account(host);
    const std::string id = ask(host, "bob", "web-ops");
    const Result approved = host.as("bob-adm", "jitctl approve " + id, {.password = "pw-bob-adm"});
    EXPECT_EQ(approved.status, 1) << approved;
    EXPECT_THAT(approved.err, HasSubstr("nobody answers a request of their own"));
    const Result given =
        host.as("bob-adm", "jitctl grant bob web-ops --reason x --for 5m", {.password = "pw-bob-adm"});
    EXPECT_EQ(given.status, 1) << given;
    EXPECT_EQ(state(host, id), "pending");
}

TEST(Approvals, NobodyApprovesTheirOwnRequestAsAnotherThroughSu) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "web-ops");
    EXPECT_THAT(through_su(host, "alice", "bob", "jitctl approve " + id),
                HasSubstr("nobody answers a request of their own"));
    EXPECT_EQ(state(host, id), "pending");
}

TEST(Approvals, NobodyApprovesWhatTheyAskedForAsAnotherThroughSu) {
    Host host;
    host.policy(POLICY);
    EXPECT_THAT(through_su(host, "bob", "alice", "jitctl request web-ops --reason x"),
                HasSubstr("is pending"));
    const std::string id = json_of(host.root("jitctl --json list")).at("requests").at(0).at("id");
    const Result approved = host.as("bob", "jitctl approve " + id);
    EXPECT_EQ(approved.status, 1) << approved;
    EXPECT_EQ(state(host, id), "pending");
    EXPECT_EQ(host.as("carol", "jitctl approve " + id).status, 0) << "carol had nothing to do with it";
}

TEST(Approvals, AnAnswerNeedsALoginOfTheApproversOwn) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "web-ops");
    EXPECT_THAT(through_su(host, "dave", "carol", "jitctl approve " + id),
                HasSubstr("this session was logged in by dave, not carol"));
    const Result service = host.root("runuser -u carol -- jitctl approve " + id);
    EXPECT_EQ(service.status, 1) << service;
    EXPECT_THAT(service.err, HasSubstr("no login of its own"));
    EXPECT_EQ(state(host, id), "pending");
}

TEST(Approvals, RootAnswersNothingAndAsksForNothing) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "web-ops");
    EXPECT_EQ(host.root("jitctl approve " + id).status, 1);
    EXPECT_EQ(host.root("jitctl deny " + id + " --reason x").status, 1);
    EXPECT_EQ(host.root("jitctl request logs --reason x").status, 1);
    EXPECT_EQ(state(host, id), "pending");
    EXPECT_EQ(host.root("jitctl revoke " + id + " --reason x").status, 0) << "taking away is no answer";
    EXPECT_EQ(state(host, id), "denied");
}

TEST(Approvals, TwoStagesNeedTwoPeople) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "root-shell");
    // carol is in both: she fills one place, whichever is needed.
    const Result first = host.as("carol", "jitctl approve " + id);
    EXPECT_EQ(first.status, 0) << first;
    EXPECT_EQ(state(host, id), "pending");
    EXPECT_EQ(host.as("carol", "jitctl approve " + id).status, 5) << "one answer each";
    EXPECT_EQ(host.as("bob", "jitctl approve " + id).status, 0);
    EXPECT_EQ(state(host, id), "active");
}

TEST(Approvals, WhoAnsweredFirstMakesNoDifferenceToWhoFillsWhichPlace) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "root-shell");
    ASSERT_EQ(host.as("carol", "jitctl approve " + id).status, 0);
    EXPECT_EQ(host.as("dave", "jitctl approve " + id).status, 0);
    EXPECT_EQ(state(host, id), "active") << "carol for oncall, dave for security";
}

TEST(Approvals, PeopleAreCountedNotAccounts) {
    Host host;
    give_bob_a_second_account(host);
    std::string text = host.root("cat /etc/jit/policy.toml").out;
    const std::string medium = "[risk.medium]\nstages = [{ from = \"oncall\"";
    host.policy(text.replace(text.find(medium), medium.size(), medium + ", count = 2"));
    const std::string id = ask(host, "alice", "web-ops");
    EXPECT_EQ(host.as("bob", "jitctl approve " + id).status, 0);
    EXPECT_EQ(host.as("bob-adm", "jitctl approve " + id, {.password = "pw-bob-adm"}).status, 5);
    EXPECT_EQ(state(host, id), "pending");
    EXPECT_EQ(host.as("carol", "jitctl approve " + id).status, 0);
    EXPECT_EQ(state(host, id), "active");
}

TEST(Approvals, OneDenialIsEnough) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "root-shell");
    EXPECT_EQ(host.as("bob", "jitctl approve " + id).status, 0);
    EXPECT_EQ(host.as("dave", "jitctl deny " + id + " --reason 'use web-ops'").status, 0);
    EXPECT_EQ(state(host, id), "denied");
}

TEST(Approvals, AnApproverIsWhoTheGroupSaysNow) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "web-ops");
    ASSERT_EQ(host.root("gpasswd --delete carol sre-leads").status, 0);
    EXPECT_EQ(host.as("carol", "jitctl approve " + id).status, 3);
    ASSERT_EQ(host.root("gpasswd --add dave sre-leads").status, 0);
    EXPECT_EQ(host.as("dave", "jitctl approve " + id).status, 0);
}

TEST(Approvals, NobodyIsGivenWhatTheyAreNoLongerEligibleFor) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "web-ops");
    ASSERT_EQ(host.root("gpasswd --delete alice sre").status, 0);
    host.as("bob", "jitctl approve " + id);
    EXPECT_EQ(state(host, id), "cancelled (ineligible)");
}

} // namespace
} // namespace jit::host
