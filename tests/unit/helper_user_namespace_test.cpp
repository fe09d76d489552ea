// SPDX-License-Identifier: MIT
#include "helper/user_namespace.h"

#include <gtest/gtest.h>

namespace jit {
namespace {

TEST(UserNamespace, the_host_is_known_by_its_map_of_all_ids) {
    EXPECT_TRUE(is_initial_map("         0          0 4294967295\n"));
    EXPECT_FALSE(is_initial_map(""));
    EXPECT_FALSE(is_initial_map("         0       1000          1\n"));
    EXPECT_FALSE(is_initial_map("         0     524288      65536\n"));
    EXPECT_FALSE(is_initial_map("         0          0 4294967294\n"));
    EXPECT_FALSE(is_initial_map("         0          0 4294967295\n 1 1 1\n"));
}

TEST(UserNamespace, root_and_people_have_a_number_everywhere) {
    EXPECT_FALSE(is_unmapped(0));
    EXPECT_FALSE(is_unmapped(1000));
}

} // namespace
} // namespace jit
