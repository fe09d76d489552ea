// SPDX-License-Identifier: MIT
#include "core/text.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jit {
namespace {

using namespace std::string_literals;

TEST(Name, of_a_service_is_safe_as_the_name_of_a_file) {
    for (const auto* name : {"sshd", "su-l", "polkit-1", "a_b", "-"}) {
        EXPECT_TRUE(is_service_name(name)) << name;
    }
    for (const auto& name : {""s, "."s, "../x"s, "Sshd"s, "a b"s, std::string(65, 'a')}) {
        EXPECT_FALSE(is_service_name(name)) << name;
    }
}

TEST(Name, is_letters_digits_and_a_little_punctuation) {
    for (const auto* name :
         {"a", "_", "bob", "bob-adm", "Bob.Smith", "_apt", "systemd-network", "x1", "a_b"}) {
        EXPECT_TRUE(is_account_name(name)) << name;
        EXPECT_TRUE(is_policy_name(name)) << name;
    }
}

TEST(Name, that_is_a_number_an_option_or_a_path_is_refused) {
    const std::vector<std::string> table = {
        "",     "0",     "0x0",  "1000",   "-1",     "-u",     ".",         "..",   ".hidden",
        "a/b",  "/root", "a b",  "bob\n",  "bob\0"s, "\0bob"s, "bob:x",     "@sre", "bob$",
        "+bob", "#1000", "bob*", "b\x80"s, "bób",    "bоb",    "b\u200Bob", "\xFF", "%sre",
    };
    for (const auto& name : table) {
        EXPECT_FALSE(is_account_name(name)) << escape(name);
        EXPECT_FALSE(is_policy_name(name)) << escape(name);
    }
}

TEST(Name, has_a_longest_length) {
    EXPECT_TRUE(is_account_name(std::string(32, 'a')));
    EXPECT_FALSE(is_account_name(std::string(33, 'a')));
    EXPECT_TRUE(is_policy_name(std::string(64, 'a')));
    EXPECT_FALSE(is_policy_name(std::string(65, 'a')));
}

TEST(RequestId, is_4_to_16_lowercase_hex_digits) {
    for (const auto* id : {"7f3a", "00000", "0123456789abcdef"}) {
        EXPECT_TRUE(is_request_id(id)) << id;
    }
    for (const std::string& id : {""s, "7f3"s, "7F3A"s, "7f3g"s, "0123456789abcdef0"s, "../x"s, "7f3a\n"s,
                                  "7f3\0"s, "-7f3"s, " 7f3a"s}) {
        EXPECT_FALSE(is_request_id(id)) << escape(id);
    }
}

TEST(Text, is_well_formed_utf8_without_NUL) {
    for (const std::string& text : {""s, "plain"s, "a\nb"s, "\x7F"s, "é"s, "€"s, "😀"s, "\xF4\x8F\xBF\xBF"s,
                                    "\xED\x9F\xBF"s, "\xEE\x80\x80"s, "\xC2\x80"s}) {
        EXPECT_TRUE(is_text(text)) << escape(text);
    }
    const std::vector<std::string> bad = {
        "\0"s,
        "a\0b"s,
        "\x80",             // a continuation without a beginning
        "\xC3",             // cut off
        "\xE2\x82",         //
        "\xF0\x9F\x98",     //
        "\xC3(",            //
        "\xC0\x80",         // overlong NUL
        "\xC0\xAF",         // overlong slash
        "\xC1\xBF",         //
        "\xE0\x80\xAF",     //
        "\xE0\x9F\xBF",     //
        "\xF0\x80\x80\xAF", //
        "\xF0\x8F\xBF\xBF", //
        "\xED\xA0\x80",     // a surrogate
        "\xED\xBF\xBF",     //
        "\xF4\x90\x80\x80", // beyond U+10FFFF
        "\xF5\x80\x80\x80", //
        "\xF8\x88\x80\x80\x80",
        "\xFE",
        "\xFF",
        "ok\xFF",
    };
    for (const auto& text : bad) {
        EXPECT_FALSE(is_text(text)) << escape(text);
    }
}

TEST(Escape, leaves_what_can_be_printed) {
    for (const auto* text : {"", "nginx stuck, INC-4211", "Grüße", "日本語", "😀", "a'b\"c$`!", "e\u0301"}) {
        EXPECT_EQ(escape(text), text);
        EXPECT_TRUE(is_printable(text));
    }
}

TEST(Escape, disarms_controls_and_what_is_not_utf8) {
    const std::vector<std::pair<std::string, std::string>> table = {
        {"a\nb\rc\td", "a\\nb\\rc\\td"},
        {"\0"s, "\\x00"},
        {"\x1B[2J", "\\x1b[2J"},
        {"\x7F", "\\x7f"},
        {"\x9B"
         "2J",
         "\\x9b2J"},               // C1 CSI as a bare byte
        {"\xC2\x9B", "\\u{009b}"}, // and as UTF-8
        {"\xC2\x85", "\\u{0085}"}, // next line
        {"\u2028\u2029", "\\u{2028}\\u{2029}"},
        {"\u202Etxt", "\\u{202e}txt"}, // right-to-left override
        {"\u2066x\u2069", "\\u{2066}x\\u{2069}"},
        {"\u200B\u200D\u200F\uFEFF", "\\u{200b}\\u{200d}\\u{200f}\\u{feff}"},
        {"\u00AD", "\\u{00ad}"},
        {"\u3164", "\\u{3164}"},
        {"\U000E0041", "\\u{e0041}"}, // a tag character
        {"\U0010FFFF", "\\u{10ffff}"},
        {"\uFFFE", "\\u{fffe}"},
        {"\U0001FFFF", "\\u{1ffff}"},
        {"\xC0\xAF", "\\xc0\\xaf"}, // overlong: byte by byte
        {"\xED\xA0\x80", "\\xed\\xa0\\x80"},
        {"\xE2\x82z", "\\xe2\\x82z"},
    };
    for (const auto& [text, expected] : table) {
        EXPECT_EQ(escape(text), expected);
        EXPECT_FALSE(is_printable(text)) << expected;
    }
}

TEST(Escape, doubles_a_backslash_so_that_an_escape_cannot_be_forged) {
    EXPECT_EQ(escape("\\n"), "\\\\n");
    EXPECT_NE(escape("\\n"), escape("\n"));
    EXPECT_TRUE(is_printable("\\n"));
}

TEST(Escape, gives_one_printable_line_for_each_byte_and_pair_of_bytes) {
    for (int first = 0; first < 256; ++first) {
        for (int second = 0; second < 256; ++second) {
            const std::string text{static_cast<char>(first), static_cast<char>(second)};
            const std::string shown = escape(text);
            ASSERT_TRUE(is_printable(shown));
            ASSERT_EQ(is_printable(text), [&] {
                std::string undoubled;
                for (std::size_t i = 0; i < shown.size(); ++i) {
                    undoubled += shown[i];
                    i += shown.substr(i).starts_with("\\\\") ? 1 : 0;
                }
                return undoubled == text;
            }());
        }
    }
}

TEST(ShellWord, is_bare_where_that_is_safe) {
    for (const auto* word :
         {"nginx", "--unit=ssh", "/usr/bin/a.b-c_d", "user@host:22", "50%", "a,b", "+x", "-n"}) {
        EXPECT_EQ(shell_word(word), word);
    }
}

TEST(ShellWord, is_quoted_where_a_shell_would_change_it) {
    const std::vector<std::pair<std::string, std::string>> table = {
        {"", "''"},
        {"a b", "'a b'"},
        {"*", "'*'"},
        {"$(id)", "'$(id)'"},
        {"~root", "'~root'"},
        {"it's", "'it'\\''s'"},
        {"s/\\./x/", "'s/\\./x/'"},
        {"a;b", "'a;b'"},
        {"é", "'é'"},
        {"a\nb", "$'a\\nb'"},
        {"\x1B[2J'\\", "$'\\x1b[2J\\'\\\\'"},
        {"\u202E", "$'\\xe2\\x80\\xae'"},
        {"\xFF", "$'\\xff'"},
        {"é\t€", "$'é\\t€'"},
    };
    for (const auto& [word, expected] : table) {
        EXPECT_EQ(shell_word(word), expected);
        EXPECT_TRUE(is_printable(shell_word(word)));
    }
}

// bash's printf writes what each quoted word means to it; a NUL can't be in an argument.
TEST(ShellWord, means_to_a_shell_exactly_the_argument) {
    std::string expected;
    std::string script;
    for (int byte = 1; byte < 256; ++byte) {
        const std::string argument =
            std::string("a'\\") + static_cast<char>(byte) + "b" + static_cast<char>(byte);
        expected += argument + '\0';
        script += "printf '%s\\0' " + shell_word(argument) + "\n";
    }
    FILE* const pipe = popen(("LC_ALL=C.UTF-8 bash <<'END'\n" + script + "END").c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    std::string written(expected.size() + 1, '\0');
    written.resize(fread(written.data(), 1, written.size(), pipe));
    EXPECT_EQ(pclose(pipe), 0);
    EXPECT_EQ(written, expected);
}

TEST(Unescape, gives_back_what_was_escaped) {
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte) {
        bytes += static_cast<char>(byte);
    }
    for (const std::string& text :
         {bytes, std::string("\\x41\\n\\u{202e}"), std::string("é\u202e\U000E0001\u0085"),
          std::string("\xe2\x80"), std::string()}) {
        EXPECT_EQ(unescape(escape(text)), text);
    }
}

TEST(Unescape, leaves_what_was_never_escaped) {
    for (const char* text :
         {"\\", "\\q", "\\x4", "\\xzz", "\\u{", "\\u{}", "\\u{110000}", "\\u{1234567}", "…"}) {
        EXPECT_EQ(unescape(text), text);
    }
}

} // namespace
} // namespace jit
