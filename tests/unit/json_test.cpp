// SPDX-License-Identifier: MIT
#include "core/json.h"

#include <gtest/gtest.h>

namespace jit {
namespace {

TEST(Json, a_key_that_is_there_twice_is_refused) {
    EXPECT_FALSE(parse_json(R"({"a": 1, "a": 2})"));
    EXPECT_FALSE(parse_json(R"({"b": {"a": 1, "a": 2}})"));
    EXPECT_FALSE(parse_json("{\"a\": 1, \"\\u0061\": 2}"));
    EXPECT_TRUE(parse_json(R"({"a": {"a": 1}, "b": {"a": 2}})"));
}

TEST(Json, deep_nesting_is_refused) {
    EXPECT_TRUE(parse_json(std::string(10, '[') + std::string(10, ']')));
    EXPECT_FALSE(parse_json(std::string(100, '[') + std::string(100, ']')));
    EXPECT_FALSE(parse_json(std::string(60'000, '[')));
}

TEST(Json, half_a_value_more_than_one_and_none_are_refused) {
    for (const char* bad : {"", "{", "{}{}", "{} x", "nul", "\"\xff\"", "{\"a\":}", "[1,]", "// c\n{}"}) {
        EXPECT_FALSE(parse_json(bad)) << bad;
    }
}

TEST(Json, a_line_is_harmless_on_a_terminal) {
    const std::string line = to_line(Json{{"a", "\x1b[2J\n\u202e\x7f\xc2\x9b\xff"}});
    for (const char letter : line) {
        EXPECT_TRUE(letter >= ' ' && letter < 0x7f) << line;
    }
    EXPECT_TRUE(parse_json(line));
}

TEST(Json, the_same_record_is_always_the_same_text) {
    EXPECT_EQ(to_line(Json{{"b", 1}, {"a", 2}}), R"({"b":1,"a":2})");
}

} // namespace
} // namespace jit
