// SPDX-License-Identifier: MIT
#include "pam_module/gate.h"

#include "core/registration.h"
#include "core/text.h"

#include <algorithm>
#include <cerrno>
#include <syslog.h>
#include <unistd.h>

namespace jit {
namespace {

constexpr std::size_t most_roles_shown = 3;
// A session ends with the group that it was given, and is told so two seconds before.
constexpr Millis least_left_for_a_group = std::chrono::seconds(4);

// The longest-lived of the grants that `gives` says yes to.
const LoginGrant* longest(const std::optional<LoginGrants>& table, const auto& gives) {
    const LoginGrant* found = nullptr;
    if (table) {
        for (const LoginGrant& grant : table->grants) {
            if (gives(grant) && (found == nullptr || found->until < grant.until)) {
                found = &grant;
            }
        }
    }
    return found;
}

std::string what_to_do(const Judgement& judged) {
    const auto& all = judged.table->roles;
    std::string text = "The policy has no role that gives it";
    if (!all.empty()) {
        text = (judged.person.calls ? "Ask: jitctl request "
                                    : "Somebody who may approve it can let you in: jitctl grant " +
                                          escape(judged.person.account) + " ") +
               all.front() + " --reason '…'";
    }
    for (std::size_t index = 1; index < std::min(all.size(), most_roles_shown); ++index) {
        text += (index == 1 ? " (or " : ", ") + all[index];
    }
    text += all.size() > 1 ? ")" : "";
    return judged.table->help.empty() ? text : text + ". " + escape(judged.table->help);
}

} // namespace

Now clock_now() {
    const ClockReading reading = read_system_clock();
    return {.time = reading.realtime, .boot = reading.boot};
}

const LoginGrant* Judgement::login() const {
    return longest(table, [&](const LoginGrant& grant) { return grant.gives_login(service); });
}

const LoginGrant* Judgement::group(std::string_view name) const {
    return longest(table, [&](const LoginGrant& grant) { return grant.gives_group(name); });
}

std::vector<std::string> Judgement::groups() const {
    std::vector<std::string> names;
    if (table) {
        const Now now = clock_now();
        for (const LoginGrant& grant : table->grants) {
            if (grant.until - now.time < least_left_for_a_group ||
                grant.boot_until - now.boot < least_left_for_a_group) {
                continue;
            }
            std::ranges::copy_if(grant.groups, std::back_inserter(names), [&](const std::string& name) {
                return std::ranges::find(names, name) == names.end();
            });
        }
    }
    return names;
}

Judgement judge(const Pam& pam, const Gate& gate, const Places& places) {
    Judgement judged;
    judged.service = service_name(pam.service());
    const std::string user = pam.user();
    const auto person = person_judged(judged.service, user);
    if (!person) {
        judged.person.account = user;
        judged.gated = true;
        judged.why = person.error().message;
        judged.next = "Ask an administrator of this host";
        return judged;
    }
    judged.person = *person;
    const bool exempt = gate.exempts(person->account);
    if (exempt && person->uid == root_uid) {
        judged.left_alone = true;
        return judged;
    }
    if (exempt) {
        judged.gated = false;
    } else if (!gate.only.empty()) {
        const auto member = is_member(*person, gate.only);
        if (!member) {
            pam.log(LOG_ERR, member.error().message + "; so everybody is gated");
        }
        judged.gated = member.value_or(true);
    } else {
        judged.gated = true;
    }
    if (!gate.problem.empty()) {
        pam.log(LOG_ERR, gate.problem);
        judged.why = "the PAM line of " + escape(judged.service) + " has an " + gate.problem;
        judged.next = "Ask an administrator of this host";
        return judged;
    }
    auto table =
        read_login_table(places.login_table, person->uid, person->account, judged.service, clock_now());
    if (!table) {
        pam.log(LOG_ERR, table.error().message);
        judged.why = "the login table can't be read (" + table.error().message + ")";
        judged.next = "Is jitd running? Ask an administrator of this host";
        return judged;
    }
    judged.table = std::move(*table);
    if (judged.gated && judged.login() == nullptr) {
        judged.why =
            "no grant lets " + escape(person->account) +
            (person->calls ? " use " + escape(judged.service) : " log in through " + escape(judged.service));
        judged.next = what_to_do(judged);
    }
    return judged;
}

void record_refusal(const Pam& pam, const Gate& gate, const Places& places, const Judgement& judged) {
    pam.log(LOG_NOTICE, (gate.mode == Mode::enforce ? "refused: " : "would be refused: ") + judged.why);
    const std::string frame = to_frame(RegisteredRefusal{.service = judged.service,
                                                         .account = judged.person.account,
                                                         .uid = judged.person.uid,
                                                         .target = pam.user(),
                                                         .mode = std::string(name_of(gate.mode)),
                                                         .why = judged.why,
                                                         .tty = pam.tty(),
                                                         .remote = pam.remote_host()});
    // A few of each uid, until jitd has read them: somebody who tries without end fills nothing.
    for (int slot = 0; slot < refusals_kept_of_one_uid; ++slot) {
        if (put_file(places.uses, refusal_file_name(judged.person.uid, slot), frame) || errno != EEXIST) {
            return;
        }
    }
}

} // namespace jit
