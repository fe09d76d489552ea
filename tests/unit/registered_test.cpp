// SPDX-License-Identifier: MIT
// The folder in which pam_jit leaves files for jitd.
#include "daemon/registered.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <poll.h>
#include <sys/stat.h>

namespace jit {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class RegisteredTest : public testing::Test {
protected:
    RegisteredTest() {
        std::string name = "/dev/shm/jit-registered-XXXXXX";
        if (mkdtemp(name.data()) == nullptr) {
            name = "/tmp/jit-registered-XXXXXX";
            EXPECT_NE(mkdtemp(name.data()), nullptr);
        }
        parent = name;
        directory = parent + "/uses";
    }
    ~RegisteredTest() override { std::filesystem::remove_all(parent); }
    void SetUp() override { ASSERT_TRUE(registered().make()); }
    [[nodiscard]] Registered registered() const { return Registered(directory); }

    static RegisteredUse use(std::uint32_t session) {
        RegisteredUse made;
        made.service = "sshd";
        made.account = "alice";
        made.uid = Uid{1000};
        made.target = "alice";
        made.gated = true;
        made.grant = "7f3a";
        made.until = Time(Millis(5));
        made.boot_until = BootTime(Millis(7));
        made.pid = 99;
        made.session = session;
        return made;
    }
    static RegisteredRefusal refusal(const std::string& account) {
        RegisteredRefusal made;
        made.service = "sudo";
        made.account = account;
        made.uid = Uid{1000};
        made.mode = "enforce";
        made.why = "no grant";
        return made;
    }
    bool put(const std::string& name, const std::string& bytes) const {
        return put_file(directory, name, bytes);
    }
    void write(const std::string& name, const std::string& bytes, mode_t mode) const {
        std::ofstream(directory + "/" + name) << bytes;
        ASSERT_EQ(chmod((directory + "/" + name).c_str(), mode), 0);
    }

