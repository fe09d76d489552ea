// SPDX-License-Identifier: MIT
#include "core/confinement.h"

#include "core/capabilities.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace jit {
namespace {

std::string describe_size(std::uint64_t bytes) {
    constexpr std::string_view units = "KMGT";
    std::size_t unit = 0;
    for (; unit < units.size() && bytes % 1024 == 0; ++unit) {
        bytes /= 1024;
    }
    return unit == 0 ? std::to_string(bytes) : fmt::format("{}{}", bytes, units[unit - 1]);
}

std::string describe_paths(std::string_view what, const std::vector<std::string>& paths) {
    return paths.empty() ? fmt::format("{} nothing", what)
                         : fmt::format("{} below {} only", what, fmt::join(paths, ", "));
}

} // namespace

std::vector<std::string> describe(const Confinement& confinement) {
    std::vector<std::string> lines;
    if (confinement.capabilities) {
        std::vector<std::string_view> held;
        const auto names = capability_names();
        for (unsigned number = 0; number < names.size(); ++number) {
            if ((*confinement.capabilities & capability_bit(number)) != 0) {
                held.push_back(names[number]);
            }
        }
        lines.push_back(held.empty() ? "no capabilities"
                                     : fmt::format("capabilities: {}", fmt::join(held, ", ")));
    }
    if (confinement.no_new_privileges) {
        lines.emplace_back("no new privileges: setuid programs gain nothing");
    }
    if (confinement.write) {
        lines.push_back(describe_paths("writes", *confinement.write));
    }
    if (confinement.execute) {
        lines.push_back(describe_paths("executes", *confinement.execute));
    }
    for (const auto& [path, digests] : confinement.digests) {
        lines.push_back(fmt::format("{} as it is pinned, by SHA-256", path));
    }
    if (!confinement.directory.empty()) {
        lines.push_back("starts in " + confinement.directory);
    }
    if (confinement.memory) {
        lines.push_back("memory: " + describe_size(*confinement.memory));
    }
    if (confinement.processes) {
        lines.push_back(fmt::format("processes: {}", *confinement.processes));
    }
    if (!confinement.second_factor.empty()) {
        lines.push_back("a second factor each time: " + confinement.second_factor);
    }
    return lines;
}

} // namespace jit
