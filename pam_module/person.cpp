// SPDX-License-Identifier: MIT
#include "pam_module/person.h"

#include "core/nss_lookup.h"
#include "core/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

namespace jit {
namespace {

// Programs that a person calls and that then become somebody else: PAM_USER is the target there, in some
// phases.
constexpr std::array callers{"su", "sudo", "runuser", "doas", "pkexec"};

constexpr std::size_t largest_record = 4 * 1024 * 1024; // a group of a hundred thousand members

// Calls a get…_r function with more and more room. None: there is no such entry.
template <class Entry, class Call>
Result<bool> find(Entry& entry, std::vector<char>& buffer, const std::string& what, Call call) {
    Entry* found = nullptr;
    const int error = look_up(entry, found, buffer, largest_record, call);
    if (found != nullptr) {
        return true;
    }
    if (error == ERANGE) {
        return fail(Errc::unavailable, what + " has too long an entry");
    }
    return error == 0 || error == ENOENT || error == ESRCH
               ? Result<bool>(false)
               : fail(Errc::unavailable, "looking up " + what + ": " + std::strerror(error));
}

Result<Person> person_of(const passwd& entry) {
    Person person{
        .account = entry.pw_name, .uid = Uid{entry.pw_uid}, .gid = Gid{entry.pw_gid}, .calls = false};
    if (person.account.empty() || person.uid == no_uid) {
        return fail(Errc::invalid, "an account without a name or a uid");
    }
    return person;
}

struct FoundGroup {
    Gid gid;
    bool names_account; // among its members
};

Result<FoundGroup> find_group(const std::string& group_name, const std::string& account) {
    group entry{};
    std::vector<char> buffer;
    const auto found = find(entry, buffer, "group " + escape(group_name),
                            [&](group* place, char* bytes, std::size_t size, group** result) {
                                return getgrnam_r(group_name.c_str(), place, bytes, size, result);
                            });
    if (!found) {
        return std::unexpected(found.error());
    }
    if (!*found || entry.gr_gid == number(no_gid)) {
        return fail(Errc::not_found, "there is no group " + escape(group_name));
    }
    FoundGroup of{.gid = Gid{entry.gr_gid}, .names_account = false};
    for (char** member = entry.gr_mem; member != nullptr && *member != nullptr; ++member) {
        of.names_account = of.names_account || account == *member;
    }
    return of;
}

} // namespace

std::string service_name(std::string_view pam_service) {
    for (const std::string_view caller : callers) {
        if (pam_service.starts_with(caller)) {
            const std::string_view rest = pam_service.substr(caller.size());
            if (rest == "-l" || rest == "-i") {
                return std::string(caller);
            }
        }
    }
    return std::string(pam_service);
}

Result<Person> person_judged(const std::string& service, const std::string& pam_user) {
    // A setuid program that we don't know is called by a person as well.
    const bool calls = std::ranges::find(callers, service) != callers.end() || getuid() != 0;
    passwd entry{};
    std::vector<char> buffer;
    const std::string what =
        calls ? "uid " + std::to_string(getuid()) : "account " + escape(pam_user.substr(0, 100));
    const auto found =
        find(entry, buffer, what, [&](passwd* place, char* bytes, std::size_t size, passwd** result) {
            return calls ? getpwuid_r(getuid(), place, bytes, size, result)
                         : getpwnam_r(pam_user.c_str(), place, bytes, size, result);
        });
    if (!found) {
        return std::unexpected(found.error());
    }
    if (!*found) {
        return fail(Errc::not_found, "there is no " + what);
    }
    auto person = person_of(entry);
    if (person) {
        person->calls = calls;
    }
    return person;
}

Result<Gid> gid_of_group(const std::string& group_name) {
    const auto found = find_group(group_name, {});
    return found ? Result<Gid>(found->gid) : std::unexpected(found.error());
}

Result<std::vector<Gid>> gids_of(const Person& person) {
    const auto gids = group_list(person.account.c_str(), number(person.gid));
    if (!gids) {
        return fail(Errc::unavailable, "looking up the groups of " + escape(person.account) + " failed");
    }
    std::vector<Gid> all;
    for (const gid_t gid : *gids) {
        all.push_back(Gid{gid});
    }
    return all;
}

Result<bool> is_member(const Person& person, const std::string& group_name) {
    const auto found = find_group(group_name, person.account);
    if (!found) {
        return std::unexpected(found.error());
    }
    // All of somebody's groups are only asked for where this isn't enough: that goes to every source of
    // groups there is, some of them daemons.
    if (found->names_account || found->gid == person.gid) {
        return true;
    }
    const auto gids = gids_of(person);
    if (!gids) {
        return std::unexpected(gids.error());
    }
    return std::ranges::find(*gids, found->gid) != gids->end();
}

} // namespace jit
