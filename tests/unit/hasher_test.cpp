// SPDX-License-Identifier: MIT
// What is hashed, and what isn't.
#include "daemon/hasher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <vector>

namespace jit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class HasherTest : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "jit-hash-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        directory_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    std::string file(const std::string& name, const std::string& content) {
        std::ofstream(directory_ / name, std::ios::binary) << content;
        return directory_ / name;
    }
    // What becomes of each, in the order in which they are done.
    std::vector<std::string> hashed(const std::vector<std::string>& paths,
                                    const std::vector<Uid>& whose = {}) {
        auto loop = Loop::make();
        Hasher hasher(*loop);
        std::vector<std::string> results;
        std::vector<Hasher::Ticket> tickets;
        for (const std::string& path : paths) {
            tickets.push_back(hasher.hash(
                Fd(open(path.c_str(), O_RDONLY | O_CLOEXEC)), whose.empty() ? Uid{1} : whose[tickets.size()],
                [&](const Result<std::string>& digest) {
                    results.push_back(digest ? digest->substr(0, 8) : digest.error().message);
                    if (results.size() == paths.size()) {
                        loop->stop();
                    }
                }));
        }
        EXPECT_TRUE(loop->run());
        return results;
    }

    std::filesystem::path directory_;
};

TEST_F(HasherTest, gives_the_sha_256_of_a_file) {
    EXPECT_THAT(hashed({file("abc", "abc")}), ElementsAre("ba7816bf"));
    EXPECT_THAT(hashed({file("empty", "")}), ElementsAre("e3b0c442"));
    EXPECT_THAT(hashed({file("million", std::string(1'000'000, 'a'))}), ElementsAre("cdc76e5c"));
}

TEST_F(HasherTest, lets_small_files_pass_a_large_one) {
    EXPECT_THAT(hashed({file("large", std::string(1'000'000, 'a')), file("abc", "abc"), file("empty", "")}),
                ElementsAre("e3b0c442", "ba7816bf", "cdc76e5c"));
}

TEST_F(HasherTest, lets_nobody_wait_for_all_that_another_has_hashed) {
    const std::string large = file("large", std::string(1'000'000, 'a'));
    const std::string small = file("small", std::string(500'000, 'a')); // two slices and its end
    const Uid many{1};
    EXPECT_EQ(hashed({large, large, large, large, small}, {many, many, many, many, Uid{2}}).front(),
              hashed({small}).front());
}

TEST_F(HasherTest, reads_no_further_what_nobody_waits_for) {
    auto loop = Loop::make();
    Hasher hasher(*loop);
    const auto opened = [](const std::string& path) { return Fd(open(path.c_str(), O_RDONLY | O_CLOEXEC)); };
    const std::string large = file("large", std::string(1'000'000, 'a'));
    const std::string larger = file("larger", std::string(2'000'000, 'a'));
    Hasher::Ticket given_up =
        hasher.hash(opened(large), Uid{1}, [](const Result<std::string>&) { FAIL() << "nobody waits"; });
    given_up.reset();
    const Hasher::Ticket other =
        hasher.hash(opened(larger), Uid{1}, [&](const Result<std::string>&) { loop->stop(); });
    EXPECT_TRUE(loop->run());
}

TEST_F(HasherTest, reads_no_device_no_directory_and_nothing_without_an_end) {
    EXPECT_THAT(hashed({"/dev/zero"}), ElementsAre(HasSubstr("no file that can be compared")));
    EXPECT_THAT(hashed({"/"}), ElementsAre(HasSubstr("no file that can be compared")));
    EXPECT_THAT(hashed({"/nowhere"}), ElementsAre(HasSubstr("no file that can be compared")));
    const std::string huge = file("huge", "");
    std::filesystem::resize_file(huge, static_cast<std::uintmax_t>(Hasher::largest) + 1);
    EXPECT_THAT(hashed({huge}), ElementsAre(HasSubstr("more than 256 MiB")));
}

} // namespace
} // namespace jit
