// SPDX-License-Identifier: MIT
// The drop-ins of host-wide memberships, and whose a process is.
#include "daemon/carriers.h"
#include "daemon/membership_files.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace jit {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const DropIn drop_in{.grant = "7f3a",
                     .uid = Uid{1000},
                     .gid = Gid{998},
                     .until = Time(Millis(1'800'000'000'000)),
                     .boot = BootTime(Millis(18'000'000))};
const MembershipName name{.account = "alice", .group = "docker"};

TEST(DropInText, is_one_object_with_our_marker_and_reads_back) {
    const std::string text = drop_in_text(drop_in);
    EXPECT_EQ(text,
              R"({"io.jitsudo":{"grant":"7f3a","uid":1000,"gid":998,"until":1800000000000,"boot":18000000}})"
              "\n");
    EXPECT_TRUE(has_our_marker(text));
    const auto read = parse_drop_in(text);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, drop_in);
}

TEST(DropInText, of_anything_else_it_is_an_error) {
    const std::string good = drop_in_text(drop_in);
    const auto with = [&good](const std::string& what, const std::string& instead) {
        std::string text = good;
        return text.replace(text.find(what), what.size(), instead);
    };
    for (const std::string& text :
         {std::string(),
          std::string("{}"),
          std::string("{}\n"),
          good.substr(0, good.size() - 2),
          good + good,
          with("1000", "0"),
          with("1000", "4294967295"),
          with("1000", "-1"),
          with("1000", "4294968296"),
          with("1000", "1e3"),
          with("1000", "\"1000\""),
          with("998", "4294967295"),
          with("998", "998.0"),
          with("7f3a", "../x"),
          with("7f3a", ""),
          with("\"boot\":", "\"until\":"),
          with(",\"boot\":18000000", ""),
          with("18000000", "18000000,\"more\":1"),
          with("}}", "},\"userName\":\"root\"}"),
          with("998", "[998]"),
          with(R"({"grant":"7f3a","uid":1000,"gid":998,"until":1800000000000,"boot":18000000})", "7")}) {
        EXPECT_FALSE(parse_drop_in(text)) << text;
    }
    EXPECT_FALSE(has_our_marker("{}"));
    EXPECT_FALSE(has_our_marker(R"({"a":{"io.jitsudo":{}}})"));
}

TEST(DropInName, is_account_and_group_and_nothing_besides) {
    for (const DropInState state : {DropInState::given, DropInState::ending}) {
        const auto read = parse_drop_in_file(drop_in_file(name, state));
        ASSERT_TRUE(read);
        EXPECT_EQ(*read, (DropInFile{.name = name, .state = state}));
    }
    for (const char* other :
         {"", ".membership", ":.membership", "alice:.membership", ":docker.membership", "alice.membership",
          "alice:docker:x.membership", "alice:docker.membership~", "alice:docker.membership.dpkg-new",
          ".alice:docker.membership", "alice:../x.membership", "1000:docker.membership",
          "alice:998.membership", "alice:dock er.membership", "alice:docker.user", "alice:docker.jit-new"}) {
        EXPECT_FALSE(parse_drop_in_file(other)) << other;
    }
}

class DropInFiles : public testing::Test {
protected:
    DropInFiles() {
        std::string path = "/tmp/jit-userdb-XXXXXX";
        directory = mkdtemp(path.data());
    }
    ~DropInFiles() override { std::filesystem::remove_all(directory); }

