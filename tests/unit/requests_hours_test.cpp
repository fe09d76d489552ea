// SPDX-License-Identifier: MIT
// A role that may be had at some hours only. It is Friday, 2027-01-15 08:00 UTC.
#include "requests_kit.h"

#include <gmock/gmock.h>

namespace jit {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::HasSubstr;

class RequestsHours : public RequestsTest {
protected:
    RequestsHours() { open_from("08:00..09:30"); }
    void open_from(const std::string& span) {
        set_policy(std::string(test_policy) + R"(
[role.shift]
risk = "low"
eligible = ["alice"]
max = "1h"
extend = "4h"
groups = ["adm"]
hours = ["Fri )" + span +
                   R"( UTC"]
[role.asked]
risk = "medium"
eligible = ["alice"]
max = "1h"
groups = ["adm"]
hours = ["Fri )" + span +
                   R"( UTC"]
)");
    }
};

TEST_F(RequestsHours, it_is_given_within_them_and_ends_with_them) {
    const Request first = filed(caller("alice"), ask("shift", hours(1)));
    EXPECT_EQ(first.not_after->time, test_reading.realtime + hours(1));
    pass(hours(1));
    ASSERT_TRUE(requests->advance());
    EXPECT_EQ(requests->find(first.id)->cause, Cause::expired);
    const Request second = filed(caller("alice"), ask("shift", hours(1)));
    EXPECT_EQ(second.not_after->time, test_reading.realtime + minutes(30));
    EXPECT_EQ(second.not_after->boot, test_reading.boot + minutes(30)) << "also if the clock is set back";
    pass(minutes(30));
    ASSERT_TRUE(requests->advance());
    const auto ended = requests->find(second.id);
    EXPECT_EQ(ended->cause, Cause::outside_hours);
    EXPECT_EQ(ended->ended_reason,
              "role shift is to be had Fri 08:00..09:30 UTC only, next from 2027-01-22 08:00 UTC");
    const auto third = requests->file(caller("alice"), ask("shift", hours(1)));
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().code, Errc::refused);
    EXPECT_THAT(third.error().message, HasSubstr("next from 2027-01-22 08:00 UTC"));
}

TEST_F(RequestsHours, an_approval_outside_of_them_waits_with_the_request) {
    const Request request = filed(caller("alice"), ask("asked", hours(1)));
    pass(minutes(90));
    const auto late = requests->approve(caller("carol"), request.id, "", account("alice"));
    ASSERT_FALSE(late);
    EXPECT_THAT(late.error().message, HasSubstr("role asked is to be had Fri 08:00..09:30 UTC only"));
    EXPECT_EQ(state_of(request.id), State::pending);
    EXPECT_TRUE(requests->find(request.id)->answers.empty());
    open_from("08:00..12:00");
    ASSERT_TRUE(requests->approve(caller("carol"), request.id, "", account("alice")));
    EXPECT_EQ(state_of(request.id), State::active);
}

TEST_F(RequestsHours, no_extension_leads_out_of_them) {
    const Request first = filed(caller("alice"), ask("shift", hours(1)));
    const auto second = requests->extend(caller("alice"), first.id, "more", minutes(40));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().message, "role shift is to be had Fri 08:00..09:30 UTC only, now until "
                                      "2027-01-15 09:30 UTC; 30m of that is left");
    const auto third = requests->extend(caller("alice"), first.id, "more", std::nullopt);
    ASSERT_TRUE(third) << third.error().message;
    EXPECT_EQ(third->not_after->time, test_reading.realtime + minutes(90));
    EXPECT_FALSE(requests->can_be_extended(*third, policy.roles.at("shift")));
}

TEST_F(RequestsHours, who_has_it_loses_it_where_they_are_no_longer_now) {
    const Request request = filed(caller("alice"), ask("shift", hours(1)));
    const Request asked = filed(caller("alice"), ask("asked", hours(1)));
    open_from("06:00..07:00");
    ASSERT_TRUE(requests->apply_policy());
    EXPECT_EQ(requests->find(request.id)->cause, Cause::outside_hours);
    EXPECT_EQ(state_of(asked.id), State::pending) << "they come again";
}

TEST_F(RequestsHours, a_clock_that_is_set_out_of_them_ends_it) {
    const Request request = filed(caller("alice"), ask("shift", hours(1)));
    test_reading.realtime -= hours(1);
    ASSERT_TRUE(requests->apply_policy());
    EXPECT_EQ(requests->find(request.id)->cause, Cause::outside_hours);
}

} // namespace
} // namespace jit
