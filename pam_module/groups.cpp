// SPDX-License-Identifier: MIT
#include "pam_module/groups.h"

#include "core/registration.h"
#include "core/text.h"
#include "pam_module/audit_session.h"

#include <algorithm>
#include <cstring>
#include <grp.h>
#include <security/pam_modules.h>
#include <syslog.h>
#include <unistd.h>

namespace jit {
namespace {

constexpr std::string_view user_manager = "systemd-user";

// What this session was registered with, where it was.
std::optional<RegisteredUse> registered(const Judgement& judged, const Places& places) {
    const auto session = audit_session();
    const auto file = session ? get_file(places.uses, use_file_name(*session)) : std::nullopt;
    auto use = file ? parse_registered_use(*file) : std::nullopt;
    // An sshd that somebody started by hand is in that person's session until it has one of its own.
    return use && use->uid == judged.person.uid && use->service == judged.service ? std::move(use)
                                                                                  : std::nullopt;
}

bool set_more_groups(const Pam& pam, const std::vector<std::string>& names) {
    const int count = getgroups(0, nullptr);
    std::vector<gid_t> gids(static_cast<std::size_t>(std::max(count, 0)));
    if (count < 0 || getgroups(count, gids.data()) != count) {
        pam.log(LOG_ERR, std::string("cannot read this process's groups: ") + std::strerror(errno));
        return false;
    }
    const std::size_t before = gids.size();
    for (const std::string& name : names) {
        const auto gid = gid_of_group(name);
        if (!gid) {
            pam.log(LOG_ERR, gid.error().message + "; it isn't given");
        } else if (std::ranges::find(gids, number(*gid)) == gids.end()) {
            gids.push_back(number(*gid));
        }
    }
    if (gids.size() != before && setgroups(gids.size(), gids.data()) != 0) {
        pam.log(LOG_ERR, std::string("cannot add groups: ") + std::strerror(errno));
        return false;
    }
    return true;
}

} // namespace

std::vector<std::string> not_had_anyway(const std::vector<std::string>& groups, const Person& person,
                                        const Places& places) {
    std::vector<std::string> wanted;
    // Not being able to tell, they are taken for ours alone: what is given then ends with its grant.
    const auto had = groups.empty() ? std::vector<Gid>() : gids_of(person).value_or(std::vector<Gid>());
    for (const std::string& name : groups) {
        const auto gid = gid_of_group(name);
        const bool is_in = gid && std::ranges::find(had, *gid) != had.end();
        const std::string given = places.memberships + "/" + person.account + ":" + name + ".membership";
        if (!is_in || access(given.c_str(), F_OK) == 0) {
            wanted.push_back(name);
        }
    }
    return wanted;
}

int add_groups(const Pam& pam, const Gate& gate, const Places& places) {
    if ((pam.flags() & (PAM_DELETE_CRED | PAM_REFRESH_CRED)) != 0 || pam.service() == user_manager) {
        return PAM_IGNORE;
    }
    const Judgement judged = judge(pam, gate, places);
    if (judged.left_alone || judged.person.calls || !judged.table) {
        return PAM_IGNORE;
    }
    std::vector<std::string> names;
    if (const auto use = registered(judged, places)) {
        std::ranges::copy_if(use->groups, std::back_inserter(names),
                             [&](const std::string& name) { return judged.group(name) != nullptr; });
    } else if (!pam.session_was_opened()) {
        names = not_had_anyway(judged.groups(), judged.person, places);
        if (!names.empty() && !pam.remember_groups(names)) {
            return PAM_BUF_ERR;
        }
    }
    if (names.empty()) {
        return PAM_IGNORE;
    }
    return set_more_groups(pam, names) ? PAM_SUCCESS : PAM_CRED_ERR;
}

} // namespace jit
