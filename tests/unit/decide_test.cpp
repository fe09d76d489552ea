// SPDX-License-Identifier: MIT
#include "daemon/decide.h"

#include "core/policy_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jit {
namespace {

using testing::ElementsAre;

Answer yes(const std::string& person, std::vector<unsigned> stages) {
    return {.by = {.person = person, .account = person, .uid = Uid{1000}},
            .approves = true,
            .stages = std::move(stages),
            .reason = "",
            .at = Time()};
}

Stage stage(unsigned count, bool is_signed = false) {
    return {.from = "people", .count = count, .is_signed = is_signed};
}

TEST(Stages, all_are_needed) {
    const std::vector stages{stage(1), stage(1)};
    EXPECT_THAT(missing(stages, {}), ElementsAre(1, 1));
    EXPECT_THAT(missing(stages, {yes("a", {0})}), ElementsAre(0, 1));
    EXPECT_TRUE(satisfied(stages, {yes("a", {0}), yes("b", {1})}));
}

TEST(Stages, one_person_fills_one_place_only) {
    EXPECT_FALSE(satisfied({stage(1), stage(1)}, {yes("a", {0, 1})}));
    EXPECT_FALSE(satisfied({stage(2)}, {yes("a", {0})}));
}

TEST(Stages, who_answers_first_does_not_matter) {
    const std::vector stages{stage(1), stage(1)};
    EXPECT_TRUE(satisfied(stages, {yes("a", {0, 1}), yes("b", {0})}));
    EXPECT_TRUE(satisfied(stages, {yes("b", {0}), yes("a", {0, 1})}));
    EXPECT_TRUE(satisfied({stage(2), stage(1)}, {yes("a", {0, 1}), yes("b", {0, 1}), yes("c", {0})}));
}

TEST(Stages, a_denial_fills_no_place) {
    Answer no = yes("a", {0});
    no.approves = false;
    EXPECT_FALSE(satisfied({stage(1)}, {no}));
}

TEST(Stages, a_local_answer_fills_no_signed_place) {
    EXPECT_FALSE(satisfied({stage(1, true)}, {yes("a", {0})}));
}

TEST(Stages, positions_that_do_not_exist_fill_nothing) {
    EXPECT_FALSE(satisfied({stage(1)}, {yes("a", {7})}));
}

TEST(Stages, none_means_that_nobody_is_asked) {
    EXPECT_TRUE(satisfied({}, {}));
}

class ScopeTest : public testing::Test {
protected:
    Role role{.name = "web",
              .title = "",
              .risk = "low",
              .eligible = {},
              .max = std::chrono::hours(1),
              .extend = {},
              .run_as = {"root"},
              .commands = {*CommandPattern::parse("/usr/bin/systemctl restart nginx"),
                           *CommandPattern::parse("/usr/bin/journalctl -u *")},
              .groups = {"adm"},
              .memberships = {"web"},
              .login = {"sshd"},
              .ticket = "",
              .authenticate = {},
              .auth_timeout = {},
              .env = {},
              .where = {}};
};

TEST_F(ScopeTest, without_parts_is_the_whole_role) {
    const auto scope = scope_of(role, {}, {});
    ASSERT_TRUE(scope);
    EXPECT_THAT(scope->commands, ElementsAre("/usr/bin/systemctl restart nginx", "/usr/bin/journalctl -u *"));
    EXPECT_THAT(scope->groups, ElementsAre("adm"));
    EXPECT_THAT(scope->memberships, ElementsAre("web"));
}

TEST_F(ScopeTest, a_part_can_be_one_exact_command_that_a_pattern_allows) {
    const auto scope = scope_of(role, {"/usr/bin/journalctl -u nginx"}, {});
    ASSERT_TRUE(scope);
    EXPECT_THAT(scope->commands, ElementsAre("/usr/bin/journalctl -u nginx"));
    EXPECT_TRUE(scope->groups.empty());
    EXPECT_TRUE(scope->memberships.empty());
    EXPECT_TRUE(scope_allows_command(*scope, role, "root", "/usr/bin/journalctl", {"-u", "nginx"}));
    EXPECT_FALSE(scope_allows_command(*scope, role, "root", "/usr/bin/journalctl", {"-u", "sshd"}));
}

TEST_F(ScopeTest, a_part_is_never_wider_than_the_role) {
    for (const char* wider :
         {"/usr/bin/journalctl *", "/usr/bin/journalctl -u **", "/usr/bin/journalctl -u n*", "/usr/bin/id",
          "/usr/bin/systemctl", "journalctl -u nginx"}) {
        EXPECT_FALSE(scope_of(role, {wider}, {})) << wider;
    }
    EXPECT_FALSE(scope_of(role, {}, {"sudo"}));
}

TEST_F(ScopeTest, a_group_alone_gives_no_commands) {
    const auto scope = scope_of(role, {}, {"adm"});
    ASSERT_TRUE(scope);
    EXPECT_TRUE(scope->commands.empty());
    EXPECT_TRUE(scope->run_as.empty());
    EXPECT_THAT(scope->groups, ElementsAre("adm"));
    EXPECT_TRUE(scope->memberships.empty());
}

TEST_F(ScopeTest, a_role_that_later_gives_less_takes_it_from_the_grant) {
    const auto scope = scope_of(role, {}, {});
    role.commands.pop_back();
    role.groups.clear();
    EXPECT_FALSE(scope_allows_command(*scope, role, "root", "/usr/bin/journalctl", {"-u", "nginx"}));
    EXPECT_TRUE(scope_allows_command(*scope, role, "root", "/usr/bin/systemctl", {"restart", "nginx"}));
    EXPECT_FALSE(scope_allows_group(*scope, role, "adm"));
}

TEST_F(ScopeTest, a_role_that_later_gives_more_adds_nothing_to_the_grant) {
    const auto scope = scope_of(role, {}, {});
    role.commands.push_back(*CommandPattern::parse("/usr/bin/bash **"));
    role.run_as.emplace_back("postgres");
    role.groups.emplace_back("sudo");
    role.login.emplace_back("login");
    EXPECT_FALSE(scope_allows_command(*scope, role, "root", "/usr/bin/bash", {}));
    EXPECT_FALSE(scope_allows_command(*scope, role, "postgres", "/usr/bin/systemctl", {"restart", "nginx"}));
    EXPECT_FALSE(scope_allows_group(*scope, role, "sudo"));
    EXPECT_FALSE(scope_allows_login(*scope, role, "login"));
}

TEST(Eligibility, names_are_persons_and_at_names_are_groups) {
    const std::vector<Subject> subjects{{.kind = Subject::Kind::person, .name = "alice"},
                                        {.kind = Subject::Kind::group, .name = "sre"}};
    const auto with = [&](const std::string& person, const std::string& name,
                          std::vector<std::string> groups) {
        return includes(subjects, {.person = person, .account = name, .uid = Uid{1000}},
                        {.name = name,
                         .uid = Uid{1000},
                         .gid = Gid{1000},
                         .groups = std::move(groups),
                         .gids = {},
                         .home = {},
                         .shell = {}});
    };
    EXPECT_TRUE(with("alice", "alice-adm", {}));
    EXPECT_TRUE(with("bob", "bob", {"sre"}));
    EXPECT_FALSE(with("bob", "alice", {})) << "an account is not the person of the same name";
    EXPECT_FALSE(with("sre", "sre", {}));
    EXPECT_FALSE(with("bob", "bob", {"alice"}));
}

} // namespace
} // namespace jit
