// SPDX-License-Identifier: MIT
#include "daemon/local_groups.h"

#include "core/read.h"
#include "core/text.h"

#include <algorithm>
#include <charconv>
#include <fcntl.h>
#include <optional>

namespace jit {
namespace {

constexpr std::size_t largest_file = 64 * 1024 * 1024;

std::optional<std::uint32_t> number_in(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

} // namespace

LocalGroups::LocalGroups()
    : LocalGroups(read_whole(AT_FDCWD, "/etc/passwd", largest_file),
                  read_whole(AT_FDCWD, "/etc/group", largest_file)) {}

LocalGroups::LocalGroups(std::string_view passwd, std::string_view group) {
    for (const std::string_view line : split(passwd, '\n')) {
        const auto fields = split(line, ':');
        const auto uid = fields.size() > 3 ? number_in(fields[2]) : std::nullopt;
        const auto gid = fields.size() > 3 ? number_in(fields[3]) : std::nullopt;
        if (uid && gid) {
            Account& account = accounts_[Uid{*uid}];
            account.names.emplace(fields[0]);
            account.primary.insert(Gid{*gid});
        }
    }
    for (const std::string_view line : split(group, '\n')) {
        const auto fields = split(line, ':');
        const auto gid = fields.size() > 3 ? number_in(fields[2]) : std::nullopt;
        if (gid) {
            for (const std::string_view name : split(fields[3], ',')) {
                members_[Gid{*gid}].emplace(name);
            }
        }
    }
}

bool LocalGroups::has(Uid uid, Gid gid) const {
    const auto account = accounts_.find(uid);
    if (account == accounts_.end()) {
        return false;
    }
    const auto members = members_.find(gid);
    return account->second.primary.contains(gid) ||
           (members != members_.end() && std::ranges::any_of(account->second.names, [&](const auto& name) {
                return members->second.contains(name);
            }));
}

std::set<Uid> LocalGroups::without(Gid gid) const {
    std::set<Uid> all;
    for (const auto& [uid, account] : accounts_) {
        if (uid != root_uid && !has(uid, gid)) {
            all.insert(uid);
        }
    }
    return all;
}

} // namespace jit
