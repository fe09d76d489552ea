// SPDX-License-Identifier: MIT
// A request's life, from asking to its end.
#include "tests/host/access.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

TEST(Requests, AShortOneOfALowRiskIsGrantedAtOnce) {
    Host host;
    host.policy(POLICY);
    const Result asked = host.as("alice", "jitctl request logs --reason 'disk full?'");
    EXPECT_EQ(asked.status, 0) << asked;
    EXPECT_THAT(asked.out, HasSubstr("granted: logs until"));
    EXPECT_EQ(request(host, "alice", "web-login").at("duration"), 600'000) << "the longest that needs nobody";
}

TEST(Requests, ALongerOneThanARuleMayGrantWaitsForAPerson) {
    Host host;
    host.policy(POLICY);
    EXPECT_EQ(request(host, "alice", "web-login --for 10m").at("state"), "active");
    EXPECT_EQ(request(host, "alice", "web-login --for 11m").at("state"), "pending");
}

TEST(Requests, OneIsPendingUntilBobApprovesAndThenActiveForAsLongAsWasAsked) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "web-ops --for 20m");
    EXPECT_EQ(state(host, id), "pending");
    EXPECT_THAT(host.as("bob", "jitctl list").out, HasSubstr(id));
    const Result approved = host.as("bob", "jitctl approve " + id + " --reason 'go ahead'");
    EXPECT_EQ(approved.status, 0) << approved;
    const Json grant = show(host, id);
    EXPECT_EQ(grant.at("state"), "active");
    EXPECT_EQ(grant.at("answers").at(0).at("person"), "bob");
    EXPECT_EQ(grant.at("not_after").get<long>() - grant.at("not_before").get<long>(), 20 * 60 * 1000);
}

TEST(Requests, WhoeverWaitsIsToldOfTheApproval) {
    Host host;
    host.policy(POLICY);
    Session alice = host.begin_as("alice", "jitctl request web-ops --reason test --wait");
    ASSERT_TRUE(alice.shows("Waiting"));
    const Json waiting = json_of(host.as("bob", "jitctl --json list")).at("requests").at(0);
    EXPECT_EQ(waiting.at("yours_to_answer"), true);
    EXPECT_EQ(host.as("bob", "jitctl approve " + waiting.at("id").get<std::string>()).status, 0);
    const auto told = alice.wait();
    ASSERT_TRUE(told.has_value());
    EXPECT_EQ(told->status, 0) << *told;
    EXPECT_THAT(told->out, HasSubstr("approved by bob"));
    EXPECT_THAT(told->out, HasSubstr("granted: web-ops until"));
}

TEST(Requests, WhoeverWaitsIsToldWhyTheyWereDenied) {
    Host host;
    host.policy(POLICY);
    Session alice = host.begin_as("alice", "jitctl request web-ops --reason test --wait");
    ASSERT_TRUE(alice.shows("Waiting"));
    const std::string id = json_of(host.as("bob", "jitctl --json list")).at("requests").at(0).at("id");
    EXPECT_EQ(host.as("bob", "jitctl deny " + id).status, 2) << "a reason is needed";
    EXPECT_EQ(host.as("bob", "jitctl deny " + id + " --reason 'not during the freeze'").status, 0);
    const auto told = alice.wait();
    ASSERT_TRUE(told.has_value());
    EXPECT_EQ(told->status, 1) << *told;
    EXPECT_THAT(told->out, HasSubstr("not during the freeze"));
    EXPECT_EQ(state(host, id), "denied");
}

TEST(Requests, CtrlCLeavesWhatWasWaitedForPending) {
    Host host;
    host.policy(POLICY);
    Session alice = host.begin_as("alice", "jitctl request web-ops --reason test --wait", {.tty = true});
    ASSERT_TRUE(alice.shows("Waiting"));
    alice.type("\x03");
    ASSERT_TRUE(alice.wait().has_value());
    EXPECT_THAT(alice.output(), HasSubstr("stays pending"));
    const Json requests = json_of(host.root("jitctl --json list")).at("requests");
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests.at(0).at("state"), "pending");
}

TEST(Requests, AlicesAreTakenBackByHerAndNobodyElse) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "web-ops");
    EXPECT_EQ(host.as("bob", "jitctl cancel " + id).status, 1);
    EXPECT_EQ(host.as("alice", "jitctl cancel " + id).status, 0);
    EXPECT_EQ(state(host, id), "cancelled");
    const Result late = host.as("bob", "jitctl approve " + id);
    EXPECT_EQ(late.status, 5) << late;
    EXPECT_EQ(state(host, id), "cancelled");
}

