// SPDX-License-Identifier: MIT
#include "requests_kit.h"

#include <gmock/gmock.h>

namespace jit {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(RequestsTest, short_and_harmless_is_granted_at_once) {
    const Request request = filed(caller("alice"), ask("web", hours(1)));
    EXPECT_EQ(request.state, State::active);
    EXPECT_EQ(request.not_after->time, clock.now().time + hours(1));
    EXPECT_THAT(kinds(), ElementsAre("request.filed", "grant.started"));
    EXPECT_EQ(changed.size(), 1U);
}

TEST_F(RequestsTest, longer_than_that_waits_for_people) {
    const Request request = filed(caller("alice"), ask("web", hours(2)));
    EXPECT_EQ(request.state, State::pending);
    ASSERT_TRUE(requests->approve(caller("carol"), request.id, "", account("alice")));
    EXPECT_EQ(state_of(request.id), State::active);
}

TEST_F(RequestsTest, access_time_starts_at_the_approval_not_at_the_request) {
    const Request request = filed(caller("alice"), ask("web", hours(2)));
    pass(hours(5));
    const auto approved = requests->approve(caller("carol"), request.id, "", account("alice"));
    EXPECT_EQ(approved->not_after->time, clock.now().time + hours(2));
}

TEST_F(RequestsTest, longer_than_anybody_could_approve_is_refused) {
    const auto refused = requests->file(caller("alice"), ask("quick", hours(1)));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::refused);
    EXPECT_THAT(refused.error().message, HasSubstr("30m at most"));
}

TEST_F(RequestsTest, more_than_the_role_gives_is_refused_and_less_than_a_second_too) {
    EXPECT_EQ(requests->file(caller("alice"), ask("web", hours(5))).error().code, Errc::refused);
    EXPECT_EQ(requests->file(caller("alice"), ask("web", Millis(999))).error().code, Errc::invalid);
}

TEST_F(RequestsTest, who_is_not_eligible_gets_nothing) {
    EXPECT_EQ(requests->file(caller("mallory"), ask("web")).error().code, Errc::refused);
    EXPECT_EQ(requests->file(caller("mallory", {"web"}), ask("quick")).error().code, Errc::refused);
    EXPECT_TRUE(requests->file(caller("mallory", {"sre"}), ask("quick")));
    EXPECT_EQ(requests->file(caller("root"), ask("web")).error().code, Errc::refused);
    EXPECT_EQ(requests->file(caller("alice"), ask("nonesuch")).error().code, Errc::not_found);
}

TEST_F(RequestsTest, a_caller_whose_login_cannot_be_read_asks_for_nothing) {
    Caller gone = caller("alice");
    gone.login_known = false;
    EXPECT_EQ(requests->file(gone, ask("web")).error().code, Errc::unavailable);
}

TEST_F(RequestsTest, a_reason_is_needed_and_bounded) {
    for (const std::string& reason : {std::string(), std::string(" \t\n"), std::string(1001, 'x'),
                                      std::string("\xff\xfe"), std::string("a\0b", 3)}) {
        Ask bad = ask("web");
        bad.reason = reason;
        EXPECT_EQ(requests->file(caller("alice"), bad).error().code, Errc::invalid) << reason.size();
    }
}

TEST_F(RequestsTest, a_ticket_matches_as_a_whole) {
    for (const char* ticket : {"", "INC-", "xINC-1", "INC-1x", "INC-1\nINC-2"}) {
        Ask bad = ask("db");
        bad.ticket = ticket;
        EXPECT_EQ(requests->file(caller("alice"), bad).error().code, Errc::invalid) << ticket;
    }
    Ask good = ask("db");
    good.ticket = "INC-4211";
    EXPECT_EQ(filed(caller("alice"), good).ticket, "INC-4211");
}

class Approvals : public RequestsTest {
protected:
    Ask db() {
        Ask made = ask("db");
        made.ticket = "INC-1";
        return made;
    }
};

TEST_F(Approvals, nobody_approves_their_own_request) {
    const Request request = filed(caller("bob"), db());
    EXPECT_EQ(requests->approve(caller("bob"), request.id, "", account("bob")).error().code, Errc::refused);
    EXPECT_EQ(state_of(request.id), State::pending);
}

