// SPDX-License-Identifier: MIT
// The keys of a role that hold its commands to less than root.
#include "core/capabilities.h"
#include "policy_kit.h"

namespace jit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string digest(64, 'a');

// A role with a command and these lines, from line 4 on.
std::string confined(const std::string& lines) {
    return role("max = \"1h\"\ncommands = [\"/usr/sbin/deploy *\"]\n" + lines);
}

Confinement confinement_of(const std::string& lines) {
    return policy_of(confined(lines)).roles.at("web").confinement;
}

TEST(Confinement, is_nothing_where_nothing_is_written) {
    EXPECT_TRUE(confinement_of("").empty());
    EXPECT_TRUE(confinement_of("no_new_privileges = false").empty());
    EXPECT_THAT(describe(confinement_of("")), IsEmpty());
}

TEST(Confinement, is_read_key_by_key) {
    const Confinement all = confinement_of(R"(capabilities = ["CAP_NET_ADMIN", "CAP_CHOWN"]
no_new_privileges = true
write = ["/etc/nginx", "/var/log/deploy.log"]
execute = ["/usr/bin"]
directory = "/srv/app"
memory = "512M"
processes = 64
second_factor = "jit-sudo-otp"
digests = { "/usr/sbin/deploy" = [")" + digest +
                                           R"("] })");
    EXPECT_EQ(all.capabilities, capability_bit(12) | capability_bit(0));
    EXPECT_TRUE(all.no_new_privileges);
    EXPECT_THAT(*all.write, ElementsAre("/etc/nginx", "/var/log/deploy.log"));
    EXPECT_THAT(*all.execute, ElementsAre("/usr/bin"));
    EXPECT_EQ(all.directory, "/srv/app");
    EXPECT_EQ(all.memory, 512U * 1024 * 1024);
    EXPECT_EQ(all.processes, 64U);
    EXPECT_EQ(all.second_factor, "jit-sudo-otp");
    EXPECT_THAT(all.digests.at("/usr/sbin/deploy"), ElementsAre(digest));
    EXPECT_THAT(describe(all),
                ElementsAre("capabilities: CAP_CHOWN, CAP_NET_ADMIN",
                            "no new privileges: setuid programs gain nothing",
                            "writes below /etc/nginx, /var/log/deploy.log only",
                            "executes below /usr/bin only", "/usr/sbin/deploy as it is pinned, by SHA-256",
                            "starts in /srv/app", "memory: 512M", "processes: 64",
                            "a second factor each time: jit-sudo-otp"));
}

TEST(Confinement, that_is_an_empty_list_is_none_at_all_and_not_everything) {
    const Confinement none = confinement_of("capabilities = []\nwrite = []\nexecute = []");
    EXPECT_EQ(none.capabilities, 0U);
    ASSERT_TRUE(none.write && none.execute);
    EXPECT_THAT(*none.write, IsEmpty());
    EXPECT_THAT(*none.execute, IsEmpty());
    EXPECT_THAT(describe(none), ElementsAre("no capabilities", "writes nothing", "executes nothing"));
}

TEST(Confinement, may_have_its_digests_in_a_table_of_their_own) {
    const std::string text = confined("") + "\n[role.web.digests]\n\"/usr/sbin/deploy\" = [\n  \"" + digest +
                             "\",\n  \"" + std::string(64, '0') + "\",\n]\n";
    EXPECT_EQ(policy_of(text).roles.at("web").confinement.digests.at("/usr/sbin/deploy").size(), 2U);
}

TEST(Confinement, sizes_have_a_unit_and_bounds) {
    EXPECT_EQ(confinement_of("memory = \"1024K\"").memory, 1U << 20);
    EXPECT_EQ(confinement_of("memory = \"2G\"").memory, std::uint64_t{2} << 30);
    EXPECT_EQ(confinement_of("memory = \"1T\"").memory, std::uint64_t{1} << 40);
    for (const char* wrong : {"512", "M", "512MB", "512m", "-1M", "0M", "1023K", "1.5G", " 1G", "1G ",
                              "9999999T", "18446744073709551616K", ""}) {
        EXPECT_THAT(problems_of(confined("memory = \"" + std::string(wrong) + "\"")),
                    ElementsAre(HasSubstr("p.toml:4: role.web.memory: expected a size")))
            << wrong;
    }
    EXPECT_THAT(problems_of(confined("memory = 512")),
                ElementsAre(HasSubstr("role.web.memory: expected a string, found the integer 512")));
    for (const char* wrong : {"0", "-1", "4194305"}) {
        EXPECT_THAT(problems_of(confined("processes = " + std::string(wrong))),
                    ElementsAre(HasSubstr("p.toml:4: role.web.processes: expected 1 to 4194304")));
    }
    EXPECT_THAT(problems_of(confined("processes = \"64\"")),
                ElementsAre(HasSubstr("expected a whole number")));
}

