// SPDX-License-Identifier: MIT
// What carries a command, why nothing does, and what is published of it.
#include "daemon/choose.h"
#include "daemon/elevations.h"
#include "daemon/peer.h"
#include "daemon/processes.h"
#include "daemon/published.h"
#include "requests_kit.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace jit {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Carrying : public RequestsTest {
protected:
    Wanted wanted(const std::string& who, Command command, const std::string& run_as = "root",
                  const std::string& group = "") {
        return {.by = caller(who).party, .run_as = run_as, .group = group, .command = std::move(command)};
    }
    std::optional<RequestId> chosen(const Wanted& what) {
        const auto active = store->active();
        const Request* grant = choose(policy, active, what, clock.now(), clock.boot_id());
        const auto chosen = grant != nullptr ? std::optional(grant->id) : std::nullopt;
        // As the server asks: what is passed over unread is never what would have been chosen.
        const auto read = store->active_of(
            what.by.uid, [&](std::string_view role) { return could_carry(policy, role, what); });
        const Request* of_read = choose(policy, read, what, clock.now(), clock.boot_id());
        EXPECT_EQ(chosen, of_read != nullptr ? std::optional(of_read->id) : std::nullopt);
        return chosen;
    }
    Command restart{.path = "/usr/bin/systemctl", .arguments = {"restart", "nginx"}};
};

TEST_F(Carrying, a_grant_carries_what_its_role_has_for_whom_it_was_given) {
    const Request grant = filed(caller("alice"), ask("web", hours(1)));
    EXPECT_EQ(chosen(wanted("alice", restart)), grant.id);
    EXPECT_FALSE(chosen(wanted("bob", restart)));
    EXPECT_FALSE(chosen(wanted("alice", restart, "postgres")));
    EXPECT_FALSE(chosen(wanted("alice", {.path = "/usr/bin/systemctl", .arguments = {"restart"}})));
    EXPECT_FALSE(chosen(wanted("alice", {.path = "/bin/systemctl", .arguments = {"restart", "nginx"}})));
}

TEST_F(Carrying, another_account_of_the_same_person_is_not_carried) {
    filed(caller("bob"), ask("web", hours(1)));
    EXPECT_FALSE(chosen(wanted("bob-adm", restart)));
}

TEST_F(Carrying, a_group_alone_carries_any_command_as_oneself) {
    const Request grant = filed(caller("alice"), ask("web", hours(1)));
    EXPECT_EQ(chosen(wanted("alice", {.path = "/usr/bin/anything", .arguments = {}}, "alice", "adm")),
              grant.id);
    EXPECT_FALSE(chosen(wanted("alice", {.path = "/usr/bin/anything", .arguments = {}}, "alice", "sudo")));
    EXPECT_FALSE(chosen(wanted("alice", {.path = "/usr/bin/anything", .arguments = {}}, "root", "adm")));
    EXPECT_FALSE(chosen(wanted("alice", {.path = "/usr/bin/anything", .arguments = {}}, "alice", "")));
}

TEST_F(Carrying, the_grant_that_lives_longest_is_chosen_and_one_that_is_over_is_not) {
    const Request longer = filed(caller("alice"), ask("web", hours(1)));
    filed(caller("alice"), ask("web", minutes(10)));
    EXPECT_EQ(chosen(wanted("alice", restart)), longer.id);
    pass(hours(1)); // and the end isn't recorded yet
    EXPECT_FALSE(chosen(wanted("alice", restart)));
}

