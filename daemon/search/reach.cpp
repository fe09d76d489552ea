// SPDX-License-Identifier: MIT
#include "daemon/search/reach.h"

#include "core/clock.h"
#include "core/fd.h"
#include "core/read.h"
#include "core/text.h"
#include "daemon/local_groups.h"
#include "daemon/search/mounts.h"

#include <algorithm>
#include <charconv>
#include <fcntl.h>

namespace jit {
namespace {

constexpr std::size_t largest_subuid = 4 * 1024 * 1024;

bool take_number(std::string_view text, std::uint32_t& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

// A home that isn't its own ("/", "/nonexistent", "/usr/sbin") isn't looked through in its name.
bool is_own_home(const NamedAccount& account) {
    const Fd place(open(account.home.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const auto found = place ? place_of(place.get()) : std::nullopt;
    struct stat home{};
    return found && !Mounts().passed_over(found->mount) && fstat(place.get(), &home) == 0 &&
           Uid{home.st_uid} == account.uid;
}

} // namespace

// subuid(5): "NAME:FIRST:COUNT", or a uid in place of the name.
std::vector<SubordinateIds> subordinate_ids(std::string_view text, const std::string& account, Uid uid) {
    std::vector<SubordinateIds> all;
    for (const std::string_view line : split(text, '\n')) {
        const auto fields = split(line, ':');
        SubordinateIds ids;
        if (fields.size() == 3 && (fields[0] == account || fields[0] == std::to_string(number(uid))) &&
            take_number(fields[1], ids.first) && take_number(fields[2], ids.count)) {
            all.push_back(ids);
        }
    }
    return all;
}

bool Reach::made_by(Uid owner) const {
    return makers.contains(owner) || std::ranges::any_of(subordinates, [&](const SubordinateIds& ids) {
               return number(owner) >= ids.first && number(owner) - ids.first < ids.count;
           });
}

bool Reach::made_possible(const struct stat& file, bool capable) const {
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
    return (made_by(owner) && (group || user)) || made_as_stranger(file);
}

// Who has a group and another's rights at once makes a file with it in that one's name.
bool Reach::made_as_stranger(const struct stat& file) const {
    const auto found = strangers.find(Gid{file.st_gid});
    return (file.st_mode & S_ISGID) != 0 && found != strangers.end() &&
           found->second.contains(Uid{file.st_uid});
}

bool Reach::may_disarm(const struct stat& file) const {
    const Uid owner{file.st_uid};
    return !grant->root || owner == root_uid || makers.contains(owner);
}

Reach reach_of(const SearchFor& grant, const AccountNames& run_as, Searched& searched,
               std::set<std::string>& homes) {
    // Once the clock was set, what is long ago by one of them is what counts.
    Reach reach{.grant = &grant,
                .searched = &searched,
                .since = std::min(grant.since, read_system_clock().realtime - grant.ago),
                .makers = {grant.uid}};
    if (!grant.groups.empty()) {
        // Who has a group by right needs no grant for such a file. One that is gone has none.
        const auto own = own_groups(grant.account);
        const LocalGroups local;
        if (!own && !grant.made) {
            searched.problem(own.error());
        }
        reach.own_groups_known = own || own.error().code == Errc::not_found;
        for (const std::string& name : grant.groups) {
            const auto gid = group_named(name);
            if (!gid) {
                searched.problem(gid.error());
            } else if (!own || !own->contains(*gid)) {
                reach.groups.emplace(*gid, name);
                reach.strangers.emplace(*gid, local.without(*gid));
            }
        }
    }
    const std::string subuid = read_whole(AT_FDCWD, "/etc/subuid", largest_subuid);
    reach.subordinates = subordinate_ids(subuid, grant.account, grant.uid);
    for (const auto& [uid, name] : run_as) {
        if (uid != root_uid) {
            reach.run_as.insert(uid);
            reach.makers.insert(uid);
            std::ranges::copy(subordinate_ids(subuid, name, uid), std::back_inserter(reach.subordinates));
        }
    }
    if (grant.made) {
        // Its own uid is to be nobody's from now on.
        reach.run_as.insert(grant.uid);
        reach.groups.emplace(Gid{number(grant.uid)}, grant.account);
    }
    std::vector<std::string> accounts = grant.run_as;
    accounts.push_back(grant.account);
    for (const std::string& name : accounts) {
        if (const auto account = account_named(name); account && is_own_home(*account)) {
            homes.insert(account->home);
        }
    }
    return reach;
}

} // namespace jit
