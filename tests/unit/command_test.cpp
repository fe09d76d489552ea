// SPDX-License-Identifier: MIT
#include "core/command.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace jit {
namespace {

using Arguments = std::vector<std::string>;

CommandPattern pattern(const std::string& line) {
    auto parsed = CommandPattern::parse(line);
    EXPECT_TRUE(parsed) << line << ": " << (parsed ? "" : parsed.error().message);
    return parsed.value_or(CommandPattern{});
}

// Whether the one word after the path matches the one argument.
bool word_matches(const std::string& word, const std::string& argument) {
    const auto parsed = CommandPattern::parse(std::vector<std::string>{"/bin/x", word});
    EXPECT_TRUE(parsed) << word;
    return parsed && parsed->matches("/bin/x", {argument});
}

TEST(Command, matches_word_by_word) {
    const auto restart = pattern("/usr/bin/systemctl restart nginx");
    EXPECT_TRUE(restart.matches("/usr/bin/systemctl", {"restart", "nginx"}));
    EXPECT_FALSE(restart.matches("/usr/bin/systemctl", {"restart"}));
    EXPECT_FALSE(restart.matches("/usr/bin/systemctl", {"restart", "nginx", "sshd"}));
    EXPECT_FALSE(restart.matches("/usr/bin/systemctl", {"nginx", "restart"}));
    EXPECT_FALSE(restart.matches("/usr/bin/systemctl", {"restart nginx"}));
    EXPECT_FALSE(restart.matches("/usr/bin/systemctl", {"restart", "nginx "}));
    EXPECT_FALSE(restart.matches("/usr/bin/systemctl", {"restart", "nginx\n"}));
    EXPECT_FALSE(restart.matches("/usr/bin/systemctl", {"restart", ""}));
    EXPECT_FALSE(restart.matches("/bin/systemctl", {"restart", "nginx"}));
    EXPECT_FALSE(restart.matches("systemctl", {"restart", "nginx"}));
    EXPECT_FALSE(restart.matches("/usr/bin/../bin/systemctl", {"restart", "nginx"}));
    EXPECT_FALSE(restart.matches("", {"restart", "nginx"}));
}

TEST(Command, that_is_a_path_alone_takes_no_arguments) {
    EXPECT_TRUE(pattern("/usr/bin/id").matches("/usr/bin/id", {}));
    EXPECT_FALSE(pattern("/usr/bin/id").matches("/usr/bin/id", {"-u"}));
    EXPECT_FALSE(pattern("/usr/bin/id").matches("/usr/bin/id", {""}));
}

TEST(Command, with_a_star_matches_any_run_of_bytes_within_one_argument) {
    const std::vector<std::pair<std::string, std::string>> table = {
        {"*", ""},         {"*", "a b"},           {"*", "a/b"},     {"*", "\n"},       {"*", "\xFF"},
        {"a*", "a"},       {"a*", "a*"},           {"*a", "a"},      {"*a", "ba"},      {"a*b", "ab"},
        {"a*b", "a-b"},    {"a*b*c", "abbc"},      {"*a*", "xax"},   {"a*a", "aa"},     {"*ab*ab*", "abab"},
        {"*.log", ".log"}, {"*.log", "x.log.log"}, {"x*y*x", "xyx"}, {"a*bc", "abcbc"}, {"*..*", "a...b"},
    };
    for (const auto& [word, argument] : table) {
        EXPECT_TRUE(word_matches(word, argument)) << word << " and " << argument;
    }
    const std::vector<std::pair<std::string, std::string>> not_matched = {
        {"a*", ""},       {"a*", "ba"},       {"*a", "ab"},        {"a*a", "a"},     {"a*b*c", "acb"},
        {"ab*ba", "aba"}, {"*ab*ab*", "aab"}, {"nginx*", "Nginx"}, {"*.log", "log"}, {"a*b*a", "ab"},
    };
    for (const auto& [word, argument] : not_matched) {
        EXPECT_FALSE(word_matches(word, argument)) << word << " and " << argument;
    }
}

TEST(Command, with_a_star_still_matches_each_argument_by_itself) {
    const auto cat = pattern("/usr/bin/cat /var/log/*");
    EXPECT_TRUE(cat.matches("/usr/bin/cat", {"/var/log/syslog"}));
    EXPECT_FALSE(cat.matches("/usr/bin/cat", {"/var/log/syslog", "/etc/shadow"}));
    EXPECT_TRUE(cat.matches("/usr/bin/cat", {"/var/log/syslog /etc/shadow"})); // one file with an odd name
    EXPECT_FALSE(cat.matches("/usr/bin/cat", {}));
}

TEST(Command, a_star_never_matches_an_argument_that_begins_with_a_dash) {
    for (const auto* argument : {"-", "--", "-rf", "--cursor-file=/etc/shadow", "--output=x"}) {
        EXPECT_FALSE(word_matches("*", argument)) << argument;
        EXPECT_FALSE(word_matches("*x", argument)) << argument;
        EXPECT_FALSE(word_matches("*-*", argument)) << argument;
        EXPECT_FALSE(word_matches("*=*", argument)) << argument;
    }
    EXPECT_FALSE(pattern("/usr/bin/journalctl -u nginx -n *")
                     .matches("/usr/bin/journalctl", {"-u", "nginx", "-n", "--cursor-file=/etc/passwd"}));
    EXPECT_TRUE(pattern("/usr/bin/journalctl -u nginx -n *")
                    .matches("/usr/bin/journalctl", {"-u", "nginx", "-n", "5"}));
}

TEST(Command, a_star_after_a_literal_dash_stays_within_that_option) {
    EXPECT_TRUE(word_matches("--unit=*", "--unit=nginx"));
    EXPECT_TRUE(word_matches("--unit=*", "--unit=-x"));
    EXPECT_FALSE(word_matches("--unit=*", "--user"));
    EXPECT_TRUE(word_matches("-n*", "-n5"));
    EXPECT_TRUE(word_matches("a-*", "a-b"));
}

TEST(Command, a_star_never_climbs_out_of_its_directory) {
    for (const auto* argument : {"/var/log/..", "/var/log/../../etc/shadow", "/var/log/a/../b",
                                 "/var/log/a/..", "/var/log//../x", "/var/log/../log/x"}) {
        EXPECT_FALSE(word_matches("/var/log/*", argument)) << argument;
        EXPECT_FALSE(word_matches("*", argument)) << argument;
    }
    for (const auto* argument : {"..", "../x", "x/..", "../../x"}) {
        EXPECT_FALSE(word_matches("*", argument)) << argument;
        EXPECT_FALSE(word_matches("*.*", argument)) << argument;
        EXPECT_FALSE(word_matches(".*", argument)) << argument;
    }
    EXPECT_FALSE(word_matches("--file=/srv/*", "--file=/srv/../etc/shadow"));
    for (const auto* argument :
         {"/var/log/a..b", "/var/log/...", "/var/log/..a", "/var/log/a..", "/var/log/a../b"}) {
        EXPECT_TRUE(word_matches("/var/log/*", argument)) << argument;
    }
}

TEST(Command, climbs_as_far_as_its_words_say_and_no_further) {
    EXPECT_TRUE(word_matches("../x", "../x"));
    EXPECT_TRUE(word_matches("../*", "../x"));
    EXPECT_FALSE(word_matches("../*", "../../x"));
    EXPECT_FALSE(word_matches("../*", "../x/.."));
    EXPECT_TRUE(word_matches("*/../b", "a/../b"));
    EXPECT_FALSE(word_matches("*/../b", "../../b"));
    EXPECT_TRUE(word_matches("a/../../*", "a/../../b"));
    EXPECT_FALSE(word_matches("a/.*", "a/.."));
    EXPECT_FALSE(word_matches("a/*.", "a/.."));
    EXPECT_FALSE(word_matches("a/..*", "a/.."));
    EXPECT_FALSE(word_matches("a/*..", "a/.."));
    EXPECT_FALSE(word_matches("*../b", "../b"));
    EXPECT_FALSE(word_matches("a*../b*", "a/../b"));
    EXPECT_TRUE(word_matches("a*../b*", "ax../b"));
}

TEST(Command, ending_in_two_stars_takes_any_further_arguments) {
    const auto any = pattern("/usr/bin/apt-get install **");
    EXPECT_TRUE(any.any_arguments());
    EXPECT_TRUE(any.matches("/usr/bin/apt-get", {"install"}));
    EXPECT_TRUE(any.matches("/usr/bin/apt-get", {"install", "-y", "../x", ""}));
    EXPECT_FALSE(any.matches("/usr/bin/apt-get", {}));
    EXPECT_FALSE(any.matches("/usr/bin/apt-get", {"remove", "x"}));
    EXPECT_TRUE(pattern("/bin/x **").matches("/bin/x", {}));
}

TEST(Command, escapes_stand_for_the_character_itself) {
    EXPECT_TRUE(word_matches("\\*", "*"));
    EXPECT_FALSE(word_matches("\\*", "a"));
    EXPECT_TRUE(word_matches("\\*\\*", "**"));
    EXPECT_TRUE(word_matches("\\**", "*a"));
    EXPECT_FALSE(word_matches("\\**", "a"));
    EXPECT_TRUE(word_matches("a\\\\b", "a\\b"));
    EXPECT_TRUE(word_matches("\\\\*", "\\x"));
    EXPECT_TRUE(pattern("/bin/x a\\ b").matches("/bin/x", {"a b"}));
    EXPECT_TRUE(pattern("/opt/my\\ tool/run now").matches("/opt/my tool/run", {"now"}));
    EXPECT_TRUE(pattern("/bin/a\\*b").matches("/bin/a*b", {}));
}

TEST(Command, as_an_array_keeps_spaces_within_a_word) {
    const auto parsed = CommandPattern::parse(std::vector<std::string>{"/bin/my tool", "a  b", "*.x"});
    ASSERT_TRUE(parsed);
    EXPECT_TRUE(parsed->matches("/bin/my tool", {"a  b", "c d.x"}));
    EXPECT_FALSE(parsed->matches("/bin/my tool", {"a", "b", "c.x"}));
    EXPECT_EQ(parsed->text(), "/bin/my\\ tool a\\ \\ b *.x");
    EXPECT_TRUE(CommandPattern::parse(std::vector<std::string>{"/bin/x", "**"})->any_arguments());
}

TEST(Command, as_a_string_is_split_at_one_or_more_spaces) {
    EXPECT_EQ(pattern("  /bin/x   a  b "), pattern("/bin/x a b"));
    EXPECT_NE(pattern("/bin/x a b"), pattern("/bin/x a\\ b"));
}

TEST(Command, that_could_be_misread_is_refused) {
    const std::vector<std::pair<std::string, std::string>> table = {
        {"", "an empty command"},
        {"   ", "an empty command"},
        {"systemctl restart", "absolute path"},
        {"./x", "absolute path"},
        {"\\ /bin/x", "absolute path"},
        {"-x", "absolute path"},
        {"/", "written plainly"},
        {"/bin/", "written plainly"},
        {"//bin/x", "written plainly"},
        {"/bin//x", "written plainly"},
        {"/bin/./x", "written plainly"},
        {"/bin/../x", "written plainly"},
        {"/bin/x/..", "written plainly"},
        {"/bin/x/.", "written plainly"},
        {"/bin/*", "a wildcard in the path"},
        {"*", "a wildcard in the path"},
        {"**", "not a wildcard"},
        {"/bin/x ** a", "** must be a word of its own"},
        {"/bin/x a**", "** must be a word of its own"},
        {"/bin/x **a", "** must be a word of its own"},
        {"/bin/x ***", "** must be a word of its own"},
        {"/bin/x ** **", "** must be a word of its own"},
        {"/bin/**", "** must be a word of its own"},
        {"/bin/x a\\", "a backslash may only"},
        {"/bin/x \\n", "a backslash may only"},
        {"/bin/x \\?", "a backslash may only"},
        {"/bin/x a\tb", "control characters"},
        {"/bin/x\n/bin/y", "control characters"},
        {"/bin/x a\x7F", "control characters"},
        {std::string("/bin/x a\0b", 10), "control characters"},
    };
    for (const auto& [line, message] : table) {
        const auto parsed = CommandPattern::parse(line);
        ASSERT_FALSE(parsed) << line;
        EXPECT_EQ(parsed.error().code, Errc::invalid);
        EXPECT_NE(parsed.error().message.find(message), std::string::npos)
            << line << ": " << parsed.error().message;
    }
}

TEST(Command, as_an_array_is_held_to_the_same_rules) {
    using Words = std::vector<std::string>;
    for (const Words& words : {Words{}, Words{""}, Words{"/bin/x", ""}, Words{"x"}, Words{"/bin/x", "a\\ b"},
                               Words{"/bin/x", "a\n"}, Words{"/bin/x", "**", "a"}, Words{" /bin/x"}}) {
        EXPECT_FALSE(CommandPattern::parse(words));
    }
}

TEST(Command, written_as_text_is_read_back_as_the_same) {
    for (const auto* line : {"/bin/x", "/bin/x a *", "/bin/x -u=* \\*lit\\\\eral* **", "/opt/a\\ b c\\ *\\ d",
                             "/bin/x **", "/bin/x \\*\\*", "/bin/a\\*b é"}) {
        EXPECT_EQ(pattern(line).text(), line);
        EXPECT_EQ(pattern(pattern(line).text()), pattern(line));
    }
}

TEST(Command, knows_a_wildcard_within_an_option) {
    EXPECT_TRUE(pattern("/bin/x --unit=*").has_open_option());
    EXPECT_TRUE(pattern("/bin/x a -*").has_open_option());
    EXPECT_FALSE(pattern("/bin/x --unit=nginx * **").has_open_option());
    EXPECT_FALSE(pattern("/bin/x -\\*").has_open_option());
    EXPECT_FALSE(pattern("/bin/x *-").has_open_option());
}

TEST(Command, with_many_stars_is_judged_in_a_moment) {
    std::string word;
    for (int i = 0; i < 2000; ++i) {
        word += "*a";
    }
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_FALSE(word_matches(word + "*b", std::string(128 * 1024, 'a')));
    EXPECT_TRUE(word_matches(word, std::string(128 * 1024, 'a')));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

TEST(Commands, allow_what_any_of_them_matches_and_nothing_when_there_are_none) {
    const std::vector<CommandPattern> patterns = {pattern("/bin/x a"), pattern("/bin/y")};
    EXPECT_TRUE(allows(patterns, "/bin/x", {"a"}));
    EXPECT_TRUE(allows(patterns, "/bin/y", {}));
    EXPECT_FALSE(allows(patterns, "/bin/y", {"a"}));
    EXPECT_FALSE(allows({}, "/bin/y", {}));
}

} // namespace
} // namespace jit
