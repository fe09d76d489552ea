// SPDX-License-Identifier: MIT
#include "requests_kit.h"

#include "daemon/locks.h"

#include <gmock/gmock.h>

namespace jit {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::IsEmpty;
using testing::IsSupersetOf;

class Locks : public RequestsTest {
protected:
    [[nodiscard]] Locked locked(LockKind kind, const std::string& name,
                                std::optional<Millis> duration = std::nullopt) {
        LockWish wish{
            .kind = kind, .name = name, .account = {}, .duration = duration, .reason = "laptop stolen"};
        if (kind == LockKind::user) {
            wish.account = account(name);
        }
        auto result = requests->lock(root, wish);
        EXPECT_TRUE(result) << result.error().message;
        return result.value_or(Locked{});
    }
    [[nodiscard]] std::string refusal(const Caller& by, const std::string& role) {
        const auto asked = requests->file(by, ask(role, minutes(5)));
        return asked ? "" : asked.error().message;
    }

    Root root{.party = {.person = "root", .account = "root", .uid = root_uid}, .login_uid = {}};
};

TEST_F(Locks, what_is_had_and_asked_for_ends_and_nothing_new_is_given) {
    const Request had = filed(caller("alice"), ask("web", hours(1)));
    const Request asked = filed(caller("alice"), ask("web", hours(2)));
    const Request others = filed(caller("bob"), ask("web", hours(1)));
    changed.clear();
    const Locked done = locked(LockKind::user, "alice");
    EXPECT_EQ(done.ended, 1U);
    EXPECT_EQ(done.cancelled, 1U);
    EXPECT_EQ(changed.size(), 2U) << "the surfaces are told";
    EXPECT_EQ(requests->find(had.id)->cause, Cause::locked);
    EXPECT_EQ(requests->find(had.id)->ended_reason, "alice is locked: laptop stolen");
    EXPECT_EQ(state_of(asked.id), State::cancelled);
    EXPECT_EQ(state_of(others.id), State::active);
    EXPECT_EQ(refusal(caller("alice"), "web"), "alice is locked: laptop stolen");
    EXPECT_EQ(refusal(caller("bob"), "web"), "");
    EXPECT_THAT(kinds(), IsSupersetOf({"lock.set", "grant.ended", "request.cancelled"}));
}

TEST_F(Locks, a_person_is_locked_under_every_account_and_however_they_became_another) {
    std::ignore = locked(LockKind::user, "bob");
    EXPECT_NE(refusal(caller("bob-adm"), "web"), "");
    Caller bob_as_alice = caller("alice");
    bob_as_alice.login_person = "bob";
    EXPECT_NE(refusal(bob_as_alice, "web"), "");
    EXPECT_EQ(refusal(caller("alice"), "web"), "");
}

TEST_F(Locks, an_account_that_gets_another_name_stays_locked) {
    std::ignore = locked(LockKind::user, "alice");
    Caller renamed = caller("alice");
    renamed.account.name = renamed.party.account = renamed.party.person = renamed.login_person = "alicia";
    EXPECT_NE(lock_on(*requests->locks(), policy, renamed.party, ""), nullptr);
}

TEST_F(Locks, who_is_locked_answers_nothing_and_what_they_have_approved_starts_nothing) {
    const Request half = filed(caller("alice"), ask("vault"));
    ASSERT_TRUE(requests->approve(caller("carol"), half.id, "", account("alice")));
    ASSERT_EQ(state_of(half.id), State::pending) << "one of security is still to answer";
    const Request fresh = filed(caller("alice"), ask("web", hours(2)));
    EXPECT_EQ(locked(LockKind::user, "carol").cancelled, 1U);
    EXPECT_EQ(state_of(half.id), State::cancelled);
    EXPECT_EQ(requests->approve(caller("carol"), fresh.id, "", account("alice")).error().message,
              "carol is locked: laptop stolen");
    EXPECT_FALSE(requests->deny(caller("carol"), fresh.id, "no"));
    EXPECT_FALSE(requests->grant(caller("carol"), account("alice"), ask("web", hours(1))));
    ASSERT_TRUE(requests->approve(caller("bob"), fresh.id, "", account("alice")));
    EXPECT_FALSE(requests->revoke(caller("carol"), fresh.id, "mine now"));
    EXPECT_TRUE(requests->revoke(caller("root"), fresh.id, "enough"));
}

TEST_F(Locks, what_takes_away_is_still_ones_own) {
    const Request had = filed(caller("bob"), ask("web", hours(1)));
    std::ignore = locked(LockKind::role, "quick");
    EXPECT_TRUE(requests->release(caller("bob"), had.id));
}

TEST_F(Locks, a_role_or_the_host) {
    const Request web = filed(caller("alice"), ask("web", hours(1)));
    const Request quick = filed(caller("alice"), ask("quick", minutes(5)));
    EXPECT_EQ(locked(LockKind::role, "web").ended, 1U);
    EXPECT_EQ(state_of(web.id), State::ended);
    EXPECT_EQ(state_of(quick.id), State::active);
    EXPECT_EQ(refusal(caller("bob"), "web"), "role web is locked: laptop stolen");
    EXPECT_EQ(locked(LockKind::host, "").ended, 1U);
    EXPECT_EQ(state_of(quick.id), State::ended);
    EXPECT_EQ(refusal(caller("alice"), "quick"), "this host is locked: laptop stolen");
}

TEST_F(Locks, each_is_lifted_by_itself) {
    const Locked one = locked(LockKind::user, "alice");
    const Locked other = locked(LockKind::role, "web");
    EXPECT_NE(one.lock.id, other.lock.id);
    ASSERT_TRUE(requests->unlock(root, one.lock.id, "found again"));
    EXPECT_EQ(refusal(caller("alice"), "quick"), "");
    EXPECT_NE(refusal(caller("alice"), "web"), "");
    EXPECT_EQ(requests->unlock(root, one.lock.id, "").error().code, Errc::not_found);
}

TEST_F(Locks, one_for_a_time_is_over_when_both_clocks_say_so) {
    std::ignore = locked(LockKind::user, "alice", hours(1));
    EXPECT_EQ(refusal(caller("alice"), "quick"), "alice is locked until 2027-01-15 09:00 UTC: laptop stolen");
    test_reading.realtime += hours(2); // somebody set the clock
    ASSERT_TRUE(requests->advance());
    EXPECT_NE(refusal(caller("alice"), "quick"), "");
    EXPECT_EQ(requests->next_lift(), clock.now().boot + hours(1)) << "and jitd sleeps until then";
    test_reading.boot += hours(1);
    ASSERT_TRUE(requests->advance());
    EXPECT_EQ(refusal(caller("alice"), "quick"), "");
    EXPECT_FALSE(requests->next_lift());
    EXPECT_EQ(std::ranges::count(kinds(), "lock.lifted"), 1);
}

TEST_F(Locks, it_survives_a_restart) {
    std::ignore = locked(LockKind::role, "web", hours(1));
    open();
    EXPECT_NE(refusal(caller("alice"), "web"), "");
}

TEST_F(Locks, a_policy_that_says_whose_an_account_is_makes_the_lock_hold_it) {
    std::ignore = locked(LockKind::user, "zoe");
    const Request had = filed(caller("alice"), ask("web", hours(1)));
    set_policy(std::string(test_policy) + "[person.alice]\naccounts = [\"alice\", \"zoe\"]\n");
    ASSERT_TRUE(requests->apply_policy());
    EXPECT_EQ(requests->find(had.id)->cause, Cause::locked);
}

TEST_F(Locks, an_account_that_became_theirs_after_the_grant_is_theirs) {
    const Request had = filed(caller("alice"), ask("web", hours(1)));
    const Request asked = filed(caller("alice"), ask("web", hours(2)));
    set_policy(std::string(test_policy) + "[person.alice]\naccounts = [\"alice\", \"zoe\"]\n");
    // The record says the person alice; now let her account be somebody else's second one.
    policy.person_by_account["alice"] = "zoe";
    std::ignore = locked(LockKind::user, "zoe");
    EXPECT_EQ(requests->find(had.id)->cause, Cause::locked);
    EXPECT_EQ(state_of(asked.id), State::cancelled);
}

TEST_F(Locks, what_was_asked_from_a_locked_keyboard_is_cancelled_and_others_are_not_told_why) {
    Caller bob_as_alice = caller("alice");
    bob_as_alice.login_person = "bob";
    const Request asked = filed(bob_as_alice, ask("web", hours(2)));
    EXPECT_EQ(locked(LockKind::user, "bob").cancelled, 1U);
    EXPECT_EQ(requests->find(asked.id)->ended_reason,
              "bob, who asked for it or approved it, is locked; ask again");
    // Nor is somebody who could approve nothing.
    const auto nosy = requests->grant(caller("mallory"), account("bob"), ask("web", hours(1)));
    ASSERT_FALSE(nosy);
    EXPECT_EQ(nosy.error().message.find("stolen"), std::string::npos) << nosy.error().message;
}

TEST_F(Locks, a_reason_is_needed) {
    EXPECT_EQ(
        requests
            ->lock(root, {.kind = LockKind::host, .name = {}, .account = {}, .duration = {}, .reason = " "})
            .error()
            .code,
        Errc::invalid);
    EXPECT_THAT(*requests->locks(), IsEmpty());
}

} // namespace
} // namespace jit
