// SPDX-License-Identifier: MIT
// The login table as jitd writes it and pam_jit reads it.
#include "core/login_table.h"
#include "daemon/login_table.h"
#include "requests_kit.h"

#include <gmock/gmock.h>

#include <sys/stat.h>

namespace jit {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class LoginTableTest : public RequestsTest {
protected:
    LoginTableTest() : file(path_of("logins.db")) {}

    // What pam_jit finds.
    Result<LoginGrants> read(const std::string& who, const std::string& service = "sshd") {
        return read_login_table(file, account(who).uid, who, service, clock.now());
    }
    std::vector<LoginGrant> grants_of(const std::string& who) {
        const auto found = read(who);
        EXPECT_TRUE(found) << found.error().message;
        return found ? found->grants : std::vector<LoginGrant>();
    }
    // Tells it of what changed, as jitd does.
    void follow() {
        table.change(std::exchange(changed, {}));
        ASSERT_TRUE(table.publish());
    }
    ino_t inode() const {
        struct stat status{};
        EXPECT_EQ(stat(file.c_str(), &status), 0);
        return status.st_ino;
    }

    std::string file;
    LoginTable table{*store, clock, policy, file};
};

TEST_F(LoginTableTest, has_a_grant_with_its_end_by_both_clocks_and_how_far_it_can_be_extended) {
    const Request request = filed(caller("alice"), ask("web", hours(1)));
    follow();
    const auto grants = grants_of("alice");
    ASSERT_THAT(grants, SizeIs(1));
    EXPECT_EQ(grants[0].id, request.id);
    EXPECT_EQ(grants[0].role, "web");
    EXPECT_THAT(grants[0].services, ElementsAre("sshd"));
    EXPECT_THAT(grants[0].groups, ElementsAre("adm"));
    EXPECT_EQ(grants[0].until, clock.now().time + hours(1));
    EXPECT_EQ(grants[0].boot_until, clock.now().boot + hours(1));
    EXPECT_EQ(grants[0].reach, clock.now().time + hours(6));
    EXPECT_THAT(grants_of("bob"), IsEmpty());
    struct stat status{};
    ASSERT_EQ(stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_F(LoginTableTest, is_there_before_anything_was_granted) {
    ASSERT_TRUE(table.publish());
    EXPECT_THAT(grants_of("alice"), IsEmpty());
}

TEST_F(LoginTableTest, has_what_lived_before_jitd_started) {
    filed(caller("alice"), ask("web", hours(1)));
    changed.clear();
    ASSERT_TRUE(table.publish());
    EXPECT_THAT(grants_of("alice"), SizeIs(1));
}

TEST_F(LoginTableTest, has_no_grant_that_is_pending_over_or_gives_neither_logins_nor_groups) {
    filed(caller("alice"), ask("quick", minutes(10)));
    Ask waiting = ask("db");
    waiting.ticket = "INC-1";
    EXPECT_EQ(filed(caller("alice"), waiting).state, State::pending);
    const Request over = filed(caller("alice"), ask("web", hours(1)));
    follow();
    EXPECT_THAT(grants_of("alice"), SizeIs(1));
    ASSERT_TRUE(requests->release(caller("alice"), over.id));
    follow();
    EXPECT_THAT(grants_of("alice"), IsEmpty());
}

TEST_F(LoginTableTest, a_grant_that_ends_takes_no_other_with_it) {
    const Request first = filed(caller("alice"), ask("web", hours(1)));
    const Request second = filed(caller("alice"), ask("web", minutes(30)));
    filed(caller("bob"), ask("web", hours(1)));
    follow();
    ASSERT_TRUE(requests->release(caller("alice"), first.id));
    follow();
    const auto grants = grants_of("alice");
    ASSERT_THAT(grants, SizeIs(1));
    EXPECT_EQ(grants[0].id, second.id);
    EXPECT_THAT(grants_of("bob"), SizeIs(1));
}

TEST_F(LoginTableTest, a_part_of_a_role_leaves_out_the_groups_that_were_not_named_and_keeps_the_logins) {
    Ask part = ask("web", hours(1));
    part.commands = {"/usr/bin/systemctl restart nginx"};
    filed(caller("alice"), part);
    follow();
    const auto grants = grants_of("alice");
    ASSERT_THAT(grants, SizeIs(1));
    EXPECT_THAT(grants[0].groups, IsEmpty());
    EXPECT_THAT(grants[0].services, ElementsAre("sshd")); // logins have no parts
}

TEST_F(LoginTableTest, gives_only_what_the_role_still_has) {
    filed(caller("alice"), ask("web", hours(1)));
    follow();
    std::string less(test_policy);
    less.replace(less.find("login = [\"sshd\"]"), 16, "login = [\"cron\"]");
    set_policy(less);
    table.renew();
    ASSERT_TRUE(table.publish());
    auto grants = grants_of("alice");
    ASSERT_THAT(grants, SizeIs(1));
    // Neither what was taken from the role, nor what it has got since.
    EXPECT_THAT(grants[0].services, IsEmpty());
    EXPECT_THAT(grants[0].groups, ElementsAre("adm"));
    less.replace(less.find("groups = [\"adm\"]"), 16, "groups = [\"bin\"]");
    set_policy(less);
    table.renew();
    ASSERT_TRUE(table.publish());
    EXPECT_THAT(grants_of("alice"), IsEmpty());
}

TEST_F(LoginTableTest, names_the_roles_that_open_each_service_and_where_to_ask) {
    set_policy("[site]\nhelp = \"Ask in #ops\"\n" + std::string(test_policy) +
               "[role.console]\nrisk = \"low\"\neligible = [\"alice\"]\nmax = \"1h\"\nlogin = [\"login\", "
               "\"sshd\"]\n");
    table.renew();
    ASSERT_TRUE(table.publish());
    EXPECT_THAT(read("alice")->roles, ElementsAre("console", "web"));
    EXPECT_THAT(read("alice", "login")->roles, ElementsAre("console"));
    EXPECT_THAT(read("alice", "cron")->roles, IsEmpty());
    EXPECT_EQ(read("alice")->help, "Ask in #ops");
}

TEST_F(LoginTableTest, a_clock_set_back_extends_nothing_in_it) {
    filed(caller("alice"), ask("web", hours(1)));
    follow();
    test_reading.realtime -= hours(5);
    table.renew();
    ASSERT_TRUE(table.publish());
    auto grants = grants_of("alice");
    ASSERT_THAT(grants, SizeIs(1));
    EXPECT_EQ(grants[0].boot_until, clock.now().boot + hours(1));
    pass(hours(1));
    EXPECT_THAT(grants_of("alice"), IsEmpty());
}

TEST_F(LoginTableTest, an_extension_reaches_no_further_than_its_chain) {
    const Request first = filed(caller("alice"), ask("web", hours(1)));
    pass(minutes(30));
    ASSERT_TRUE(requests->extend(caller("alice"), first.id, "more to do", hours(1)));
    follow();
    for (const LoginGrant& grant : grants_of("alice")) {
        EXPECT_EQ(grant.reach, *first.not_before + hours(6)) << grant.id;
    }
}

TEST_F(LoginTableTest, is_taken_away_where_it_cannot_be_written_and_comes_back) {
    const Request request = filed(caller("alice"), ask("web", hours(1)));
    follow();
    // Where it is written before it is renamed.
    ASSERT_EQ(mkdir((file + ".new").c_str(), 0700), 0);
    ASSERT_TRUE(requests->release(caller("alice"), request.id));
    table.change(std::exchange(changed, {}));
    EXPECT_FALSE(table.publish());
    EXPECT_FALSE(read("alice")); // an error: nobody who is gated comes in
    EXPECT_FALSE(table.publish());
    ASSERT_EQ(rmdir((file + ".new").c_str()), 0);
    ASSERT_TRUE(table.publish());
    EXPECT_THAT(grants_of("alice"), IsEmpty());
}

TEST_F(LoginTableTest, is_written_only_when_something_changed) {
    ASSERT_TRUE(table.publish());
    const ino_t first = inode();
    ASSERT_TRUE(table.publish());
    EXPECT_EQ(inode(), first);
    filed(caller("alice"), ask("web", hours(1)));
    follow();
    EXPECT_NE(inode(), first);
}

} // namespace
} // namespace jit
