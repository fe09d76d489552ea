// SPDX-License-Identifier: MIT
// What is shipped for prompts, as shells run it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

namespace jit {
namespace {

using testing::MatchesRegex;

// A script in a shell for which an unset variable is an error, after the snippet; all that it writes.
std::string run(const std::string& shell, const std::string& environment, const std::string& script) {
    const std::string line = "env -u JIT_GRANT -u JIT_EXPIRES " + environment + " " + shell +
                             " -u -c '. " JIT_PROMPT_FILE "; " + script + "' 2>&1";
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(line.c_str(), "r"), pclose);
    std::string out;
    std::array<char, 4096> chunk{};
    while (const std::size_t count = fread(chunk.data(), 1, chunk.size(), pipe.get())) {
        out.append(chunk.data(), count);
    }
    return out;
}

class Prompt : public testing::TestWithParam<const char*> {
protected:
    static std::string shown(const std::string& environment) {
        return run(GetParam(), environment, R"(jit_prompt; printf "<%s>" "$JIT_PROMPT")");
    }
    static std::string ends_in(std::chrono::seconds left) {
        const auto now = std::chrono::system_clock::now().time_since_epoch() + left;
        return "JIT_GRANT=7f3a JIT_EXPIRES=" +
               std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now).count());
    }
};

TEST_P(Prompt, is_what_is_left_of_the_grant) {
    EXPECT_THAT(shown(ends_in(std::chrono::minutes(90))), MatchesRegex("<\\[7f3a (89|90)m\\] >"));
    EXPECT_THAT(shown(ends_in(std::chrono::hours(30))), MatchesRegex("<\\[7f3a (29|30)h\\] >"));
    EXPECT_THAT(shown(ends_in(std::chrono::seconds(59))), MatchesRegex("<\\[7f3a [0-9]*s\\] >"));
    EXPECT_EQ(shown(ends_in(std::chrono::seconds(-5))), "<[7f3a extended] >");
}

TEST_P(Prompt, is_nothing_without_a_grant_and_where_the_variables_are_anything_else) {
    for (const char* environment :
         {"", "JIT_GRANT= JIT_EXPIRES=", "JIT_GRANT=7f3a", "JIT_EXPIRES=9999999999",
          "JIT_GRANT=\\`id\\` JIT_EXPIRES=9999999999", "JIT_GRANT=7f3a JIT_EXPIRES=x",
          "JIT_GRANT=7f3a JIT_EXPIRES=08", "JIT_GRANT=7f3a JIT_EXPIRES=99999999999999999999",
          "JIT_GRANT=7f3a JIT_EXPIRES=-1"}) {
        EXPECT_EQ(shown(environment), "<>") << environment;
    }
}

TEST_P(Prompt, leaves_the_last_status_as_it_was) {
    EXPECT_EQ(run(GetParam(), "JIT_GRANT=7f3a JIT_EXPIRES=1", R"((exit 7); jit_prompt; echo $?)"), "7\n");
    EXPECT_EQ(run(GetParam(), "", R"((exit 7); jit_prompt; echo $?)"), "7\n");
}

INSTANTIATE_TEST_SUITE_P(Shells, Prompt, testing::Values("bash", "dash"),
                         [](const auto& shell) { return std::string(shell.param); });

TEST(PromptOfBash, starts_no_process) {
    // Without a PATH there is none that it could start, and date(1) is no builtin.
    EXPECT_THAT(run("bash", "JIT_GRANT=7f3a JIT_EXPIRES=1", R"(PATH=; jit_prompt; echo "$JIT_PROMPT")"),
                "[7f3a extended] \n");
}

} // namespace
} // namespace jit
