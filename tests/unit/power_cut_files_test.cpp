// SPDX-License-Identifier: MIT
// The files that are written without SQLite, each by what really writes it. On a disk, after a power cut at
// any moment, there is the old one or the new, whole; once the writer has returned, the new. What is in /run
// is gone with the power: there jitd alone is killed, and the next one puts right what that left.
//
//   /var/lib/jit/host.key, host.pub       core/audit.cpp
//   /var/lib/jit/highest-uid              daemon/account_uids.cpp
//   /var/lib/jit/reserve.N                core/reserve.cpp
//   /etc/pam.d/SERVICE, its copy          ctl/pam_files.cpp
//   set-id files that are disarmed        daemon/search/disarm.cpp
//   authorized_keys; what is removed      daemon/account/home.cpp, traces.cpp
//   /run/jit/live, logins.db, held-…      daemon/published.cpp
//   /run/userdb/*.membership, *.user …    daemon/userdb.cpp
//
// /var/lib/jit/jit.db is power_cut_test.cpp's. Policies are only read.
#include "core/audit.h"
#include "core/reserve.h"
#include "ctl/pam_files.h"
#include "daemon/account/home.h"
#include "daemon/account/traces.h"
#include "daemon/account_files.h"
#include "daemon/account_uids.h"
#include "daemon/membership_files.h"
#include "daemon/published.h"
#include "daemon/search/disarm.h"
#include "power_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace jit {
namespace {

namespace fs = std::filesystem;
using power::Cut;
using testing::AnyOf;
using testing::ElementsAre;
using testing::IsEmpty;

class PowerCutFiles : public testing::Test {
protected:
    PowerCutFiles() {
        std::string name =
            (fs::is_directory("/dev/shm") ? "/dev/shm" : "/tmp") + std::string("/jit-power-XXXXXX");
        root_ = mkdtemp(name.data());
        fs::create_directory(disk());
    }
    ~PowerCutFiles() override { fs::remove_all(root_); }
    PowerCutFiles(const PowerCutFiles&) = delete;
    PowerCutFiles& operator=(const PowerCutFiles&) = delete;

    [[nodiscard]] std::string disk() const { return root_ + "/disk"; }
    void put(const std::string& name, const std::string& text, mode_t mode = 0644) const {
        std::ofstream(disk() + "/" + name) << text;
        ASSERT_EQ(chmod((disk() + "/" + name).c_str(), mode), 0);
    }
    // A directory as the cut left it.
    [[nodiscard]] std::string after(const power::Disk& left) const {
        fs::remove_all(root_ + "/after");
        left.lay(root_ + "/after");
        return root_ + "/after";
    }

    // Runs `work`, then looks at whatever a power cut leaves. `done`: the work had returned.
    template <class Work, class Look>
    void cut(Work work, Look look) {
        const auto recording = power::record(disk(), [&] {
            const bool good = work();
            power::mark("done");
            return good;
        });
        ASSERT_THAT(recording.problems, IsEmpty());
        const std::size_t looked = power::for_each_cut(recording, {.random = 20}, [&](const Cut& one) {
            SCOPED_TRACE(one.how);
            look(one.disk, !one.told.empty());
            return !HasFailure();
        });
        EXPECT_GE(looked, 3U);
    }
    template <class Work, class Look>
    void kill(Work work, Look look) {
        const auto recording = power::record(disk(), work);
        ASSERT_THAT(recording.problems, IsEmpty());
        power::for_each_kill(recording, [&](const Cut& one) {
            SCOPED_TRACE(one.how);
            look(one.disk);
            return !HasFailure();
        });
    }

