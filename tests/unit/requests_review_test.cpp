// SPDX-License-Identifier: MIT
// Who may say that they have looked at what a grant left behind, and what becomes of that.
#include "requests_kit.h"

#include <gmock/gmock.h>

namespace jit {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class Reviews : public RequestsTest {
protected:
    Reviews() { set_policy("[site]\nauditors = [\"erin\"]\n" + std::string(test_policy)); }

    // A grant that is over, and of which something was found.
    RequestId left_something(const Request& grant) {
        EXPECT_TRUE(requests->release(caller(grant.beneficiary.account), grant.id));
        find_something(grant.id);
        return grant.id;
    }
    // alice's, by whose stage oncall (bob, carol) answers.
    RequestId alices() {
        const Request asked = filed(caller("alice"), ask("web", hours(2)));
        return left_something(requests->approve(caller("carol"), asked.id, "", account("alice")).value());
    }
    void find_something(const RequestId& id) {
        EXPECT_TRUE(store->transact([&]() -> Result<void> {
            store->set_searched(id, clock.now().time, R"({"count":1,"left":["written: /etc/passwd"]})");
            store->want_review(id, clock.now().time);
            return {};
        }));
    }
    [[nodiscard]] std::string refusal(const Caller& by, const RequestId& id) {
        const auto reviewed = requests->review(by, id, "");
        return reviewed ? "" : reviewed.error().message;
    }
    [[nodiscard]] std::vector<RequestId> waiting() {
        std::vector<RequestId> ids;
        for (const Request& request : store->to_review(100)) {
            ids.push_back(request.id);
        }
        EXPECT_EQ(store->count_to_review(), std::ssize(ids));
        return ids;
    }
    // `sudo -i`, or the console.
    Caller root_behind(const std::string& who) const {
        Caller root = caller("root");
        root.login_person = who;
        root.login_known = true;
        root.not_attested = "this session was logged in by another";
        return root;
    }
};

TEST_F(Reviews, by_one_who_may_approve_it_is_recorded_with_what_they_say) {
    const RequestId first = alices();
    pass(minutes(1));
    const RequestId second = alices();
    EXPECT_EQ(waiting(), (std::vector{first, second}));
    pass(minutes(5));
    const Time now = clock.now().time;
    ASSERT_TRUE(requests->review(caller("bob"), first, "that is the new runner"));
    EXPECT_EQ(waiting(), std::vector{second});
    const Review review = store->review(first).value();
    EXPECT_EQ(review.at, now);
    EXPECT_EQ(review.by, "bob");
    EXPECT_EQ(review.reason, "that is the new runner");
    const Json event = parse_json(store->events_after(store->head().seq - 1, 1).at(0).body).value();
    EXPECT_EQ(event["kind"], "grant.reviewed");
    EXPECT_EQ(event["request"], first);
    EXPECT_EQ(event["by"]["person"], "bob");
    EXPECT_EQ(event["reason"], "that is the new runner");
    EXPECT_EQ(Time(Millis(event["found"].get<std::int64_t>())), now - minutes(6));
}

TEST_F(Reviews, of_ones_own_are_refused_under_every_account_and_however_one_became_another) {
    const RequestId alices_own = alices();
    const Request asked = filed(caller("bob"), ask("web", hours(2)));
    const RequestId bobs =
        left_something(requests->approve(caller("carol"), asked.id, "", account("bob")).value());
    const RequestId given =
        left_something(requests->grant(caller("carol"), account("alice"), ask("web", hours(2))).value());
    Caller alice_as_carol = caller("carol");
    alice_as_carol.login_person = "alice";
    for (const auto& [who, id] :
         {std::pair(caller("alice"), alices_own), std::pair(alice_as_carol, alices_own),
          std::pair(root_behind("alice"), alices_own), std::pair(caller("bob"), bobs),
          std::pair(caller("bob-adm"), bobs), std::pair(caller("carol"), given)}) {
        EXPECT_THAT(refusal(who, id), HasSubstr("nobody reviews a grant of their own"))
            << who.account.name << " " << id;
    }
    EXPECT_EQ(waiting().size(), 3U);
    EXPECT_EQ(refusal(caller("bob-adm"), given), "");
}

TEST_F(Reviews, are_for_those_who_approve_and_auditors) {
    const RequestId id = alices();
    EXPECT_THAT(refusal(caller("dave"), id), HasSubstr("neither among the people who approve this"));
    EXPECT_EQ(refusal(caller("erin"), id), "");
    // By rule, where nobody was asked.
    const RequestId by_rule = left_something(filed(caller("alice"), ask("web", minutes(5))));
    EXPECT_THAT(refusal(caller("carol"), by_rule), HasSubstr("nor an auditor"));
    EXPECT_EQ(refusal(caller("erin"), by_rule), "");
    EXPECT_THAT(waiting(), IsEmpty());
}

TEST_F(Reviews, need_a_login_of_ones_own_and_of_root_somebody_behind_it) {
    const RequestId id = alices();
    for (const char* name : {"carol", "erin"}) {
        Caller service = caller(name);
        service.not_attested = "this is a service";
        EXPECT_EQ(refusal(service, id), "this is a service");
    }
    Caller cron = root_behind("");
    cron.not_attested = "this session has no login of its own";
    EXPECT_EQ(refusal(cron, id), "this session has no login of its own");
    Caller elevation = root_behind("bob");
    elevation.login_known = false;
    elevation.not_attested = "this is an elevation";
    EXPECT_EQ(refusal(elevation, id), "this is an elevation");
    EXPECT_EQ(refusal(root_behind("bob"), id), "");
    EXPECT_EQ(store->review(id)->by, "bob") << "who it is, not what they are now";
}

TEST_F(Reviews, of_an_account_that_a_grant_made_do_not_count) {
    const RequestId id = alices();
    Caller made = caller("erin");
    made.account.made_by = "beef";
    EXPECT_THAT(refusal(made, id), HasSubstr("nor an auditor"));
}

TEST_F(Reviews, of_the_same_count_once_and_of_nothing_not_at_all) {
    const RequestId id = alices();
    ASSERT_TRUE(requests->review(caller("bob"), id, ""));
    const auto again = requests->review(caller("carol"), id, "");
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::conflict);
    EXPECT_THAT(again.error().message, HasSubstr("bob has reviewed"));
    EXPECT_THAT(kinds(), Contains("grant.reviewed").Times(1));
    const Request active = filed(caller("alice"), ask("web", hours(3)));
    EXPECT_THAT(refusal(caller("bob"), active.id), HasSubstr("is pending"));
    EXPECT_EQ(requests->review(caller("bob"), "0000", "").error().code, Errc::not_found);
}

