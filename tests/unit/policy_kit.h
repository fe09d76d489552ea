// SPDX-License-Identifier: MIT
// What the tests of the policy share: a policy of one source "p.toml", and its problems as people see them.
#pragma once

#include "core/policy_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace jit {

inline std::vector<std::string> texts(const LoadedPolicy& loaded) {
    std::vector<std::string> lines;
    for (const Problem& problem : loaded.problems) {
        lines.push_back(problem.text());
    }
    return lines;
}

inline std::vector<std::string> problems_of(const std::string& text) {
    return texts(parse_policy({{"p.toml", text}}));
}

// The policy of a text that has no problem at all.
inline Policy policy_of(const std::string& text) {
    const LoadedPolicy loaded = parse_policy({{"p.toml", text}});
    EXPECT_THAT(texts(loaded), testing::IsEmpty());
    return loaded.policy.value_or(Policy{});
}

// Goes after what is tested, so that lines are counted from there.
inline const std::string oncall = "\n[people.oncall]\nmembers = [\"bob\", \"carol\"]\n"
                                  "[risk.low]\nauto_approve = \"4h\"\n"
                                  "[risk.medium]\nstages = [{ from = \"oncall\" }]\n";

// A role of which only these lines, from line 2 on, are of interest.
inline std::string role(const std::string& lines) {
    return "[role.web]\n" + lines + "\nrisk = \"medium\"\neligible = [\"alice\"]\n" + oncall;
}

} // namespace jit
