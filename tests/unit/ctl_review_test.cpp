// SPDX-License-Identifier: MIT
// jitctl review, and where else it is said that something waits for one.
#include "core/text.h"
#include "ctl_run_kit.h"

#include <gmock/gmock.h>

namespace jit {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Json due(bool yours) {
    Json r = with(request("ended"), "ended", in(std::chrono::milliseconds(0)));
    r["left_behind"] = {{"count", 5}, {"left", {"written: /etc/passwd", "cron added: /etc/cron.d/x"}}};
    r["review"] = {{"due", 1'800'000'000'000}, {"yours", yours}};
    return r;
}
Json reviewed() {
    Json r = due(false);
    r["review"] = {{"due", 1'800'000'000'000},
                   {"at", 1'800'000'060'000},
                   {"by", "carol"},
                   {"reason", "ours"},
                   {"yours", false}};
    return r;
}
Json list_of(const std::vector<Json>& requests) {
    return {{"requests", requests}, {"left_out", 0}};
}

TEST(CtlReview, shows_what_was_found_and_how_to_say_that_one_has_looked) {
    std::vector<Json> calls;
    const Ran ran = jitctl({"review"}, {replies(list_of({due(true)}))}, &calls);
    EXPECT_EQ(ran.exit, 0) << ran.err;
    EXPECT_EQ(calls.at(0)["method"], "io.jitsudo.Access.Reviews");
    EXPECT_THAT(ran.out,
                AllOf(StartsWith("ID    ROLE     WHO    ENDED"), HasSubstr("\n7f3a  web-ops  alice  "),
                      HasSubstr("\n      written: /etc/passwd\n      cron added: /etc/cron.d/x\n"
                                "      and 3 more: jitctl show 7f3a\n"),
                      EndsWith("jitctl review ID --reason TEXT\n")));
    EXPECT_THAT(ran.out, Not(HasSubstr("not yours")));
}

TEST(CtlReview, says_what_is_not_ones_own_to_review_what_is_left_out_and_where_there_is_nothing) {
    const Ran ran = jitctl({"review"}, {replies(with(list_of({due(false)}), "left_out", 7))});
    EXPECT_THAT(ran.out, AllOf(HasSubstr("\n      not yours to review\n"),
                               EndsWith("and 7 more grants, once these are reviewed\n")));
    EXPECT_EQ(jitctl({"review"}, {replies(list_of({}))}).out,
              "nothing waits for a review that you may see\n");
    const Json reply = list_of({due(true)});
    EXPECT_EQ(jitctl({"review", "--json"}, {replies(reply)}).out, to_line(reply) + "\n");
}

TEST(CtlReview, of_grants_by_their_ids_is_a_call_each) {
    std::vector<Json> calls;
    const Ran ran =
        jitctl({"review", "7f3a", "beef", "--reason", "ours"},
               {replies(reply_of(reviewed())), refuses("Conflict", "bob has reviewed it")}, &calls);
    EXPECT_EQ(ran.exit, 5);
    EXPECT_EQ(ran.out, "reviewed 7f3a: web-ops for alice, 5 things were left behind\n");
    EXPECT_EQ(ran.err, "jitctl: beef: bob has reviewed it\n");
    ASSERT_EQ(calls.size(), 2U);
    EXPECT_EQ(calls[0]["method"], "io.jitsudo.Access.Review");
    EXPECT_EQ(calls[0]["parameters"], (Json{{"id", "7f3a"}, {"reason", "ours"}}));
}

TEST(CtlReview, takes_a_reason_for_grants_only_and_no_empty_one) {
    EXPECT_EQ(jitctl({"review", "--reason", "x"}, {}).exit, 2);
    EXPECT_EQ(jitctl({"review", "7f3a", "--reason", " "}, {}).exit, 2);
    EXPECT_EQ(jitctl({"review", "no id"}, {}).exit, 2);
}

TEST(CtlReview, is_told_with_the_grant) {
    EXPECT_THAT(jitctl({"show", "7f3a"}, {replies(reply_of(due(true)))}).out,
                HasSubstr("review:     due since 2027-01-15 08:00 UTC: jitctl review 7f3a --reason TEXT\n"));
    EXPECT_THAT(jitctl({"show", "7f3a"}, {replies(reply_of(due(false)))}).out,
                HasSubstr("review:     due since 2027-01-15 08:00 UTC\n"));
    EXPECT_THAT(jitctl({"show", "7f3a"}, {replies(reply_of(reviewed()))}).out,
                HasSubstr("review:     by carol, 2027-01-15 08:01 UTC: ours\n"));
    EXPECT_THAT(jitctl({"show", "7f3a"}, {replies(reply_of(request("ended")))}).out,
                Not(HasSubstr("review:")));
}

TEST(CtlReview, that_waits_is_said_where_one_looks_for_what_waits) {
    const Json list{{"requests", Json::array()}, {"to_review", 2}};
    EXPECT_EQ(
        jitctl({"list"}, {replies(list)}).out,
        "no requests that concern you\nwaiting for your review, what 2 grants left behind: jitctl review\n");
    const Json overview{
        {"now", 1}, {"requests", Json::array()}, {"uses", Json::array()}, {"left_out", 0}, {"to_review", 1}};
    EXPECT_THAT(jitctl({"watch", "--once"}, {replies(overview)}).out,
                EndsWith("\nwaiting for your review, what 1 grant left behind: jitctl review\n"));
    EXPECT_EQ(jitctl({"list"}, {replies(with(list, "to_review", -1))}).exit, 8);
}

} // namespace
} // namespace jit