TEST_F(Reviews, are_wanted_again_when_more_is_found) {
    const RequestId id = alices();
    ASSERT_TRUE(requests->review(caller("bob"), id, "fine"));
    find_something(id);
    EXPECT_EQ(waiting(), std::vector{id});
    EXPECT_FALSE(store->review(id)->at);
    open();
    EXPECT_EQ(refusal(caller("carol"), id), "");
    EXPECT_EQ(store->review(id)->by, "carol");
}

TEST_F(Reviews, are_none_of_who_is_locked) {
    const RequestId id = alices();
    LockWish wish{.kind = LockKind::user,
                  .name = "bob",
                  .account = account("bob"),
                  .duration = {},
                  .reason = "laptop stolen"};
    ASSERT_TRUE(requests->lock({.party = caller("root").party, .login_uid = {}}, wish));
    EXPECT_THAT(refusal(caller("bob"), id), HasSubstr("laptop stolen"));
    EXPECT_THAT(refusal(root_behind("bob"), id), HasSubstr("laptop stolen"));
    EXPECT_EQ(refusal(caller("carol"), id), "");
}

TEST_F(Reviews, take_a_reason_of_text_and_of_a_size) {
    const RequestId id = alices();
    for (const std::string& bad : {std::string(" "), std::string(1001, 'x'), std::string("\xff")}) {
        EXPECT_EQ(requests->review(caller("bob"), id, bad).error().code, Errc::invalid);
    }
    EXPECT_EQ(waiting(), std::vector{id});
}

TEST_F(Reviews, whether_there_is_anything_is_not_told_whom_it_was_for) {
    const RequestId id = alices();
    const std::string due = refusal(caller("alice"), id);
    ASSERT_TRUE(requests->review(caller("bob"), id, ""));
    EXPECT_EQ(refusal(caller("alice"), id), due);
    const Request request = requests->find(id).value();
    EXPECT_TRUE(may_see(policy, request, caller("alice")));
    EXPECT_FALSE(may_see_left_behind(policy, request, caller("alice")));
    EXPECT_FALSE(may_see_left_behind(policy, request, caller("dave")));
    for (const char* name : {"bob", "erin", "root"}) {
        EXPECT_TRUE(may_see_left_behind(policy, request, caller(name))) << name;
    }
}

TEST_F(Reviews, that_make_no_sense_in_the_database_are_an_error) {
    const RequestId id = alices();
    Database(path(), Database::Mode::read_write_create)
        .execute("UPDATE requests SET reviewed = 1 WHERE reviewed_by IS NULL");
    EXPECT_THAT(refusal(caller("bob"), id), HasSubstr("damaged"));
}

} // namespace
} // namespace jit
