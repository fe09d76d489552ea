// SPDX-License-Identifier: MIT
// The C library's lookups of accounts and groups, whose answers need room that nobody knows beforehand. They
// ask NSS, and may take as long as that does.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <grp.h>
#include <optional>
#include <vector>

namespace jit {

// Calls one of the get…_r functions with a growing buffer, of `largest` bytes at most. What the function
// says: 0 with nothing found where there is no such entry, ERANGE where it needs more room than that.
template <class Entry, class Lookup>
int look_up(Entry& entry, Entry*& found, std::vector<char>& buffer, std::size_t largest, Lookup lookup) {
    int result = ERANGE;
    for (std::size_t size = 4096; result == ERANGE && size <= largest; size *= 2) {
        buffer.resize(size);
        found = nullptr;
        result = lookup(&entry, buffer.data(), buffer.size(), &found);
    }
    return result;
}

// All groups of an account, `primary` among them; none where they can't be told, because half a list is no
// answer.
[[nodiscard]] inline std::optional<std::vector<gid_t>> group_list(const char* account, gid_t primary) {
    constexpr int most = 65536; // NGROUPS_MAX
    std::vector<gid_t> gids(64);
    for (;;) {
        int count = static_cast<int>(gids.size());
        if (getgrouplist(account, primary, gids.data(), &count) >= 0) {
            gids.resize(static_cast<std::size_t>(std::clamp(count, 0, static_cast<int>(gids.size()))));
            return gids;
        }
        // It says how many there are when they don't fit; anything else is a failure.
        if (count <= static_cast<int>(gids.size()) || count > most) {
            return std::nullopt;
        }
        gids.resize(static_cast<std::size_t>(count));
    }
}

} // namespace jit
