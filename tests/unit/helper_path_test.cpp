// SPDX-License-Identifier: MIT
// The trees are root's, so these need root; what belongs to others can't be tested by one of the others.
#include "core/fd.h"
#include "helper/path.h"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace jit {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr auto search = "/usr/local/bin:/usr/bin:/bin";

class HelperPath : public testing::Test {
protected:
    void SetUp() override {
        if (geteuid() != 0) {
            GTEST_SKIP() << "needs root";
        }
        std::string name = (fs::temp_directory_path() / "jit-path-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        tree_ = name;
        ASSERT_EQ(chmod(name.c_str(), 0755), 0);
        for (const char* directory : {"usr/bin", "usr/local/bin", "etc/alternatives", "home/alice"}) {
            fs::create_directories(tree_ / directory);
        }
        fs::create_directory_symlink("usr/bin", tree_ / "bin");
        program("usr/bin/id");
        program("usr/bin/vim");
        fs::create_symlink("/etc/alternatives/vi", tree_ / "usr/bin/vi");
        fs::create_symlink("/usr/bin/vim", tree_ / "etc/alternatives/vi");
        program("home/alice/tool");
        own("home/alice", 1000);
        root_.reset(open(name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    void TearDown() override {
        root_.reset();
        if (!tree_.empty()) {
            fs::remove_all(tree_);
        }
    }

    void program(const std::string& path, mode_t mode = 0755) {
        std::ofstream(tree_ / path) << "#!/bin/sh\n";
        ASSERT_EQ(chmod((tree_ / path).c_str(), mode), 0);
    }
    void own(const std::string& path, uid_t uid) {
        ASSERT_EQ(lchown((tree_ / path).c_str(), uid, static_cast<gid_t>(-1)), 0);
    }
    Result<Program> find(std::string_view word, std::string_view cwd = "/home") {
        return find_command(word, cwd, search, root_.get());
    }
    std::string path_of(std::string_view word, std::string_view cwd = "/home") {
        const auto found = find(word, cwd);
        return found ? found->path : found.error().message;
    }
    Errc refusal_of(std::string_view word) {
        const auto found = find(word);
        return found ? Errc::internal : found.error().code;
    }

    fs::path tree_;
    Fd root_;
};

TEST_F(HelperPath, IsLookedUpInTheSecurePathOnly) {
    const auto found = find("id");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->path, "/usr/bin/id");
    EXPECT_EQ(found->name, "id");
    program("usr/local/bin/id");
    EXPECT_EQ(path_of("id"), "/usr/local/bin/id");
    program("home/here");
    EXPECT_EQ(refusal_of("here"), Errc::not_found);
    EXPECT_EQ(path_of("./here"), "/home/here");
    EXPECT_EQ(refusal_of("."), Errc::not_found);
    EXPECT_EQ(refusal_of(".."), Errc::not_found);
}

TEST_F(HelperPath, HasOneSpellingForItsDirectory) {
    for (const char* word : {"/bin/id", "/usr/bin/id", "//usr///bin//id", "/usr/./bin/id", "/home/../bin/id",
                             "/../../usr/bin/id", "../bin/id", "/bin/../bin/id"}) {
        EXPECT_EQ(path_of(word), "/usr/bin/id") << word;
    }
}

TEST_F(HelperPath, KeepsALastNameThatIsALink) {
    EXPECT_EQ(path_of("vi"), "/usr/bin/vi");
    EXPECT_EQ(path_of("/bin/vi"), "/usr/bin/vi");
}

TEST_F(HelperPath, IsRefusedWhereSomebodyElseCouldChangeIt) {
    EXPECT_THAT(path_of("/home/alice/tool"), HasSubstr("/home/alice does not belong to root"));
    EXPECT_EQ(path_of("/home/alice/nosuch"), "/home/alice/nosuch: command not found");
    EXPECT_EQ(path_of("./nosuch", "/home/alice"), "./nosuch: command not found");
    EXPECT_THAT(path_of("/"), HasSubstr("not an executable file"));
    EXPECT_EQ(refusal_of("/home/alice/../../usr/bin/id"), Errc::refused);
    own("usr/bin/id", 1000);
    EXPECT_EQ(refusal_of("id"), Errc::refused);
    own("usr/bin/id", 0);
    for (const mode_t mode : {0775, 0757, 0777}) {
        ASSERT_EQ(chmod((tree_ / "usr/bin/id").c_str(), mode), 0);
        EXPECT_EQ(refusal_of("id"), Errc::refused);
    }
    ASSERT_EQ(chmod((tree_ / "usr/bin/id").c_str(), 0755), 0);
    ASSERT_EQ(chmod((tree_ / "usr/bin").c_str(), 01777), 0);
    EXPECT_EQ(refusal_of("id"), Errc::refused);
    ASSERT_EQ(chmod((tree_ / "usr/bin").c_str(), 0755), 0);
    ASSERT_EQ(chmod(tree_.c_str(), 0775), 0);
    EXPECT_EQ(refusal_of("id"), Errc::refused);
}

TEST_F(HelperPath, IsRefusedWhereALinkLeadsOutOfRootsHands) {
    fs::create_symlink("/home/alice/tool", tree_ / "usr/bin/tool");
    EXPECT_EQ(refusal_of("tool"), Errc::refused);
    own("etc/alternatives/vi", 1000);
    EXPECT_EQ(refusal_of("vi"), Errc::refused);
    own("etc/alternatives/vi", 0);
    ASSERT_EQ(chmod((tree_ / "etc/alternatives").c_str(), 0777), 0);
    EXPECT_EQ(refusal_of("vi"), Errc::refused);
}

TEST_F(HelperPath, IsMissingWhereThereIsNothingToRun) {
    fs::create_symlink("loop", tree_ / "usr/bin/loop");
    fs::create_symlink("/nowhere", tree_ / "usr/bin/dangling");
    for (const char* word :
         {"nothing", "loop", "dangling", "/usr/bin/id/", "/usr/bin/id/.", "/usr/bin/id/..", "/none/id"}) {
        EXPECT_EQ(refusal_of(word), Errc::not_found) << word;
    }
    EXPECT_FALSE(find(std::string(5000, 'a')));
    program("usr/bin/data", 0644);
    for (const char* word : {"/usr/bin/data", "/usr/bin", "/", "/usr/bin/", "/usr/bin/.", "/usr/bin/.."}) {
        EXPECT_EQ(refusal_of(word), Errc::refused) << word;
    }
    EXPECT_FALSE(find("./id", ""));
}

class PathOfRole : public HelperPath {
protected:
    // What is there, as "directory 0", "file 1000" with its owner; or why it isn't used.
    std::string at(std::string_view path) {
        const auto fd = open_of_role(path, root_.get());
        struct stat status{};
        if (!fd) {
            return fd.error().message;
        }
        EXPECT_EQ(fstat(fd->get(), &status), 0);
        EXPECT_NE(fcntl(fd->get(), F_GETFD) & FD_CLOEXEC, 0);
        return (S_ISDIR(status.st_mode) ? "directory " : "file ") + std::to_string(status.st_uid);
    }
};

TEST_F(PathOfRole, MayBelongToWhoeverItsLastNameBelongsTo) {
    EXPECT_EQ(at("/usr/bin"), "directory 0");
    EXPECT_EQ(at("/usr/bin/id"), "file 0");
    EXPECT_EQ(at("/home/alice"), "directory 1000");
    own("usr/bin/id", 1000);
    ASSERT_EQ(chmod((tree_ / "usr/bin/id").c_str(), 0666), 0);
    EXPECT_EQ(at("/usr/bin/id"), "file 1000");
}

TEST_F(PathOfRole, IsRefusedWhereSomebodyElseCouldLeadItElsewhere) {
    EXPECT_THAT(at("/home/alice/tool"), HasSubstr("/home/alice does not belong to root"));
    fs::create_directories(tree_ / "home/alice/data");
    EXPECT_THAT(at("/home/alice/data"), HasSubstr("/home/alice does not belong to root"));
    fs::create_symlink("/home/alice/tool", tree_ / "usr/bin/tool");
    EXPECT_THAT(at("/usr/bin/tool"), HasSubstr("/home/alice does not belong to root"));
    ASSERT_EQ(chmod((tree_ / "home").c_str(), 01777), 0);
    EXPECT_THAT(at("/home/alice"), HasSubstr("/home can be changed by others"));
    ASSERT_EQ(chmod((tree_ / "home").c_str(), 0755), 0);
    fs::create_symlink("/etc", tree_ / "home/link");
    EXPECT_EQ(at("/home/link"), "directory 0");
    own("home/link", 1000);
    EXPECT_THAT(at("/home/link"), HasSubstr("does not belong to root"));
}

TEST_F(PathOfRole, ThatIsMissingIsSaidToBe) {
    for (const char* path : {"/none", "/usr/bin/none", "/usr/bin/id/below", "/none/below"}) {
        EXPECT_THAT(at(path), HasSubstr("is not there")) << path;
    }
}

TEST_F(HelperPath, ShowsNoControlCharacters) {
    EXPECT_EQ(path_of("a\x1b[31m"), "a\\x1b[31m: command not found");
}

} // namespace
} // namespace jit
