// SPDX-License-Identifier: MIT
// Grants that end by their use: what counts, what is over, and when something was last used.
#include "daemon/choose.h"
#include "daemon/ends.h"
#include "daemon/requests_text.h"
#include "requests_kit.h"

#include <gmock/gmock.h>

namespace jit {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::HasSubstr;

class Counting : public RequestsTest {
protected:
    Counting() {
        set_policy(std::string(test_policy) + R"(
[role.once]
risk = "low"
eligible = ["alice"]
max = "4h"
extend = "8h"
uses = 1
commands = ["/usr/bin/systemctl restart nginx"]
[role.twice]
risk = "low"
eligible = ["alice"]
max = "4h"
uses = 2
commands = ["/usr/bin/systemctl restart nginx"]
)");
    }
    Wanted wanted() {
        return {.by = caller("alice").party, .run_as = "root", .group = {}, .command = restart};
    }
    std::optional<RequestId> chosen() {
        const auto active = store->active();
        const Request* grant = choose(policy, active, wanted(), clock.now(), clock.boot_id());
        return grant != nullptr ? std::optional(grant->id) : std::nullopt;
    }
    void start(const RequestId& grant) {
        Use use;
        use.id = grant + "-" + std::to_string(++started_);
        use.grant = grant;
        use.by = caller("alice").party;
        use.run_as = "root";
        use.command = restart;
        use.boot_id = clock.boot_id();
        use.started = clock.now().time;
        ASSERT_TRUE(store->transact([&]() -> Result<void> {
            store->insert(use);
            return {};
        }));
    }
    std::optional<RequestId> carrying(const Began& began) {
        const auto active = store->active();
        const Request* grant = longest(policy, active, wanted(), began, clock.now(), clock.boot_id());
        return grant != nullptr ? std::optional(grant->id) : std::nullopt;
    }
    std::optional<std::uint32_t> left(const RequestId& grant) {
        const Request request = *requests->find(grant);
        return uses_left(request, policy.roles.at(request.role));
    }

