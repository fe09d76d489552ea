// SPDX-License-Identifier: MIT
// Taking stock of what root may leave behind on a host: accounts, groups, keys, who may become root, PAM,
// cron, at, units and timers, kernel modules, what listens as root, our own files, and who may write to the
// directories of all that. Taken when a grant begins
// that gives root, and compared with how it is after its end.
//
// Root can deceive all of this, and is told so in docs/security.md: it is evidence, not a barrier.
//
// Written down it is a line for each item, sorted: WHAT, NAME, FILE, DIGEST, CTIME (UTC ms) and OWNER (a
// uid), with tabs between; NAME and FILE escaped (core/text.h).
#pragma once

#include "core/time.h"
#include "daemon/search_protocol.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jit {

struct Item {
    std::string file; // that it stands in, if it isn't one
    std::string digest;
    Time changed;         // its file's ctime; 0 where there is no file
    Uid owner = root_uid; // its file's
    bool operator==(const Item&) const = default;
};
using Stock = std::map<std::pair<std::string, std::string>, Item>; // by what it is and its name

// A directory is told of when who may write to it is otherwise. One that only root, or whose home it is in,
// may write to: that it was added or removed is seen by what is in it.
inline constexpr const char* directory_item = "directory";
inline constexpr const char* open_directory_item = "directory open to others";

struct TakenStock {
    Stock items;
    std::vector<std::string> problems;
};
// `root`: "" but in tests.
[[nodiscard]] TakenStock take_stock(const std::string& root = "");

[[nodiscard]] std::string stock_text(const Stock& stock);
[[nodiscard]] Result<Stock> parse_stock(std::string_view text);

// What was added, changed and removed. What is as before, but in a file that was written since, is "written":
// it may have been changed before the first stock was taken.
[[nodiscard]] std::vector<Change> differences(const Stock& before, const Stock& after, Time since);

// What of a stock is some accounts', and works for whoever wrote it once they are gone: keys, cron, at,
// units, lingering. In their homes, everything.
[[nodiscard]] Stock of_accounts(const Stock& stock, const std::map<Uid, std::string>& accounts,
                                const std::set<std::string>& homes);

} // namespace jit
