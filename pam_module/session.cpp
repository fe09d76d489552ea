// SPDX-License-Identifier: MIT
#include "pam_module/session.h"

#include "core/registration.h"
#include "core/text.h"
#include "pam_module/audit_session.h"
#include "pam_module/groups.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <security/pam_modules.h>
#include <syslog.h>
#include <unistd.h>

namespace jit {
namespace {

// What a session needs of grants: a login, or session groups, or both.
struct Needs {
    bool login = false;
    std::vector<std::string> groups;
    [[nodiscard]] bool none() const { return !login && groups.empty(); }
};

// The grants that give it, each the longest-lived that does: the login's first. Empty where something isn't
// given.
std::vector<const LoginGrant*> carriers(const Judgement& judged, const Needs& needs) {
    std::vector<const LoginGrant*> found;
    if (needs.login) {
        found.push_back(judged.login());
    }
    for (const std::string& name : needs.groups) {
        found.push_back(judged.group(name));
    }
    return std::ranges::find(found, nullptr) == found.end() ? found : std::vector<const LoginGrant*>();
}

const LoginGrant& first_to_end(const std::vector<const LoginGrant*>& grants) {
    return **std::ranges::min_element(grants, {}, [](const LoginGrant* grant) { return grant->until; });
}

// By the boot clock that can be another one.
BootTime first_boot_end(const std::vector<const LoginGrant*>& grants) {
    return std::ranges::min(grants, {}, [](const LoginGrant* grant) { return grant->boot_until; })
        ->boot_until;
}

Needs needs_of(const Pam& pam, const Judgement& judged, const Places& places) {
    Needs needs{.login = judged.gated, .groups = {}};
    if (!judged.person.calls) {
        // What setcred gave this process must be had by somebody: if its grant is gone, the session is
        // refused. Asked for anew only where setcred gave none: that goes to every source of groups there is.
        needs.groups = pam.remembered_groups();
        if (needs.groups.empty()) {
            needs.groups = not_had_anyway(judged.groups(), judged.person, places);
        }
    }
    return needs;
}

int refuse(const Pam& pam, const Gate& gate, const Places& places, Judgement judged, const std::string& why) {
    if (!why.empty()) {
        judged.why = why;
    }
    record_refusal(pam, gate, places, judged);
    if (judged.person.calls) {
        // To a login it was said in account; text at this point would break sftp and scp.
        pam.complain("jit-sudo: " + judged.why + ". " + judged.next);
    }
    // Not PAM_SESSION_ERR: sudo goes on after that.
    return PAM_PERM_DENIED;
}

// In the mode of the gate: refused, or noted. Refused in any mode where it is about groups: they are never
// given where they can't be taken back.
int cannot(const Pam& pam, const Gate& gate, const Places& places, const Judgement& judged,
           const Needs& needs, const std::string& why) {
    if (gate.mode == Mode::enforce || !needs.groups.empty()) {
        return refuse(pam, gate, places, judged, why);
    }
    pam.log(LOG_ERR, why);
    return PAM_IGNORE;
}

std::string list_of(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        text += (text.empty() ? "" : ", ") + name;
    }
    return text;
}

void welcome(const Pam& pam, const Needs& needs, const LoginGrant& ends, Time limit, Time now) {
    std::string text = "jit-sudo: " + ends.role + " until " + describe_utc(ends.until) + ", " +
                       describe_duration(ends.until - now) + " left";
    if (!needs.groups.empty()) {
        text += ", with group " + list_of(needs.groups) + (needs.login ? "" : ": this session ends with it");
    }
    text += ends.reach > ends.until ? ". More time: jitctl extend " + ends.id + " --reason '…'"
                                    : ". It can't be extended";
    if (limit > ends.until) {
        text += "; this session ends at " + describe_utc(limit) + " in any case";
    }
    pam.show(text);
}

// PID 1 ends the session's scope at the latest then, without us. It can't be moved later, so it is as far as
// extensions of what is granted now may reach: for each need by the grant that could reach farthest, which
// needn't be the one that now lives longest.
Time last_resort(const Judgement& judged, const Needs& needs) {
    const auto farthest = [&](const auto& gives) {
        Time reach{};
        for (const LoginGrant& grant : judged.table->grants) {
            reach = gives(grant) ? std::max(reach, grant.reach) : reach;
        }
        return reach;
    };
    Time limit = Time::max();
    if (needs.login) {
        limit = farthest([&](const LoginGrant& grant) { return grant.gives_login(judged.service); });
    }
    for (const std::string& name : needs.groups) {
        limit = std::min(limit, farthest([&](const LoginGrant& grant) { return grant.gives_group(name); }));
    }
    return limit;
}

RegisteredUse use_of(const Pam& pam, const Judgement& judged, const Needs& needs,
                     const std::vector<const LoginGrant*>& grants, std::uint32_t session) {
    return {.service = judged.service,
            .account = judged.person.account,
            .uid = judged.person.uid,
            .target = pam.user(),
            .gated = needs.login,
            .grant = grants.front()->id,
            .groups = needs.groups,
            .until = first_to_end(grants).until,
            .boot_until = first_boot_end(grants),
            .pid = static_cast<std::uint32_t>(getpid()),
            .session = session,
            .login_uid = audit_login_uid(),
            .cgroup = own_cgroup(),
            .tty = pam.tty(),
            .remote = pam.remote_host()};
}

// What the session is told of its grants, and systemd of its limit.
void tell(const Pam& pam, const Judgement& judged, const Needs& needs,
          const std::vector<const LoginGrant*>& grants) {
    const LoginGrant& ends = first_to_end(grants);
    const auto expires = std::chrono::floor<std::chrono::seconds>(ends.until).time_since_epoch().count();
    bool told = pam.set_environment("JIT_GRANT", ends.id) &&
                pam.set_environment("JIT_EXPIRES", std::to_string(expires));
    if (!judged.person.calls) {
        const Time now = clock_now().time;
        const Time limit = last_resort(judged, needs);
        // At least one: what systemd can't parse is no limit at all.
        const auto left =
            std::max(std::chrono::ceil<std::chrono::seconds>(limit - now), std::chrono::seconds(1));
        told = pam.set_text("systemd.runtime_max_sec", std::to_string(left.count())) && told;
        welcome(pam, needs, ends, limit, now);
    }
    if (!told) {
        pam.log(LOG_ERR, "out of memory: the session has no JIT_GRANT, JIT_EXPIRES or last limit");
    }
}

} // namespace

