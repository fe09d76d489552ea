// SPDX-License-Identifier: MIT
// A policy while it is read: what policy_load.cpp (form) hands to policy_check.cpp (sense).
#pragma once

#include "core/policy_load.h"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

inline constexpr std::size_t largest_source = 1'048'576; // 1 MiB

struct Draft {
    Policy policy;
    std::vector<Problem> problems;
    std::map<std::string, Where, std::less<>> places; // of each table, key and element: "role.x.commands[2]"
    std::vector<std::pair<std::string, Subject>>
        subjects; // each that is named, and under which of those keys

    void error(std::string key, std::string message);
    void warn(std::string key, std::string message);
    void error_at(Where where, std::string key, std::string message);

private:
    [[nodiscard]] Where where(std::string_view key) const; // its place, or that of what it is in
};

// A text from a file, as a message shows it: in quotes, and not for ever. Problem::text() escapes it.
[[nodiscard]] std::string in_quotes(std::string_view text);

// The kernel is shown a path as it stands, so there is one way to write it. Not "/" alone: where it may
// stand, the caller says so.
[[nodiscard]] bool is_plain_path(std::string_view path);
inline constexpr std::string_view path_expected =
    "an absolute path, written plainly: no wildcards, no '//', '.' or '..', no '/' at its end";

// "; did you mean 'eligible'?" where one of the names is near, else nothing.
[[nodiscard]] std::string did_you_mean(std::string_view name, std::span<const std::string_view> names);

// What must be refused before the TOML parser sees it: see policy_scan.cpp. Empty where the text may be
// parsed.
[[nodiscard]] std::vector<Problem> scan_policy(const PolicySource& source);

// Everything that only the whole policy can tell: names that lead nowhere, limits that contradict each other,
// approvals that nobody could give. Fills Policy::person_by_account.
void check_policy(Draft& draft);

} // namespace jit