TEST_F(Carrying, a_denial_says_what_was_refused_who_would_allow_it_and_what_to_type) {
    const auto how = [this](const Role& role) { return requests->access_of(role); };
    const Denial denial = deny(policy, account("alice"), wanted("alice", restart), {}, {}, how);
    EXPECT_EQ(denial.message, "no grant lets you run /usr/bin/systemctl restart nginx as root");
    ASSERT_EQ(denial.next.size(), 1U);
    EXPECT_THAT(denial.next[0], HasSubstr("jitctl request web --reason"));

    const Request pending = filed(caller("alice"), ask("web", hours(2)));
    EXPECT_THAT(deny(policy, account("alice"), wanted("alice", restart), {pending}, {}, how).next[0],
                HasSubstr("jitctl watch " + pending.id));
    Request held = pending; // in part
    held.state = State::active;
    EXPECT_THAT(deny(policy, account("alice"), wanted("alice", restart), {held}, {}, how).next,
                ElementsAre("your grant " + held.id +
                                " of web is without it: it was asked for in part, or before the role had it",
                            HasSubstr("jitctl request web --reason")));
    EXPECT_THAT(deny(policy, account("mallory"), wanted("mallory", restart), {}, {}, how).next,
                ElementsAre("no role that you are eligible for has it"));
}

TEST_F(Carrying, a_denial_is_one_harmless_line_whatever_was_typed) {
    const auto how = [](const Role&) { return std::string(); };
    const Denial denial = deny(
        policy, account("alice"),
        wanted("alice", {.path = "/bin/x\x1b[2J\n", .arguments = std::vector<std::string>(1000, "\xff'\n")}),
        {}, {}, how);
    EXPECT_LT(denial.message.size(), 500U);
    for (const char letter : denial.message) {
        EXPECT_FALSE(letter == '\n' || letter == '\x1b') << denial.message;
    }
}

TEST(LoginScope, is_a_sessions_own_of_that_uid_and_nothing_below_or_beside) {
    EXPECT_TRUE(is_login_scope("0::/user.slice/user-1002.slice/session-c1.scope", Uid{1002}));
    EXPECT_TRUE(is_login_scope("0::/user.slice/user-1002.slice/session-17.scope", Uid{1002}));
    for (const char* other :
         {"0::/user.slice/user-1002.slice/session-c1.scope/x.scope",
          "0::/user.slice/user-1002.slice/user@1002.service/app.slice/session-1.scope",
          "0::/user.slice/user-1002.slice/user@1002.service", "0::/system.slice/cron.service",
          "0::/user.slice/user-1003.slice/session-c1.scope", "0::/",
          "0::/user.slice/user-1002.slice/session-.scope",
          "1:name=systemd:/user.slice/user-1002.slice/session-c1.scope",
          "0::/jit.slice/jit-elevations.service/7f3a-00ff00ff"}) {
        EXPECT_FALSE(is_login_scope(other, Uid{1002})) << other;
    }
}

TEST(Rates, so_many_at_once_then_one_each_refill_and_each_uid_its_own) {
    RateLimit limit(3, std::chrono::seconds(1));
    BootTime now{hours(1)};
    for (int count = 0; count < 3; ++count) {
        EXPECT_TRUE(limit.take(Uid{1}, now));
    }
    EXPECT_FALSE(limit.take(Uid{1}, now));
    EXPECT_TRUE(limit.take(Uid{2}, now));
    now += Millis(1500);
    EXPECT_TRUE(limit.take(Uid{1}, now));
    EXPECT_FALSE(limit.take(Uid{1}, now));
    now += Millis(500); // the half that was left counts
    EXPECT_TRUE(limit.take(Uid{1}, now));
    now += hours(1);
    for (int count = 0; count < 3; ++count) {
        EXPECT_TRUE(limit.take(Uid{1}, now));
    }
    EXPECT_FALSE(limit.take(Uid{1}, now));
}

TEST(Rates, what_costs_more_than_is_left_is_owed) {
    RateLimit share(100, Millis(10));
    BootTime now{hours(1)};
    EXPECT_TRUE(share.take(Uid{1}, now, 250));
    EXPECT_FALSE(share.has_left(Uid{1}, now));
    EXPECT_FALSE(share.take(Uid{1}, now));
    now += Millis(1500);
    EXPECT_FALSE(share.has_left(Uid{1}, now));
    now += Millis(10);
    EXPECT_TRUE(share.has_left(Uid{1}, now));
    EXPECT_TRUE(share.has_left(Uid{2}, now));
}