TEST_F(Approvals, nor_under_another_account_of_theirs) {
    const Request request = filed(caller("bob"), db());
    EXPECT_EQ(requests->approve(caller("bob-adm", {"leads"}), request.id, "", account("bob")).error().code,
              Errc::refused);
}

TEST_F(Approvals, nor_when_they_filed_it_from_their_own_login_as_somebody_else) {
    Caller bob_as_alice = caller("alice");
    bob_as_alice.login_person = "bob";
    bob_as_alice.not_attested = "su";
    const Request request = filed(bob_as_alice, db());
    EXPECT_EQ(requests->approve(caller("bob"), request.id, "", account("alice")).error().code, Errc::refused);
    EXPECT_TRUE(requests->approve(caller("carol"), request.id, "", account("alice")));
}

TEST_F(Approvals, root_approves_nothing) {
    const Request request = filed(caller("alice"), db());
    EXPECT_EQ(requests->approve(caller("root", {"leads"}), request.id, "", account("alice")).error().code,
              Errc::refused);
}

TEST_F(Approvals, a_word_that_is_not_attested_does_not_count) {
    const Request request = filed(caller("alice"), db());
    Caller carol = caller("carol");
    carol.not_attested = "this session has no login of its own";
    EXPECT_EQ(requests->approve(carol, request.id, "", account("alice")).error().code, Errc::refused);
    EXPECT_EQ(requests->deny(carol, request.id, "no").error().code, Errc::refused);
    EXPECT_EQ(state_of(request.id), State::pending);
}

TEST_F(Approvals, only_people_of_the_stage_answer) {
    const Request request = filed(caller("alice"), db());
    EXPECT_EQ(requests->approve(caller("dave"), request.id, "", account("alice")).error().code,
              Errc::refused);
    EXPECT_TRUE(requests->approve(caller("erin", {"leads"}), request.id, "", account("alice")));
}

TEST_F(Approvals, all_stages_are_needed_from_different_people) {
    const Request request = filed(caller("alice"), ask("vault"));
    ASSERT_TRUE(requests->approve(caller("carol"), request.id, "", account("alice")));
    EXPECT_EQ(state_of(request.id), State::pending);
    EXPECT_EQ(requests->approve(caller("carol"), request.id, "", account("alice")).error().code,
              Errc::conflict);
    ASSERT_TRUE(requests->approve(caller("bob"), request.id, "", account("alice")));
    EXPECT_EQ(state_of(request.id), State::active);
    EXPECT_EQ(requests->approve(caller("dave"), request.id, "", account("alice")).error().code,
              Errc::conflict);
}

TEST_F(Approvals, one_denial_ends_it) {
    const Request request = filed(caller("alice"), ask("vault"));
    ASSERT_TRUE(requests->approve(caller("carol"), request.id, "", account("alice")));
    ASSERT_TRUE(requests->deny(caller("dave"), request.id, "not today"));
    EXPECT_EQ(state_of(request.id), State::denied);
    EXPECT_EQ(requests->approve(caller("bob"), request.id, "", account("alice")).error().code,
              Errc::conflict);
    EXPECT_THAT(kinds(), ElementsAre("request.filed", "request.approved", "request.denied"));
}

TEST_F(Approvals, too_late_is_too_late_even_before_the_time_out_is_recorded) {
    const Request request = filed(caller("alice"), db());
    pass(hours(24));
    EXPECT_EQ(requests->approve(caller("carol"), request.id, "", account("alice")).error().code,
              Errc::conflict);
    ASSERT_TRUE(requests->advance());
    EXPECT_EQ(state_of(request.id), State::timed_out);
}

TEST_F(Approvals, who_is_no_longer_eligible_gets_nothing_by_a_late_approval) {
    const Request request = filed(caller("mallory", {"sre"}), db());
    const auto approved = requests->approve(caller("carol"), request.id, "", account("mallory"));
    ASSERT_TRUE(approved);
    EXPECT_EQ(approved->state, State::cancelled);
    EXPECT_EQ(approved->cause, Cause::ineligible);
}

TEST_F(Approvals, an_account_made_anew_with_another_uid_is_not_the_one_that_asked) {
    const Request request = filed(caller("alice"), db());
    Account other = account("alice");
    other.uid = Uid{4242};
    EXPECT_EQ(requests->approve(caller("carol"), request.id, "", other)->state, State::cancelled);
}

