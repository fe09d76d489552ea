// SPDX-License-Identifier: MIT
#include "daemon/explain.h"

#include "core/text.h"
#include "daemon/locks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unistd.h>

namespace jit {
namespace {

constexpr std::size_t most_roles = 100;

struct Check {
    bool ok = false;
    std::string text;
};

Json view(const Check& check) {
    return {{"ok", check.ok}, {"text", check.text}};
}

Check who(const Role& role, const Party& party, const Account& account) {
    for (const Subject& subject : role.eligible) {
        if (includes({subject}, party, account)) {
            return {true, subject.kind == Subject::Kind::group
                              ? fmt::format("{} is eligible, as a member of {}", party.person, subject.text())
                              : fmt::format("{} is eligible", party.person)};
        }
    }
    std::vector<std::string> names;
    for (const Subject& subject : role.eligible) {
        names.push_back(subject.text());
    }
    return {false, fmt::format("{} is not among those eligible: {}", party.person, fmt::join(names, ", "))};
}

Check what(const Role& role, const Wish& wish) {
    const auto has = [](const std::vector<std::string>& list, const std::string& item) {
        return std::ranges::find(list, item) != list.end();
    };
    if (!wish.login.empty()) {
        return has(role.login, wish.login)
                   ? Check{true, fmt::format("it gives logins through {}", wish.login)}
                   : Check{false, role.login.empty() ? "it gives no logins"
                                                     : fmt::format("it gives logins through {} only",
                                                                   fmt::join(role.login, ", "))};
    }
    if (!wish.group.empty()) {
        if (has(role.groups, wish.group)) {
            return {true, fmt::format("it gives the group {} in one's own sessions", wish.group)};
        }
        return has(role.memberships, wish.group)
                   ? Check{true, fmt::format("it gives membership of {}", wish.group)}
                   : Check{false, fmt::format("it doesn't give the group {}", escape(wish.group))};
    }
    if (!has(role.run_as, wish.run_as)) {
        return {false, role.run_as.empty()
                           ? std::string("it gives no commands")
                           : fmt::format("it runs commands as {} only", fmt::join(role.run_as, ", "))};
    }
    const std::vector<std::string> arguments(wish.command.begin() + 1, wish.command.end());
    for (const CommandPattern& pattern : role.commands) {
        if (pattern.matches(wish.command.front(), arguments)) {
            const auto held = describe(role.confinement);
            return {true, fmt::format("allowed by its command {}{}{}", escape(pattern.text()),
                                      held.empty() ? "" : "; ", fmt::join(held, "; "))};
        }
    }
    for (const CommandPattern& pattern : role.commands) {
        if (pattern.path() == wish.command.front()) {
            return {false, fmt::format("it has {}, but not with these arguments", pattern.path())};
        }
    }
    return {false, "it doesn't have this command"};
}

bool gives(const Request& grant, const Role& role, const Wish& wish) {
    if (!wish.login.empty()) {
        return scope_allows_login(grant.scope, role, wish.login);
    }
    if (!wish.group.empty()) {
        return scope_allows_group(grant.scope, role, wish.group);
    }
    return scope_allows_command(grant.scope, role, wish.run_as, wish.command.front(),
                                {wish.command.begin() + 1, wish.command.end()});
}

std::string host_name() {
    std::string name(256, '\0');
    if (gethostname(name.data(), name.size() - 1) != 0) {
        return "this host";
    }
    return escape(name.c_str());
}

} // namespace

Result<Json> explain(const Policy& policy, const Account& account, const Wish& wish,
                     const std::vector<Request>& active, const std::vector<Lock>& locks,
                     const std::function<std::string(const Role&)>& how) {
    const int wishes = static_cast<int>(!wish.command.empty()) + static_cast<int>(!wish.login.empty()) +
                       static_cast<int>(!wish.group.empty());
    if (wishes != 1) {
        return fail(Errc::invalid, "explain one thing at a time: a command, a login or a group");
    }
    if (!wish.command.empty() && !wish.command.front().starts_with('/')) {
        return fail(Errc::invalid,
                    fmt::format("write the command's whole path, not {}", escape(wish.command.front())));
    }
    const Party party = party_of(policy, account);
    Json grants = Json::array();
    Json roles = Json::array();
    bool available = false;
    bool any_has_it = false;
    const auto who_of = [&](const Role& role) {
        const Lock* lock = lock_on(locks, policy, party, role.name);
        return lock != nullptr ? Check{false, described(*lock)} : who(role, party, account);
    };
    const auto add = [&](const Role& role, const Check& checked_who, const Check& checked_what) {
        Check when{false, fmt::format("not granted now; {}", how(role))};
        for (const Request& grant : active) {
            if (grant.role != role.name || !checked_who.ok) {
                continue;
            }
            const std::string until =
                fmt::format("granted until {}, id {}", describe_utc(grant.not_after->time), grant.id);
            if (uses_left(grant, role) == 0U) {
                when.text = when.ok ? when.text : until + ", and used up";
            } else if (gives(grant, role, wish)) {
                grants.push_back(grant.id);
                when = {true, until};
            } else if (!when.ok) {
                when.text = until + ", but not for this";
            }
        }
        available = available || (checked_who.ok && checked_what.ok);
        if (roles.size() < most_roles) {
            roles.push_back({{"role", role.name},
                             {"ticket", role.ticket.empty() ? Json() : Json(role.ticket)},
                             {"who", view(checked_who)},
                             {"what", view(checked_what)},
                             {"where", view({true, fmt::format("on {}", host_name())})},
                             {"when", view(when)}});
        }
    };
    for (const auto& [name, role] : policy.roles) {
        if (const Check checked = what(role, wish); checked.ok) {
            any_has_it = true;
            add(role, who_of(role), checked);
        }
    }
    if (!any_has_it) {
        // Nothing has it: then the roles that this person could have show how far off it is.
        for (const auto& [name, role] : policy.roles) {
            if (const Check checked = who(role, party, account); checked.ok) {
                add(role, checked, what(role, wish));
            }
        }
    }
    available = available && any_has_it && party.uid != root_uid;
    return Json{{"verdict", !grants.empty() ? "granted"
                            : available     ? "available"
                                            : "refused"},
                {"grants", grants},
                {"roles", roles},
                {"help", policy.site.help}};
}

} // namespace jit
