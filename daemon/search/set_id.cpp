// SPDX-License-Identifier: MIT
#include "daemon/search/set_id.h"

#include "core/clock.h"
#include "core/fd.h"
#include "core/text.h"
#include "daemon/search/ending.h"
#include "daemon/search/walk.h"
#include "daemon/still.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <iterator>
#include <set>
#include <sys/stat.h>
#include <sys/xattr.h>

namespace jit {
namespace {

constexpr int passes_until_held = 5;
constexpr mode_t set_id_bits = S_ISUID | S_ISGID;

// What one grant gave the right to make.
struct Reach {
    const SearchFor* grant;
    Searched* searched;
    Time since;
    std::set<Uid> makers; // whose files count
    std::set<Uid> run_as; // not root
    std::map<Gid, std::string> groups;
    std::set<Gid> found_gids;
    std::set<Uid> found_uids;

    // `capable`: the file has capabilities of its own.
    [[nodiscard]] bool made_possible(const struct stat& file, bool capable) const {
        if (Time(millis_of(file.st_ctim)) < since) {
            return false;
        }
        const Uid owner{file.st_uid};
        if (grant->root) {
            return (file.st_mode & set_id_bits) != 0 || capable;
        }
        const bool group =
            (file.st_mode & S_ISGID) != 0 && (groups.contains(Gid{file.st_gid}) || run_as.contains(owner));
        const bool user = (file.st_mode & S_ISUID) != 0 && run_as.contains(owner);
        return makers.contains(owner) && (group || user);
    }
};

Reach reach_of(const SearchFor& grant, const AccountNames& run_as, Searched& searched,
               std::set<std::string>& trees) {
    // Once the clock was set, what is long ago by one of them is what counts.
    Reach reach{.grant = &grant,
                .searched = &searched,
                .since = std::min(grant.since, read_system_clock().realtime - grant.ago),
                .makers = {grant.uid},
                .run_as = {},
                .groups = {},
                .found_gids = {},
                .found_uids = {}};
    if (!grant.groups.empty()) {
        // Who has a group by right needs no grant for such a file. One that is gone has none.
        const auto own = own_groups(grant.account);
        if (!own) {
            searched.problems.push_back(own.error().message);
        }
        for (const std::string& name : grant.groups) {
            const auto gid = group_named(name);
            if (!gid) {
                searched.problems.push_back(gid.error().message);
            } else if (!own || !own->contains(*gid)) {
                reach.groups.emplace(*gid, name);
            }
        }
    }
    for (const auto& [uid, name] : run_as) {
        if (uid != root_uid) {
            reach.run_as.insert(uid);
            reach.makers.insert(uid);
        }
    }
    std::vector<std::string> accounts = grant.run_as;
    accounts.push_back(grant.account);
    for (const std::string& name : accounts) {
        const auto account = account_named(name);
        struct stat home{};
        // A home that isn't its own ("/", "/nonexistent", "/usr/sbin") isn't looked through in its name.
        if (account && stat(account->home.c_str(), &home) == 0 && S_ISDIR(home.st_mode) &&
            Uid{home.st_uid} == account->uid) {
            trees.insert(account->home);
        }
    }
    return reach;
}

std::string described(const struct stat& file, const std::string& path) {
    return fmt::format("{} (mode {:o}, owner {}, group {})", path, file.st_mode & 07777U, file.st_uid,
                       file.st_gid);
}

// By a descriptor that opens nothing: its owner may hold a lease on it, which an open would wait for.
Result<void> disarm(int directory, const char* name, const struct stat& found) {
    const Fd file(openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat now{};
    if (!file || fstat(file.get(), &now) != 0 || now.st_ino != found.st_ino || now.st_dev != found.st_dev) {
        return fail(Errc::conflict, "it was exchanged");
    }
    const std::string self = fmt::format("/proc/self/fd/{}", file.get());
    if ((now.st_mode & set_id_bits) != 0 && chmod(self.c_str(), now.st_mode & 07777U & ~set_id_bits) != 0) {
        return fail(Errc::unavailable, std::strerror(errno));
    }
    if (removexattr(self.c_str(), "security.capability") != 0 && errno != ENODATA && errno != ENOTSUP &&
        errno != EPERM) {
        return fail(Errc::unavailable, std::strerror(errno));
    }
    return {};
}

class Search {
public:
    Search(std::vector<Reach>& all, std::set<Uid> owners) : all_(all), owners_(std::move(owners)) {}

    void in(const std::vector<std::string>& trees, bool named) {
        const bool any_root = std::ranges::any_of(all_, [](const Reach& one) { return one.grant->root; });
        const Walked walked = walk(
            {.trees = trees,
             .remote = named,
             .passes = named ? passes_until_held : 1,
             .hold = [this]() -> std::shared_ptr<void> { return std::make_shared<Still>(owners_, "search"); },
             .look =
                 [&](int directory, const char* name, const struct stat& file, const std::string& path) {
                     const bool capable =
                         any_root && (file.st_mode & 0111U) != 0 && has_capability(directory, name);
                     if ((file.st_mode & set_id_bits) != 0 || capable) {
                         look_at(directory, name, file, escape(path), named, capable);
                     }
                 }});
        for (Reach& one : all_) {
            if (named || one.grant->root) {
                auto& problems = one.searched->problems;
                problems.insert(problems.end(), walked.problems.begin(), walked.problems.end());
            }
        }
    }

private:
    static bool has_capability(int directory, const char* name) {
        const Fd file(openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
        return file && getxattr(fmt::format("/proc/self/fd/{}", file.get()).c_str(), "security.capability",
                                nullptr, 0) > 0;
    }

    void look_at(int directory, const char* name, const struct stat& file, const std::string& path,
                 bool named, bool capable) {
        bool disarmed = false;
        for (Reach& one : all_) {
            if (!one.made_possible(file, capable) || (!named && !one.grant->root)) {
                continue;
            }
            if (named && !disarmed) {
                const auto done = disarm(directory, name, file);
                disarmed = done.has_value();
                if (!done) {
                    one.searched->problems.push_back(fmt::format("{}: {}", path, done.error().message));
                }
            }
            // In a tree that is named it is met once more on the way through everything, without its bits.
            one.searched->left.push_back({.what = "set-id file",
                                          .how = disarmed ? "disarmed" : "added",
                                          .name = described(file, path)});
            if ((file.st_mode & S_ISGID) != 0) {
                one.found_gids.insert(Gid{file.st_gid});
            }
            if ((file.st_mode & S_ISUID) != 0) {
                one.found_uids.insert(Uid{file.st_uid});
            }
        }
    }

    std::vector<Reach>& all_;
    std::set<Uid> owners_;
};

} // namespace

void search_set_id_files(const SearchJob& job, const std::vector<AccountNames>& run_as,
                         std::vector<Searched>& searched) {
    std::set<std::string> trees(job.trees.begin(), job.trees.end());
    std::vector<Reach> all;
    std::set<Uid> owners;
    for (std::size_t index = 0; index < job.grants.size(); ++index) {
        all.push_back(reach_of(job.grants[index], run_as[index], searched[index], trees));
        owners.insert(all.back().makers.begin(), all.back().makers.end());
    }
    Search search(all, owners);
    search.in({trees.begin(), trees.end()}, true);
    if (std::ranges::any_of(all, [](const Reach& one) { return one.grant->root; })) {
        search.in({"/"}, false);
    }
    for (const Reach& one : all) {
        std::map<Gid, std::string> gids;
        std::ranges::copy_if(one.groups, std::inserter(gids, gids.end()),
                             [&](const auto& group) { return one.found_gids.contains(group.first); });
        std::set<Uid> uids;
        std::ranges::set_intersection(one.run_as, one.found_uids, std::inserter(uids, uids.end()));
        end_what_ran(*one.grant, gids, uids, *one.searched);
    }
}

} // namespace jit
