// SPDX-License-Identifier: MIT
// Whose files make the policy. Ownership can only be tested by root: others run the rest, and are told what
// they skip.
#include "tests/unit/policy_kit.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <utility>

namespace jit {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PolicyFiles : public testing::Test {
protected:
    void SetUp() override {
        std::string path = fs::temp_directory_path() / "jit-policy-XXXXXX";
        ASSERT_NE(mkdtemp(path.data()), nullptr);
        top = path;
        directory = path + "/jit";
        make_directory(directory);
        make_directory(directory + "/policy.d");
        umask(022);
    }
    void TearDown() override { fs::remove_all(top); }

    static void make_directory(const std::string& path) {
        ASSERT_EQ(mkdir(path.c_str(), 0755), 0);
        ASSERT_EQ(chmod(path.c_str(), 0755), 0);
    }

    // Writes directory/name and gives its path.
    std::string write(const std::string& name, const std::string& text = "", mode_t mode = 0644) {
        const std::string path = directory + "/" + name;
        std::ofstream(path) << text;
        EXPECT_EQ(chmod(path.c_str(), mode), 0);
        return path;
    }

    // The problems, without the directory's name.
    std::vector<std::string> problems(const LoadedPolicy& loaded) const {
        auto lines = texts(loaded);
        for (std::string& line : lines) {
            if (line.starts_with(directory)) {
                line = "D" + line.substr(directory.size());
            }
        }
        return lines;
    }
    std::vector<std::string> load(Ownership ownership) const {
        return problems(load_policy(directory, ownership));
    }