int open_session(const Pam& pam, const Gate& gate, const Places& places) {
    const Judgement judged = judge(pam, gate, places);
    if (judged.left_alone) {
        return PAM_IGNORE;
    }
    if (!pam.remember_opening()) {
        return PAM_BUF_ERR;
    }
    if (judged.refused()) {
        if (gate.mode == Mode::enforce) {
            return refuse(pam, gate, places, judged, "");
        }
        if (gate.mode == Mode::warn) {
            pam.show("jit-sudo: " + judged.why + ", and soon that will be refused. " + judged.next);
        }
    }
    if (!judged.table) {
        // Not gated, or not for good; judge() has said why to the log. But setcred may have given groups.
        return pam.remembered_groups().empty()
                   ? PAM_IGNORE
                   : refuse(pam, gate, places, judged, "whether its groups' grants live can't be told");
    }
    Needs needs = needs_of(pam, judged, places);
    needs.login = needs.login && !judged.refused();
    if (needs.none()) {
        return PAM_IGNORE;
    }
    const auto grants = carriers(judged, needs);
    if (grants.empty()) {
        return refuse(pam, gate, places, judged, "the grant of a group that this session has is over");
    }
    if ((judged.person.calls || is_parents_audit_session()) && !take_new_audit_session(judged.person.uid)) {
        return cannot(
            pam, gate, places, judged, needs,
            "this can't be ended on time: the kernel gives no new audit session (loginuid immutable?)");
    }
    const auto session = audit_session();
    if (!session) {
        return cannot(pam, gate, places, judged, needs,
                      "this can't be ended on time: it has no audit session (pam_loginuid must come before)");
    }
    const std::string name = use_file_name(*session);
    const std::string frame = to_frame(use_of(pam, judged, needs, grants, *session));
    if (!parse_registered_use(frame)) {
        // jitd would take it for damaged, and end the session.
        return cannot(pam, gate, places, judged, needs,
                      "cannot register with jitd: " + escape(pam.user()) + " or " + escape(judged.service) +
                          " is no name that it takes");
    }
    if (!put_file(places.uses, name, frame)) {
        return cannot(pam, gate, places, judged, needs,
                      "cannot register with jitd (" + places.uses + ": " + std::strerror(errno) + ")");
    }
    const Judgement again = judge(pam, gate, places);
    if (!again.table || carriers(again, needs).empty()) {
        unlink((places.uses + "/" + name).c_str());
        return refuse(pam, gate, places, judged, "the grant has just ended");
    }
    tell(pam, judged, needs, grants);
    return PAM_SUCCESS;
}

} // namespace jit
