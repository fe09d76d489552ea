// SPDX-License-Identifier: MIT
// Words, names and numbers on the command line.
#include "tests/gauntlet/arena.h"

namespace jit::host {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::Lt;
using testing::Not;

class Arguments : public Arena {
protected:
    // An account that is not in the ordinary range, by its line in passwd(5).
    static void add_account(const std::string& name, const std::string& number) {
        host().root("echo '" + name + ":*:" + number + ":100::/:/bin/sh' >>/etc/passwd");
    }
    static void remove_account(const std::string& name) {
        host().root("sed -i '/^" + name + ":/d' /etc/passwd");
    }
};

TEST_F(Arguments, g001_without_even_a_name_in_argv_nothing_runs) {
    const auto runs = all("alice", {"oddly bare /usr/bin/jit-sudo"});
    EXPECT_THAT(runs[0], RanNothing());
    EXPECT_LT(runs[0].status, 99);
    // Kernels since 5.18 put an empty name there: what would be, without that.
    host().copy(JIT_NO_ARGUMENTS, "/root/no_arguments.so");
    const Result none = host().root("LD_PRELOAD=/root/no_arguments.so jit-sudo -n id");
    EXPECT_EQ(none.status, 1) << none;
    EXPECT_EQ(none.out, "");
    EXPECT_THAT(none.err, Not(HasSubstr("preload"))) << none;
}

TEST_F(Arguments, g002_backslashes_and_the_name_it_was_called_by_change_no_word) {
    const auto runs =
        all("alice", {
                         R"(jit-sudo -n printf '%s|' 'a\' '\' 'b\\')",
                         R"(exec -a sudoedit jit-sudo -n printf '%s|' 'a\' '-s' '\')",
                         R"(exec -a /usr/bin/sudoedit jit-sudo -n printf '%s|' '\')",
                         R"(exec -a '' jit-sudo -n printf '%s|' '\')",
                         R"(ln -sf /usr/bin/jit-sudo ~/sudoedit; exec ~/sudoedit -n printf '%s|' '\')",
                         R"(exec -a sh jit-sudo -n -r 'why\' printf '%s|' 'x y' '$HOME' '*')",
                     });
    EXPECT_THAT(runs[0], RanAndSaid(R"(a\|\|b\\|)"));
    EXPECT_THAT(runs[1], RanAndSaid(R"(a\|-s|\|)"));
    EXPECT_THAT(runs[2], RanAndSaid(R"(\|)"));
    EXPECT_THAT(runs[3], RanAndSaid(R"(\|)"));
    EXPECT_THAT(runs[4], RanAndSaid(R"(\|)"));
    EXPECT_THAT(runs[5], RanAndSaid("x y|$HOME|*|"));
}

TEST_F(Arguments, g002_very_long_words_end_in_an_answer_for_each_option) {
    std::vector<std::string> commands;
    for (const char* option : {"", "-n", "-u", "-g", "-r", "-l", "-h", "-V", "--", "-z", "-nu", "-ng"}) {
        // The last byte is a backslash: what un-escapes it reads beyond the end.
        commands.push_back(std::string("w=$(head -c 120000 /dev/zero | tr '\\0' a)'\\'; jit-sudo ") + option +
                           " \"$w\" id >/dev/null");
        commands.push_back(std::string("w=$(head -c 120000 /dev/zero | tr '\\0' a)'\\'; jit-sudo \"") +
                           option + "$w\" id >/dev/null");
    }
    EXPECT_THAT(all("alice", commands), Each(AllOf(testing::Field(&Result::status, Lt(128)),
                                                   testing::Field(&Result::err, Not(HasSubstr("uid="))))));
}

TEST_F(Arguments, g003_a_number_is_never_root_by_wrapping_around) {
    std::vector<std::string> commands;
    for (const char* number :
         {"#-1",         "#4294967295", "#4294967294", "#4294967296", "#18446744073709551616",
          "#2147483648", "#00",         "#+0",         "# 0",         "#0x0",
          "#1e3",        "#",           "-1",          "4294967295",  "4294967296",
          "0",           "+0",          " 0",          "0x0",         ""})
        for (const char* option : {"-u", "-g"})
            commands.push_back(std::string("jit-sudo -n ") + option + " '" + number + "' id");
    const std::size_t before = starts();
    EXPECT_THAT(all("alice", commands), Each(IsRefused()));
    EXPECT_EQ(starts(), before);
    // The one exact way to write it is root or nothing, and never a group.
    EXPECT_THAT(one("alice", "jit-sudo -n -u '#0' id -u"), testing::AnyOf(RanAndSaid("0\n"), IsRefused()));
    EXPECT_THAT(one("bob", "jit-sudo -n -u '#0' id -u"), IsRefused());
    EXPECT_THAT(one("alice", "jit-sudo -n -g '#0' id -u"), IsRefused());
}

TEST_F(Arguments, g004_a_uid_beyond_two_billion_is_itself_and_nobody_else) {
    for (const std::string number : {"2147483648", "4000000000", "4294967294"}) {
        // A name is remembered for seconds: each number has its own.
        const std::string name = "huge" + number;
        add_account(name, number);
        const std::string as_huge = "setpriv --reuid " + number + " --regid 100 --clear-groups -- ";
        EXPECT_THAT(one("root", as_huge + "jit-sudo -n id -u"), IsRefused());
        host().policy(std::string(GAUNTLET_POLICY) + "[role.huge]\nrisk = \"low\"\neligible = [\"" + name +
                      "\"]\n"
                      "max = \"1h\"\nauthenticate = false\n"
                      "run_as = [\"" +
                      name +
                      "\", \"root\"]\n"
                      "commands = [\"/usr/bin/id **\", \"/usr/bin/env\"]\n");
        const auto runs =
            all("root", {as_huge + "jitctl request huge --reason test >/dev/null && " + as_huge +
                             "jit-sudo -n -u " + name + " id -u",
                         as_huge + "jit-sudo -n env | grep SUDO_UID",
                         "setpriv --reuid 2147483649 --regid 100 --clear-groups jit-sudo -n id -u"});
        EXPECT_THAT(runs[0], RanAndSaid(number + "\n"));
        EXPECT_THAT(runs[1], RanAndSaid("SUDO_UID=" + number + "\n"));
        EXPECT_THAT(runs[2], IsRefused()) << "whoever has a uid near it";
        host().policy(GAUNTLET_POLICY); // and with it all that huge has
        remove_account(name);
    }
}

TEST_F(Arguments, g005_what_is_no_name_is_an_error_and_never_root) {
    std::vector<std::string> commands;
    for (const char* name :
         {"0day", "1000", "-1", "''", "nobody$", "a/b", "..", "../root", "'root '", "' root'", "'root:0'",
          "$'root\\n'", "$'caf\\xe9'", "$'\\xff\\xfe'", "'*'", "ROOT", "nosuchuser",
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
        for (const char* option : {"-u", "-g"})
            commands.push_back(std::string("jit-sudo -n ") + option + ' ' + name + " id");
    EXPECT_THAT(all("alice", commands), Each(IsRefused()));
}

TEST_F(Arguments, g010_an_option_with_a_value_counts_once_and_none_hides_behind_a_word) {
    const auto refused = all("alice", {"jit-sudo -n -u carol -u root id", "jit-sudo -n -ucarol -uroot id",
                                       "jit-sudo -n -g adm -g root id", "jit-sudo -n -r one -r two id",
                                       "jit-sudo -n -nu carol -u root id", "jit-sudo -- -u root id"});
    EXPECT_THAT(refused, Each(IsRefused()));
    // After the command, and after --, every word is the command's.
    const auto runs = all("alice", {"jit-sudo -n -u carol -- printf '%s|' -u root -g root --",
                                    "jit-sudo -n -u carol id -u -n"});
    EXPECT_THAT(runs[0], RanAndSaid("-u|root|-g|root|--|"));
    EXPECT_THAT(runs[1], RanAndSaid("carol\n"));
}

TEST_F(Arguments, g011_no_word_of_the_caller_says_which_host_this_is) {
    const auto runs = all("alice", {"jit-sudo -n -h other id", "jit-sudo -n -hother id",
                                    "jit-sudo -n --host=other id", "jit-sudo -n --host other id"});
    EXPECT_THAT(runs, Each(testing::Field(&Result::out, Not(HasSubstr("uid=")))));
    // A host of that name has no other grants.
    const auto named = all("bob", {"HOSTNAME=other HOST=other LOCALDOMAIN=other HOSTALIASES=/etc/hosts "
                                   "jit-sudo -n id"});
    EXPECT_THAT(named[0], IsRefused());
}

TEST_F(Arguments, x01_a_command_line_of_a_megabyte_runs_whole_or_not_at_all) {
    const auto runs =
        all("alice", {
                         "jit-sudo -n sh -c 'echo $# $(printf %s \"$@\" | wc -c)' x $(seq 100000 110000)",
                         "jit-sudo -n sh -c 'echo $#' x $(seq 1 40000)",
                         "jit-sudo -n sh -c 'echo $#' x $(seq 1 150000)",
                         "jit-sudo -n sh -c 'echo $#' x $(yes '' | head -n 5; printf '%s ' {1..100})",
                     });
    EXPECT_THAT(runs[0], RanAndSaid("10001 60006\n"));
    EXPECT_THAT(runs[1], testing::AnyOf(RanAndSaid("40000\n"), RanNothing()));
    EXPECT_THAT(runs[2], testing::AnyOf(RanAndSaid("150000\n"), RanNothing()));
    EXPECT_THAT(runs[3], RanAndSaid("100\n"));
}

TEST_F(Arguments, x02_an_empty_word_is_a_word) {
    const auto runs = all("alice", {"jit-sudo -n printf '%s|' '' a ''", "jit-sudo -n ''", "jit-sudo ''",
                                    "jit-sudo -n '' id", "jit-sudo -n -- '' id", "jit-sudo -n -u '' id"});
    EXPECT_THAT(runs[0], RanAndSaid("|a||"));
    for (std::size_t index = 1; index < runs.size(); ++index)
        EXPECT_THAT(runs[index], RanNothing()) << index;
}

} // namespace
} // namespace jit::host