TEST_F(Approvals, a_grant_in_anothers_name_answers_ones_own_stage_only) {
    const auto granted = requests->grant(caller("carol"), account("alice"), db());
    ASSERT_TRUE(granted) << granted.error().message;
    EXPECT_EQ(granted->state, State::active);
    EXPECT_EQ(granted->requester.person, "carol");
    EXPECT_THAT(kinds(), ElementsAre("request.filed", "request.approved", "grant.started"));

    const auto vault = requests->grant(caller("carol"), account("alice"), ask("vault"));
    ASSERT_TRUE(vault);
    EXPECT_EQ(vault->state, State::pending);
    EXPECT_FALSE(requests->approve(caller("carol"), vault->id, "", account("alice")));
    EXPECT_TRUE(requests->approve(caller("bob"), vault->id, "", account("alice")));
}

TEST_F(Approvals, nobody_grants_to_themselves_or_without_being_entitled) {
    EXPECT_EQ(requests->grant(caller("bob-adm", {"leads"}), account("bob"), db()).error().code,
              Errc::refused);
    EXPECT_EQ(requests->grant(caller("bob"), account("bob"), ask("web", minutes(5))).error().code,
              Errc::refused);
    EXPECT_EQ(requests->grant(caller("dave"), account("alice"), db()).error().code, Errc::refused);
    EXPECT_EQ(requests->grant(caller("root"), account("alice"), db()).error().code, Errc::refused);
    EXPECT_EQ(requests->grant(caller("carol"), account("mallory"), db()).error().code, Errc::refused);
    Caller su = caller("carol");
    su.not_attested = "su";
    EXPECT_EQ(requests->grant(su, account("alice"), db()).error().code, Errc::refused);
    EXPECT_EQ(requests->grant(caller("carol"), account("alice"), ask("quick", minutes(5))).error().code,
              Errc::refused)
        << "nobody is named who could approve it";
}

TEST_F(RequestsTest, a_grant_ends_at_its_end_and_not_before) {
    const Request request = filed(caller("alice"), ask("web", hours(1)));
    pass(hours(1) - Millis(1));
    ASSERT_TRUE(requests->advance());
    EXPECT_EQ(state_of(request.id), State::active);
    pass(Millis(1));
    ASSERT_TRUE(requests->advance());
    EXPECT_EQ(state_of(request.id), State::ended);
    EXPECT_EQ(requests->find(request.id)->cause, Cause::expired);
}

TEST_F(RequestsTest, a_clock_set_back_extends_nothing) {
    const Request request = filed(caller("alice"), ask("web", hours(1)));
    test_reading.realtime -= hours(24 * 365);
    test_reading.boot += hours(1);
    ASSERT_TRUE(requests->advance());
    EXPECT_EQ(state_of(request.id), State::ended);
}

TEST_F(RequestsTest, release_and_revoke_end_at_once) {
    const Request first = filed(caller("alice"), ask("web", hours(1)));
    EXPECT_EQ(requests->release(caller("carol"), first.id).error().code, Errc::refused);
    ASSERT_TRUE(requests->release(caller("alice"), first.id));
    EXPECT_EQ(requests->find(first.id)->cause, Cause::released);

    const Request second = filed(caller("alice"), ask("web", hours(1)));
    EXPECT_EQ(requests->revoke(caller("dave"), second.id, "why not").error().code, Errc::refused);
    EXPECT_EQ(requests->revoke(caller("carol"), second.id, "").error().code, Errc::invalid);
    ASSERT_TRUE(requests->revoke(caller("carol"), second.id, "incident over"));
    EXPECT_EQ(requests->find(second.id)->cause, Cause::revoked);
    EXPECT_EQ(requests->find(second.id)->ended_by, "carol");

    const Request third = filed(caller("alice"), ask("web", hours(1)));
    ASSERT_TRUE(requests->revoke(caller("root"), third.id, "incident over"));
    EXPECT_EQ(requests->revoke(caller("root"), third.id, "again").error().code, Errc::conflict);
}