    std::string parent;
    std::string directory;
};

TEST_F(RegisteredTest, is_made_for_its_owner_alone_and_once) {
    struct stat status{};
    ASSERT_EQ(stat(directory.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0700U);
    EXPECT_TRUE(registered().make());
}

TEST_F(RegisteredTest, a_folder_that_others_could_have_written_to_is_refused) {
    ASSERT_EQ(chmod(directory.c_str(), 0770), 0);
    EXPECT_FALSE(registered().make());
    std::filesystem::remove_all(directory);
    std::ofstream(directory + "") << "a file";
    EXPECT_FALSE(registered().make());
    std::filesystem::remove(directory);
    std::filesystem::create_directory(parent + "/elsewhere");
    std::filesystem::create_directory_symlink(parent + "/elsewhere", directory);
    EXPECT_FALSE(registered().make());
    EXPECT_FALSE(Registered(parent + "/none/uses").make());
}

TEST_F(RegisteredTest, a_file_reads_back_as_it_was_put) {
    ASSERT_TRUE(put("17", to_frame(use(17))));
    EXPECT_THAT(registered().sessions(), UnorderedElementsAre(17U));
    const auto read = registered().read(17);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(to_frame(*read), to_frame(use(17)));
    registered().remove(17);
    EXPECT_THAT(registered().sessions(), IsEmpty());
    EXPECT_EQ(registered().read(17).error().code, Errc::not_found);
}

TEST_F(RegisteredTest, a_file_never_replaces_another) {
    ASSERT_TRUE(put("17", to_frame(use(17))));
    EXPECT_FALSE(put("17", "other"));
    EXPECT_EQ(errno, EEXIST);
    EXPECT_TRUE(registered().read(17));
    std::filesystem::create_symlink("/nonexistent", directory + "/18");
    EXPECT_FALSE(put("18", "other"));
    EXPECT_FALSE(std::filesystem::exists("/nonexistent"));
}

TEST_F(RegisteredTest, of_names_only_numbers_in_their_one_spelling_are_sessions) {
    for (const char* name :
         {"7", "07", "+8", " 9", "9x", "x", "-1", "4294967295", "4294967296", "refused-1-0", "10.new"}) {
        ASSERT_TRUE(put(name, "x")) << name;
    }
    EXPECT_THAT(registered().sessions(), UnorderedElementsAre(7U));
}

TEST_F(RegisteredTest, a_file_of_another_session_cut_off_or_of_another_kind_is_an_error) {
    const std::string good = to_frame(use(17));
    ASSERT_TRUE(put("18", good));
    EXPECT_EQ(registered().read(18).error().code, Errc::invalid);
    int session = 100;
    for (std::size_t size = 0; size < good.size(); ++size) {
        ASSERT_TRUE(put(std::to_string(++session), good.substr(0, size)));
        EXPECT_EQ(registered().read(static_cast<std::uint32_t>(session)).error().code, Errc::invalid) << size;
    }
    ASSERT_TRUE(put("19", good + "x"));
    EXPECT_FALSE(registered().read(19));
    ASSERT_TRUE(put("20", to_frame(refusal("alice"))));
    EXPECT_FALSE(registered().read(20));
    ASSERT_TRUE(put("21", std::string(largest_registration + 100, 'x')));
    EXPECT_FALSE(registered().read(21));
}

TEST_F(RegisteredTest, what_jitd_must_not_rely_on_is_an_error) {
    const auto bad = [&](const std::function<void(RegisteredUse&)>& change) {
        RegisteredUse one = use(17);
        change(one);
        return !parse_registered_use(to_frame(one));
    };
    EXPECT_FALSE(bad([](RegisteredUse&) {}));
    EXPECT_TRUE(bad([](RegisteredUse& one) { one.account = "../x"; }));
    EXPECT_TRUE(bad([](RegisteredUse& one) { one.service = "a b"; }));
    EXPECT_TRUE(bad([](RegisteredUse& one) { one.target = ""; }));
    EXPECT_TRUE(bad([](RegisteredUse& one) { one.uid = no_uid; }));
    EXPECT_TRUE(bad([](RegisteredUse& one) { one.grant = "7F3A"; }));
    EXPECT_TRUE(bad([](RegisteredUse& one) { one.pid = 1; }));
    EXPECT_TRUE(bad([](RegisteredUse& one) { one.session = 0xffffffffU; }));
    EXPECT_TRUE(bad([](RegisteredUse& one) { one.gated = false; }));
    EXPECT_TRUE(bad([](RegisteredUse& one) { one.groups = {"-x"}; }));
    EXPECT_TRUE(bad([](RegisteredUse& one) { one.until = Time(Millis(-1)); }));
    EXPECT_TRUE(bad([](RegisteredUse& one) { one.boot_until = BootTime(Millis::max()); }));
}

TEST_F(RegisteredTest, what_others_could_have_written_is_not_read) {
    const std::string good = to_frame(use(17));
    write("17", good, 0644);
    EXPECT_FALSE(registered().read(17));
    write("18", good, 0602);
    EXPECT_FALSE(registered().read(18));
    std::filesystem::create_symlink("17", directory + "/19");
    EXPECT_FALSE(registered().read(19));
    ASSERT_EQ(mkfifo((directory + "/20").c_str(), 0600), 0); // and isn't waited for
    EXPECT_FALSE(registered().read(20));
    ASSERT_EQ(mkdir((directory + "/21").c_str(), 0700), 0);
    EXPECT_FALSE(registered().read(21));
    EXPECT_NE(registered().read(21).error().code, Errc::not_found);
}

TEST_F(RegisteredTest, refusals_are_taken_once_and_what_cannot_be_read_goes_too) {
    ASSERT_TRUE(put(refusal_file_name(Uid{1000}, 0), to_frame(refusal("alice"))));
    ASSERT_TRUE(put(refusal_file_name(Uid{1000}, 1), "not a frame"));
    ASSERT_TRUE(put("17", to_frame(use(17))));
    const auto taken = registered().take_refusals();
    ASSERT_THAT(taken, SizeIs(2));
    int good = 0;
    for (const auto& one : taken) {
        good += one && one->account == "alice" ? 1 : 0;
    }
    EXPECT_EQ(good, 1);
    EXPECT_THAT(registered().take_refusals(), IsEmpty());
    EXPECT_THAT(registered().sessions(), SizeIs(1));
}

TEST_F(RegisteredTest, says_when_something_was_put_there) {
    const auto watch = registered().watch();
    ASSERT_TRUE(watch);
    pollfd polled{watch->get(), POLLIN, 0};
    EXPECT_EQ(poll(&polled, 1, 0), 0);
    ASSERT_TRUE(put("17", to_frame(use(17))));
    EXPECT_EQ(poll(&polled, 1, 1000), 1);
    EXPECT_FALSE(Registered(parent + "/none").watch());
}

} // namespace
} // namespace jit
