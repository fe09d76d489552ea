// SPDX-License-Identifier: MIT
// The line that is in the shape of sudo's: what was compared with sudo 1.9.16 (Debian 13) is said to be so.
#include "core/text.h"
#include "daemon/sudo_line.h"

#include <gmock/gmock.h>

#include <regex>

namespace jit {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr SudoLine ordinary{.account = "alice",
                            .refusal = {},
                            .tty = "/dev/pts/0",
                            .cwd = "/home/alice",
                            .run_as = "root",
                            .group = {}};

std::string line_of(std::vector<std::string> arguments, const SudoLine& about = ordinary) {
    return sudo_line(about, {.path = "/usr/bin/true", .arguments = std::move(arguments)});
}
std::string command_in(const std::string& line) {
    return line.substr(line.find("COMMAND=") + 8);
}
std::string shown(const std::string& argument) {
    return command_in(line_of({argument})).substr(std::string_view("/usr/bin/true ").size());
}

TEST(SudoLine, has_the_shape_that_parsers_read) {
    EXPECT_EQ(line_of({"restart", "nginx"}),
              "   alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/true restart nginx");
    SudoLine about = ordinary;
    about.group = "adm";
    about.tty = {};
    about.cwd = {};
    EXPECT_EQ(line_of({}, about), "   alice : TTY=unknown ; PWD=unknown ; USER=root ; GROUP=adm ; "
                                  "COMMAND=/usr/bin/true");
    about.refusal = "command not allowed";
    EXPECT_THAT(line_of({}, about), StartsWith("   alice : command not allowed ; TTY=unknown ; PWD="));
}

TEST(SudoLine, writes_arguments_as_sudo_does) {
    EXPECT_EQ(shown("with blank"), "'with blank'");
    EXPECT_EQ(shown("it's"), "it\\'s");
    EXPECT_EQ(shown("it's a"), "'it\\'s a'");
    EXPECT_EQ(shown("back\\slash"), "back\\\\slash");
    EXPECT_EQ(shown("new\nline"), "new#012line");
    EXPECT_EQ(shown("tab\t and blank"), "'tab#011 and blank'");
    EXPECT_EQ(shown("esc\033[2J"), "esc#033[2J");
    EXPECT_EQ(shown("a;b"), "a;b");
    EXPECT_EQ(shown("\"q\""), "\"q\"");
    EXPECT_EQ(shown("é"), "é");
    EXPECT_EQ(command_in(sudo_line(ordinary, {.path = "/opt/a b", .arguments = {}})), "/opt/a#040b");
}

TEST(SudoLine, shows_what_sudo_leaves_raw_or_ambiguous) {
    EXPECT_EQ(shown("\xff\xfe"), "#377#376");
    EXPECT_EQ(shown("\xc2\x9b"), "#302#233") << "a C1 control";
    EXPECT_EQ(shown("\u202e"), "#342#200#256") << "right to left";
    EXPECT_EQ(shown("a\u2003b\u037ec"), "a#342#200#203b#315#276c") << "drawn as a blank and a semicolon";
    EXPECT_EQ(shown("\u00fc\uff0c"), "\u00fc\uff0c");
    EXPECT_EQ(shown("#012"), "#043012");
    EXPECT_EQ(shown("#1"), "#1");
    EXPECT_EQ(shown(""), "''");
}

TEST(SudoLine, a_directory_cant_be_taken_for_another_field) {
    SudoLine about = ordinary;
    about.cwd = "/tmp/x ; USER=bob ; COMMAND=/bin/ls\n";
    EXPECT_EQ(line_of({}, about),
              "   alice : TTY=pts/0 ; PWD=/tmp/x #073 USER=bob #073 COMMAND=/bin/ls#012 ; "
              "USER=root ; COMMAND=/usr/bin/true");
}

TEST(SudoLine, a_long_one_is_cut_and_says_how_much_is_missing) {
    const std::string line = line_of({"first", std::string(65536, 'x'), "last"});
    EXPECT_LE(line.size(), longest_sudo_line);
    EXPECT_THAT(command_in(line), StartsWith("/usr/bin/true first xxxxx"));
    const auto shown_x = static_cast<std::size_t>(std::ranges::count(command_in(line), 'x'));
    EXPECT_THAT(line,
                EndsWith("x [... " + std::to_string(65536 - shown_x + 5) + " of 65561 bytes left out]"));
    EXPECT_THAT(line_of({std::string(65536, '\xff'), "last"}), HasSubstr(" bytes left out]"));
    EXPECT_THAT(line_of(std::vector<std::string>(10000)), HasSubstr(" bytes left out]"));
    SudoLine about = ordinary;
    const std::string deep = "/" + std::string(4000, 'd');
    about.cwd = deep;
    EXPECT_THAT(line_of({"first"}, about), EndsWith("d[...] ; USER=root ; COMMAND=/usr/bin/true first"));
}

TEST(SudoLine, is_one_line_of_text_whatever_the_bytes_are) {
    std::string bytes;
    for (int byte = 1; byte < 256; ++byte) {
        bytes += static_cast<char>(byte);
    }
    SudoLine about = ordinary;
    about.cwd = bytes;
    about.tty = bytes;
    for (const std::string& argument :
         {bytes, "no blank" + bytes.substr(200), bytes + std::string(70000, '\n')}) {
        const std::string line = line_of({argument, argument}, about);
        EXPECT_TRUE(is_printable(line)) << line;
        EXPECT_LE(line.size(), longest_sudo_line);
        EXPECT_TRUE(std::regex_match(
            line, std::regex(" *alice : TTY=.* ; PWD=.* ; USER=root ; COMMAND=/usr/bin/true .*")));
    }
}

} // namespace
} // namespace jit