TEST_F(RequestsTest, an_extension_goes_on_without_a_gap_within_the_reach_of_the_role) {
    const Request first = filed(caller("alice"), ask("web", hours(1)));
    pass(minutes(50));
    const auto second = requests->extend(caller("alice"), first.id, "more to do", hours(1));
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(second->state, State::active);
    EXPECT_EQ(second->extends, first.id);
    EXPECT_EQ(second->not_after->time, first.not_after->time + hours(1));
    const auto third = requests->extend(caller("alice"), first.id, "yet more", hours(4));
    ASSERT_TRUE(third) << third.error().message;
    EXPECT_EQ(third->state, State::pending) << "four hours are more than is given without asking";
    ASSERT_TRUE(requests->approve(caller("carol"), third->id, "", account("alice")));
    EXPECT_EQ(requests->find(third->id)->not_after->time, *first.not_before + hours(6));
    EXPECT_EQ(requests->extend(caller("alice"), third->id, "for ever", hours(1)).error().code, Errc::refused);
}

TEST_F(RequestsTest, only_the_one_who_has_it_extends_a_grant_that_lives) {
    const Request first = filed(caller("alice"), ask("web", hours(1)));
    EXPECT_EQ(requests->extend(caller("bob"), first.id, "mine", hours(1)).error().code, Errc::refused);
    const Request plain = filed(caller("alice"), ask("quick", minutes(5)));
    EXPECT_EQ(requests->extend(caller("alice"), plain.id, "more", minutes(5)).error().code, Errc::refused);
    pass(hours(1));
    ASSERT_TRUE(requests->advance());
    EXPECT_EQ(requests->extend(caller("alice"), first.id, "late", hours(1)).error().code, Errc::conflict);
}

TEST_F(RequestsTest, a_grant_and_its_extensions_are_taken_away_together) {
    const Request first = filed(caller("alice"), ask("web", hours(1)));
    const auto second = requests->extend(caller("alice"), first.id, "more", hours(1));
    const auto waiting = requests->extend(caller("alice"), first.id, "more", hours(2));
    ASSERT_TRUE(second && waiting);
    ASSERT_TRUE(requests->revoke(caller("carol"), second->id, "over"));
    EXPECT_EQ(state_of(first.id), State::ended);
    EXPECT_EQ(state_of(second->id), State::ended);
    EXPECT_EQ(state_of(waiting->id), State::cancelled);
}

TEST_F(RequestsTest, two_grants_of_one_role_live_side_by_side) {
    const Request first = filed(caller("alice"), ask("web", minutes(10)));
    const Request second = filed(caller("alice"), ask("web", minutes(20)));
    ASSERT_TRUE(requests->release(caller("alice"), second.id));
    EXPECT_EQ(state_of(first.id), State::active);
}

TEST_F(RequestsTest, the_same_request_twice_is_one_request) {
    filed(caller("alice"), ask("vault"));
    EXPECT_EQ(requests->file(caller("alice"), ask("vault")).error().code, Errc::conflict);
}

TEST_F(RequestsTest, pending_requests_of_one_person_are_bounded) {
    std::string text(test_policy);
    for (int index = 0; index < 17; ++index) {
        text += "[role.r" + std::to_string(index) +
                "]\nrisk = \"medium\"\neligible = [\"alice\"]\nmax = \"1h\"\n"
                "groups = [\"adm\"]\n";
    }
    set_policy(text);
    for (int index = 0; index < 16; ++index) {
        filed(caller("alice"), ask("r" + std::to_string(index)));
    }
    EXPECT_EQ(requests->file(caller("alice"), ask("r16")).error().code, Errc::exhausted);
}

TEST_F(RequestsTest, one_person_fills_no_disk_by_asking_and_taking_back) {
    const Ask longest{.role = "vault",
                      .reason = std::string(1000, 'x'),
                      .duration = {},
                      .ticket = {},
                      .commands = {},
                      .groups = {}};
    const auto ask_and_cancel = [&](int most) {
        for (int count = 0; count < most; ++count) {
            const auto request = requests->file(caller("alice"), longest);
            if (!request) {
                EXPECT_EQ(request.error().code, Errc::exhausted) << request.error().message;
                return count;
            }
            EXPECT_TRUE(requests->cancel(caller("alice"), request->id));
        }
        return most;
    };
    const int at_once = ask_and_cancel(5000);
    EXPECT_GT(at_once, 100);
    EXPECT_LT(at_once, 5000);
    EXPECT_LT(store->appended(), 4 * 1024 * 1024);
    EXPECT_TRUE(requests->file(caller("bob"), longest)) << "it is alice's share";
    pass(hours(1));
    const int in_an_hour = ask_and_cancel(5000);
    EXPECT_GT(in_an_hour, 0);
    EXPECT_LT(in_an_hour, at_once / 10);
}

