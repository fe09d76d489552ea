// SPDX-License-Identifier: MIT
// Accounts that grants make: the policy's keys, ssh keys, records, numbers.
#include "core/ssh_key.h"
#include "daemon/account_files.h"
#include "daemon/account_protocol.h"
#include "daemon/account_uids.h"
#include "tests/unit/policy_kit.h"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace jit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* key =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

std::string role_with(const std::string& account) {
    return role("max = \"1h\"\nlogin = [\"sshd\"]\naccount = " + account);
}

TEST(AccountPolicy, of_a_role_is_read_and_its_groups_are_memberships) {
    const Policy policy =
        policy_of("[site]\naccount_uids = \"70000-70009\"\n" +
                  role_with(R"({ home = "tmpfs", shell = "/bin/sh", groups = ["vault"] })"));
    const Role& web = policy.roles.at("web");
    ASSERT_TRUE(web.account);
    EXPECT_EQ(web.account->home, TemporaryAccount::Home::tmpfs);
    EXPECT_EQ(web.account->shell, "/bin/sh");
    EXPECT_THAT(web.memberships, ElementsAre("vault"));
    EXPECT_TRUE(policy.site.account_uids.holds(Uid{70009}));
    EXPECT_FALSE(policy.site.account_uids.holds(Uid{70010}));
}

TEST(AccountPolicy, says_what_is_wrong) {
    EXPECT_THAT(problems_of(role_with("{}")), ElementsAre(HasSubstr("'home' is missing")));
    EXPECT_THAT(problems_of(role_with(R"({ home = "burn" })")), ElementsAre(HasSubstr("found 'burn'")));
    EXPECT_THAT(problems_of(role_with(R"({ home = "keep", shell = "sh" })")),
                ElementsAre(HasSubstr("account.shell")));
    EXPECT_THAT(problems_of(role_with(R"({ home = "keep", uid = 7 })")),
                ElementsAre(HasSubstr("unknown key")));
    EXPECT_THAT(problems_of(role_with("true")), ElementsAre(HasSubstr("expected a table")));
    EXPECT_THAT(problems_of(role("max = \"1h\"\naccount = { home = \"keep\" }")),
                testing::Contains(HasSubstr("nobody could log in to")));
    EXPECT_THAT(problems_of("[role.web]\nmax = \"1h\"\nlogin = [\"sshd\"]\naccount = { home = \"keep\" }\n"
                            "risk = \"medium\"\neligible = [\"@sre\"]\n" +
                            oncall),
                ElementsAre(HasSubstr("@sre: an account that isn't there yet is in no group")));
    for (const char* range : {"1-2", "60578", "61183-60578", "60000-60578", "61183-61184", "65534-65534",
                              "70000-4294967295", "a-b", "70000-70001-2"}) {
        EXPECT_THAT(problems_of("[site]\naccount_uids = \"" + std::string(range) + "\"\n"),
                    ElementsAre(HasSubstr("account_uids")))
            << range;
    }
}

TEST(SshKeys, is_a_type_and_a_blob_and_a_comment_that_is_dropped) {
    const auto read = parse_ssh_key(std::string(key) + "  alice@laptop, her own\n");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->text(), key);
    EXPECT_EQ(read->fingerprint(), "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"); // ssh-keygen -l
}

TEST(SshKeys, of_anything_else_it_is_an_error) {
    const std::string blob = std::string(key).substr(12);
    for (const std::string& line :
         {std::string(), std::string("ssh-ed25519"), "ssh-rsa " + blob, "command=\"x\" " + std::string(key),
          "ssh-ed25519-cert-v01@openssh.com " + blob, "ssh-ed25519 " + blob.substr(0, 20),
          "ssh-ed25519 " + blob + "!", std::string(key) + "\n" + key, std::string(key) + "\x01",
          std::string("-----BEGIN OPENSSH PRIVATE KEY-----"), std::string(key) + std::string(5000, 'x')}) {
        EXPECT_FALSE(parse_ssh_key(line)) << line;
    }
}

class AccountFilesTest : public testing::Test {
protected:
    AccountFilesTest() {
        char name[] = "/tmp/jit-accounts.XXXXXX";
        directory = mkdtemp(name);
    }
    ~AccountFilesTest() override { std::filesystem::remove_all(directory); }
    AccountFilesTest(const AccountFilesTest&) = delete;
    AccountFilesTest& operator=(const AccountFilesTest&) = delete;