TEST(Requests, OneThatNobodyAnswersTimesOut) {
    Host host;
    host.policy("[site]\npending = \"2s\"\n" +
                std::string(POLICY).substr(std::string(POLICY).find("[people")));
    const Result asked = host.as("alice", "jitctl request web-ops --reason test --wait");
    EXPECT_EQ(asked.status, 5) << asked;
    EXPECT_THAT(asked.out, HasSubstr("nobody answered in time"));
}

TEST(Requests, AGrantEndsByItselfWithinTheSecond) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "logs --for 2s");
    const Result watched = host.as("alice", "jitctl watch " + id);
    EXPECT_EQ(watched.status, 0) << watched;
    EXPECT_THAT(watched.out, HasSubstr("ended (expired)"));
    const Json grant = show(host, id);
    EXPECT_EQ(grant.at("cause"), "expired");
    const long late = grant.at("ended").get<long>() - grant.at("not_after").get<long>();
    EXPECT_GE(late, 0);
    EXPECT_LT(late, 1000);
}

TEST(Requests, AGrantIsReleasedByTheOneWhoHasIt) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "logs");
    EXPECT_EQ(host.as("alice", "jitctl release " + id).status, 0);
    EXPECT_EQ(state(host, id), "ended (released)");
    EXPECT_EQ(host.as("alice", "jitctl release " + id).status, 5) << "it is over already";
}

TEST(Requests, AGrantIsRevokedByRootAndByThoseWhoCouldApproveIt) {
    Host host;
    host.policy(POLICY);
    for (const char* who : {"root", "carol"}) {
        const std::string id = ask(host, "alice", "web-ops");
        ASSERT_EQ(host.as("bob", "jitctl approve " + id).status, 0);
        EXPECT_EQ(host.as("alice", "jitctl revoke " + id + " --reason x").status, 1);
        const std::string revoke = "jitctl revoke " + id + " --reason 'left the keyboard'";
        const Result revoked = std::string(who) == "root" ? host.root(revoke) : host.as(who, revoke);
        EXPECT_EQ(revoked.status, 0) << revoked;
        EXPECT_EQ(state(host, id), "ended (revoked)");
        EXPECT_EQ(show(host, id).at("ended_by"), who);
        EXPECT_THAT(host.as("alice", "jitctl show " + id).out, HasSubstr("left the keyboard"));
    }
}

TEST(Requests, AnExtensionLeavesNoGapAndEndsWithWhatItExtends) {
    Host host;
    host.policy(POLICY);
    const Json first = request(host, "alice", "logs --for 10m");
    const std::string id = first.at("id");
    const Result extended = host.as("alice", "jitctl --json extend " + id + " --for 20m --reason 'not done'");
    ASSERT_EQ(extended.status, 0) << extended;
    const Json more = json_of(extended).at("request");
    EXPECT_EQ(more.at("extends"), id);
    EXPECT_LT(more.at("not_before"), first.at("not_after"));
    EXPECT_EQ(more.at("not_after").get<long>() - first.at("not_after").get<long>(), 20 * 60 * 1000);
    EXPECT_EQ(host.as("alice", "jitctl release " + id).status, 0);
    EXPECT_EQ(state(host, more.at("id")), "ended (released)");
}

TEST(Requests, AnExtensionReachesNoFurtherThanTheRoleAllows) {
    Host host;
    host.policy(POLICY);
    const std::string logs = ask(host, "alice", "logs --for 1h");
    for (int hour = 2; hour <= 3; ++hour)
        EXPECT_EQ(host.as("alice", "jitctl extend " + logs + " --for 1h --reason more").status, 0);
    EXPECT_EQ(host.as("alice", "jitctl extend " + logs + " --for 1m --reason more").status, 1);
    const std::string login = ask(host, "alice", "web-login");
    const Result extended = host.as("alice", "jitctl extend " + login + " --reason more");
    EXPECT_EQ(extended.status, 1) << extended;
    EXPECT_THAT(extended.err, HasSubstr("can't be extended"));
}

TEST(Requests, AColleagueLetsInSomebodyWhoCantLogIn) {
    Host host;
    host.policy(POLICY);
    host.root("rm ~alice/.ssh/authorized_keys");
    const Result given = host.as("bob", "jitctl --json grant alice web-ops --for 30m --reason 'locked out'");
    ASSERT_EQ(given.status, 0) << given;
    const Json grant = json_of(given).at("request");
    EXPECT_EQ(grant.at("state"), "active");
    EXPECT_EQ(grant.at("person"), "alice");
    EXPECT_EQ(grant.at("requester"), "bob");
}