TEST(Confinement, with_an_unknown_capability_is_refused_with_the_one_that_was_meant) {
    EXPECT_THAT(
        problems_of(confined("capabilities = [\"CAP_NET_ADMINS\"]")),
        ElementsAre("p.toml:4: role.web.capabilities: there is no capability 'CAP_NET_ADMINS'; did you "
                    "mean 'CAP_NET_ADMIN'?"));
    EXPECT_THAT(problems_of(confined("capabilities = [\"all\"]")),
                ElementsAre(HasSubstr("no capability 'all'")));
    EXPECT_THAT(problems_of(confined("capabilities = [\"CAP_KILL\", \"CAP_KILL\"]")),
                ElementsAre(HasSubstr("listed twice")));
    EXPECT_THAT(problems_of(confined("capabilities = \"CAP_KILL\"")),
                ElementsAre(HasSubstr("expected an array")));
    EXPECT_EQ(capability_named("CAP_CHECKPOINT_RESTORE"), 40U);
    EXPECT_EQ(capability_named("CAP_SYS_ADMIN"), 21U);
}

TEST(Confinement, paths_are_written_in_one_way) {
    for (const char* wrong : {"etc", "", "/", "/etc/", "//etc", "/etc/../srv", "/etc/.", "/etc/*", "/a//b"}) {
        for (const std::string key : {"write", "execute"}) {
            EXPECT_THAT(
                problems_of(confined(key + " = [\"" + wrong + "\"]")),
                ElementsAre(HasSubstr("p.toml:4: role.web." + key + "[0]: expected an absolute path")))
                << wrong;
        }
        if (std::string_view(wrong) != "/") {
            EXPECT_THAT(problems_of(confined("directory = \"" + std::string(wrong) + "\"")),
                        ElementsAre(HasSubstr("p.toml:4: role.web.directory: expected an absolute path")));
        }
    }
    EXPECT_EQ(confinement_of("directory = \"/\"").directory, "/");
    std::string many;
    for (int number = 100; number < 120; ++number) {
        many += '"' + std::string("/") + std::string(2000, 'a') + std::to_string(number) + "\", ";
    }
    EXPECT_THAT(problems_of(confined("write = [" + many + "]")),
                ElementsAre(HasSubstr("role.web.write: more than 32768 bytes of paths")));
}

TEST(Confinement, a_digest_is_whole_and_of_a_command_of_the_role) {
    EXPECT_THAT(
        problems_of(confined("digests = { \"/usr/sbin/other\" = [\"" + digest + "\"] }")),
        ElementsAre("p.toml:4: role.web.digests./usr/sbin/other: no command of this role has that path"));
    EXPECT_THAT(problems_of(confined("digests = { \"/usr/sbin/deploy\" = [] }")),
                ElementsAre(HasSubstr("at least one digest")));
    for (const std::string& wrong :
         {digest.substr(1), digest + "a", std::string(64, 'A'), std::string(64, 'g')}) {
        EXPECT_THAT(
            problems_of(confined("digests = { \"/usr/sbin/deploy\" = [\"" + wrong + "\"] }")),
            ElementsAre(HasSubstr("p.toml:4: role.web.digests./usr/sbin/deploy[0]: expected a SHA-256")));
    }
    EXPECT_THAT(problems_of(confined("digests = { \"/usr/sbin/deploy\" = \"" + digest + "\" }")),
                ElementsAre(HasSubstr("expected an array")));
    EXPECT_THAT(problems_of(confined("digests = [\"" + digest + "\"]")),
                ElementsAre(HasSubstr("role.web.digests: expected a table")));
}

TEST(Confinement, a_second_factor_is_the_name_of_a_service) {
    for (const char* wrong : {"../other", "a/b", "", "Otp", "a b"}) {
        EXPECT_THAT(
            problems_of(confined("second_factor = \"" + std::string(wrong) + "\"")),
            ElementsAre(HasSubstr("p.toml:4: role.web.second_factor: expected the name of a PAM service")));
    }
}

TEST(Confinement, is_of_commands_and_of_nothing_else) {
    for (const std::string key : {"capabilities = []", "no_new_privileges = true", "write = []",
                                  "execute = []", "directory = \"/srv\"", "memory = \"1G\"", "processes = 5",
                                  "second_factor = \"otp\"", "digests = {}"}) {
        EXPECT_THAT(problems_of(role("max = \"1h\"\nlogin = [\"sshd\"]\n" + key)),
                    ElementsAre("p.toml:4: role.web." + key.substr(0, key.find(' ')) +
                                ": of use only with 'commands'"));
    }
}

TEST(Confinement, that_something_of_the_role_escapes_is_warned_about) {
    EXPECT_THAT(
        problems_of(confined("groups = [\"web\"]\nlogin = [\"sshd\"]\ncapabilities = []")),
        ElementsAre(HasSubstr("p.toml:4: warning: role.web.groups: what confines the role's commands"),
                    HasSubstr("p.toml:5: warning: role.web.login: what confines")));
    EXPECT_THAT(
        problems_of(confined("write = [\"/usr/local/lib\"]\nexecute = [\"/usr/local\"]")),
        ElementsAre(HasSubstr("p.toml:5: warning: role.web.execute: what is written below /usr/local/lib may "
                              "be executed below /usr/local")));
    EXPECT_THAT(problems_of(confined("write = [\"/usr/local-lib\"]\nexecute = [\"/usr/local\"]")), IsEmpty());
}

TEST(Confinement, a_misspelt_key_is_told) {
    EXPECT_THAT(problems_of(confined("capabilites = []")),
                ElementsAre(HasSubstr("did you mean 'capabilities'?")));
    EXPECT_THAT(problems_of(confined("digest = {}")), ElementsAre(HasSubstr("did you mean 'digests'?")));
}

} // namespace
} // namespace jit
