// SPDX-License-Identifier: MIT
#include "daemon/search/lookups.h"

#include "core/nss_lookup.h"

#include <fmt/format.h>

#include <cstring>
#include <grp.h>
#include <pwd.h>

namespace jit {
namespace {

constexpr std::size_t largest_record = 1 << 20;

std::unexpected<Error> missing(std::string_view kind, const std::string& name, int error) {
    return error == 0 ? fail(Errc::not_found, fmt::format("there is no {} {}", kind, name))
                      : fail(Errc::unavailable, fmt::format("{} {}: {}", kind, name, std::strerror(error)));
}

} // namespace

Result<NamedAccount> account_named(const std::string& name) {
    passwd record{};
    passwd* found = nullptr;
    std::vector<char> buffer;
    const int error =
        look_up(record, found, buffer, largest_record, [&](passwd* p, char* b, std::size_t n, passwd** f) {
            return getpwnam_r(name.c_str(), p, b, n, f);
        });
    if (found == nullptr) {
        return missing("account", name, error);
    }
    return NamedAccount{.uid = Uid{record.pw_uid}, .primary = Gid{record.pw_gid}, .home = record.pw_dir};
}

Result<std::string> account_of(Uid uid) {
    passwd record{};
    passwd* found = nullptr;
    std::vector<char> buffer;
    const int error =
        look_up(record, found, buffer, largest_record, [&](passwd* p, char* b, std::size_t n, passwd** f) {
            return getpwuid_r(number(uid), p, b, n, f);
        });
    return found != nullptr ? Result<std::string>(record.pw_name)
                            : missing("account with uid", std::to_string(number(uid)), error);
}

Result<Gid> group_named(const std::string& name) {
    group record{};
    group* found = nullptr;
    std::vector<char> buffer;
    const int error =
        look_up(record, found, buffer, largest_record, [&](group* g, char* b, std::size_t n, group** f) {
            return getgrnam_r(name.c_str(), g, b, n, f);
        });
    if (found == nullptr) {
        return missing("group", name, error);
    }
    return Gid{record.gr_gid};
}

Result<std::set<Gid>> own_groups(const std::string& account) {
    const auto found = account_named(account);
    if (!found) {
        return std::unexpected(found.error());
    }
    const auto gids = group_list(account.c_str(), number(found->primary));
    if (!gids) {
        return fail(Errc::unavailable, fmt::format("account {}: its groups can't be told", account));
    }
    std::set<Gid> own;
    for (const gid_t gid : *gids) {
        own.insert(Gid{gid});
    }
    return own;
}

AccountNames run_as_of(const SearchFor& grant, Searched& searched) {
    AccountNames accounts;
    for (const std::string& name : grant.run_as) {
        if (const auto account = account_named(name)) {
            accounts.emplace(account->uid, name);
        } else {
            searched.problem(account.error());
        }
    }
    return accounts;
}

} // namespace jit
