// SPDX-License-Identifier: MIT
// What is recorded and shown, and what somebody writes into it.
#include "tests/gauntlet/arena.h"

#include <algorithm>

namespace jit::host {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

class Logging : public Arena {
protected:
    // Neither a terminal nor a reader of lines does anything with it.
    static bool is_harmless(const std::string& text) {
        return std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c != '\x7f'); }) ||
               (text.find('\x1b') == std::string::npos && text.find('\r') == std::string::npos &&
                text.find('\a') == std::string::npos && text.find("\xe2\x80\xae") == std::string::npos &&
                text.find("\xc2\x9b") == std::string::npos);
    }
    static constexpr const char* ODD =
        "$'a\\nuse.started forged\\r\\e[2Jb\\ac\\x9b\\xc2\\x9bd\\u202ee\\xff#012f\\e]0;t\\a'";
};

TEST_F(Logging, g007_a_name_of_four_kilobytes_is_nobodys_name_in_a_log) {
    const auto runs =
        all("alice",
            {"n=$(head -c 4096 /dev/zero | tr '\\0' n); exec -a \"$n\" jit-sudo -n id -u",
             "n=$(head -c 100000 /dev/zero | tr '\\0' n); exec -a \"$n%n%s\" jit-sudo -n id -u",
             "exec -a $'jitd[1]: forged\\n' jit-sudo -n id -u", "exec -a '%n%s%s' jit-sudo -n nonesuch"});
    for (std::size_t index = 0; index < 3; ++index)
        EXPECT_THAT(runs[index], RanAndSaid("0\n"));
    EXPECT_THAT(runs[3], IsRefused());
    host().root("journalctl --sync");
    // Fields of the journal's own, such as _CMDLINE, do say what it was called.
    const std::string said = host().root("journalctl -o json --output-fields=SYSLOG_IDENTIFIER,MESSAGE").out;
    EXPECT_THAT(said, AllOf(Not(HasSubstr("nnnnnnnnnnnnnnnn")), Not(HasSubstr("forged")),
                            HasSubstr("session opened")));
    EXPECT_EQ(host()
                  .root("journalctl -o json --output-fields=SYSLOG_IDENTIFIER _COMM=jit-sudo | "
                        "grep -o 'SYSLOG_IDENTIFIER\":\"[^\"]*' | sort -u")
                  .out,
              "SYSLOG_IDENTIFIER\":\"jit-sudo\n");
}

TEST_F(Logging, g071_what_was_typed_forges_no_record_and_reaches_no_terminal) {
    const std::string odd = ODD;
    const std::size_t before = starts();
    const auto runs = all(
        "alice", {
                     "mkdir -p ~/" + odd + "; cd ~/" + odd + "; jit-sudo -n -r " + odd + " sh -c : " + odd,
                     "jit-sudo -n nonesuch " + odd,
                     "jit-sudo -n " + odd,
                     "jit-sudo -n /usr/bin/" + odd,
                     "jit-sudo -n ls2 -r " + odd,
                     "jit-sudo -n -u " + odd + " id",
                     "jit-sudo -n -" + odd,
                     "jit-sudo -n -r " + odd + " tail " + odd,
                     "jit-sudo -n tail $(head -c 65536 /dev/zero | tr '\\0' '\\033')",
                 });
    EXPECT_EQ(runs[0].status, 0) << runs[0];
    for (std::size_t index = 1; index < runs.size(); ++index) {
        EXPECT_THAT(runs[index], IsRefused());
        EXPECT_TRUE(is_harmless(runs[index].err)) << runs[index];
        EXPECT_THAT(runs[index].err, Not(HasSubstr("\nuse.started"))) << runs[index];
    }
    EXPECT_EQ(starts(), before + 1) << "one line each";
    for (const char* command : {"jitctl audit", "journalctl -u jitd --no-pager -o cat", "jitctl list --all",
                                "jitctl status", "cat /run/jit/live"}) {
        const std::string text = host().root(command).out;
        EXPECT_TRUE(is_harmless(text)) << command;
        EXPECT_THAT(text, Not(HasSubstr("\nuse.started forged"))) << command;
    }
    // Line by line it is JSON, and it holds what was typed.
    const Result json = host().root("jitctl --json audit --kind use.started | tail -n 1");
    EXPECT_TRUE(Json::accept(json.out)) << json;
    EXPECT_THAT(host().root("jitctl audit verify").out, HasSubstr("intact"));
    host().root("find /home/alice -maxdepth 1 -name 'a*forged*' -exec rm -rf {} +");
}

TEST_F(Logging, g075_a_caller_who_may_write_no_byte_is_recorded_all_the_same) {
    const std::size_t before = starts();
    EXPECT_THAT(all("alice", {"prlimit --fsize=0:0 jit-sudo -n -u carol true",
                              "prlimit --fsize=0:0 jit-sudo -n true"}),
                Each(testing::Field(&Result::status, 0)));
    EXPECT_EQ(starts(), before + 2);
}

TEST_F(Logging, x21_nothing_runs_that_is_not_in_the_trail_before) {
    const Result run = one("alice", "jit-sudo -n sh -c 'jitctl audit --kind use.started | tail -n 1'");
    EXPECT_THAT(run.out, HasSubstr("jitctl audit --kind use.started")) << "the command sees its own record";
}

} // namespace
} // namespace jit::host
