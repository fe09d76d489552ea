// SPDX-License-Identifier: MIT
// What a grant gave the right to make: set-id files, by owner, group and ctime.
#pragma once

#include "daemon/search/lookups.h"
#include "daemon/search_protocol.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <vector>

namespace jit {

inline constexpr mode_t set_id_bits = S_ISUID | S_ISGID;

// A range of subordinate ids, which an account may have in user namespaces.
struct SubordinateIds {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    bool operator==(const SubordinateIds&) const = default;
};
// Those of an account, by the text of /etc/subuid.
[[nodiscard]] std::vector<SubordinateIds> subordinate_ids(std::string_view text, const std::string& account,
                                                          Uid uid);

struct Reach {
    const SearchFor* grant = nullptr;
    Searched* searched = nullptr;
    Time since;
    std::set<Uid> makers = {};                     // whose files count
    std::vector<SubordinateIds> subordinates = {}; // likewise
    std::set<Uid> run_as = {};                     // not root
    std::map<Gid, std::string> groups = {};        // not the account's own, as far as these are known
    bool own_groups_known = true;
    std::map<Gid, std::set<Uid>> strangers = {}; // of these groups: whose files count too, for who has it
                                                 // makes them theirs in passing

    // Whether it may be of this grant's making; `capable`: the file has capabilities of its own.
    [[nodiscard]] bool made_possible(const struct stat& file, bool capable) const;
    // Root's rights make any file possible, also those that others were making meanwhile: of these it is
    // told.
    [[nodiscard]] bool may_disarm(const struct stat& file) const;

private:
    [[nodiscard]] bool made_by(Uid owner) const;
    [[nodiscard]] bool made_as_stranger(const struct stat& file) const;
};

// What can't be told is said in `searched`. `homes`: gets those of the accounts concerned.
[[nodiscard]] Reach reach_of(const SearchFor& grant, const AccountNames& run_as, Searched& searched,
                             std::set<std::string>& homes);

} // namespace jit