TEST(Rates, refusals_beyond_the_limit_are_counted_for_the_next_that_is_recorded) {
    RefusalLimit limit;
    BootTime now{hours(1)};
    for (int count = 0; count < 10; ++count) {
        EXPECT_EQ(limit.take(Uid{1}, now), 0);
    }
    for (int count = 0; count < 7; ++count) {
        EXPECT_EQ(limit.take(Uid{1}, now), std::nullopt);
    }
    EXPECT_EQ(limit.take(Uid{2}, now), 0);
    now += minutes(1);
    EXPECT_EQ(limit.take(Uid{1}, now), 7);
    EXPECT_EQ(limit.take(Uid{1}, now), std::nullopt);
}

TEST_F(Carrying, one_that_asks_for_no_password_is_started_under_and_the_longest_carries) {
    set_policy(std::string(test_policy) +
               "[role.easy]\nrisk = \"low\"\neligible = [\"alice\"]\nmax = \"1h\"\n"
               "authenticate = false\n"
               "commands = [\"/usr/bin/systemctl restart nginx\"]\n");
    const Request longer = filed(caller("alice"), ask("web", hours(1)));
    const Request easy = filed(caller("alice"), ask("easy", minutes(10)));
    EXPECT_EQ(chosen(wanted("alice", restart)), easy.id);
    const auto active = store->active();
    EXPECT_EQ(longest(policy, active, wanted("alice", restart), {}, clock.now(), clock.boot_id())->id,
              longer.id);
}

class Held : public Carrying {
protected:
    void SetUp() override {
        Carrying::SetUp();
        std::string text(test_policy);
        for (const std::string name : {"bare", "same"}) {
            text += "[role." + name +
                    "]\nrisk = \"low\"\neligible = [\"alice\"]\nmax = \"1h\"\ncapabilities = []\n"
                    "authenticate = false\ncommands = [\"/usr/bin/systemctl restart nginx\"]\n";
        }
        set_policy(text +
                   "[role.other]\nrisk = \"low\"\neligible = [\"alice\"]\nmax = \"1h\"\nprocesses = 9\n"
                   "commands = [\"/usr/bin/systemctl restart nginx\"]\n");
    }
    // Which carries what began under `role`.
    std::optional<RequestId> carrying(const std::string& role) {
        const auto active = store->active();
        const Request* grant = longest(policy, active, wanted("alice", restart),
                                       {.held = policy.roles.at(role).confinement, .grant = {}, .chain = {}},
                                       clock.now(), clock.boot_id());
        return grant != nullptr ? std::optional(grant->id) : std::nullopt;
    }
};

TEST_F(Held, a_role_that_holds_a_command_to_nothing_starts_it_where_there_is_one) {
    const Request bare = filed(caller("alice"), ask("bare", hours(1)));
    EXPECT_EQ(chosen(wanted("alice", restart)), bare.id);
    const Request web = filed(caller("alice"), ask("web", minutes(10)));
    EXPECT_EQ(chosen(wanted("alice", restart)), web.id);
}

TEST_F(Held, what_began_with_less_to_hold_it_is_carried_by_no_role_that_would_have_held_it) {
    const Request bare = filed(caller("alice"), ask("bare", hours(1)));
    EXPECT_FALSE(carrying("web"));
    EXPECT_FALSE(carrying("other"));
    EXPECT_EQ(carrying("same"), bare.id);
    const Request web = filed(caller("alice"), ask("web", minutes(10)));
    EXPECT_EQ(carrying("web"), web.id);
    EXPECT_EQ(carrying("other"), web.id);
    EXPECT_EQ(carrying("bare"), bare.id) << "the longest of both";
}