    Result<void> give(const DropIn& what) {
        auto prepared = DropIns(directory).prepare(name, what);
        return prepared ? DropIns(directory).put(name) : prepared;
    }
    void write(const std::string& file, const std::string& text) {
        std::ofstream(directory + "/" + file) << text;
    }
    std::string read(const std::string& file) {
        std::ifstream stream(directory + "/" + file);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    std::vector<std::string> files() {
        std::vector<std::string> all;
        for (const auto& entry : std::filesystem::directory_iterator(directory)) {
            all.push_back(entry.path().filename());
        }
        return all;
    }

    std::string directory;
};

TEST_F(DropInFiles, one_is_given_changed_taken_and_forgotten) {
    ASSERT_TRUE(give(drop_in));
    EXPECT_THAT(files(), ElementsAre("alice:docker.membership"));
    EXPECT_EQ(std::filesystem::status(directory + "/alice:docker.membership").permissions(),
              std::filesystem::perms(0644));
    DropIn longer = drop_in;
    longer.grant = "81bc";
    ASSERT_TRUE(give(longer));
    auto listed = DropIns(directory).list();
    ASSERT_TRUE(listed);
    ASSERT_EQ(listed->size(), 1U);
    EXPECT_EQ(listed->front().content, longer);
    ASSERT_TRUE(DropIns(directory).take(name));
    ASSERT_TRUE(DropIns(directory).take(name)); // gone is gone
    EXPECT_THAT(files(), ElementsAre("alice:docker.jit-ending"));
    listed = DropIns(directory).list();
    ASSERT_EQ(listed->size(), 1U);
    EXPECT_EQ(listed->front().file.state, DropInState::ending);
    EXPECT_EQ(listed->front().content, longer);
    DropIns(directory).remove_taken(name);
    EXPECT_THAT(files(), IsEmpty());
}

TEST_F(DropInFiles, somebody_elses_is_neither_replaced_nor_removed_nor_listed) {
    for (const std::string& text : {std::string(), std::string("{}"), std::string("{\"x\":1}")}) {
        write("alice:docker.membership", text);
        const auto refused = give(drop_in);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Errc::refused);
        EXPECT_TRUE(DropIns(directory).take(name));
        EXPECT_THAT(files(), ElementsAre("alice:docker.membership"));
        EXPECT_EQ(read("alice:docker.membership"), text);
        EXPECT_THAT(*DropIns(directory).list(), IsEmpty());
    }
    std::filesystem::remove(directory + "/alice:docker.membership");
    write("target", drop_in_text(drop_in));
    std::filesystem::create_symlink("target", directory + "/alice:docker.membership");
    EXPECT_FALSE(give(drop_in));
    EXPECT_TRUE(DropIns(directory).take(name));
    EXPECT_THAT(*DropIns(directory).list(), IsEmpty());
    EXPECT_TRUE(std::filesystem::is_symlink(directory + "/alice:docker.membership"));
}

TEST_F(DropInFiles, one_of_ours_that_is_damaged_is_listed_as_such) {
    write("alice:docker.membership", R"({"io.jitsudo":{"grant":"7f3a")");
    const auto listed = DropIns(directory).list();
    ASSERT_EQ(listed->size(), 1U);
    EXPECT_FALSE(listed->front().content);
    EXPECT_TRUE(give(drop_in));
    EXPECT_TRUE(DropIns(directory + "/nonesuch").list());
}

TEST(WhoseItIs, is_read_from_all_uids_all_gids_and_the_groups) {
    const auto found = parse_credentials("Name:\tx\\nGid:\t4\nUmask:\t0022\nTgid:\t9\nNgid:\t0\n"
                                         "Uid:\t1000\t0\t1001\t1002\nGid:\t1000\t5\t6\t7\n"
                                         "Groups:\t27 998 \nNStgid:\t9\n");
    ASSERT_TRUE(found);
    EXPECT_THAT(found->uids, ElementsAre(Uid{0}, Uid{1000}, Uid{1001}, Uid{1002}));
    EXPECT_THAT(found->gids, ElementsAre(Gid{5}, Gid{6}, Gid{7}, Gid{27}, Gid{998}, Gid{1000}));
    EXPECT_TRUE(parse_credentials("Uid:\t1\t1\t1\t1\nGid:\t1\t1\t1\t1\nGroups:\t\n"));
    EXPECT_FALSE(parse_credentials(""));
    EXPECT_FALSE(parse_credentials("Uid:\t1\t1\t1\t1\nGid:\t1\t1\t1\t1\n"));
    EXPECT_FALSE(parse_credentials("Uid:\t1\tx\t1\t1\nGid:\t1\t1\t1\t1\nGroups:\t\n"));
}

TEST(WhoseItIs, nobody_is_killed_who_is_nobodys) {
    // A uid and a gid that no process has: /proc is read, and nothing is found in it.
    std::vector<Carriers> carriers{
        {.uid = Uid{3'999'999'999}, .gid = Gid{3'999'999'998}, .spared = {}, .killed = 0}};
    EXPECT_TRUE(kill_carriers(carriers, 2));
    EXPECT_EQ(carriers.front().killed, 0);
}

} // namespace
} // namespace jit