TEST_F(RequestsTest, what_the_policy_no_longer_has_ends) {
    const Request active = filed(caller("alice"), ask("web", hours(1)));
    const Request pending = filed(caller("alice"), ask("vault"));
    const Request untouched = filed(caller("alice"), ask("quick", minutes(5)));
    std::string text(test_policy);
    text.erase(text.find("[role.web]"), text.find("[role.db]") - text.find("[role.web]"));
    const std::string two_stages = "[{ from = \"oncall\" }, { from = \"security\" }]";
    text.replace(text.find(two_stages), two_stages.size(), "[{ from = \"security\" }]");
    set_policy(text);
    ASSERT_TRUE(requests->apply_policy());
    EXPECT_EQ(requests->find(active.id)->cause, Cause::ineligible);
    EXPECT_EQ(state_of(active.id), State::ended);
    EXPECT_EQ(state_of(pending.id), State::cancelled) << "other people would have to answer it now";
    EXPECT_EQ(state_of(untouched.id), State::active);
}

TEST_F(RequestsTest, who_leaves_the_group_loses_what_it_gave) {
    const Request request = filed(caller("mallory", {"sre"}), ask("quick", minutes(5)));
    const Account still = account("mallory", {"sre"});
    ASSERT_TRUE(requests->apply_account(still.uid, &still));
    EXPECT_EQ(state_of(request.id), State::active);
    const Account left = account("mallory");
    ASSERT_TRUE(requests->apply_account(left.uid, &left));
    EXPECT_EQ(requests->find(request.id)->cause, Cause::ineligible);
}

TEST_F(RequestsTest, an_account_that_is_gone_or_renamed_loses_all) {
    const Request first = filed(caller("alice"), ask("web", minutes(5)));
    ASSERT_TRUE(requests->apply_account(first.beneficiary.uid, nullptr));
    EXPECT_EQ(state_of(first.id), State::ended);
    const Request second = filed(caller("alice"), ask("web", minutes(5)));
    Account renamed = account("alice");
    renamed.name = "bob";
    ASSERT_TRUE(requests->apply_account(second.beneficiary.uid, &renamed));
    EXPECT_EQ(state_of(second.id), State::ended);
}

TEST_F(RequestsTest, refusals_are_recorded_a_few_at_a_time_and_the_rest_counted) {
    const Error error{Errc::refused, "no"};
    for (int count = 0; count < 1000; ++count) {
        requests->record_refusal(caller("mallory"), "request web", error);
    }
    EXPECT_EQ(store->events_after(0, 2000).size(), 10U);
    pass(minutes(1));
    requests->record_refusal(caller("mallory"), "request web", error);
    const auto events = store->events_after(0, 2000);
    ASSERT_EQ(events.size(), 11U);
    EXPECT_EQ((*parse_json(events.back().body))["refusals_not_recorded_before"], 990);
}

TEST_F(RequestsTest, all_is_there_again_after_a_restart) {
    const Request active = filed(caller("alice"), ask("web", hours(1)));
    const Request pending = filed(caller("alice"), ask("vault"));
    ASSERT_TRUE(requests->approve(caller("carol"), pending.id, "fine", account("alice")));
    const AuditHead head = store->head();
    open();
    EXPECT_EQ(store->head().hash, head.hash);
    EXPECT_FALSE(store->head_problem());
    EXPECT_EQ(state_of(active.id), State::active);
    EXPECT_EQ(requests->find(active.id)->not_after->time, active.not_after->time);
    ASSERT_EQ(requests->find(pending.id)->answers.size(), 1U);
    EXPECT_EQ(requests->find(pending.id)->answers[0].reason, "fine");
    EXPECT_TRUE(requests->approve(caller("bob"), pending.id, "", account("alice")));
    EXPECT_EQ(state_of(pending.id), State::active);
}