    static std::set<std::string> names_in(const std::string& directory) {
        std::set<std::string> names;
        for (const auto& entry : fs::directory_iterator(directory)) {
            names.insert(entry.path().filename());
        }
        return names;
    }
    static std::string text_of(const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

private:
    std::string root_;
};

// ---- on a disk

TEST_F(PowerCutFiles, the_host_key_that_was_used_is_the_one_that_is_there) {
    const auto recording = power::record(disk(), [this] {
        const auto key = HostKey::load_or_create(disk(), "machine");
        power::mark(key ? key->public_key() : "");
        return key.has_value();
    });
    ASSERT_THAT(recording.problems, IsEmpty());
    power::for_each_cut(recording, {.random = 20}, [&](const Cut& one) {
        SCOPED_TRACE(one.how);
        const std::string there = after(one.disk);
        const auto key = HostKey::load_or_create(there, "machine");
        EXPECT_TRUE(key) << key.error().message;
        if (key) {
            EXPECT_TRUE(one.told.empty() || key->public_key() == one.told.front());
            EXPECT_EQ(text_of(there + "/host.pub"), to_hex(key->public_key()) + "\n") << "another key's";
        }
        return !HasFailure();
    });
}

TEST_F(PowerCutFiles, the_highest_uid_is_the_old_one_or_the_new) {
    put("highest-uid", "60577\n", 0600);
    cut([this] { return write_uid_mark(Uid{60578}, disk() + "/highest-uid").has_value(); },
        [this](const power::Disk& left, bool done) {
            const auto mark = read_uid_mark(after(left) + "/highest-uid");
            ASSERT_TRUE(mark) << mark.error().message;
            EXPECT_TRUE(*mark == Uid{60578} || (!done && *mark == Uid{60577}));
        });
}

TEST_F(PowerCutFiles, a_pam_service_is_the_old_file_or_the_new_and_its_copy_is_there_before) {
    const std::string was = "account include common-account\n" + std::string(1000, '#') + "\n";
    const std::string is = "account required pam_jit.so\n" + was;
    fs::create_directory(disk() + "/pam.d");
    fs::create_directory(disk() + "/state");
    put("pam.d/sshd", was);
    const Uid self{geteuid()};
    cut(
        [&] {
            const auto directory = PamDirectory::open_locked(disk() + "/pam.d", self);
            const auto read = directory ? directory->read("sshd") : std::unexpected(directory.error());
            return read && keep_pam_copy(disk() + "/state/pam", self, *read) && directory->replace(*read, is);
        },
        [&](const power::Disk& left, bool done) {
            const auto now = left.read("pam.d/sshd");
            ASSERT_TRUE(now) << "nobody gets in";
            EXPECT_TRUE(now == is || (!done && now == was)) << *now;
            EXPECT_EQ(left.mode("pam.d/sshd"), 0644U);
            if (now == is) {
                EXPECT_EQ(left.read("state/pam/sshd"), was) << "changed, and no copy was kept";
            }
        });
}

TEST_F(PowerCutFiles, a_reserve_without_its_room_is_made_anew) {
    // Where there is plenty of room: a disk that is nearly full has none to keep.
    cut(
        [this] {
            Reserve(disk()).make_room();
            Reserve(disk()).make_room();
            return true;
        },
        [this](const power::Disk& left, bool) {
            const std::string there = after(left);
            for (int turn = 0; turn < 4; ++turn) {
                Reserve(there).make_room();
            }
            for (int number = 1; number <= 4; ++number) {
                struct stat file{};
                EXPECT_EQ(stat((there + "/reserve." + std::to_string(number)).c_str(), &file), 0) << number;
                EXPECT_EQ(file.st_size, 4 * 1024 * 1024) << number;
            }
        });
}

TEST_F(PowerCutFiles, what_was_told_of_as_disarmed_stays_disarmed) {
    put("copy", "a program", 04755);
    cut(
        [this] {
            const int directory = open(disk().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            const int place = openat(directory, "copy", O_PATH | O_CLOEXEC);
            struct stat file{};
            Disarmed disarmed;
            if (fstat(place, &file) != 0 || !disarm(place)) {
                return false;
            }
            disarmed.add(directory, file.st_dev);
            return disarmed.make_last().has_value();
        },
        [](const power::Disk& left, bool done) {
            EXPECT_TRUE(left.mode("copy") == 0755U || (!done && left.mode("copy") == 04755U));
        });
}

// jit-account works on the host's own paths: the directory is made its root.
class PowerCutAccounts : public PowerCutFiles {
protected:
    void SetUp() override {
        if (geteuid() != 0) {
            GTEST_SKIP() << "only root works for other accounts";
        }
        for (const char* directory : {"home", "home/dave", "home/dave/.ssh", "var", "var/spool",
                                      "var/spool/cron", "var/spool/cron/crontabs"}) {
            fs::create_directory(disk() + "/" + directory);
        }
        put("home/dave/.ssh/authorized_keys", "the key of before\n");
        put("home/dave/.ssh/authorized_keys2", "another of before\n");
        put("var/spool/cron/crontabs/dave", "@hourly /home/dave/again\n");
        for (const char* theirs : {"home/dave", "home/dave/.ssh", "home/dave/.ssh/authorized_keys",
                                   "home/dave/.ssh/authorized_keys2", "var/spool/cron/crontabs/dave"}) {
            ASSERT_EQ(chown((disk() + "/" + theirs).c_str(), number(uid), number(uid)), 0);
        }
    }
    // Does the job, in there.
    [[nodiscard]] bool does(const AccountJob& job) const {
        AccountReply reply;
        if (chroot(disk().c_str()) != 0 || chdir("/") != 0) {
            return false;
        }
        if (job.what == AccountJob::What::make) {
            make_home(job, reply);
        } else {
            remove_traces(job, reply);
            remove_home(job, reply);
        }
        for (const std::string& problem : reply.problems) {
            ADD_FAILURE() << problem;
        }
        return reply.problems.empty();
    }

    const Uid uid{60578};
};

TEST_F(PowerCutAccounts, the_keys_of_before_open_no_account_that_was_made) {
    const AccountJob job{.what = AccountJob::What::make,
                         .name = "dave",
                         .uid = uid,
                         .home = TemporaryAccount::Home::keep,
                         .keys = {"the key of now"}};
    cut([&] { return does(job); },
        [](const power::Disk& left, bool done) {
            const auto keys = left.read("home/dave/.ssh/authorized_keys");
            EXPECT_TRUE(keys == "the key of now\n" || (!done && keys == "the key of before\n"));
            EXPECT_TRUE(!done || !left.read("home/dave/.ssh/authorized_keys2"));
        });
}

TEST_F(PowerCutAccounts, nothing_is_back_of_one_that_was_removed) {
    const AccountJob job{.what = AccountJob::What::remove,
                         .name = "dave",
                         .uid = uid,
                         .home = TemporaryAccount::Home::remove,
                         .keys = {}};
    cut([&] { return does(job); },
        [](const power::Disk& left, bool done) {
            if (done) {
                EXPECT_FALSE(left.read("var/spool/cron/crontabs/dave")) << "it would run by the next grant";
                EXPECT_FALSE(left.read("home/dave/.ssh/authorized_keys"));
            }
        });
}

// ---- in /run

TEST_F(PowerCutFiles,
       a_jitd_killed_as_it_publishes_leaves_the_old_or_the_new_and_the_next_one_puts_it_right) {
    const std::vector<Published> one{{.name = "a", .session = {}, .time = {}, .boot = {}, .groups = {}}};
    const std::string was = published_text("boot", {});
    const std::string is = published_text("boot", one);
    put("live", was, 0600);
    kill([&] { return publish(is, disk() + "/live").has_value(); },
         [&](const power::Disk& left) {
             const std::string there = after(left);
             EXPECT_THAT(text_of(there + "/live"), AnyOf(was, is));
             ASSERT_TRUE(publish(is, there + "/live"));
             EXPECT_EQ(text_of(there + "/live"), is);
             EXPECT_THAT(names_in(there), ElementsAre("live"));
         });
}

TEST_F(PowerCutFiles, a_jitd_killed_as_it_gives_and_takes_a_membership_leaves_none_that_cannot_be_taken) {
    const MembershipName name{.account = "alice", .group = "docker"};
    const DropIn drop_in{
        .grant = "7f3a", .uid = Uid{1000}, .gid = Gid{998}, .until = Time(Millis(1)), .boot = {}};
    kill(
        [&] {
            const DropIns files(disk());
            const bool given = files.prepare(name, drop_in) && files.put(name);
            const bool taken = given && files.take(name).has_value();
            files.remove_taken(name);
            return taken;
        },
        [&](const power::Disk& left) {
            const std::string there = after(left);
            const DropIns files(there);
            const auto found = files.list();
            ASSERT_TRUE(found);
            for (const auto& one : *found) {
                EXPECT_EQ(one.content, drop_in) << "what is needed to take it back";
            }
            // Given anew and taken, as by the next jitd.
            ASSERT_TRUE(files.prepare(name, drop_in));
            ASSERT_TRUE(files.put(name));
            ASSERT_TRUE(files.take(name));
            files.remove_taken(name);
            EXPECT_THAT(names_in(there), IsEmpty());
        });
}

TEST_F(PowerCutFiles, a_jitd_killed_as_it_makes_and_ends_an_account_leaves_none_that_cannot_be_ended) {
    const AccountRecord record{.grant = "7f3a",
                               .name = "dave",
                               .uid = Uid{60578},
                               .home = "/home/dave",
                               .shell = "/bin/bash",
                               .until = Time(Millis(1)),
                               .boot = {}};
    kill(
        [&] {
            const AccountFiles files(disk());
            const bool made = files.put(record) && files.take("dave", record.uid);
            files.remove_taken("dave");
            return made;
        },
        [&](const power::Disk& left) {
            const std::string there = after(left);
            const AccountFiles files(there);
            const auto found = files.list();
            ASSERT_TRUE(found);
            for (const auto& one : *found) {
                EXPECT_TRUE(one.content == record) << "what is needed to end it";
            }
            ASSERT_TRUE(files.put(record));
            ASSERT_TRUE(files.take("dave", record.uid));
            files.remove_taken("dave");
            EXPECT_THAT(names_in(there), IsEmpty());
        });
}

} // namespace
} // namespace jit
