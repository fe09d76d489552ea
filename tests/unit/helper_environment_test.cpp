// SPDX-License-Identifier: MIT
#include "helper/conversation.h"
#include "helper/environment.h"
#include "helper/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jit {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Key;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

HelperAllowed allowed() {
    HelperAllowed allowed;
    allowed.use = "7f3a-01020304";
    allowed.grant = "7f3a";
    allowed.role = "web-ops";
    allowed.caller = "alice";
    allowed.user = "bob";
    allowed.uid = 1001;
    allowed.gid = 1001;
    allowed.home = "/home/bob";
    allowed.shell = "/bin/bash";
    allowed.command = "/usr/bin/id";
    allowed.deadline = {1'795'294'454'999, 5'000};
    return allowed;
}

Environment built(const Caller& caller, const Environment& pam,
                  const std::vector<std::string>& arguments = {}) {
    Wish wish;
    wish.arguments = arguments;
    return command_environment(caller, allowed(), {"/usr/bin/id", "id"}, wish, pam);
}

TEST(HelperEnvironment, KeepsHarmlessValuesOfHarmlessNames) {
    const char* const given[] = {"TERM=xterm-256color",
                                 "LANG=C.UTF-8",
                                 "LC_ALL=/tmp/evil",
                                 "LC_TIME=%n",
                                 "LANGUAGE=de:en",
                                 "TZ=Europe/Berlin",
                                 "LD_PRELOAD=/x",
                                 "PERL5LIB=/x",
                                 "BASH_ENV=/x",
                                 "BASH_FUNC_id%%=() { echo; }",
                                 "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/x",
                                 "PATH=/tmp",
                                 "HOME=/tmp",
                                 "COLORTERM=() { x; }",
                                 "TERM=second",
                                 "noequals",
                                 "=noname",
                                 "",
                                 nullptr};
    EXPECT_THAT(kept_environment(given),
                UnorderedElementsAre(Pair("TERM", "xterm-256color"), Pair("LANG", "C.UTF-8"),
                                     Pair("LANGUAGE", "de:en"), Pair("TZ", "Europe/Berlin")));
    EXPECT_TRUE(kept_environment(nullptr).empty());
    const std::string endless = "TERM=" + std::string(10'000, 'a');
    const char* const one[] = {endless.c_str(), nullptr};
    EXPECT_TRUE(kept_environment(one).empty());
}

TEST(HelperEnvironment, KeepsATimeZoneButNoFile) { // CVE-2014-9680
    for (const char* zone : {"TZ=/etc/shadow", "TZ=:/etc/shadow", "TZ=:Europe/Berlin", "TZ=../../etc/shadow",
                             "TZ=Europe/../x", "TZ=a b", "TZ=%n"}) {
        const char* const given[] = {zone, nullptr};
        EXPECT_TRUE(kept_environment(given).empty()) << zone;
    }
    const char* const given[] = {"TZ=<+03>-3", nullptr};
    EXPECT_EQ(kept_environment(given).at("TZ"), "<+03>-3");
}

TEST(HelperEnvironment, TakesWhatWasHandedInButNeverWhatIsActedOn) { // CVE-2014-0106
    Wish wish;
    wish.variables = {"A=1", "LANG=C", "LD_PRELOAD=/x", "PATH=/tmp", "F=() { x; }", "SUDO_USER=root", "B"};
    Caller caller;
    caller.environment = {{"LANG", "de_DE.UTF-8"}};
    const Environment environment =
        command_environment(caller, allowed(), {"/usr/bin/id", "id"}, wish, {{"A", "pam"}});
    EXPECT_EQ(environment.at("A"), "1");
    EXPECT_EQ(environment.at("LANG"), "C");
    EXPECT_EQ(environment.at("PATH"), secure_path);
    EXPECT_EQ(environment.at("SUDO_USER"), "alice");
    EXPECT_THAT(environment, Not(Contains(Key("LD_PRELOAD"))));
    EXPECT_THAT(environment, Not(Contains(Key("F"))));
}

TEST(HelperEnvironment, SaysWhoAndUntilWhen) {
    Caller caller;
    caller.uid = Uid{1000};
    caller.gid = Gid{1002};
    EXPECT_THAT(built(caller, {}, {"-u", "x"}),
                UnorderedElementsAre(Pair("HOME", "/home/bob"), Pair("USER", "bob"), Pair("LOGNAME", "bob"),
                                     Pair("SHELL", "/bin/bash"), Pair("MAIL", "/var/mail/bob"),
                                     Pair("PATH", secure_path), Pair("SUDO_USER", "alice"),
                                     Pair("SUDO_UID", "1000"), Pair("SUDO_GID", "1002"),
                                     Pair("SUDO_COMMAND", "/usr/bin/id -u x"), Pair("JIT_GRANT", "7f3a"),
                                     Pair("JIT_EXPIRES", "1795294454"), Pair("SYSTEMD_PAGERSECURE", "1")));
}

TEST(HelperEnvironment, IsNotChangedByPamWhereItMatters) {
    Caller caller;
    caller.environment = {{"LANG", "de_DE.UTF-8"}};
    const Environment pam = {{"PATH", "/tmp"},       {"HOME", "/tmp"},     {"SUDO_USER", "root"},
                             {"JIT_GRANT", "x"},     {"LD_PRELOAD", "/x"}, {"BASH_ENV", "/x"},
                             {"A-B", "1"},           {"F", "() { x; }"},   {"PYTHONPATH", "/x"},
                             {"LANG", "C"},          {"EDITOR", "vi"},     {"JIT_OTHER", "1"},
                             {"GLIBC_TUNABLES", "1"}};
    const Environment environment = built(caller, pam);
    EXPECT_THAT(environment, Contains(Pair("EDITOR", "vi")));
    EXPECT_THAT(environment, Contains(Pair("LANG", "de_DE.UTF-8")));
    EXPECT_THAT(environment, Contains(Pair("PATH", secure_path)));
    EXPECT_THAT(environment, Contains(Pair("HOME", "/home/bob")));
    EXPECT_THAT(environment, Contains(Pair("SUDO_USER", "alice")));
    EXPECT_THAT(environment, Contains(Pair("JIT_GRANT", "7f3a")));
    for (const char* name :
         {"LD_PRELOAD", "BASH_ENV", "A-B", "F", "PYTHONPATH", "JIT_OTHER", "GLIBC_TUNABLES"}) {
        EXPECT_THAT(environment, Not(Contains(Key(name))));
    }
}

TEST(HelperEnvironment, BoundsTheCommandsText) {
    EXPECT_EQ(built({}, {}, {std::string(100'000, 'x')}).at("SUDO_COMMAND").size(), 4096U);
    EXPECT_THAT(to_entries({{"A", "1"}, {"B", ""}}), ElementsAre("A=1", "B="));
}

TEST(HelperLimits, AreTheCallersUnlessPamSaysOtherwise) {
    Caller caller;
    Limits lifted{};
    for (std::size_t resource = 0; resource < lifted.size(); ++resource) {
        caller.limits[resource] = {10, 20};
        lifted[resource] = {RLIM_INFINITY, RLIM_INFINITY};
    }
    Limits now = lifted;
    now[RLIMIT_NPROC] = {5, 6};
    const Limits limits = command_limits(caller, lifted, now);
    EXPECT_EQ(limits[RLIMIT_NPROC].rlim_cur, 5U);
    EXPECT_EQ(limits[RLIMIT_NPROC].rlim_max, 6U);
    EXPECT_EQ(limits[RLIMIT_FSIZE].rlim_cur, 10U);
    EXPECT_EQ(limits[RLIMIT_CORE].rlim_cur, 0U);
    EXPECT_EQ(limits[RLIMIT_CORE].rlim_max, 20U);
}

TEST(HelperVerdict, IsNoYesWithNobodysNumbersOrBrokenText) { // CVE-2019-14287, CVE-2019-15900
    EXPECT_TRUE(check_allowed(allowed()));
    const auto wrong = [](auto change) {
        HelperAllowed changed = allowed();
        change(changed);
        return !check_allowed(changed);
    };
    EXPECT_TRUE(wrong([](HelperAllowed& a) { a.uid = 0xffffffffU; }));
    EXPECT_TRUE(wrong([](HelperAllowed& a) { a.gid = 0xffffffffU; }));
    EXPECT_TRUE(wrong([](HelperAllowed& a) { a.groups = {4, 0xffffffffU}; }));
    EXPECT_TRUE(wrong([](HelperAllowed& a) { a.groups.assign(65'537, 4); }));
    EXPECT_TRUE(wrong([](HelperAllowed& a) { a.user.clear(); }));
    EXPECT_TRUE(wrong([](HelperAllowed& a) { a.caller = std::string("root\0x", 6); }));
    EXPECT_TRUE(wrong([](HelperAllowed& a) { a.home = "home"; }));
    EXPECT_TRUE(wrong([](HelperAllowed& a) { a.shell = ""; }));
    EXPECT_TRUE(wrong([](HelperAllowed& a) { a.command = "id"; }));
    EXPECT_TRUE(wrong([](HelperAllowed& a) { a.confinement.write = {"/etc", "etc"}; }));
    EXPECT_TRUE(wrong([](HelperAllowed& a) { a.confinement.execute = {std::string("/usr\0/bin", 9)}; }));
    EXPECT_TRUE(wrong([](HelperAllowed& a) { a.confinement.directory = "srv"; }));
    EXPECT_TRUE(wrong([](HelperAllowed& a) { a.confinement.second_factor = "../other"; }));
}

TEST(HelperVerdict, PutsTheReasonIntoTheSuggestedCommand) {
    EXPECT_EQ(with_reason("jitctl request web-ops --reason '…'", "it's stuck"),
              "jitctl request web-ops --reason 'it'\\''s stuck'");
    EXPECT_EQ(with_reason("jitctl request r --reason TEXT --for 1h", "x"),
              "jitctl request r --reason x --for 1h");
    EXPECT_EQ(with_reason("jitctl request r --reason '…'", ""), "jitctl request r --reason '…'");
    EXPECT_EQ(with_reason("jitctl request r --reason '…'", "\x1b[31m"),
              "jitctl request r --reason $'\\x1b[31m'");
    EXPECT_EQ(with_reason("see the help", "x"), "see the help");
}

TEST(HelperPrompt, FillsInNames) {
    EXPECT_EQ(prompt_text("[%U] %p's at %h, %H: %%%x%", "alice", "root", "web1.example.net"),
              "[root] alice's at web1, web1.example.net: %%x%");
    EXPECT_EQ(prompt_text("%u>", "alice", "root", ""), "alice>");
    EXPECT_EQ(prompt_text("", "alice", "root", "h"), "");
}

} // namespace
} // namespace jit
