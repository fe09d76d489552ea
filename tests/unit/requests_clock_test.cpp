// SPDX-License-Identifier: MIT
// Grants and locks, and a clock that is set or a machine that is booted meanwhile.
#include "requests_kit.h"

namespace jit {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class RequestsClock : public RequestsTest {
protected:
    // The machine is off for so long and booted anew; its clock goes on, and isn't synchronised.
    void reboot(Millis off) {
        test_reading.realtime += off;
        test_reading.boot = BootTime(std::chrono::seconds(20));
        clock = Clock("boot-after", read_test_clock);
        clock.set_mark(
            *store->guarded([&]() -> Result<std::optional<ClockMark>> { return store->clock_mark(); }));
        open();
        ASSERT_TRUE(requests->take_over());
        ASSERT_TRUE(requests->advance());
    }
    static void set_back(Millis by) {
        test_reading.realtime -= by;
        test_reading.synchronised = false;
    }
};

TEST_F(RequestsClock, set_back_after_a_reboot_extends_nothing_either) {
    const Request request = filed(caller("alice"), ask("web", hours(1)));
    reboot(minutes(10));
    set_back(hours(24));
    pass(minutes(50) - Millis(1));
    ASSERT_TRUE(requests->advance());
    EXPECT_EQ(state_of(request.id), State::active) << "nor does it take anything";
    pass(Millis(1));
    ASSERT_TRUE(requests->advance());
    EXPECT_EQ(state_of(request.id), State::ended);
}

TEST_F(RequestsClock, set_back_after_a_reboot_while_the_machine_was_off_is_not_had_again) {
    test_reading.synchronised = true; // so that there is a mark
    const Request request = filed(caller("alice"), ask("web", hours(1)));
    reboot(minutes(55));
    set_back(minutes(55));
    pass(minutes(5));
    ASSERT_TRUE(requests->advance());
    EXPECT_EQ(state_of(request.id), State::ended);
}

TEST_F(RequestsClock, a_restart_in_the_same_boot_leaves_the_ends_as_they_are) {
    const Request request = filed(caller("alice"), ask("web", hours(1)));
    const auto before = requests->find(request.id)->not_after;
    set_back(hours(24));
    ASSERT_TRUE(requests->take_over());
    const auto after = requests->find(request.id)->not_after;
    EXPECT_EQ(after->boot, before->boot);
    EXPECT_EQ(after->time, before->time);
}

TEST_F(RequestsClock, set_back_gives_no_extension_more_than_it_asked_for) {
    const Request first = filed(caller("alice"), ask("web", hours(1)));
    set_back(hours(24));
    pass(minutes(30));
    const auto second = requests->extend(caller("alice"), first.id, "more to do", minutes(10));
    ASSERT_TRUE(second) << second.error().message;
    pass(minutes(40) - Millis(1));
    ASSERT_TRUE(requests->advance());
    EXPECT_EQ(state_of(second->id), State::active) << "without a gap";
    pass(Millis(1));
    ASSERT_TRUE(requests->advance());
    EXPECT_EQ(state_of(second->id), State::ended);
}

TEST_F(RequestsClock, set_back_gives_no_extension_more_than_the_role_reaches) {
    const Request first = filed(caller("alice"), ask("web", hours(4)));
    ASSERT_TRUE(requests->approve(caller("carol"), first.id, "", account("alice")));
    const auto next = requests->extend(caller("alice"), first.id, "more to do", minutes(30));
    const auto asked = requests->extend(caller("alice"), first.id, "still more", minutes(90));
    pass(hours(3));
    set_back(hours(24));
    ASSERT_TRUE(requests->extend(caller("alice"), next->id, "and more", hours(1)));
    ASSERT_TRUE(requests->approve(caller("carol"), asked->id, "", account("alice")));
    pass(hours(3) - Millis(1)); // six in all, which is what the role reaches
    ASSERT_TRUE(requests->advance());
    EXPECT_EQ(state_of(asked->id), State::active);
    pass(Millis(1));
    ASSERT_TRUE(requests->advance());
    EXPECT_EQ(state_of(asked->id), State::ended);
}

TEST_F(RequestsClock, set_forward_after_a_reboot_lifts_no_lock) {
    const auto locked = requests->lock(
        {.party = {.person = "root", .account = "root", .uid = root_uid}, .login_uid = {}},
        {.kind = LockKind::host, .name = {}, .account = {}, .duration = hours(1), .reason = "incident"});
    ASSERT_TRUE(locked) << locked.error().message;
    reboot(minutes(10));
    test_reading.realtime += hours(24);
    ASSERT_TRUE(requests->advance());
    EXPECT_EQ(requests->locks()->size(), 1U);
    pass(minutes(50));
    ASSERT_TRUE(requests->advance());
    EXPECT_EQ(requests->locks()->size(), 0U);
}

} // namespace
} // namespace jit
