// SPDX-License-Identifier: MIT
#include "helper/options.h"
#include "helper/wish.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<Options> parse(std::vector<const char*> words) {
    return parse_options(words);
}

TEST(HelperOptions, EndAtTheFirstWordThatIsNone) {
    const auto options = parse({"-n", "ls", "-u", "bob", "--", "-l"});
    ASSERT_TRUE(options);
    EXPECT_TRUE(options->non_interactive);
    EXPECT_TRUE(options->user.empty());
    EXPECT_EQ(options->action, Action::run);
    EXPECT_THAT(options->command, ElementsAre("ls", "-u", "bob", "--", "-l"));
}

TEST(HelperOptions, EndAtTwoDashes) {
    const auto options = parse({"-u", "bob", "--", "-n"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->user, "bob");
    EXPECT_FALSE(options->non_interactive);
    EXPECT_THAT(options->command, ElementsAre("-n"));
}

TEST(HelperOptions, MayBeWrittenTogether) {
    const auto options = parse({"-nubob", "-g", "adm", "-rnginx is stuck", "id"});
    ASSERT_TRUE(options);
    EXPECT_TRUE(options->non_interactive);
    EXPECT_EQ(options->user, "bob");
    EXPECT_EQ(options->group, "adm");
    EXPECT_EQ(options->reason, "nginx is stuck");
    EXPECT_THAT(options->command, ElementsAre("id"));
}

TEST(HelperOptions, TakeTheNextWordAsAValueWhateverItLooksLike) {
    const auto options = parse({"-r", "--", "-n", "id"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->reason, "--");
    EXPECT_TRUE(options->non_interactive);
}

TEST(HelperOptions, GiveAValueOnceOnly) { // sudo bug 924
    for (const auto& words : std::vector<std::vector<const char*>>{{"-u", "a", "-u", "b", "id"},
                                                                   {"-ua", "-ua", "id"},
                                                                   {"-g", "a", "-gb", "id"},
                                                                   {"-r", "a", "-r", "b", "id"}}) {
        const auto options = parse(words);
        ASSERT_FALSE(options);
        EXPECT_THAT(options.error().message, HasSubstr("once"));
    }
}

TEST(HelperOptions, RefuseWhatIsNoName) { // CVE-2019-14287, CVE-2017-1000082
    for (const char* name : {"#-1",   "#4294967295", "#4294967296", "#18446744073709551616",
                             "#",     "#1e3",        "#1 ",         "#00",
                             "#+0",   "# 0",         "#0x0",        "0",
                             "-1",    "1000",        "0day",        "",
                             " root", "root ",       "root\n",      "ro/ot",
                             "..",    "a$",          "\xff",        "a23456789012345678901234567890123"}) {
        EXPECT_FALSE(parse({"-u", name, "id"})) << name;
        EXPECT_FALSE(parse({"-g", name, "id"})) << name;
    }
}

TEST(HelperOptions, TakeAUserByOneExactNumber) {
    for (const char* user : {"#0", "#1000", "#2147483648", "#4000000000", "#4294967294"}) {
        const auto options = parse({"-u", user, "id"});
        ASSERT_TRUE(options) << user;
        EXPECT_EQ(options->user, user);
        EXPECT_FALSE(parse({"-g", user, "id"})) << user;
        EXPECT_FALSE(parse({"-l", "-U", user})) << user;
    }
}

TEST(HelperOptions, RefuseWhatTheyDoNotKnow) {
    for (const char* word : {"-x", "-nx", "--us=root", "--user", "-\xff", "-h=x", "--help=x", "--", "---",
                             "--=x", "--non-interactive=yes", "--preserve_env=A"}) {
        EXPECT_FALSE(parse({word})) << word;
    }
    EXPECT_FALSE(parse({"-u"}));
    EXPECT_FALSE(parse({"-r", "", "id"}));
    EXPECT_FALSE(parse({"-r", "  ", "id"}));
}

TEST(HelperOptions, HaveTheNamesThatPeopleKnow) {
    const auto options =
        parse({"--user=bob", "--group", "adm", "--non-interactive", "--chdir=/tmp", "--command-timeout=90",
               "--prompt=", "--stdin", "--reset-timestamp", "--no-update", "--background",
               "--preserve-env=A,B_1", "--reason=a reason", "id", "--login"});
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->user, "bob");
    EXPECT_EQ(options->group, "adm");
    EXPECT_EQ(options->directory, "/tmp");
    EXPECT_EQ(options->timeout, std::chrono::seconds(90));
    EXPECT_EQ(options->prompt, "");
    EXPECT_EQ(options->reason, "a reason");
    EXPECT_THAT(options->kept, ElementsAre("A", "B_1"));
    EXPECT_THAT(options->command, ElementsAre("id", "--login"));
    EXPECT_TRUE(options->non_interactive && options->from_stdin && options->in_background);
    EXPECT_FALSE(options->use_proof || options->keep_proof);
    EXPECT_THAT(parse({"-H", "id"})->command, ElementsAre("id"));
    EXPECT_THAT(parse({"-nHu", "bob", "--set-home", "id"})->command, ElementsAre("id"));
    EXPECT_EQ(parse({"--login"})->shell, Shell::login);
    EXPECT_EQ(parse({"--shell", "id"})->shell, Shell::callers);
    EXPECT_EQ(parse({"--validate"})->action, Action::validate);
    EXPECT_EQ(parse({"--help"})->action, Action::show_help);
}

TEST(HelperOptions, SayWhyWhatSudoHasIsLeftOut) {
    for (const auto& words : std::vector<std::vector<const char*>>{{"-A", "id"},
                                                                   {"-B", "id"},
                                                                   {"-C", "5", "id"},
                                                                   {"-E", "id"},
                                                                   {"-e", "/etc/motd"},
                                                                   {"-R", "/", "id"},
                                                                   {"-h", "web1", "id"},
                                                                   {"-hweb1", "-l"},
                                                                   {"-nE", "id"},
                                                                   {"--edit", "/etc/motd"},
                                                                   {"--chroot=/", "id"},
                                                                   {"--host", "web1", "id"},
                                                                   {"--host=web1", "id"},
                                                                   {"--askpass", "id"},
                                                                   {"--close-from=5", "id"},
                                                                   {"--preserve-env", "id"}}) {
        const auto options = parse(words);
        ASSERT_FALSE(options) << words.front();
        EXPECT_THAT(options.error().message, HasSubstr("isn't there")) << words.front();
    }
}

TEST(HelperOptions, SetVariablesBeforeTheCommandOnly) {
    const auto options = parse({"-n", "A=1", "B_2=", "env", "C=3"});
    ASSERT_TRUE(options);
    EXPECT_THAT(options->variables, ElementsAre("A=1", "B_2="));
    EXPECT_THAT(options->command, ElementsAre("env", "C=3"));
    EXPECT_THAT(parse({"--", "A=b", "id"})->command, ElementsAre("A=b", "id"));
    const auto mixed = parse({"A=1", "-u", "carol", "B=2", "-n", "--", "env"});
    ASSERT_TRUE(mixed);
    EXPECT_THAT(mixed->variables, ElementsAre("A=1", "B=2"));
    EXPECT_THAT(mixed->command, ElementsAre("env"));
    EXPECT_TRUE(mixed->non_interactive);
    EXPECT_EQ(mixed->user, "carol");
    EXPECT_FALSE(parse({"A="})); // and no command
    EXPECT_TRUE(parse({"./a=b"})->variables.empty());
    EXPECT_TRUE(parse({"1a=b"})->variables.empty());
    EXPECT_TRUE(parse({"=b"})->variables.empty());
    EXPECT_FALSE(parse({"-P", "A,", "id"}));
    EXPECT_FALSE(parse({"-P", "A=1", "id"}));
}

TEST(HelperOptions, TakeATimeInSecondsOrWithAUnit) {
    EXPECT_EQ(parse({"-T", "5", "id"})->timeout, std::chrono::seconds(5));
    EXPECT_EQ(parse({"-T1h30m", "id"})->timeout, std::chrono::minutes(90));
    for (const char* time : {"", "0", "-1", "1.5", "5x", "99999999999999999999", "1m5"}) {
        EXPECT_FALSE(parse({"-T", time, "id"})) << time;
    }
}

TEST(HelperOptions, WantACommand) {
    EXPECT_FALSE(parse({}));
    EXPECT_FALSE(parse({"--"}));
    EXPECT_FALSE(parse({""}));
    EXPECT_FALSE(parse({"-n"}));
    EXPECT_TRUE(parse({"-"}));
}

TEST(HelperOptions, NeverChangeAWord) { // CVE-2021-3156
    const auto options = parse({"a\\", "\\", "\xff\xfe", "b c", ""});
    ASSERT_TRUE(options);
    EXPECT_THAT(options->command, ElementsAre("a\\", "\\", "\xff\xfe", "b c", ""));
}

TEST(HelperOptions, DoOneThingAtATime) {
    EXPECT_EQ(parse({"-l"})->action, Action::list);
    EXPECT_FALSE(parse({"-l"})->in_detail);
    EXPECT_TRUE(parse({"-ll"})->in_detail);
    EXPECT_TRUE(parse({"-l", "-l"})->in_detail);
    EXPECT_EQ(parse({"-nl"})->action, Action::list);
    EXPECT_THAT(parse({"-l", "id", "-a"})->command, ElementsAre("id", "-a"));
    EXPECT_EQ(parse({"-l", "-U", "bob"})->other_user, "bob");
    EXPECT_FALSE(parse({"-U", "bob", "id"}));
    EXPECT_FALSE(parse({"-l", "-u", "bob"}));
    EXPECT_TRUE(parse({"-l", "-u", "bob", "id"}));
    EXPECT_EQ(parse({"-h"})->action, Action::show_help);
    EXPECT_EQ(parse({"-V", "id"})->action, Action::show_version);
    EXPECT_EQ(parse({"-v"})->action, Action::validate);
    EXPECT_FALSE(parse({"-v", "id"}));
    EXPECT_FALSE(parse({"-l", "-v"}));
    EXPECT_FALSE(parse({"-i", "-s"}));
    EXPECT_FALSE(parse({"-b", "-i"}));
    EXPECT_FALSE(parse({"-b", "-s", "-n"}));
}

TEST(HelperOptions, ForgetAProofOrDoWithoutIt) {
    EXPECT_EQ(parse({"-k"})->action, Action::forget);
    EXPECT_FALSE(parse({"-k"})->forget_all);
    EXPECT_EQ(parse({"-K"})->action, Action::forget);
    EXPECT_TRUE(parse({"-K"})->forget_all);
    EXPECT_FALSE(parse({"-K", "id"}));
    const auto again = parse({"-k", "id"});
    ASSERT_TRUE(again);
    EXPECT_EQ(again->action, Action::run);
    EXPECT_FALSE(again->use_proof);
    EXPECT_EQ(parse({"-kv"})->action, Action::validate);
    const auto cached = parse({"-Nnv"});
    ASSERT_TRUE(cached);
    EXPECT_TRUE(cached->non_interactive);
    EXPECT_FALSE(cached->keep_proof);
}

TEST(HelperOptions, HandAShellOneTextThatMeansTheWords) {
    const std::vector<std::string> words = {"echo", "a b", "$HOME", "it's", "x;y", "", "a\nb", "-n_9"};
    EXPECT_EQ(shell_text(words), "echo a\\ b $HOME it\\'s x\\;y '' a'\n'b -n_9");
}

} // namespace
} // namespace jit
