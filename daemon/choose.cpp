// SPDX-License-Identifier: MIT
#include "daemon/choose.h"

#include "core/text.h"
#include "core/variables.h"
#include "daemon/locks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ranges>
#include <tuple>

namespace jit {
namespace {

constexpr std::size_t longest_shown = 300;
constexpr std::size_t longest_word_shown = 100;
constexpr std::size_t most_roles_shown = 5;

// The command runs as the caller, who may run anything as themselves.
bool is_group_alone(const Wanted& wanted) {
    return !wanted.group.empty() && wanted.run_as == wanted.by.account;
}

bool role_has(const Scope& scope, const Role& role, const Wanted& wanted) {
    if (!wanted.group.empty() && !scope_allows_group(scope, role, wanted.group)) {
        return false;
    }
    if (!std::ranges::all_of(wanted.variables,
                             [&](const std::string& name) { return allows_variable(role.env, name); })) {
        return false;
    }
    if (is_group_alone(wanted)) {
        return true;
    }
    return wanted.command &&
           scope_allows_command(scope, role, wanted.run_as, wanted.command->path, wanted.command->arguments);
}

std::string shown(const Command& command) {
    std::string text = shell_word(command.path);
    for (const std::string& argument : command.arguments) {
        // A long word hides no other.
        const bool cut = argument.size() > longest_word_shown;
        text += ' ' + shell_word(argument.substr(0, longest_word_shown)) + (cut ? "…" : "");
        if (text.size() > longest_shown) {
            return text.substr(0, text.rfind(' ', longest_shown)) + " …";
        }
    }
    return text;
}

// How many people must say yes. None where a rule does.
unsigned effort(const Policy& policy, const Role& role) {
    const auto risk = policy.risks.find(role.risk);
    if (risk == policy.risks.end() || risk->second.auto_approve) {
        return 0;
    }
    unsigned people = 0;
    for (const Stage& stage : risk->second.stages) {
        people += stage.count;
    }
    return people;
}

std::string request_line(const Role& role) {
    return fmt::format("jitctl request {} --reason '…'{}", role.name,
                       role.ticket.empty() ? "" : " --ticket '…'");
}

// Why a grant of a role that has it doesn't give it.
std::string why_not(const Request& grant, const Role& role) {
    if (uses_left(grant, role) == 0U) {
        return fmt::format("your grant {} of {} is used up: {} started by it", grant.id, role.name,
                           grant.used == 1 ? "its one command was"
                                           : fmt::format("its {} commands were", grant.used));
    }
    return fmt::format(
        "your grant {} of {} is without it: it was asked for in part, or before the role had it", grant.id,
        role.name);
}

// Where all but one part of what is wanted is somebody's to have: that part.
std::vector<std::string> near(const Policy& policy, const Party& party, const Account& account,
                              const Wanted& wanted) {
    std::vector<std::string> lines;
    for (const auto& [name, role] : policy.roles) {
        const auto whole = scope_of(role, {}, {});
        if (!whole || !eligible(role, party, account) || lines.size() == most_roles_shown) {
            continue;
        }
        Wanted other = wanted;
        const auto unnamed = std::ranges::stable_partition(other.variables, [&](const std::string& variable) {
            return allows_variable(role.env, variable);
        });
        const std::vector<std::string> missing(unnamed.begin(), unnamed.end());
        other.variables.erase(unnamed.begin(), unnamed.end());
        if (role_has(*whole, role, other)) {
            lines.push_back(fmt::format("{} has it without {}", name,
                                        escape(fmt::format("{}", fmt::join(missing, ", ")))));
            continue;
        }
        other = wanted;
        for (const std::string& user : role.run_as) {
            other.run_as = user;
            if (user != wanted.run_as && role_has(*whole, role, other)) {
                lines.push_back(fmt::format("{} has it as {}, not as {}", name,
                                            fmt::join(role.run_as, " or "), escape(wanted.run_as)));
                break;
            }
        }
        other = wanted;
        other.group.clear();
        if (!wanted.group.empty() && role_has(*whole, role, other)) {
            lines.push_back(fmt::format("{} has it without group {}", name, escape(wanted.group)));
        }
    }
    return lines;
}

} // namespace

namespace {

// The best of those that live, are theirs, and give it by their scope and role.
const Request* best(const Policy& policy, const std::vector<Request>& active, const Party& by, const Now& now,
                    const std::string& boot_id, const auto& gives, const auto& rank) {
    const Request* found = nullptr;
    for (const Request& grant : active) {
        const auto role = policy.roles.find(grant.role);
        if (grant.state == State::active && role != policy.roles.end() && grant.beneficiary == by &&
            gives(grant, role->second) && grant.not_after && !grant.not_after->over(now, boot_id) &&
            (found == nullptr || rank(*found) < rank(grant))) {
            found = &grant;
        }
    }
    return found;
}

Time end_of(const Request& grant) {
    return grant.not_after->time;
}

} // namespace

bool could_carry(const Policy& policy, std::string_view role, const Wanted& wanted) {
    const auto found = policy.roles.find(role);
    return found != policy.roles.end() &&
           (wanted.group.empty() || role_gives_group(found->second, wanted.group)) &&
           (is_group_alone(wanted) ||
            (wanted.command && role_gives_command(found->second, wanted.run_as, wanted.command->path,
                                                  wanted.command->arguments)));
}

const Request* longest(const Policy& policy, const std::vector<Request>& active, const Wanted& wanted,
                       const Began& began, const Now& now, const std::string& boot_id) {
    const auto counts_it = [&](const Request& grant) {
        return grant.id == began.grant || (grant.chain == began.chain && !began.over);
    };
    const auto gives = [&](const Request& grant, const Role& role) {
        return (role.confinement.empty() || role.confinement == began.held) &&
               (!uses_left(grant, role) || counts_it(grant)) && role_has(grant.scope, role, wanted);
    };
    return best(policy, active, wanted.by, now, boot_id, gives, end_of);
}

const Request* choose(const Policy& policy, const std::vector<Request>& active, const Wanted& wanted,
                      const Now& now, const std::string& boot_id) {
    const auto gives = [&](const Request& grant, const Role& role) {
        return uses_left(grant, role) != 0U && role_has(grant.scope, role, wanted);
    };
    return best(policy, active, wanted.by, now, boot_id, gives, [&](const Request& grant) {
        const Role& role = policy.roles.find(grant.role)->second;
        return std::tuple(role.confinement.empty(), !uses_left(grant, role), role.authenticate == false,
                          end_of(grant));
    });
}

const Request* longest_for_login(const Policy& policy, const std::vector<Request>& active, const Party& by,
                                 std::string_view service, const Now& now, const std::string& boot_id) {
    const auto gives = [&](const Request& grant, const Role& role) {
        return scope_allows_login(grant.scope, role, service);
    };
    return best(policy, active, by, now, boot_id, gives, end_of);
}

const Request* longest_for_group(const Policy& policy, const std::vector<Request>& active, const Party& by,
                                 std::string_view group, const Now& now, const std::string& boot_id) {
    const auto gives = [&](const Request& grant, const Role& role) {
        return scope_allows_group(grant.scope, role, group);
    };
    return best(policy, active, by, now, boot_id, gives, end_of);
}

std::vector<const Request*> all_for_login(const Policy& policy, const std::vector<Request>& active,
                                          const Party& by, const LoginNeeds& needs, const Now& now,
                                          const std::string& boot_id) {
    std::vector<const Request*> all;
    if (needs.gated) {
        all.push_back(longest_for_login(policy, active, by, needs.service, now, boot_id));
    }
    for (const std::string& group : needs.groups) {
        all.push_back(longest_for_group(policy, active, by, group, now, boot_id));
    }
    return std::ranges::find(all, nullptr) == all.end() ? all : std::vector<const Request*>();
}

Denial deny(const Policy& policy, const Account& account, const Wanted& wanted,
            const std::vector<Request>& mine, const std::vector<Lock>& locks,
            const std::function<std::string(const Role&)>& how) {
    Denial denial;
    denial.message = fmt::format(
        "no grant lets you run {} as {}{}{}", wanted.command ? shown(*wanted.command) : "this",
        escape(wanted.run_as),
        wanted.group.empty() ? "" : fmt::format(" with group {}", escape(wanted.group)),
        wanted.variables.empty()
            ? ""
            : fmt::format(" with {} set", escape(fmt::format("{}", fmt::join(wanted.variables, ", ")))));
    const Party party = party_of(policy, account);
    if (const Lock* lock = lock_on(locks, policy, party, "")) {
        denial.next.push_back(described(*lock));
        return denial;
    }
    std::vector<const Role*> roles;
    for (const auto& [name, role] : policy.roles) {
        const auto whole = scope_of(role, {}, {});
        if (!eligible(role, party, account) || !whole || !role_has(*whole, role, wanted)) {
            continue;
        }
        if (const Lock* lock = lock_on(locks, policy, party, name)) {
            denial.next.push_back(described(*lock));
        } else {
            roles.push_back(&role);
        }
    }
    std::ranges::stable_sort(roles, {}, [&](const Role* role) { return effort(policy, *role); });
    for (const Role* role : roles | std::views::take(most_roles_shown)) {
        const auto pending = std::ranges::find_if(mine, [&](const Request& request) {
            return request.role == role->name && request.state == State::pending;
        });
        Offer offer{.role = role->name, .how = how(*role), .ticket = role->ticket, .pending = {}};
        if (pending != mine.end()) {
            offer.pending = pending->id;
        }
        const auto held = std::ranges::find_if(mine, [&](const Request& request) {
            return request.role == role->name && request.state == State::active;
        });
        if (held != mine.end()) {
            denial.next.push_back(why_not(*held, *role));
        }
        denial.next.push_back(
            offer.pending.empty()
                ? fmt::format("{} would ({}): {}", role->name, offer.how, request_line(*role))
                : fmt::format("request {} for {} is pending: jitctl watch {}", pending->id, role->name,
                              pending->id));
        denial.offers.push_back(std::move(offer));
    }
    std::ranges::stable_partition(denial.offers, [](const Offer& offer) { return !offer.pending.empty(); });
    if (denial.next.empty()) {
        denial.next = near(policy, party, account, wanted);
    }
    if (denial.next.empty()) {
        denial.next.emplace_back("no role that you are eligible for has it");
    }
    if (account.uid == root_uid) {
        denial.next.emplace_back("you are root already: run it without jit-sudo, or with runuser(1)");
    }
    if (!policy.site.help.empty()) {
        denial.next.push_back(policy.site.help);
    }
    return denial;
}

Denial deny_too_short(const Role& role, const Request& grant, Millis left, bool extends) {
    return {.message = fmt::format("{} has {} left, and starts no command with less than {}", role.name,
                                   describe_duration(left), format_duration(role.needs)),
            .next = {extends ? fmt::format("more time: jitctl extend {} --reason '…'", grant.id)
                             : request_line(role)},
            .offers = {}};
}

} // namespace jit