    const Command restart{.path = "/usr/bin/systemctl", .arguments = {"restart", "nginx"}};

private:
    int started_ = 0;
};

TEST_F(Counting, a_grant_starts_as_many_as_its_role_says_and_then_no_more) {
    const Request grant = filed(caller("alice"), ask("twice", hours(1)));
    EXPECT_EQ(left(grant.id), 2U);
    for (int count = 0; count < 2; ++count) {
        EXPECT_EQ(chosen(), grant.id);
        start(grant.id);
    }
    EXPECT_EQ(left(grant.id), 0U);
    EXPECT_FALSE(chosen());
    open(); // jitd is started anew
    EXPECT_FALSE(chosen());
}

TEST_F(Counting, what_is_not_committed_does_not_count) {
    const Request grant = filed(caller("alice"), ask("once", hours(1)));
    EXPECT_FALSE(store->transact([&]() -> Result<void> {
        Use use;
        use.id = "x";
        use.grant = grant.id;
        use.by = caller("alice").party;
        use.boot_id = "boot-1";
        store->insert(use);
        return fail(Errc::refused, "not yet");
    }));
    EXPECT_EQ(left(grant.id), 1U);
}

TEST_F(Counting, the_smaller_number_holds_where_the_role_changes) {
    const Request grant = filed(caller("alice"), ask("twice", hours(1)));
    const Request unbounded = filed(caller("alice"), ask("web", hours(1)));
    policy.roles.at("twice").uses = 9;
    EXPECT_EQ(left(grant.id), 2U);
    policy.roles.at("twice").uses.reset();
    EXPECT_EQ(left(grant.id), 2U);
    policy.roles.at("twice").uses = 1;
    EXPECT_EQ(left(grant.id), 1U);
    EXPECT_EQ(left(unbounded.id), std::nullopt);
    start(unbounded.id);
    start(unbounded.id);
    policy.roles.at("web").uses = 1;
    EXPECT_EQ(left(unbounded.id), 0U) << "what began before counts too";
}

TEST_F(Counting, one_that_counts_nothing_is_started_under_where_there_is_one) {
    filed(caller("alice"), ask("once", hours(1)));
    const Request web = filed(caller("alice"), ask("web", minutes(10)));
    EXPECT_EQ(chosen(), web.id);
}

TEST_F(Counting, a_grant_that_counts_carries_only_what_it_has_counted) {
    const Request once = filed(caller("alice"), ask("once", minutes(10)));
    const Request twice = filed(caller("alice"), ask("twice", minutes(20)));
    Began began{.held = {}, .grant = once.id, .chain = once.chain};
    EXPECT_EQ(carrying(began), once.id) << "the other lives longer, and hasn't counted it";
    EXPECT_EQ(carrying({.held = {}, .grant = twice.id, .chain = twice.chain}), twice.id);

    const auto longer = requests->extend(caller("alice"), once.id, "more of it", minutes(30));
    ASSERT_TRUE(longer) << longer.error().message;
    EXPECT_EQ(left(longer->id), 1U) << "a grant of its own";
    EXPECT_EQ(carrying(began), longer->id) << "an extension is for what runs";
    began.over = true;
    EXPECT_EQ(carrying(began), once.id) << "and not for what that left behind";
    const Request web = filed(caller("alice"), ask("web", hours(1)));
    EXPECT_EQ(carrying(began), web.id) << "which counts nothing";
}

TEST_F(Counting, a_denial_says_that_it_is_used_up_and_how_to_ask_again) {
    const Request grant = filed(caller("alice"), ask("once", hours(1)));
    start(grant.id);
    const auto how = [this](const Role& role) { return requests->access_of(role); };
    const Denial denial = deny(policy, account("alice"), wanted(), {*requests->find(grant.id)}, {}, how);
    EXPECT_THAT(denial.next, testing::Contains("your grant " + grant.id +
                                               " of once is used up: its one command was started by it"));
    EXPECT_THAT(denial.next, testing::Contains(HasSubstr("jitctl request once --reason")));
}

TEST_F(Counting, a_grant_that_is_used_up_ends_alone) {
    const Request grant = filed(caller("alice"), ask("once", hours(1)));
    const auto longer = requests->extend(caller("alice"), grant.id, "once more", hours(1));
    ASSERT_TRUE(longer);
    ASSERT_TRUE(requests->end_by_use(grant, Cause::used_up, "its one command is over"));
    const Request ended = *requests->find(grant.id);
    EXPECT_EQ(ended.state, State::ended);
    EXPECT_EQ(ended.cause, Cause::used_up);
    EXPECT_EQ(state_of(longer->id), State::active);
    EXPECT_EQ(kinds().back(), "grant.ended");
}

TEST_F(Counting, a_grant_that_is_not_used_ends_with_its_extensions) {
    const Request grant = filed(caller("alice"), ask("once", minutes(10)));
    const auto longer = requests->extend(caller("alice"), grant.id, "once more", minutes(10));
    ASSERT_TRUE(longer);
    ASSERT_TRUE(requests->end_by_use(grant, Cause::idle, "not used for 5m"));
    for (const RequestId& id : {grant.id, longer->id}) {
        EXPECT_EQ(requests->find(id)->cause, Cause::idle);
        EXPECT_EQ(described_end(*requests->find(id)), "once has ended: not used for 5m");
    }
}

TEST_F(Counting, what_has_begun_in_a_chain_and_was_over_last_is_known_of_all_its_grants) {
    const Request grant = filed(caller("alice"), ask("once", minutes(10)));
    const auto longer = requests->extend(caller("alice"), grant.id, "once more", minutes(10));
    ASSERT_TRUE(longer);
    EXPECT_FALSE(store->last_used(grant.chain));
    start(grant.id);
    EXPECT_EQ(store->last_used(grant.chain), clock.now().time);
    pass(minutes(1));
    start(longer->id);
    EXPECT_EQ(store->last_used(grant.chain), clock.now().time);
    const Time over = clock.now().time + minutes(1);
    ASSERT_TRUE(store->transact([&]() -> Result<void> {
        store->set_last_used(grant.chain, over);
        return {};
    }));
    open(); // jitd is started anew
    EXPECT_EQ(store->last_used(grant.chain), over);
}

TEST_F(Counting, what_has_carried_something_is_known_while_it_runs) {
    const Request grant = filed(caller("alice"), ask("once", minutes(10)));
    start(grant.id);
    Use use = store->live_uses().front();
    EXPECT_THAT(use.chains, testing::IsEmpty());
    use.chains = {grant.chain, "7f3a"};
    ASSERT_TRUE(store->transact([&]() -> Result<void> {
        store->update(use);
        return {};
    }));
    open();
    EXPECT_EQ(store->live_uses().front().chains, use.chains);
}

TEST_F(Counting, a_grant_that_has_ended_meanwhile_is_not_ended_again) {
    const Request grant = filed(caller("alice"), ask("once", hours(1)));
    ASSERT_TRUE(requests->release(caller("alice"), grant.id));
    changed.clear();
    ASSERT_TRUE(requests->end_by_use(grant, Cause::used_up, "its one command is over"));
    ASSERT_TRUE(requests->end_by_use(grant, Cause::idle, "not used for 5m"));
    EXPECT_EQ(requests->find(grant.id)->cause, Cause::released);
    EXPECT_EQ(std::ranges::count(kinds(), "grant.ended"), 1);
    EXPECT_THAT(changed, testing::IsEmpty());
}

TEST_F(Counting, an_extension_is_offered_while_there_is_more_time_to_be_had) {
    const Request grant = filed(caller("alice"), ask("once", hours(1)));
    Role role = policy.roles.at("once");
    EXPECT_TRUE(requests->can_be_extended(grant, role));
    EXPECT_THAT(deny_too_short(role, grant, minutes(1), true).next,
                testing::ElementsAre("more time: jitctl extend " + grant.id + " --reason '…'"));
    role.extend = hours(1);
    EXPECT_FALSE(requests->can_be_extended(grant, role)) << "it has all of it";
    role.extend.reset();
    EXPECT_FALSE(requests->can_be_extended(grant, role));
    EXPECT_THAT(deny_too_short(role, grant, minutes(1), false).next,
                testing::ElementsAre("jitctl request once --reason '…'"));
}

TEST_F(Counting, a_login_is_carried_by_all_that_it_needs_together) {
    const auto carried_by = [&](const LoginNeeds& needs) {
        std::vector<RequestId> ids;
        const auto active = store->active();
        for (const Request* grant :
             all_for_login(policy, active, caller("alice").party, needs, clock.now(), clock.boot_id())) {
            ids.push_back(grant->id);
        }
        return ids;
    };
    Ask database = ask("db", minutes(30));
    database.ticket = "INC-1";
    const LoginNeeds both{.service = "sshd", .gated = true, .groups = {"postgres"}, .cgroup = {}};
    const Request web = filed(caller("alice"), ask("web", hours(1)));
    EXPECT_THAT(carried_by(both), testing::IsEmpty()) << "one of two";
    const auto postgres =
        requests->approve(caller("bob"), filed(caller("alice"), database).id, "", account("alice"));
    ASSERT_TRUE(postgres);
    EXPECT_THAT(carried_by(both), testing::ElementsAre(web.id, postgres->id));
    EXPECT_THAT(carried_by({.service = "sshd", .gated = false, .groups = {"postgres"}, .cgroup = {}}),
                testing::ElementsAre(postgres->id));
}

Ongoing going_on(const RequestId& grant, std::optional<BootTime> over) {
    return {.grant = grant, .chain = grant, .carried_by = {grant}, .last_used = {}, .over = over};
}

TEST(OngoingUses, are_all_over_with_the_last_of_them) {
    const BootTime at{hours(1)};
    EXPECT_EQ(all_over({}, "7f3a"), BootTime());
    EXPECT_EQ(all_over({going_on("7f3a", at), going_on("7f3a", at + minutes(1))}, "7f3a"), at + minutes(1));
    EXPECT_FALSE(all_over({going_on("7f3a", at), going_on("7f3a", {})}, "7f3a"));
    EXPECT_FALSE(all_over({going_on("7f3a", {}), going_on("7f3a", at)}, "7f3a"));
    EXPECT_EQ(all_over({going_on("00ff", {}), going_on("7f3a", at)}, "7f3a"), at);
}

TEST(OngoingUses, count_for_the_chain_that_they_began_under_and_for_the_one_that_carries_them) {
    const BootTime at{hours(1)};
    Ongoing use = going_on("7f3a", {});
    use.last_used = at;
    for (const auto& [began, carries] : {std::pair("7f3a", "7f3a"), {"7f3a", "00ff"}, {"00ff", "7f3a"}}) {
        use.chain = began;
        use.carried_by = {carries, "bbbb"};
        const Unused unused = unused_since({use}, "7f3a", at - minutes(5));
        EXPECT_TRUE(unused.going_on) << began << carries;
        EXPECT_EQ(unused.last, at) << began << carries;
    }
    const Unused other = unused_since({use}, "aaaa", at - minutes(5));
    EXPECT_FALSE(other.going_on);
    EXPECT_EQ(other.last, at - minutes(5));
    use.over = at + minutes(1);
    EXPECT_FALSE(unused_since({use}, "7f3a", at).going_on);
}

// A wall clock that is `ahead` of the boot clock by so much.
class LastUsed : public testing::Test {
protected:
    Time wall(Millis after = Millis(0)) const { return Time(ahead + start.time_since_epoch() + after); }
    BootTime start{hours(5)};
    Millis ahead = hours(100'000);
};

TEST_F(LastUsed, is_when_a_mark_says_that_has_changed) {
    LastUse use(start, wall(), start);
    use.look(wall(-hours(1)), wall(minutes(5)), start + minutes(5));
    EXPECT_EQ(use.at(), start) << "a mark of before counts for nothing";
    use.look(wall(minutes(7)), wall(minutes(10)), start + minutes(10));
    EXPECT_EQ(use.at(), start + minutes(7));
    use.look(wall(minutes(7)), wall(minutes(30)), start + minutes(30));
    EXPECT_EQ(use.at(), start + minutes(7)) << "and the same mark again for nothing more";
    use.look(wall(hours(9)), wall(minutes(40)), start + minutes(40));
    EXPECT_EQ(use.at(), start + minutes(40)) << "a mark of the future is of now";
}

TEST_F(LastUsed, is_not_moved_by_a_clock_that_is_set) {
    // Also to 1970, and to 2106.
    for (const Millis step :
         {Millis(hours(24)), Millis(-hours(24)), Millis(minutes(1)), -ahead, Millis(hours(1'100'000))}) {
        LastUse use(start, wall(), start);
        use.look(wall(minutes(4)), wall(minutes(5)), start + minutes(5));
        // Nobody does anything: that the clock was set is no use of it, nor the end of any.
        use.look(wall(minutes(4)), wall(minutes(6) + step), start + minutes(6));
        EXPECT_EQ(use.at(), start + minutes(4));
        // Somebody types, and then the clock is set.
        use.look(wall(minutes(7) + step), wall(minutes(8)), start + minutes(8));
        EXPECT_EQ(use.at(), start + minutes(8)) << "the later, where it can't be told";
        // From then on its marks are by the clock as it is.
        use.look(wall(minutes(9)), wall(minutes(10)), start + minutes(10));
        EXPECT_EQ(use.at(), start + minutes(9));
    }
}

TEST_F(LastUsed, is_not_what_we_ourselves_did_and_never_goes_back) {
    LastUse use(start, wall(), start);
    use.look(wall(minutes(4)), wall(minutes(5)), start + minutes(5));
    use.pass_over(wall(minutes(5)));
    use.look(wall(minutes(5)), wall(minutes(20)), start + minutes(20));
    EXPECT_EQ(use.at(), start + minutes(4));
    use.used(start + minutes(30));
    use.look(wall(minutes(1)), wall(minutes(31)), start + minutes(31));
    EXPECT_EQ(use.at(), start + minutes(30));
}

TEST(Terminals, are_looked_at_by_their_plain_name_alone) {
    for (const char* other : {"", "/dev/tty1", "/dev/pts/", "/dev/pts/x", "/dev/pts/1/../2", "/dev/pts/-1",
                              "/dev/pts/99999999", "pts/0", "/dev/pts/ptmx"}) {
        EXPECT_FALSE(use_of_terminal(other).visible) << other;
    }
    const TerminalUse gone = use_of_terminal("/dev/pts/2047");
    EXPECT_TRUE(gone.visible);
    EXPECT_FALSE(gone.last);
}

} // namespace
} // namespace jit
