// SPDX-License-Identifier: MIT
#include "helper/ids.h"

#include "helper/messages.h"
#include "helper/report.h"

#include <algorithm>
#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace jit {
namespace {

Result<void> set_groups(const std::vector<Gid>& groups) {
    std::vector<gid_t> wanted;
    for (const Gid group : groups) {
        if (group == no_gid) {
            return fail(Errc::internal, std::string(messages::no_number));
        }
        wanted.push_back(number(group));
    }
    if (setgroups(wanted.size(), wanted.data()) != 0) {
        return fail_errno("setgroups");
    }
    // The kernel sorts them, and keeps what is twice in the list twice.
    std::vector<gid_t> got(wanted.size() + 1);
    const int count = getgroups(static_cast<int>(got.size()), got.data());
    if (count < 0) {
        return fail_errno("getgroups");
    }
    got.resize(static_cast<std::size_t>(count));
    std::sort(wanted.begin(), wanted.end());
    std::sort(got.begin(), got.end());
    if (got != wanted) {
        return fail(Errc::internal, std::string(messages::other_groups));
    }
    return {};
}

Result<void> set_ids(uid_t uid, gid_t gid) {
    if (Uid{uid} == no_uid || Gid{gid} == no_gid) {
        return fail(Errc::internal, std::string(messages::no_number));
    }
    if (setresgid(gid, gid, gid) != 0) {
        return fail_errno("setresgid");
    }
    if (setresuid(uid, uid, uid) != 0) {
        return fail_errno("setresuid");
    }
    uid_t ruid = 0, euid = 0, suid = 0;
    gid_t rgid = 0, egid = 0, sgid = 0;
    if (getresuid(&ruid, &euid, &suid) != 0 || getresgid(&rgid, &egid, &sgid) != 0) {
        return fail_errno("getresuid");
    }
    if (ruid != uid || euid != uid || suid != uid || rgid != gid || egid != gid || sgid != gid) {
        return fail(Errc::internal, std::string(messages::other_ids));
    }
    if (uid != 0 && (setuid(0) == 0 || setresuid(0, 0, 0) == 0 || seteuid(0) == 0)) {
        return fail(Errc::internal, std::string(messages::rights_not_given_up));
    }
    return {};
}

// A change of ids may have made the memory readable again: fs.suid_dumpable says.
bool keep_unreadable() {
    return prctl(PR_SET_DUMPABLE, 0) == 0;
}

// Whose signals reach this process. The effective uid stays root's, and with it every capability.
bool set_real_uid(Uid uid) {
    uid_t real = 0;
    uid_t effective = 0;
    uid_t saved = 0;
    return uid != no_uid && setresuid(number(uid), 0, 0) == 0 && getresuid(&real, &effective, &saved) == 0 &&
           Uid{real} == uid && effective == 0 && saved == 0 && keep_unreadable();
}

} // namespace

// Not setfsuid(2): that leaves CAP_SYS_PTRACE, with which links such as /proc/PID/cwd lead where only root
// may look.
bool set_effective_uid(uid_t uid) {
    return Uid{uid} != no_uid && seteuid(uid) == 0 && geteuid() == uid && keep_unreadable();
}

Result<void> become(Uid uid, Gid gid, const std::vector<Gid>& groups) {
    // Too old a kernel to know them has none.
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (auto set = set_groups(groups); !set) {
        return set;
    }
    return set_ids(number(uid), number(gid));
}

Result<void> become_root() {
    if (auto became = become(root_uid, Gid{0}, {}); !became) {
        return became;
    }
    if (!keep_unreadable()) {
        return fail_errno("prctl");
    }
    return {};
}

Result<void> become_caller(Uid uid, Gid gid, const std::vector<Gid>& groups) {
    // Where it isn't installed setuid there is nothing to give up, nor a right to set groups.
    return geteuid() == 0 ? become(uid, gid, groups) : set_ids(number(uid), number(gid));
}

Result<std::vector<Gid>> current_groups() {
    std::vector<Gid> groups;
    const int count = getgroups(0, nullptr);
    std::vector<gid_t> numbers(static_cast<std::size_t>(std::max(count, 0)));
    if (count < 0 || getgroups(count, numbers.data()) != count) {
        return fail_errno("getgroups");
    }
    groups.reserve(numbers.size());
    for (const gid_t group : numbers) {
        groups.push_back(Gid{group});
    }
    return groups;
}

AsCaller::AsCaller(Uid uid) : before_{geteuid()} {
    if (!set_effective_uid(number(uid))) {
        say(messages::no_caller_rights);
        _exit(exit_refused);
    }
}

AsCaller::~AsCaller() {
    if (!set_effective_uid(number(before_))) {
        say(messages::rights_not_back);
        _exit(exit_refused);
    }
}

Reachable::Reachable(Uid caller) {
    if (!set_real_uid(caller)) {
        say(messages::real_uid_not_set);
        _exit(exit_refused);
    }
}

Reachable::~Reachable() {
    if (!set_real_uid(root_uid)) {
        say(messages::real_uid_not_set);
        _exit(exit_refused);
    }
}

} // namespace jit
