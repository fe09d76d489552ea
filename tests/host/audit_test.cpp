// SPDX-License-Identifier: MIT
// The audit trail: complete, readable by those who may, and shown to be touched when it was.
#include "tests/host/access.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <sstream>

namespace jit::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

constexpr const char* VERIFY_FILE = "jitctl audit verify --db /var/lib/jit/jit.db";

// The bodies of the events, oldest first.
std::vector<Json> events(Host& host, const std::string& options = "") {
    std::istringstream lines(host.root("jitctl --json audit " + options).out);
    std::vector<Json> bodies;
    for (std::string line; std::getline(lines, line);)
        bodies.push_back(Json::parse(Json::parse(line).at("body").get<std::string>()));
    return bodies;
}

// A trail with something in it. jitd is stopped, so the database may be edited.
void leave_a_trail(Host& host) {
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "web-ops");
    ASSERT_EQ(host.as("bob", "jitctl approve " + id).status, 0);
    ASSERT_EQ(host.root("jitctl revoke " + id + " --reason enough").status, 0);
    ASSERT_EQ(host.root("jitctl audit verify").status, 0);
    ASSERT_EQ(host.root("systemctl stop jitd.socket jitd.service").status, 0);
    ASSERT_EQ(host.root(VERIFY_FILE).status, 0);
}

// How many events there are, while jitd is stopped.
std::string count_in_file(Host& host) {
    return json_of(host.root("jitctl --json audit verify --db /var/lib/jit/jit.db")).at("events").dump();
}

// Both ways of verifying must find it: with the database alone, and through a jitd that was started on it.
void expect_found(Host& host, const std::string& finding) {
    const Result file = host.root(VERIFY_FILE);
    EXPECT_EQ(file.status, 1) << file;
    EXPECT_THAT(file.out, HasSubstr(finding));
    EXPECT_THAT(file.out, HasSubstr("NOT INTACT"));
    ASSERT_EQ(host.root("systemctl start jitd.socket jitd.service").status, 0);
    const Result live = host.root("jitctl audit verify");
    EXPECT_EQ(live.status, 1) << live;
    EXPECT_THAT(live.out, HasSubstr(finding));
}

TEST(Audit, EachStepOfARequestsLifeIsAnEvent) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "web-ops --for 10m --ticket INC-7");
    ASSERT_EQ(host.as("bob", "jitctl approve " + id).status, 0);
    ASSERT_EQ(host.as("alice", "jitctl release " + id).status, 0);
    std::vector<std::string> kinds;
    const auto found = events(host, "--request " + id);
    for (const Json& event : found)
        kinds.push_back(event.at("kind"));
    ASSERT_THAT(kinds, ElementsAre("request.filed", "request.approved", "grant.started", "grant.ended"));
    EXPECT_EQ(found[0].at("ticket"), "INC-7");
    EXPECT_EQ(found[0].at("login_person"), "alice");
    EXPECT_EQ(found[1].at("by").at("person"), "bob");
    EXPECT_TRUE(found[2].contains("not_after"));
    EXPECT_EQ(found[3].at("cause"), "released");
}

TEST(Audit, RefusalsAndPolicyLoadsAreEventsToo) {
    Host host;
    host.policy(POLICY);
    host.as("carol", "jitctl request web-ops --reason x");
    host.write("/etc/jit/policy.toml", "nonsense");
    host.root("jitctl policy reload");
    EXPECT_EQ(events(host, "--kind request.refused").at(0).at("by").at("person"), "carol");
    EXPECT_FALSE(events(host, "--kind policy.loaded").empty());
    EXPECT_EQ(events(host, "--kind policy.rejected").size(), 1U);
}

TEST(Audit, AnUntouchedOneIsIntact) {
    Host host;
    host.policy(POLICY);
    ask(host, "alice", "logs");
    ASSERT_EQ(host.root("systemctl restart jitd").status, 0) << "so that there is a checkpoint";
    const Result verified = host.root("jitctl audit verify");
    EXPECT_EQ(verified.status, 0) << verified;
    EXPECT_THAT(verified.out, HasSubstr(": intact"));
    EXPECT_GT(json_of(host.root("jitctl --json audit verify")).at("checkpoints"), 0);
    EXPECT_EQ(host.root(VERIFY_FILE).status, 0) << "while jitd is running";
}

TEST(Audit, AnEditedEventIsFound) {
    Host host;
    leave_a_trail(host);
    edit_database(host, "UPDATE events SET body = replace(body, 'bob', 'eve') WHERE seq = 5");
    expect_found(host, "event 5 was edited");
}

TEST(Audit, ARemovedEventIsFound) {
    Host host;
    leave_a_trail(host);
    edit_database(host, "DELETE FROM events WHERE seq = 4");
    expect_found(host, "event 4 is missing");
}

