// SPDX-License-Identifier: MIT
// The sense of the policy: what only the whole of it can tell.
#include "core/policy_draft.h"
#include "core/ways_out.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

namespace jit {
namespace {

constexpr std::array<std::string_view, 11> root_groups = {
    "root", "docker", "lxd", "incus-admin", "libvirt", "disk", "shadow", "adm", "wheel", "sudo", "kmem"};

template <class Range>
bool contains(const Range& range, std::string_view value) {
    return std::find(range.begin(), range.end(), value) != range.end();
}

template <class Value>
std::string near_miss(std::string_view name, const std::map<std::string, Value, std::less<>>& values) {
    std::vector<std::string_view> names;
    names.reserve(values.size());
    for (const auto& [key, value] : values) {
        names.push_back(key);
    }
    return did_you_mean(name, names);
}

// A name means one person everywhere: a person is called by one of their accounts, and an account or a
// principal is nobody else's. So "bob" in `eligible` can't be one human and the account bob another.
void check_persons(Draft& draft) {
    Policy& policy = draft.policy;
    std::map<std::string_view, std::string_view> person_by_principal;
    for (const auto& [name, person] : policy.persons) {
        const std::string path = "person." + name;
        if (!contains(person.accounts, name)) {
            draft.error(path + ".accounts",
                        fmt::format("must contain {} itself: a person is called by the name of "
                                    "one of their accounts",
                                    in_quotes(name)));
        }
        for (const std::string& account : person.accounts) {
            const auto [first, added] = policy.person_by_account.emplace(account, name);
            if (!added) {
                draft.error(path + ".accounts",
                            fmt::format("{} is an account of person {} already ({})", in_quotes(account),
                                        first->second,
                                        policy.persons.find(first->second)->second.where.text()));
            }
        }
        for (const std::string& principal : person.principals) {
            const auto [first, added] = person_by_principal.emplace(principal, name);
            if (!added) {
                draft.error(path + ".principals", fmt::format("{} is a principal of person {} already",
                                                              in_quotes(principal), first->second));
            }
        }
    }
    const auto check_name = [&](const std::string& name) {
        const auto owner = person_by_principal.find(name);
        const std::string person = policy.person_of(name);
        if (owner != person_by_principal.end() && owner->second != person) {
            draft.error(fmt::format("person.{}.principals", owner->second),
                        fmt::format("{} is also the account of person {}, whose principal it is by default",
                                    in_quotes(name), person));
        }
    };
    std::map<std::string_view, bool> checked; // each name once
    for (const auto& [account, name] : policy.person_by_account) {
        if (checked.emplace(account, true).second) {
            check_name(account);
        }
    }
    for (const auto& [key, subject] : draft.subjects) {
        if (subject.kind == Subject::Kind::person && checked.emplace(subject.name, true).second) {
            check_name(subject.name);
        }
    }
}

void check_subjects(Draft& draft) {
    for (const auto& [key, subject] : draft.subjects) {
        const auto person = draft.policy.person_by_account.find(subject.name);
        if (subject.kind == Subject::Kind::person && person != draft.policy.person_by_account.end() &&
            person->second != subject.name) {
            draft.error(key, fmt::format("{} is an account of person {}: write \"{}\"",
                                         in_quotes(subject.name), person->second, person->second));
        }
    }
}

// The persons of a set, or none where groups are in it too: who is in those is not the policy's to know.
std::optional<std::vector<std::string_view>> persons_only(const People& people) {
    std::vector<std::string_view> persons;
    for (const Subject& member : people.members) {
        if (member.kind == Subject::Kind::group) {
            return std::nullopt;
        }
        persons.push_back(member.name);
    }
    return persons;
}

// Whether all stages could be satisfied by distinct people, without `absent`. Each approval that is needed is
// given a person of its own; who has one already is moved on where that makes room (bipartite matching).
// Groups are taken to have enough members.
bool satisfiable(const Policy& policy, const std::vector<Stage>& stages, std::string_view absent) {
    std::vector<std::vector<std::string_view>> approvals; // who could give each
    std::size_t wanted = 0;
    for (const Stage& stage : stages) {
        wanted += stage.count;
    }
    for (const Stage& stage : stages) {
        const auto people = policy.people.find(stage.from);
        if (people == policy.people.end()) {
            continue;
        }
        if (auto persons = persons_only(people->second)) {
            std::erase(*persons, absent);
            if (persons->size() < wanted) { // else there is always one more of them
                approvals.insert(approvals.end(), stage.count, *persons);
            }
        }
    }
    std::map<std::string_view, std::size_t> given; // person to approval
    std::function<bool(std::size_t, std::map<std::string_view, bool>&)> give =
        [&](std::size_t approval, std::map<std::string_view, bool>& tried) {
            for (const std::string_view person : approvals[approval]) {
                if (!tried.emplace(person, true).second) {
                    continue;
                }
                const auto other = given.find(person);
                if (other == given.end() || give(other->second, tried)) {
                    given[person] = approval;
                    return true;
                }
            }
            return false;
        };
    for (std::size_t approval = 0; approval < approvals.size(); ++approval) {
        std::map<std::string_view, bool> tried;
        if (!give(approval, tried)) {
            return false;
        }
    }
    return true;
}

void check_risk(Draft& draft, const Risk& risk) {
    const Policy& policy = draft.policy;
    bool each_possible = true;
    for (std::size_t i = 0; i < risk.stages.size(); ++i) {
        const Stage& stage = risk.stages[i];
        const std::string path = fmt::format("risk.{}.stages[{}]", risk.name, i);
        const auto people = policy.people.find(stage.from);
        if (people == policy.people.end()) {
            if (!stage.from.empty()) {
                draft.error(path + ".from", fmt::format("there is no [people.{}]{}", stage.from,
                                                        near_miss(stage.from, policy.people)));
            }
            continue;
        }
        if (stage.is_signed && people->second.signers.empty()) {
            draft.error(path + ".signed",
                        fmt::format("[people.{}] ({}) has no signers, so nobody's signature counts",
                                    stage.from, people->second.where.text()));
        }
        const auto persons = persons_only(people->second);
        if (persons && !persons->empty() && stage.count > persons->size()) {
            draft.error(path + ".count",
                        fmt::format("{} approvals are wanted of [people.{}], which has {} members",
                                    stage.count, stage.from, persons->size()));
        }
        each_possible = each_possible && (!persons || stage.count <= persons->size());
    }
    if (each_possible && !satisfiable(policy, risk.stages, "")) {
        draft.error(fmt::format("risk.{}.stages", risk.name),
                    "can't be satisfied together: each stage needs people of its own, and there are too few");
    }
}

// What makes whoever holds the role root on this host; empty if nothing does.
std::string root_given_by(const Role& role) {
    for (const auto* groups : {&role.groups, &role.memberships}) {
        for (const std::string& group : *groups) {
            if (is_root_group(group)) {
                return fmt::format("group {}", group);
            }
        }
    }
    if (contains(role.run_as, "root")) {
        for (const CommandPattern& command : role.commands) {
            if (command.any_arguments() || is_shell(command.path()) || way_out(command)) {
                return in_quotes(command.text()) + " as root";
            }
        }
    }
    return "";
}

void check_commands(Draft& draft, const Role& role) {
    for (std::size_t i = 0; i < role.commands.size(); ++i) {
        if (const auto how = way_out(role.commands[i])) {
            draft.warn(
                fmt::format("role.{}.commands[{}]", role.name, i),
                fmt::format("{} is a shell in disguise: {}", in_quotes(role.commands[i].text()), *how));
        }
    }
}

bool is_within(std::string_view path, std::string_view directory) {
    return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

void check_confinement(Draft& draft, const Role& role) {
    const std::string path = "role." + role.name;
    const Confinement& confinement = role.confinement;
    for (const auto& [given, key] :
         {std::pair(!role.groups.empty(), "groups"), std::pair(!role.memberships.empty(), "memberships"),
          std::pair(!role.login.empty(), "login")}) {
        if (given && !role.commands.empty() && !confinement.empty()) {
            draft.warn(
                fmt::format("{}.{}", path, key),
                "what confines the role's commands doesn't hold here: a role of its own would show that");
        }
    }
    if (confinement.write && confinement.execute) {
        for (const std::string& written : *confinement.write) {
            for (const std::string& executed : *confinement.execute) {
                if (is_within(written, executed) || is_within(executed, written)) {
                    draft.warn(
                        path + ".execute",
                        fmt::format("what is written below {} may be executed below {}", written, executed));
                }
            }
        }
    }
}

void check_limits(Draft& draft, const Role& role) {
    const std::string path = "role." + role.name;
    if (role.max == Millis{0}) {
        return; // missing or wrong: said already
    }
    if (role.extend && *role.extend < role.max) {
        draft.error(path + ".extend",
                    fmt::format("{} is less than max, {}: it is the longest a chain of extensions "
                                "may reach, the first grant included",
                                format_duration(*role.extend), format_duration(role.max)));
    }
    if (role.needs >= role.max) {
        draft.error(path + ".needs", fmt::format("{} is not less than max, {}: no command could ever start",
                                                 format_duration(role.needs), format_duration(role.max)));
    }
}

// What ends a grant by its use must see all of its use.
void check_ends(Draft& draft, const Role& role) {
    const std::string path = "role." + role.name;
    for (const auto& [given, key] :
         {std::pair(!role.login.empty(), "login"), std::pair(!role.groups.empty(), "groups"),
          std::pair(!role.memberships.empty(), "memberships")}) {
        if (given && role.uses) {
            draft.error(path + ".uses",
                        fmt::format("counts commands only, and the role has '{}' as well: write that into a "
                                    "role of its own",
                                    key));
        }
    }
    for (const auto& [set, key] :
         {std::pair(role.idle.has_value(), "idle"), std::pair(role.closes, "closes")}) {
        // Of an account that is only there for the grant, all use is by its logins.
        if (set && !role.memberships.empty() && !role.account) {
            draft.error(
                fmt::format("{}.{}", path, key),
                "nobody sees whether a membership is used: write 'memberships' into a role of their own");
        }
    }
    const Millis longest = role.extend.value_or(role.max);
    if (role.idle && role.max != Millis{0} && *role.idle >= longest) {
        draft.error(path + ".idle", fmt::format("{} is not less than {}, {}: it would never be reached",
                                                format_duration(*role.idle), role.extend ? "extend" : "max",
                                                format_duration(longest)));
    }
}

void check_role(Draft& draft, const Role& role) {
    const std::string path = "role." + role.name;
    check_limits(draft, role);
    check_ends(draft, role);
    check_commands(draft, role);
    check_confinement(draft, role);
    const auto found = draft.policy.risks.find(role.risk);
    if (found == draft.policy.risks.end()) {
        if (!role.risk.empty()) {
            draft.error(path + ".risk", fmt::format("there is no [risk.{}]{}", role.risk,
                                                    near_miss(role.risk, draft.policy.risks)));
        }
        return;
    }
    const Risk& risk = found->second;
    if (risk.stages.empty() && risk.auto_approve && *risk.auto_approve < role.max) {
        draft.warn(path + ".max",
                   fmt::format("risk {} approves {} at most and has no stages: longer is always refused",
                               risk.name, format_duration(*risk.auto_approve)));
    }
    const bool possible = satisfiable(draft.policy, risk.stages, "");
    for (const Subject& subject : role.eligible) {
        if (possible && subject.kind == Subject::Kind::person &&
            !satisfiable(draft.policy, risk.stages, subject.name)) {
            draft.warn(path + ".eligible",
                       fmt::format("the stages of risk {} can't be satisfied without {}, and nobody "
                                   "approves a request of their own",
                                   risk.name, subject.name));
        }
    }
    const bool is_signed = std::any_of(risk.stages.begin(), risk.stages.end(),
                                       [](const Stage& stage) { return stage.is_signed; });
    if (const std::string root = root_given_by(role); !root.empty() && !is_signed) {
        draft.warn(
            path,
            fmt::format("gives root ({}), and risk {} has no signed stage: whoever is root here can forge "
                        "a local approval",
                        root, risk.name));
    }
}

} // namespace

bool is_root_group(std::string_view group) {
    return contains(root_groups, group);
}

void check_policy(Draft& draft) {
    check_persons(draft);
    check_subjects(draft);
    for (const auto& [name, risk] : draft.policy.risks) {
        check_risk(draft, risk);
    }
    for (const auto& [name, role] : draft.policy.roles) {
        check_role(draft, role);
    }
}

} // namespace jit
