// SPDX-License-Identifier: MIT
// /run/jit/live: what may run now, and until when, for the sweep (jit-sweep), which takes away what is over
// should jitd not do it. A line each, written beside and renamed over:
//
//   jit-live-1 BOOT_ID
//   NAME SESSION UTC_MS BOOT_MS[ GROUP…]
//
// An elevation's cgroup or a login, its audit session ("-": none), its deadline as a pair, and the groups
// that it was given.
#pragma once

#include "core/clock.h"
#include "core/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

inline constexpr const char* published_file = "/run/jit/live";

struct Published {
    std::string name;
    std::optional<std::uint32_t> session;
    Time time;
    BootTime boot;
    std::vector<std::string> groups;
    bool operator==(const Published&) const = default;
};

[[nodiscard]] std::string published_text(const std::string& boot_id, const std::vector<Published>& all);
// An error for anything that isn't just so, and for another boot's.
[[nodiscard]] Result<std::vector<Published>> parse_published(std::string_view text,
                                                             const std::string& boot_id);

[[nodiscard]] Result<void> publish(const std::string& text, const std::string& path = published_file);

} // namespace jit