TEST(Requests, NobodyGivesToThemselvesOrWhatTheyCouldNotApprove) {
    Host host;
    host.policy(POLICY);
    EXPECT_EQ(host.as("bob", "jitctl grant bob web-ops --reason x").status, 1);
    EXPECT_EQ(host.as("dave", "jitctl grant alice web-ops --reason x").status, 1);
    EXPECT_EQ(host.root("jitctl grant alice web-ops --reason x").status, 1);
    const Result half = host.as("bob", "jitctl --json grant alice root-shell --reason x");
    ASSERT_EQ(half.status, 0) << half;
    EXPECT_EQ(json_of(half).at("request").at("state"), "pending") << "security has not answered";
}

TEST(Requests, APartOfARoleGivesThatPartAlone) {
    Host host;
    host.policy(POLICY);
    const Json part =
        request(host, "alice", "web-ops --command '/usr/bin/journalctl -u nginx -n 50'").at("scope");
    EXPECT_THAT(part.at("commands"), ElementsAre("/usr/bin/journalctl -u nginx -n 50"));
    EXPECT_THAT(part.at("groups"), IsEmpty());
    const Json group = request(host, "alice", "web-ops --group systemd-journal").at("scope");
    EXPECT_THAT(group.at("commands"), IsEmpty());
    EXPECT_THAT(group.at("groups"), ElementsAre("systemd-journal"));
    EXPECT_EQ(host.as("alice", "jitctl request web-ops --command /usr/bin/bash --reason x").status, 2);
    EXPECT_EQ(host.as("alice", "jitctl request web-ops --group shadow --reason x").status, 2);
}

TEST(Requests, AGrantEndsWhenItsOwnerIsNoLongerEligible) {
    Host host;
    host.policy(POLICY);
    const std::string alices = ask(host, "alice", "logs");
    const std::string daves = ask(host, "dave", "logs");
    ASSERT_EQ(host.root("gpasswd --delete alice sre").status, 0);
    EXPECT_TRUE(eventually([&] { return state(host, alices) == "ended (ineligible)"; }, 30s))
        << "nobody has told jitd, and the minute's look is not the one that sees it";
    EXPECT_EQ(state(host, daves), "active");
    EXPECT_EQ(host.as("alice", "jitctl request logs --reason x").status, 1);
}

TEST(Requests, OfVeryManyPeopleEveryGrantEndsWhenNobodyIsEligibleAnyMore) {
    Host host;
    host.policy(POLICY);
    const std::string alices = ask(host, "alice", "logs");
    host.root("systemctl stop jitd.socket jitd-helper.socket jitd; sre=$(getent group sre | cut -d: -f3); "
              "for n in $(seq 400); do echo user$n:x:$((100000 + n)):$sre::/:/bin/sh; done >>/etc/passwd");
    edit_database(
        host, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO "
              "requests (id, state, role, scope, stages, person, account, uid, requester, requester_account, "
              "requester_uid, login_person, reason, ticket, duration, filed, answer_by, not_before, "
              "not_after, boot_id, boot_deadline, ended_by, ended_reason, extends, chain) SELECT "
              "printf('c%03x', i), state, role, scope, stages, 'user' || i, 'user' || i, 100000 + i, "
              "requester, requester_account, requester_uid, login_person, reason, ticket, duration, filed, "
              "answer_by, not_before, not_after, boot_id, boot_deadline, ended_by, ended_reason, extends, "
              "printf('c%03x', i) FROM requests, n WHERE id = '" +
                  alices + "'");
    host.root("systemctl start jitd.socket jitd-helper.socket jitd");
    const auto live = [&] {
        return host.root("jitctl --json list | grep -o '\"state\": *\"active\"' | wc -l").out;
    };
    ASSERT_EQ(live(), "401\n");
    host.root("sed -i '/^user/s/:[0-9]*::/:65534::/' /etc/passwd"); // out of sre
    EXPECT_TRUE(eventually([&] { return live() == "1\n"; }, 30s)) << live();
    EXPECT_EQ(state(host, alices), "active");
}

TEST(Requests, AGrantEndsWhenItsAccountIsDeleted) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "dave", "logs");
    ASSERT_EQ(host.root("userdel --force dave && jitctl policy reload").status, 0);
    EXPECT_TRUE(eventually([&] { return state(host, id) == "ended (ineligible)"; }));
}