// As the kernel shows a cgroup, but for what it does. What isn't there can't be made by writing to it.
class CgroupFiles : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "jit-cgroup-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        base_ = name;
        std::filesystem::create_directory(base_ / "7f3a");
        file("cgroup.subtree_control");
    }
    void TearDown() override { std::filesystem::remove_all(base_); }

    void file(const std::string& name) { std::ofstream(base_ / name) << ""; }
    std::string text(const std::string& name) {
        std::ifstream in(base_ / name);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    Result<void> limit(const CgroupLimits& limits) { return Elevations(base_).limit("7f3a", limits); }

    std::filesystem::path base_;
};

TEST_F(CgroupFiles, have_the_limits_and_room_for_what_is_not_the_commands) {
    for (const char* name : {"7f3a/memory.max", "7f3a/memory.swap.max", "7f3a/pids.max"}) {
        file(name);
    }
    EXPECT_TRUE(limit({}));
    EXPECT_EQ(text("cgroup.subtree_control"), "");
    EXPECT_TRUE(limit({.memory = {}, .processes = 64}));
    EXPECT_EQ(text("7f3a/pids.max"), "65");
    EXPECT_EQ(text("cgroup.subtree_control"), "+pids");
    EXPECT_TRUE(limit({.memory = 1 << 20, .processes = {}}));
    EXPECT_EQ(text("7f3a/memory.max"), "1048576");
    EXPECT_EQ(text("7f3a/memory.swap.max"), "0");
    EXPECT_EQ(text("cgroup.subtree_control"), "+memory");
}

TEST_F(CgroupFiles, without_a_controller_refuse_what_it_would_have_held) {
    EXPECT_TRUE(limit({}));
    EXPECT_THAT(limit({.memory = 1 << 20, .processes = {}}).error().message,
                HasSubstr("the role limits the memory"));
    EXPECT_THAT(limit({.memory = {}, .processes = 1}).error().message,
                HasSubstr("the role limits the number of processes"));
    file("7f3a/pids.max");
    EXPECT_TRUE(limit({.memory = {}, .processes = 1}));
    EXPECT_FALSE(limit({.memory = 1 << 20, .processes = 1}));
}

TEST(PublishedFile, reads_back_as_it_was_written) {
    const std::vector<Published> all{{.name = "7f3a-00ff00ff",
                                      .session = 17,
                                      .time = Time(Millis(5)),
                                      .boot = BootTime(Millis(7)),
                                      .groups = {}},
                                     {.name = "81bc-11111111",
                                      .session = {},
                                      .time = Time(Millis(6)),
                                      .boot = BootTime(Millis(8)),
                                      .groups = {}}};
    const auto read = parse_published(published_text("boot-1", all), "boot-1");
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, all);
    EXPECT_TRUE(parse_published(published_text("boot-1", {}), "boot-1"));
}

TEST(PublishedFile, of_another_boot_or_damaged_it_is_an_error) {
    const std::string good = published_text("boot-1", {{.name = "7f3a-1",
                                                        .session = 17,
                                                        .time = Time(Millis(5)),
                                                        .boot = BootTime(Millis(7)),
                                                        .groups = {}}});
    EXPECT_FALSE(parse_published(good, "boot-2"));
    EXPECT_FALSE(parse_published("", "boot-1"));
    const std::string head = published_text("boot-1", {});
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_EQ(parse_published(good.substr(0, size), "boot-1").has_value(), size == head.size()) << size;
    }
    for (const char* line : {"x\n", "x 1\n", "x 1 2\n", "x - - 3\n", "x 4294967296 1 2\n", " 1 2 3\n",
                             "x 1 2 3 4\n", "x 1 2 3x\n", "\n"}) {
        EXPECT_FALSE(parse_published(head + line, "boot-1")) << line;
    }
}

TEST(Sessions, the_unset_one_and_none_match_nothing) {
    // This test itself mostly has the unset session: were that matched, the test would not survive.
    EXPECT_EQ(*kill_sessions({0xffffffffU}, 3), 0);
    EXPECT_EQ(*kill_sessions({}, 3), 0);
    EXPECT_THAT(*sessions_alive({0xffffffffU}), IsEmpty());
}

} // namespace
} // namespace jit
