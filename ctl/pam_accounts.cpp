// SPDX-License-Identifier: MIT
// Accounts and groups as NSS knows them.
#include "core/nss_lookup.h"
#include "core/text.h"
#include "ctl/pam_lockout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

namespace jit {
namespace {

constexpr std::size_t largest_record = 1UL << 22;

std::unexpected<Error> not_known(std::string_view what, std::string_view name, int error) {
    return fail(Errc::unavailable,
                fmt::format("{} {} can't be looked up: {}", what, escape(name), std::strerror(error)));
}

struct FoundAccount {
    Uid uid = no_uid;
    gid_t gid = 0;
};

Result<std::optional<FoundAccount>> find_account(const std::string& name) {
    passwd entry{};
    passwd* found = nullptr;
    std::vector<char> buffer;
    const int error =
        look_up(entry, found, buffer, largest_record, [&name](passwd* p, char* b, std::size_t n, passwd** f) {
            return getpwnam_r(name.c_str(), p, b, n, f);
        });
    if (error != 0) {
        return not_known("account", name, error);
    }
    return found == nullptr ? std::optional<FoundAccount>()
                            : std::optional(FoundAccount{.uid = Uid{found->pw_uid}, .gid = found->pw_gid});
}

struct FoundGroup {
    gid_t gid = 0;
    std::vector<std::string> members;
};

Result<std::optional<FoundGroup>> find_group(const std::string& name) {
    group entry{};
    group* found = nullptr;
    std::vector<char> buffer;
    const int error =
        look_up(entry, found, buffer, largest_record, [&name](group* g, char* b, std::size_t n, group** f) {
            return getgrnam_r(name.c_str(), g, b, n, f);
        });
    if (error != 0) {
        return not_known("group", name, error);
    }
    if (found == nullptr) {
        return std::optional<FoundGroup>();
    }
    FoundGroup result{.gid = found->gr_gid, .members = {}};
    for (char** member = found->gr_mem; *member != nullptr; ++member) {
        result.members.emplace_back(*member);
    }
    return std::optional(std::move(result));
}

// Those whose primary group it is: only a walk over all accounts tells.
Result<void> add_primary_members(const std::string& name, FoundGroup& group) {
    setpwent();
    Result<void> done;
    for (;;) {
        errno = 0;
        const passwd* entry = getpwent(); // NOLINT(concurrency-mt-unsafe): there is one thread
        if (entry == nullptr) {
            if (errno != 0 && errno != ENOENT) { // NSS modules leave ENOENT behind at the end
                done = not_known("group", name, errno);
            }
            break;
        }
        if (entry->pw_gid == group.gid) {
            group.members.emplace_back(entry->pw_name);
        }
    }
    endpwent();
    return done;
}

// What only the account's side of NSS knows (sssd can be told not to list a group's members).
Result<bool> is_listed(const std::string& account, gid_t primary, gid_t wanted) {
    const auto gids = group_list(account.c_str(), primary);
    if (!gids) {
        return fail(Errc::unavailable,
                    fmt::format("the groups of account {} can't be told", escape(account)));
    }
    return std::ranges::find(*gids, wanted) != gids->end();
}

} // namespace

Result<std::optional<Uid>> NssAccounts::find(const std::string& account) const {
    const auto found = find_account(account);
    if (!found) {
        return std::unexpected(found.error());
    }
    return *found ? std::optional((*found)->uid) : std::nullopt;
}

Result<std::optional<std::vector<std::string>>> NssAccounts::members(const std::string& group) const {
    auto found = find_group(group);
    if (!found) {
        return std::unexpected(found.error());
    }
    if (!*found) {
        return std::optional<std::vector<std::string>>();
    }
    // Taken out before those whose primary group it is are added: a drop-in doesn't make them less.
    std::erase_if((*found)->members, [&](const std::string& account) {
        const std::string given = fmt::format("{}/{}:{}.membership", userdb_, account, group);
        return account.find('/') != std::string::npos || access(given.c_str(), F_OK) == 0;
    });
    if (auto added = add_primary_members(group, **found); !added) {
        return std::unexpected(added.error());
    }
    return std::optional(std::move((*found)->members));
}

Result<bool> NssAccounts::is_member(const std::string& account, const std::string& group) const {
    const auto wanted = find_group(group);
    const auto own = find_account(account);
    if (!wanted || !own) {
        return std::unexpected(!wanted ? wanted.error() : own.error());
    }
    if (!*wanted || !*own) {
        return fail(Errc::unavailable, fmt::format("{} is gone", escape(*wanted ? account : group)));
    }
    if ((*own)->gid == (*wanted)->gid ||
        std::ranges::find((*wanted)->members, account) != (*wanted)->members.end()) {
        return true;
    }
    return is_listed(account, (*own)->gid, (*wanted)->gid);
}

} // namespace jit
