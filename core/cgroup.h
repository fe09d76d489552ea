// SPDX-License-Identifier: MIT
// /proc/PID/cgroup (cgroups(7)): "hierarchy:controllers:path" a line, and the unified hierarchy's is
// "0::/path".
#pragma once

#include <string_view>

namespace jit {

// That line of a whole file, without its end; empty where there is none (no cgroup v2).
[[nodiscard]] constexpr std::string_view unified_cgroup(std::string_view file) {
    while (!file.empty()) {
        const std::string_view line = file.substr(0, file.find('\n'));
        if (line.starts_with("0::/")) {
            return line;
        }
        file.remove_prefix(line.size() < file.size() ? line.size() + 1 : file.size());
    }
    return {};
}

} // namespace jit
