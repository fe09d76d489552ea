// SPDX-License-Identifier: MIT
#include "helper/options.h"

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

TEST(HelperOptions, RefuseNumbersAndWhatIsNoName) { // CVE-2019-14287, CVE-2017-1000082
    for (const char* name : {"#0",
                             "#-1",
                             "#4294967295",
                             "#4294967294",
                             "#00",
                             "#+0",
                             "# 0",
                             "#0x0",
                             "0",
                             "-1",
                             "1000",
                             "0day",
                             "",
                             " root",
                             "root ",
                             "root\n",
                             "ro/ot",
                             "..",
                             "a$",
                             "\xff",
                             "a23456789012345678901234567890123"}) {
        EXPECT_FALSE(parse({"-u", name, "id"})) << name;
        EXPECT_FALSE(parse({"-g", name, "id"})) << name;
    }
}

TEST(HelperOptions, RefuseWhatTheyDoNotKnow) {
    for (const char* word : {"-x", "-E", "-s", "-i", "-nx", "--help", "--user=root", "-\xff", "-S", "-h=x"}) {
        EXPECT_FALSE(parse({word, "id"})) << word;
    }
    EXPECT_FALSE(parse({"-u"}));
    EXPECT_FALSE(parse({"-r", "", "id"}));
}

TEST(HelperOptions, SetNoVariables) { // CVE-2014-0106
    EXPECT_FALSE(parse({"LD_PRELOAD=/x", "id"}));
    EXPECT_FALSE(parse({"--", "A=b", "id"}));
    EXPECT_FALSE(parse({"A="}));
    EXPECT_TRUE(parse({"./a=b"}));
    EXPECT_TRUE(parse({"env", "A=b"}));
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

TEST(HelperOptions, ListHelpAndVersionStandAlone) {
    EXPECT_EQ(parse({"-l"})->action, Action::list);
    EXPECT_EQ(parse({"-nl"})->action, Action::list);
    EXPECT_FALSE(parse({"-l", "id"}));
    EXPECT_FALSE(parse({"-l", "-u", "bob"}));
    EXPECT_EQ(parse({"-h"})->action, Action::show_help);
    EXPECT_EQ(parse({"-V", "id"})->action, Action::show_version);
}

} // namespace
} // namespace jit
