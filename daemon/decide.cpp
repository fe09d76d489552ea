// SPDX-License-Identifier: MIT
#include "daemon/decide.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <ranges>

namespace jit {
namespace {

bool contains(const std::vector<std::string>& list, std::string_view value) {
    return std::ranges::find(list, value) != list.end();
}

std::vector<std::string> keep(const std::vector<std::string>& list, const std::vector<std::string>& wanted) {
    std::vector<std::string> kept;
    std::ranges::copy_if(list, std::back_inserter(kept),
                         [&](const auto& item) { return contains(wanted, item); });
    return kept;
}

std::vector<std::string> texts_of(const std::vector<CommandPattern>& patterns) {
    std::vector<std::string> texts;
    for (const CommandPattern& pattern : patterns) {
        texts.push_back(pattern.text());
    }
    return texts;
}

// A part of a role's commands: one of its patterns as it is written, or one exact command that a pattern
// allows.
Result<std::string> command_part(const Role& role, const std::string& wanted) {
    const auto pattern = CommandPattern::parse(wanted);
    if (!pattern) {
        return std::unexpected(pattern.error());
    }
    std::string text = pattern->text();
    if (contains(texts_of(role.commands), text)) {
        return text;
    }
    const auto exact = pattern->literal_arguments();
    if (!exact) {
        return fail(Errc::invalid,
                    fmt::format("{} has wildcards, and role {} has no command written just so; see "
                                "'jitctl explain'",
                                escape(text), role.name));
    }
    if (!allows(role.commands, pattern->path(), *exact)) {
        return fail(Errc::invalid,
                    fmt::format("role {} doesn't have the command {}", role.name, escape(text)));
    }
    return text;
}

bool scope_has_command(const Scope& scope, std::string_view path, const std::vector<std::string>& arguments) {
    return std::ranges::any_of(scope.commands, [&](const std::string& text) {
        const auto pattern = CommandPattern::parse(text);
        return pattern && pattern->matches(path, arguments);
    });
}

} // namespace

Party party_of(const Policy& policy, const Account& account) {
    return {.person = policy.person_of(account.name), .account = account.name, .uid = account.uid};
}

bool includes(const std::vector<Subject>& subjects, const Party& party, const Account& account) {
    return std::ranges::any_of(subjects, [&](const Subject& subject) {
        return subject.kind == Subject::Kind::group ? contains(account.groups, subject.name)
                                                    : subject.name == party.person;
    });
}

bool eligible(const Role& role, const Party& party, const Account& account) {
    return party.uid != root_uid && party.uid != no_uid && includes(role.eligible, party, account);
}

Result<Scope> scope_of(const Role& role, const std::vector<std::string>& commands,
                       const std::vector<std::string>& groups) {
    Scope scope{.run_as = role.run_as,
                .commands = texts_of(role.commands),
                .groups = role.groups,
                .memberships = role.memberships,
                .login = role.login};
    if (commands.empty() && groups.empty()) {
        return scope;
    }
    for (const std::string& group : groups) {
        if (!contains(role.groups, group) && !contains(role.memberships, group)) {
            return fail(Errc::invalid,
                        fmt::format("role {} doesn't have the group {}", role.name, escape(group)));
        }
    }
    scope.groups = keep(role.groups, groups);
    scope.memberships = keep(role.memberships, groups);
    scope.commands.clear();
    for (const std::string& wanted : commands) {
        auto part = command_part(role, wanted);
        if (!part) {
            return std::unexpected(part.error());
        }
        if (!contains(scope.commands, *part)) {
            scope.commands.push_back(std::move(*part));
        }
    }
    if (scope.commands.empty()) {
        scope.run_as.clear();
    }
    return scope;
}

bool role_gives_command(const Role& role, std::string_view run_as, std::string_view path,
                        const std::vector<std::string>& arguments) {
    return contains(role.run_as, run_as) && allows(role.commands, path, arguments);
}

bool role_gives_group(const Role& role, std::string_view group) {
    return contains(role.groups, group) || contains(role.memberships, group);
}

bool scope_allows_command(const Scope& scope, const Role& role, std::string_view run_as,
                          std::string_view path, const std::vector<std::string>& arguments) {
    return contains(scope.run_as, run_as) && role_gives_command(role, run_as, path, arguments) &&
           scope_has_command(scope, path, arguments);
}

bool scope_allows_group(const Scope& scope, const Role& role, std::string_view group) {
    return (contains(scope.groups, group) && contains(role.groups, group)) ||
           (contains(scope.memberships, group) && contains(role.memberships, group));
}

bool scope_allows_login(const Scope& scope, const Role& role, std::string_view service) {
    return contains(scope.login, service) && contains(role.login, service);
}

std::optional<std::uint32_t> uses_left(const Request& grant, const Role& role) {
    auto most = grant.uses;
    if (role.uses) {
        most = std::min(*role.uses, most.value_or(*role.uses));
    }
    return most ? std::optional(*most - std::min(*most, grant.used)) : std::nullopt;
}

Result<std::vector<Stage>> route(const Policy& policy, const Role& role, Millis duration) {
    const auto risk = policy.risks.find(role.risk);
    if (risk == policy.risks.end()) {
        return fail(Errc::refused,
                    fmt::format("role {} names a risk that the policy doesn't have", role.name));
    }
    if (risk->second.auto_approve && duration <= *risk->second.auto_approve) {
        return std::vector<Stage>{};
    }
    if (risk->second.stages.empty()) {
        return fail(Errc::refused,
                    fmt::format("role {} can be had for {} at most: nobody is named who could approve more",
                                role.name, format_duration(risk->second.auto_approve.value_or(Millis(0)))));
    }
    return risk->second.stages;
}

Result<void> in_hours(const Role& role, Time now) {
    if (open_until(role.hours, now)) {
        return {};
    }
    const auto next = opens_at(role.hours, now);
    return fail(Errc::refused, fmt::format("role {} is to be had {} only{}", role.name, describe(role.hours),
                                           next ? ", next from " + describe_utc(*next) : ""));
}

Millis default_duration(const Policy& policy, const Role& role) {
    const auto risk = policy.risks.find(role.risk);
    if (risk != policy.risks.end() && risk->second.auto_approve) {
        return std::min(*risk->second.auto_approve, role.max);
    }
    return role.max;
}

std::vector<unsigned> stages_of(const Policy& policy, const std::vector<Stage>& stages, const Party& party,
                                const Account& account) {
    std::vector<unsigned> positions;
    for (unsigned position = 0; position < stages.size(); ++position) {
        const auto people = policy.people.find(stages[position].from);
        if (people != policy.people.end() && includes(people->second.members, party, account)) {
            positions.push_back(position);
        }
    }
    return positions;
}

std::vector<unsigned> missing(const std::vector<Stage>& stages, const std::vector<Answer>& answers) {
    // Bipartite matching of people to places. An augmenting path moves people who are placed already, so it
    // doesn't matter who answered first (a in stages 1 and 2, b in 1 only: a is moved to 2).
    std::vector<std::vector<const Answer*>> placed(stages.size());
    std::function<bool(const Answer&, std::vector<bool>&)> place = [&](const Answer& answer,
                                                                       std::vector<bool>& tried) -> bool {
        for (const unsigned position : answer.stages) {
            if (position >= stages.size() || tried[position] || stages[position].is_signed) {
                continue;
            }
            tried[position] = true;
            if (placed[position].size() < stages[position].count) {
                placed[position].push_back(&answer);
                return true;
            }
            for (const Answer*& other : placed[position]) {
                if (place(*other, tried)) {
                    other = &answer;
                    return true;
                }
            }
        }
        return false;
    };
    for (const Answer& answer : answers) {
        if (answer.approves) {
            std::vector<bool> tried(stages.size());
            place(answer, tried);
        }
    }
    std::vector<unsigned> open;
    for (std::size_t position = 0; position < stages.size(); ++position) {
        open.push_back(stages[position].count - static_cast<unsigned>(placed[position].size()));
    }
    return open;
}

bool satisfied(const std::vector<Stage>& stages, const std::vector<Answer>& answers) {
    return std::ranges::all_of(missing(stages, answers), [](unsigned count) { return count == 0; });
}

bool concerns(const Request& request, const Caller& caller) {
    const auto is_one = [&](const std::string& person) {
        return person == request.beneficiary.person || person == request.requester.person ||
               (!request.login_person.empty() && person == request.login_person);
    };
    return is_one(caller.party.person) || (!caller.login_person.empty() && is_one(caller.login_person)) ||
           caller.party.uid == request.beneficiary.uid || caller.party.uid == request.requester.uid;
}

Result<std::vector<unsigned>> answerable(const Policy& policy, const Request& request, const Caller& caller) {
    if (caller.is_root()) {
        return fail(Errc::refused, "root approves nothing: log in as yourself and answer from there");
    }
    if (concerns(request, caller)) {
        return fail(Errc::refused, "nobody answers a request of their own, or for themselves");
    }
    auto positions = stages_of(policy, request.stages, caller.party, caller.account);
    if (positions.empty()) {
        return fail(Errc::refused, fmt::format("{} is not among the people who may answer this request",
                                               caller.party.person));
    }
    std::erase_if(positions, [&](unsigned position) { return request.stages[position].is_signed; });
    if (positions.empty()) {
        return fail(Errc::refused,
                    "this stage takes signed answers only, and this version of jitd can't take them");
    }
    if (!caller.not_attested.empty()) {
        return fail(Errc::refused, caller.not_attested);
    }
    if (std::ranges::any_of(request.answers,
                            [&](const Answer& answer) { return answer.by.person == caller.party.person; })) {
        return fail(Errc::conflict, fmt::format("{} has answered this request already", caller.party.person));
    }
    return positions;
}

Result<void> reviewable(const Policy& policy, const Request& request, const Caller& caller) {
    if (concerns(request, caller)) {
        return fail(Errc::refused, "nobody reviews a grant of their own, or one that they asked for");
    }
    if (!is_auditor(policy, caller) &&
        stages_of(policy, request.stages, caller.party, caller.account).empty()) {
        return fail(Errc::refused,
                    fmt::format("{} is neither among the people who approve this nor an auditor",
                                caller.party.person));
    }
    // Of root it only matters who it is.
    const bool attested =
        caller.is_root() ? caller.login_known && !caller.login_person.empty() : caller.not_attested.empty();
    return attested ? Result<void>() : fail(Errc::refused, caller.not_attested);
}

bool is_auditor(const Policy& policy, const Caller& caller) {
    // Whoever had an account made may hold its keys, and isn't who it is for.
    return caller.is_root() ||
           (caller.account.made_by.empty() && includes(policy.site.auditors, caller.party, caller.account));
}

bool may_see(const Policy& policy, const Request& request, const Caller& caller) {
    if (!caller.account.made_by.empty()) {
        return request.beneficiary.uid == caller.party.uid;
    }
    return request.beneficiary.uid == caller.party.uid || request.requester.uid == caller.party.uid ||
           request.beneficiary.person == caller.party.person ||
           request.requester.person == caller.party.person ||
           !stages_of(policy, request.stages, caller.party, caller.account).empty() ||
           is_auditor(policy, caller);
}

bool may_see_left_behind(const Policy& policy, const Request& request, const Caller& caller) {
    return may_see(policy, request, caller) &&
           (caller.is_root() || request.beneficiary.person != caller.party.person);
}

} // namespace jit