    std::string top;
    std::string directory;
};

class PolicyFilesOfRoot : public PolicyFiles {
protected:
    void SetUp() override {
        PolicyFiles::SetUp();
        if (geteuid() != 0) {
            GTEST_SKIP() << "only root can make files of root, and give them away";
        }
    }
};

TEST_F(PolicyFiles, are_read_in_order_and_make_one_policy) {
    write("policy.toml", "[site]\nhelp = \"x\"\n");
    write("policy.d/b.toml", "[people.b]\nmembers = [\"bob\"]\n");
    write("policy.d/a.toml", "[people.a]\nmembers = [\"bob\"]\n");
    write("policy.d/B.toml", "[people.c]\nmembers = [\"bob\"]\n");
    const auto loaded = load_policy(directory + "//", Ownership::anyone);
    EXPECT_THAT(problems(loaded), IsEmpty());
    ASSERT_TRUE(loaded.policy);
    EXPECT_EQ(loaded.policy->people.size(), 3U);
    ASSERT_EQ(loaded.sources.size(), 4U);
    EXPECT_EQ(loaded.sources[0].name, directory + "/policy.toml");
    EXPECT_EQ(loaded.sources[1].name, directory + "/policy.d/B.toml");
    EXPECT_EQ(loaded.sources[2].name, directory + "/policy.d/a.toml");
    EXPECT_EQ(loaded.sources[3].name, directory + "/policy.d/b.toml");
    EXPECT_EQ(loaded.sources[3].text, "[people.b]\nmembers = [\"bob\"]\n");
}

TEST_F(PolicyFiles, name_the_file_and_line_of_a_mistake) {
    write("policy.d/a.toml", "[people.a]\nmembers = [\"bob\"]\n");
    write("policy.d/b.toml", "\n[people.a]\nmembers = [\"bob\"]\n");
    EXPECT_THAT(load(Ownership::anyone), ElementsAre("D/policy.d/b.toml:2: people.a: already written in " +
                                                     directory + "/policy.d/a.toml:1"));
}

TEST_F(PolicyFiles, that_are_not_there_make_an_empty_policy_and_a_warning) {
    for (int round = 0; round < 2; ++round) {
        const auto loaded = load_policy(directory, Ownership::anyone);
        EXPECT_TRUE(loaded.policy);
        EXPECT_THAT(problems(loaded),
                    ElementsAre("D: warning: no policy.toml and nothing in policy.d: an empty policy, "
                                "nobody may ask for anything"));
        fs::remove(directory + "/policy.d");
    }
}

TEST_F(PolicyFiles, of_no_directory_are_refused) {
    for (const auto* name : {"/missing", ""}) {
        const auto loaded = load_policy(*name == '\0' ? "" : top + name, Ownership::anyone);
        EXPECT_FALSE(loaded.policy);
        EXPECT_THAT(texts(loaded), ElementsAre(HasSubstr("No such file or directory")));
    }
    write("plain");
    EXPECT_THAT(texts(load_policy(directory + "/plain", Ownership::anyone)),
                ElementsAre(HasSubstr("is not a directory")));
}

TEST_F(PolicyFiles, with_other_names_are_ignored_and_that_is_said) {
    write("policy.toml");
    write("policy.d/a.toml.bak", "[broken");
    write("policy.d/.hidden.toml", "[broken");
    const auto loaded = load_policy(directory, Ownership::anyone);
    EXPECT_TRUE(loaded.policy);
    EXPECT_THAT(
        problems(loaded),
        testing::UnorderedElementsAre(
            "D/policy.d/a.toml.bak: warning: ignored: only names that end in .toml are read, and none that "
            "begin "
            "with a dot",
            "D/policy.d/.hidden.toml: warning: ignored: only names that end in .toml are read, and none that "
            "begin with a dot"));
}

TEST_F(PolicyFiles, that_are_no_regular_files_are_refused_without_waiting) {
    const auto refused = [&](const std::string& expected) {
        const auto loaded = load_policy(directory, Ownership::anyone);
        EXPECT_FALSE(loaded.policy);
        EXPECT_THAT(problems(loaded), ElementsAre(expected));
        fs::remove(directory + "/policy.toml");
        fs::remove(directory + "/policy.d/a.toml");
    };
    ASSERT_EQ(mkfifo((directory + "/policy.toml").c_str(), 0644), 0);
    refused("D/policy.toml: is not a regular file");
    fs::create_directory(directory + "/policy.toml");
    refused("D/policy.toml: is a directory");
    fs::create_symlink("/dev/null", directory + "/policy.toml");
    refused("D/policy.toml: is a symbolic link");
    fs::create_symlink("missing", directory + "/policy.d/a.toml");
    refused("D/policy.d/a.toml: is a symbolic link");
    if (geteuid() == 0 &&
        mknod((directory + "/policy.d/a.toml").c_str(), S_IFCHR | 0644, makedev(1, 5)) == 0) {
        refused("D/policy.d/a.toml: is not a regular file"); // /dev/zero; a container may forbid to make it
    }
}

TEST_F(PolicyFiles, in_a_directory_that_is_a_symbolic_link_are_refused) {
    fs::create_symlink(directory, top + "/link");
    for (const auto* name : {"/link", "/link/", "/link//"}) {
        EXPECT_THAT(texts(load_policy(top + name, Ownership::anyone)),
                    ElementsAre(top + "/link: is a symbolic link"));
    }
    fs::remove(directory + "/policy.d");
    fs::create_symlink("/", directory + "/policy.d");
    EXPECT_THAT(load(Ownership::anyone), ElementsAre("D/policy.d: is a symbolic link"));
}

TEST_F(PolicyFiles, that_are_too_large_or_too_many_are_refused) {
    write("policy.toml", std::string(1024 * 1024 + 1, '#'));
    EXPECT_THAT(load(Ownership::anyone), ElementsAre("D/policy.toml: larger than 1024 KiB"));
    write("policy.toml", std::string(1024 * 1024, '#'));
    EXPECT_THAT(load(Ownership::anyone), IsEmpty());
    for (int i = 0; i < 257; ++i) {
        write("policy.d/" + std::to_string(i) + ".toml");
    }
    EXPECT_THAT(load(Ownership::anyone), ElementsAre("D/policy.d: 257 files; at most 256 are read"));
    fs::remove(directory + "/policy.d/0.toml");
    EXPECT_THAT(load(Ownership::anyone), IsEmpty());
}

TEST_F(PolicyFiles, may_be_checked_one_by_one) {
    const std::string draft = write("draft.toml", "[site]\nhelp = 1\n", 0666);
    EXPECT_THAT(problems(load_policy_file(draft, Ownership::anyone)),
                ElementsAre("D/draft.toml:2: site.help: expected a string, found the integer 1"));
    EXPECT_THAT(problems(load_policy_file(directory + "/none.toml", Ownership::anyone)),
                ElementsAre("D/none.toml: No such file or directory"));
    EXPECT_FALSE(load_policy_file(directory + "/", Ownership::anyone).policy);
    EXPECT_FALSE(load_policy_file("", Ownership::anyone).policy);
    const fs::path before = fs::current_path();
    fs::current_path(directory);
    EXPECT_EQ(load_policy_file("draft.toml", Ownership::anyone).sources.at(0).name, "draft.toml");
    fs::current_path(before);
}

TEST_F(PolicyFilesOfRoot, are_read_where_root_alone_may_write_them) {
    for (const mode_t mode : {0644U, 0600U, 0400U, 0444U, 0640U, 0000U}) {
        write("policy.toml", "", mode);
        write("policy.d/a.toml", "", mode);
        EXPECT_THAT(load(Ownership::root_only), IsEmpty()) << mode;
    }
}

TEST_F(PolicyFilesOfRoot, that_others_may_write_are_refused) {
    for (const auto& [mode, shown] : std::vector<std::pair<mode_t, std::string>>{{0666, "0666"},
                                                                                 {0660, "0660"},
                                                                                 {0646, "0646"},
                                                                                 {0602, "0602"},
                                                                                 {0620, "0620"},
                                                                                 {04622, "4622"}}) {
        for (const std::string name : {"policy.toml", "policy.d/a.toml"}) {
            const std::string path = write(name, "", mode);
            const auto loaded = load_policy(directory, Ownership::root_only);
            EXPECT_FALSE(loaded.policy);
            EXPECT_THAT(problems(loaded),
                        ElementsAre("D/" + name + ": is writable by others than root (mode " + shown + ")"));
            EXPECT_TRUE(load_policy(directory, Ownership::anyone).policy);
            EXPECT_FALSE(load_policy_file(path, Ownership::root_only).policy);
            fs::remove(path);
        }
    }
}

TEST_F(PolicyFilesOfRoot, that_belong_to_somebody_else_are_refused) {
    const std::string path = write("policy.toml");
    ASSERT_EQ(chown(path.c_str(), 1234, 0), 0);
    EXPECT_THAT(load(Ownership::root_only), ElementsAre("D/policy.toml: belongs to uid 1234, not to root"));
    EXPECT_FALSE(load_policy_file(path, Ownership::root_only).policy);
    EXPECT_TRUE(load_policy(directory, Ownership::anyone).policy);
    ASSERT_EQ(chown(path.c_str(), 0, 1234), 0); // a group that may only read is nobody's business
    EXPECT_THAT(load(Ownership::root_only), IsEmpty());
}

TEST_F(PolicyFilesOfRoot, in_a_directory_that_others_may_write_are_refused) {
    const std::string file = write("policy.toml");
    for (const std::string name : {"", "/policy.d"}) {
        for (const mode_t mode : {0777U, 01777U, 0775U}) {
            ASSERT_EQ(chmod((directory + name).c_str(), mode), 0);
            EXPECT_THAT(load(Ownership::root_only),
                        ElementsAre(HasSubstr("D" + name + ": is writable by others")));
            EXPECT_EQ(load_policy_file(file, Ownership::root_only).policy.has_value(), name != "");
        }
        ASSERT_EQ(chmod((directory + name).c_str(), 0755), 0);
        ASSERT_EQ(chown((directory + name).c_str(), 1234, 0), 0);
        EXPECT_THAT(load(Ownership::root_only),
                    ElementsAre("D" + name + ": belongs to uid 1234, not to root"));
        ASSERT_EQ(chown((directory + name).c_str(), 0, 0), 0);
    }
    EXPECT_THAT(load(Ownership::root_only), IsEmpty());
}

} // namespace
} // namespace jit