TEST(Requests, WhatIsntOnesBusinessIsNotThere) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "web-ops");
    for (const char* verb : {"show", "watch", "approve", "cancel", "release"})
        EXPECT_EQ(host.as("dave", std::string("jitctl ") + verb + " " + id).status, 3) << verb;
    EXPECT_EQ(host.as("dave", "jitctl --json list").out, "{\"requests\":[]}\n");
    EXPECT_EQ(host.as("dave", "jitctl --json list --all").out, "{\"requests\":[]}\n");
}

TEST(Requests, ExitCodesAreTheDocumentedOnes) {
    Host host;
    host.policy(POLICY);
    EXPECT_EQ(host.as("carol", "jitctl request web-ops --reason x").status, 1) << "not eligible";
    EXPECT_EQ(host.as("alice", "jitctl request web-ops --for 2h --reason x").status, 1) << "too long";
    EXPECT_EQ(host.as("alice", "jitctl request web-ops").status, 2) << "no reason";
    EXPECT_EQ(host.as("alice", "jitctl request web-ops --for 1x --reason x").status, 2) << "no duration";
    EXPECT_EQ(host.as("alice", "jitctl request web-ops --ticket CHG-1 --reason x").status, 2) << "no ticket";
    EXPECT_EQ(host.as("alice", "jitctl request nothing --reason x").status, 3) << "no such role";
    EXPECT_EQ(host.as("alice", "jitctl show 0000").status, 3) << "no such request";
    EXPECT_EQ(host.as("alice", "jitctl --socket /run/nobody status").status, 4) << "nobody there";
    ask(host, "alice", "web-ops");
    EXPECT_EQ(host.as("alice", "jitctl request web-ops --reason x").status, 5) << "pending already";
    EXPECT_EQ(host.as("alice", "echo nonsense > bad.toml; jitctl policy check bad.toml").status, 6);
}

TEST(Requests, NobodyHasMoreThanSixteenPending) {
    Host host;
    host.policy(POLICY);
    const Result asked = host.as("alice", R"(for n in $(seq 17); do
        jitctl request web-ops --command "/usr/bin/journalctl -u nginx -n $n" --reason x >/dev/null || echo $n:$?
    done)");
    EXPECT_EQ(asked.out, "17:7\n") << asked;
    EXPECT_EQ(host.as("bob", "jitctl request web-ops --reason x").status, 0) << "others still ask";
}

TEST(Requests, EveryVerbPrintsJsonForPrograms) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "web-ops");
    const std::string logs = ask(host, "alice", "logs");
    for (const std::string verb : {"list --all", "status", "version", "explain --login sshd", "policy check",
                                   "show 0000", "clock reset"})
        json_of(host.as("alice", "jitctl --json " + verb));
    json_of(host.as("bob", "jitctl --json approve " + id + " --reason fine"));
    json_of(host.as("alice", "jitctl --json show " + id));
    json_of(host.as("alice", "jitctl --json extend " + logs + " --reason more"));
    json_of(host.as("alice", "jitctl --json release " + logs));
    json_of(host.root("jitctl --json revoke " + id + " --reason enough"));
    json_of(host.root("jitctl --json audit verify"));
    json_of(host.root("jitctl --json policy reload"));
    const Json refused = json_of(host.as("alice", "jitctl --json audit"));
    EXPECT_EQ(refused.at("error"), "refused");
}

TEST(Requests, ExplainSaysWhoWhatWhereAndWhen) {
    Host host;
    host.policy(POLICY);
    const std::string explain = "jitctl explain -- systemctl restart nginx";
    const Result before = host.as("alice", explain);
    EXPECT_EQ(before.status, 0) << before;
    EXPECT_THAT(before.out, HasSubstr("jitctl request web-ops --reason"));
    ASSERT_EQ(host.as("bob", "jitctl grant alice web-ops --reason x").status, 0);
    EXPECT_THAT(host.as("alice", explain).out, HasSubstr("granted now"));
    const Result never = host.as("alice", "jitctl explain -- systemctl restart ssh");
    EXPECT_EQ(never.status, 1) << never;
    EXPECT_THAT(never.out, HasSubstr("not with these arguments"));
    EXPECT_THAT(never.out, HasSubstr("Ask in #ops-access"));
    EXPECT_EQ(host.as("carol", explain).status, 1);
}

} // namespace
} // namespace jit::host