TEST(Audit, SwappedEventsAreFound) {
    Host host;
    leave_a_trail(host);
    edit_database(host, "UPDATE events SET seq = -4 WHERE seq = 4; UPDATE events SET seq = 4 WHERE seq = 5;"
                        "UPDATE events SET seq = 5 WHERE seq = -4;");
    expect_found(host, "event 5 was put in the place of event 4");
}

TEST(Audit, AnEventThatIsCutOffIsFoundAndToldAtTheNextStart) {
    Host host;
    leave_a_trail(host);
    const std::string newest = count_in_file(host);
    edit_database(host, "DELETE FROM events WHERE seq = " + newest);
    EXPECT_THAT(host.root(VERIFY_FILE).out, HasSubstr("event " + newest + ", the newest, is cut off"));
    ASSERT_EQ(host.root("systemctl start jitd.socket jitd.service").status, 0);
    EXPECT_THAT(host.root("jitctl audit verify").out, HasSubstr("event " + newest + " is missing"));
    EXPECT_EQ(events(host, "--kind audit.broken").size(), 1U);
    EXPECT_TRUE(eventually(
        [&] { return !host.root("journalctl -q -t jitd -p err JIT_KIND=audit.broken").out.empty(); }));
}

TEST(Audit, ATrailThatWasRewrittenWithAnotherKeyIsFound) {
    Host host;
    leave_a_trail(host);
    host.root("cp /var/lib/jit/host.pub /root/host.pub; rm /var/lib/jit/host.*");
    ASSERT_EQ(host.root("systemctl start jitd.socket jitd.service").status, 0);
    EXPECT_EQ(host.root("jitctl audit verify").status, 1) << "the old checkpoints are another key's";
    const Result kept = host.root("jitctl audit verify --public-key /root/host.pub");
    EXPECT_EQ(kept.status, 0) << kept;
}

TEST(Audit, ItIsReadByRootAndAuditorsOnly) {
    Host host;
    std::string text = POLICY;
    host.policy(text);
    for (const char* verb :
         {"jitctl audit", "jitctl audit verify", "jitctl explain --user alice --login sshd"})
        EXPECT_EQ(host.as("dave", verb).status, 1) << verb;
    host.policy(text.replace(text.find("[site]"), 6, "[site]\nauditors = [\"dave\"]"));
    const std::string id = ask(host, "alice", "web-ops");
    EXPECT_THAT(host.as("dave", "jitctl audit").out, HasSubstr(id));
    EXPECT_EQ(host.as("dave", "jitctl audit verify").status, 0);
    EXPECT_EQ(host.as("dave", "jitctl show " + id).status, 0);
    EXPECT_EQ(host.as("dave", "jitctl approve " + id).status, 1) << "an auditor looks";
    EXPECT_EQ(host.as("bob", "jitctl audit").status, 1);
}

TEST(Audit, FollowShowsWhatHappensFromNowOn) {
    Host host;
    std::string text = POLICY;
    host.policy(text.replace(text.find("[site]"), 6, "[site]\nauditors = [\"dave\"]"));
    Session dave = host.begin_as("dave", "jitctl audit --follow");
    ASSERT_TRUE(dave.shows("policy.loaded"));
    const std::string id = ask(host, "alice", "logs");
    EXPECT_TRUE(dave.shows("grant.started request=" + id));
    EXPECT_FALSE(dave.wait(std::chrono::milliseconds(100)).has_value());
}

TEST(Audit, TheJournalHasEachEventWithFieldsToSearchBy) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "logs");
    std::vector<Json> entries;
    EXPECT_TRUE(eventually([&] {
        entries.clear();
        std::istringstream lines(host.root("journalctl -q -o json JIT_REQUEST=" + id).out);
        for (std::string line; std::getline(lines, line);)
            entries.push_back(Json::parse(line));
        return entries.size() == 2;
    }));
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[1].at("JIT_KIND"), "grant.started");
    EXPECT_EQ(entries[1].at("JIT_PERSON"), "alice");
    EXPECT_EQ(entries[1].at("JIT_ROLE"), "logs");
    EXPECT_EQ(entries[1].at("_UID"), "0");
    EXPECT_EQ(entries[1].at("_SYSTEMD_UNIT"), "jitd.service");
    EXPECT_THAT(entries[1].at("MESSAGE").get<std::string>(), HasSubstr("grant.started " + id));
}

TEST(Audit, RefusalsOfOnePersonDontFillTheDisk) {
    Host host;
    host.policy(POLICY);
    host.as("carol", "for n in $(seq 40); do jitctl request web-ops --reason x; done", {.timeout = 60s});
    const auto refused = events(host, "--kind request.refused").size();
    EXPECT_GE(refused, 10U);
    EXPECT_LE(refused, 20U) << "ten at once, then one in six seconds";
}

} // namespace
} // namespace jit::host
