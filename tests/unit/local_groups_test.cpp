// SPDX-License-Identifier: MIT
#include "daemon/local_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jit {
namespace {

using testing::ElementsAre;

TEST(LocalGroups, are_the_primary_one_and_those_with_the_name_in_them) {
    const LocalGroups local("root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n"
                            "bob:x:1001:4::/home/bob:/bin/sh\nbob-too:x:1001:1001::/home/bob:/bin/sh\n"
                            "carol:x:1002:1002\n+nis\n\nbroken:x:y:4\n",
                            "root:x:0:\nadm:x:4:carol,dave\nwheel:x:10:bob-too\nadm:x:4:erin\nodd:x\n:::\n");
    EXPECT_TRUE(local.has(Uid{1001}, Gid{4})) << "the primary one";
    EXPECT_TRUE(local.has(Uid{1001}, Gid{1001})) << "by its other name";
    EXPECT_TRUE(local.has(Uid{1001}, Gid{10})) << "by its other name";
    EXPECT_TRUE(local.has(Uid{1002}, Gid{4}));
    EXPECT_FALSE(local.has(Uid{1000}, Gid{4}));
    EXPECT_FALSE(local.has(Uid{1003}, Gid{4})) << "no account of that uid";
    EXPECT_THAT(local.without(Gid{4}), ElementsAre(Uid{1000})) << "and root needs none";
}

} // namespace
} // namespace jit
