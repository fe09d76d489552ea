// SPDX-License-Identifier: MIT
#include "daemon/search/ending.h"

#include "core/read.h"
#include "daemon/carriers.h"
#include "daemon/published.h"
#include "daemon/still.h"

#include <fmt/format.h>

#include <algorithm>
#include <fcntl.h>

namespace jit {
namespace {

constexpr int passes = 50;
constexpr std::size_t largest_published = 16 * 1024 * 1024;

// The audit sessions of what runs by a grant: all of them, or those that were given a group.
std::set<std::uint32_t> sessions_of(const std::vector<Published>& live, const std::string* group) {
    std::set<std::uint32_t> sessions;
    for (const Published& one : live) {
        if (one.session && (group == nullptr || std::ranges::find(one.groups, *group) != one.groups.end())) {
            sessions.insert(*one.session);
        }
    }
    return sessions;
}

} // namespace

void end_what_ran(const SearchFor& grant, const std::map<Gid, std::string>& gids, const std::set<Uid>& uids,
                  Searched& searched) {
    if (gids.empty() && uids.empty()) {
        return;
    }
    const auto live =
        parse_published(read_whole(AT_FDCWD, published_file, largest_published), read_boot_id());
    if (!live) {
        // Who is to be spared isn't known, and what runs rightly mustn't end.
        searched.problems.push_back(fmt::format("{}: {}", published_file, live.error().message));
        return;
    }
    std::vector<Carriers> all;
    for (const auto& [gid, name] : gids) {
        all.push_back({.uid = grant.uid, .gid = gid, .spared = sessions_of(*live, &name), .killed = 0});
    }
    for (const Uid uid : uids) {
        all.push_back({.uid = grant.uid, .become = uid, .spared = sessions_of(*live, nullptr), .killed = 0});
    }
    // Who forks and exits without a pause is met by no reading of /proc.
    std::set<Uid> people = uids;
    people.insert(grant.uid);
    const auto clean = [&] {
        const Still still(people, "search");
        return kill_carriers(all, passes);
    }();
    if (!clean) {
        searched.problems.push_back(clean.error().message);
    }
    for (const Carriers& one : all) {
        if (one.killed > 0) {
            searched.left.push_back(
                {.what = "processes", .how = "ended", .name = fmt::format("{}", one.killed)});
        }
    }
}

} // namespace jit