    std::vector<std::string> names() {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(directory)) {
            found.push_back(entry.path().filename());
        }
        std::ranges::sort(found);
        return found;
    }

    std::string directory;
    AccountRecord record{.grant = "7f3a",
                         .name = "dave",
                         .uid = Uid{60578},
                         .home = "/home/dave",
                         .shell = "/bin/bash",
                         .until = Time(Millis(1'800'000'000'000)),
                         .boot = BootTime(Millis(18'000'000))};
};

TEST_F(AccountFilesTest, are_put_by_name_and_number_and_taken_again) {
    const AccountFiles files(directory);
    ASSERT_TRUE(files.put(record));
    ASSERT_TRUE(files.put(record)) << "once more";
    EXPECT_THAT(names(), ElementsAre("60578.group", "60578.user", "dave.group", "dave.user"));
    std::ifstream file(directory + "/60578.user");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    EXPECT_EQ(text,
              R"({"io.jitsudo":{"grant":"7f3a","until":1800000000000,"boot":18000000},"userName":"dave",)"
              R"("uid":60578,"gid":60578,"homeDirectory":"/home/dave","shell":"/bin/bash"})"
              "\n");
    auto found = files.list();
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 1U);
    EXPECT_EQ(found->front().content, record);
    ASSERT_TRUE(files.take("dave", Uid{60578}));
    EXPECT_THAT(names(), ElementsAre("dave.jit-over"));
    found = files.list();
    ASSERT_EQ(found->size(), 1U);
    EXPECT_TRUE(found->front().over);
    EXPECT_EQ(found->front().content, record) << "all that ending it needs";
    files.remove_taken("dave");
    EXPECT_THAT(names(), IsEmpty());
}

TEST_F(AccountFilesTest, of_others_stay) {
    const AccountFiles files(directory);
    std::ofstream(directory + "/dave.user") << R"({"userName":"dave","uid":1})";
    const auto put = files.put(record);
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code, Errc::refused);
    ASSERT_TRUE(files.take("dave", Uid{60578}));
    EXPECT_TRUE(std::filesystem::exists(directory + "/dave.user"));
    EXPECT_THAT(*files.list(), IsEmpty());
}

TEST_F(AccountFilesTest, that_say_anything_else_are_damaged) {
    const std::string good = record_text(record);
    for (const auto& [what, instead] :
         {std::pair("60578", "-1"), std::pair("\"gid\":60578", "\"gid\":0"), std::pair("dave\",", "../x\","),
          std::pair("7f3a", ""), std::pair("\n", ""), std::pair("}\n", ",\"x\":1}\n")}) {
        std::string text = good;
        text.replace(text.find(what), std::string_view(what).size(), instead);
        EXPECT_FALSE(parse_account_record(text)) << text;
    }
}

TEST_F(AccountFilesTest, the_highest_number_is_kept_and_a_damaged_one_is_an_error) {
    const std::string path = directory + "/highest-uid";
    EXPECT_EQ(read_uid_mark(path).value(), std::nullopt);
    ASSERT_TRUE(write_uid_mark(Uid{60578}, path));
    EXPECT_EQ(read_uid_mark(path).value(), Uid{60578});
    for (const char* text : {"", "60578", "x\n", "60578\n\n", "-1\n", "4294967295\n"}) {
        std::ofstream(path) << text;
        EXPECT_FALSE(read_uid_mark(path)) << text;
    }
}

TEST(AccountJobs, are_read_as_they_are_written_and_nothing_else_is) {
    const AccountJob job{.what = AccountJob::What::make,
                         .name = "dave",
                         .uid = Uid{60578},
                         .home = TemporaryAccount::Home::tmpfs,
                         .keys = {key}};
    const std::string good = account_text(job);
    ASSERT_TRUE(parse_account_job(good));
    EXPECT_EQ(account_text(*parse_account_job(good)), good);
    for (const auto& [what, instead] :
         {std::pair("make", "burn"), std::pair("dave", "../etc"), std::pair("60578", "0"),
          std::pair("60578", "999"), std::pair("tmpfs", ""), std::pair("ssh-ed25519 ", "x ssh-ed25519 ")}) {
        std::string text = good;
        text.replace(text.find(what), std::string_view(what).size(), instead);
        EXPECT_FALSE(parse_account_job(text)) << text;
    }
}

} // namespace
} // namespace jit
