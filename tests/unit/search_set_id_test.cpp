// SPDX-License-Identifier: MIT
// Which set-id files a grant made possible, and what is done about them.
#include "core/fd.h"
#include "daemon/search/disarm.h"
#include "daemon/search/open_files.h"
#include "daemon/search/reach.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sched.h>
#include <semaphore>
#include <sys/mman.h>
#include <thread>

namespace jit {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct stat file_of(std::uint32_t uid, std::uint32_t gid, mode_t mode, std::time_t changed = 100) {
    struct stat file{};
    file.st_uid = uid;
    file.st_gid = gid;
    file.st_mode = S_IFREG | mode;
    file.st_ctim.tv_sec = changed;
    return file;
}

SearchFor grant_of(bool root) {
    return {.grant = "7f3a",
            .account = "alice",
            .uid = Uid{1000},
            .since = {},
            .groups = {},
            .run_as = {},
            .root = root,
            .stock = {}};
}

TEST(Reach, of_a_group_counts_what_its_person_made_since_under_a_subordinate_uid_too) {
    const SearchFor grant = grant_of(false);
    const Reach reach{.grant = &grant,
                      .since = Time(std::chrono::seconds(50)),
                      .makers = {Uid{1000}},
                      .subordinates = {{.first = 100'000, .count = 65'536}},
                      .groups = {{Gid{4}, "adm"}}};
    EXPECT_TRUE(reach.made_possible(file_of(1000, 4, 02755), false));
    EXPECT_TRUE(reach.made_possible(file_of(100'000, 4, 02755), false));
    EXPECT_TRUE(reach.made_possible(file_of(165'535, 4, 02755), false));
    EXPECT_FALSE(reach.made_possible(file_of(165'536, 4, 02755), false));
    EXPECT_FALSE(reach.made_possible(file_of(99'999, 4, 02755), false));
    EXPECT_FALSE(reach.made_possible(file_of(1001, 4, 02755), false)) << "another's";
    EXPECT_FALSE(reach.made_possible(file_of(1000, 5, 02755), false)) << "another group";
    EXPECT_FALSE(reach.made_possible(file_of(1000, 4, 0755), false)) << "nothing set";
    EXPECT_FALSE(reach.made_possible(file_of(1000, 4, 02755, 49), false)) << "before";
}

TEST(Reach, of_a_group_counts_what_is_a_strangers_to_it_as_well) {
    const SearchFor grant = grant_of(false);
    const Reach reach{.grant = &grant,
                      .since = Time(std::chrono::seconds(50)),
                      .makers = {Uid{1000}},
                      .groups = {{Gid{4}, "adm"}},
                      .strangers = {{Gid{4}, {Uid{1001}}}}};
    EXPECT_TRUE(reach.made_possible(file_of(1001, 4, 02755), false));
    EXPECT_FALSE(reach.made_possible(file_of(1001, 4, 04755), false)) << "their own uid";
    EXPECT_FALSE(reach.made_possible(file_of(1001, 5, 02755), false));
    EXPECT_FALSE(reach.made_possible(file_of(1002, 4, 02755), false)) << "who has it by right";
    EXPECT_FALSE(reach.made_possible(file_of(1001, 4, 02755, 49), false)) << "before";
}

TEST(Reach, of_root_is_everything_and_disarmed_is_what_is_roots_or_its_persons) {
    const SearchFor grant = grant_of(true);
    const Reach reach{.grant = &grant, .since = {}, .makers = {Uid{1000}, Uid{1005}}, .run_as = {Uid{1005}}};
    for (const std::uint32_t owner : {0U, 1000U, 1005U}) {
        EXPECT_TRUE(reach.may_disarm(file_of(owner, 0, 04755))) << owner;
    }
    EXPECT_TRUE(reach.made_possible(file_of(1001, 0, 04755), false));
    EXPECT_FALSE(reach.may_disarm(file_of(1001, 0, 04755))) << "somebody else's container, perhaps";
}

TEST(Reach, subordinate_ids_are_an_accounts_by_name_or_uid) {
    EXPECT_THAT(
        subordinate_ids("bob:1:2\nalice:100000:65536\n1000:7:8\nalice:x:1\nalice:1\n", "alice", Uid{1000}),
        ElementsAre(SubordinateIds{.first = 100'000, .count = 65'536},
                    SubordinateIds{.first = 7, .count = 8}));
    EXPECT_THAT(subordinate_ids("", "alice", Uid{1000}), IsEmpty());
}

TEST(DisarmNote, tells_the_next_search_what_this_one_disarmed) {
    std::string directory = std::filesystem::temp_directory_path() / "jit-disarm-XXXXXX";
    ASSERT_NE(mkdtemp(directory.data()), nullptr);
    const DisarmNote::Entry setgid{.name = "/tmp/a\nb (mode 2755, owner 1000, group 4)"};
    const DisarmNote::Entry setuid{.name = "/tmp/c (mode 4755, owner 7, group 7)", .setuid = Uid{7}};
    DisarmNote note("7f3a", directory);
    EXPECT_THAT(note.before(), IsEmpty());
    EXPECT_TRUE(note.add(setgid));
    EXPECT_TRUE(note.add(setuid));
    EXPECT_THAT(DisarmNote("7f3a", directory).before(), testing::UnorderedElementsAre(setgid, setuid));
    EXPECT_THAT(DisarmNote("7f3b", directory).before(), IsEmpty());
    std::filesystem::remove_all(directory);
}

TEST(Nameless, a_set_id_file_without_a_name_is_met_where_it_is_open_and_disarmed) {
    const Fd file(memfd_create("copy", MFD_CLOEXEC));
    ASSERT_TRUE(file);
    ASSERT_EQ(fchmod(file.get(), 02755), 0);
    struct stat wanted{};
    ASSERT_EQ(fstat(file.get(), &wanted), 0);
    int met = 0;
    const auto look = [&](int place, const struct stat& found, const std::string&) {
        if (found.st_ino == wanted.st_ino && found.st_dev == wanted.st_dev) {
            ++met;
            EXPECT_TRUE(disarm(place));
        }
    };
    ASSERT_TRUE(look_at_nameless(look));
    EXPECT_EQ(met, 1);
    ASSERT_EQ(fstat(file.get(), &wanted), 0);
    EXPECT_EQ(wanted.st_mode & 07777U, 0755U);
}

// Whose table of open files is its own, /proc/PID/fd doesn't show.
TEST(OpenFiles, of_a_thread_are_met_too) {
    std::binary_semaphore ready(0);
    std::binary_semaphore done(0);
    std::thread apart([&] {
        EXPECT_EQ(unshare(CLONE_FILES), 0);
        const Fd file(memfd_create("apart", MFD_CLOEXEC));
        EXPECT_EQ(fchmod(file.get(), 02755), 0);
        ready.release();
        done.acquire();
    });
    ready.acquire();
    std::string met;
    EXPECT_TRUE(look_at_nameless([&](int, const struct stat&, const std::string& path) { met += path; }));
    done.release();
    apart.join();
    EXPECT_THAT(met, testing::HasSubstr("/task/"));
}

} // namespace
} // namespace jit