TEST_F(RequestsTest, a_step_that_cannot_be_recorded_does_not_happen) {
    Database other(path(), Database::Mode::read_write_create);
    other.execute("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no room'); END");
    const auto refused = requests->file(caller("alice"), ask("web", hours(1)));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unavailable);
    EXPECT_EQ(store->count(State::active), 0);
    EXPECT_EQ(store->head().seq, 0);
    EXPECT_TRUE(changed.empty());
    other.execute("DROP TRIGGER full");
    EXPECT_EQ(filed(caller("alice"), ask("web", hours(1))).state, State::active);
    EXPECT_FALSE(store->head_problem());
}

TEST_F(RequestsTest, a_cut_off_event_shows_at_the_next_start) {
    filed(caller("alice"), ask("web", hours(1)));
    {
        Database other(path(), Database::Mode::read_write_create);
        other.execute("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)");
    }
    open();
    EXPECT_THAT(store->head_problem().value_or(""), HasSubstr("number 2"));
}

TEST_F(RequestsTest, a_damaged_row_is_an_error_and_not_a_default) {
    const Request request = filed(caller("alice"), ask("web", hours(1)));
    Database other(path(), Database::Mode::read_write_create);
    for (const char* damage :
         {"state = 'odd'", "scope = '{}'", "scope = 'x'", "stages = '[{}]'", "cause = 'why'"}) {
        other.execute("SAVEPOINT s");
        other.execute(("UPDATE requests SET " + std::string(damage)).c_str());
        other.execute("RELEASE s");
        EXPECT_EQ(requests->find(request.id).error().code, Errc::unavailable) << damage;
        other.execute(("UPDATE requests SET state='active', cause=NULL, stages='[]', scope='" +
                       to_line(Json{{"run_as", Json::array()},
                                    {"commands", Json::array()},
                                    {"groups", Json::array()},
                                    {"memberships", Json::array()},
                                    {"login", Json::array()}}) +
                       "'")
                          .c_str());
        EXPECT_TRUE(requests->find(request.id)) << damage;
    }
}

TEST_F(RequestsTest, a_grant_without_an_end_cannot_even_be_written) {
    filed(caller("alice"), ask("web", hours(1)));
    Database other(path(), Database::Mode::read_write_create);
    EXPECT_THROW(other.execute("UPDATE requests SET not_after = NULL"), DbError);
}

TEST_F(RequestsTest, a_uid_beyond_two_to_the_31_is_kept_as_it_is) {
    Caller high = caller("alice");
    high.party.uid = Uid{4'000'000'000U};
    high.account.uid = Uid{4'000'000'000U};
    const Request request = filed(high, ask("web", hours(1)));
    EXPECT_EQ(requests->find(request.id)->beneficiary.uid, Uid{4'000'000'000U});
    EXPECT_EQ(store->active_of(Uid{4'000'000'000U}).size(), 1U);
}

TEST_F(RequestsTest, a_database_of_a_newer_version_is_refused) {
    {
        Database other(path(), Database::Mode::read_write_create);
        other.execute("PRAGMA user_version = 99");
    }
    const auto opened = Store::open(path(), Store::Mode::owner);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, HasSubstr("newer jitd"));
}

TEST_F(RequestsTest, ids_are_short_hex_and_grow_with_their_number) {
    EXPECT_EQ(store->new_id().size(), 4U);
    Database other(path(), Database::Mode::read_write_create);
    const Request request = filed(caller("alice"), ask("web", hours(1)));
    other.execute("CREATE TEMP TABLE copy AS SELECT * FROM requests");
    other.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100) "
        "INSERT INTO requests SELECT printf('%08x', i), 'ended', cause, role, scope, stages, person, "
        "account, "
        "uid, requester, requester_account, requester_uid, login_person, reason, ticket, duration, filed, "
        "answer_by, not_before, not_after, boot_id, boot_deadline, ended, ended_by, ended_reason, extends, "
        "chain, stock, searched, left_behind, uses, used, last_used, wish, review_due, reviewed, "
        "reviewed_by, review_reason FROM copy, n");
    EXPECT_EQ(store->new_id().size(), 5U);
}

} // namespace
} // namespace jit
