// SPDX-License-Identifier: MIT
#include "ctl/pam_lockout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace jit {
namespace {

using Names = std::set<std::string, std::less<>>;

bool opens(const Role& role, const std::string& service) {
    return std::ranges::find(role.login, service) != role.login.end();
}

class Judge {
public:
    Judge(const Policy& policy, const Gate& gate, const AccountSource& accounts)
        : policy_(policy), gate_(gate), exempt_(gate.exempted()), accounts_(accounts) {}

    Result<void> judge(const Role& role) {
        const auto risk = policy_.risks.find(role.risk);
        if (risk == policy_.risks.end()) {
            return fail(Errc::internal, fmt::format("role {} has no risk", role.name));
        }
        if (risk->second.stages.empty()) {
            result_.warnings.push_back(
                fmt::format("risk {} has no stages, so nobody can give {} to somebody who can't log in yet",
                            risk->first, role.name));
        }
        for (std::size_t i = 0; i < risk->second.stages.size(); ++i) {
            const Stage& stage = risk->second.stages[i];
            // Several roles of one risk: said once.
            if (!stage.is_signed && judged_.insert(fmt::format("{} {}", risk->first, i)).second) {
                if (auto done = judge(stage, fmt::format("stage {} of risk {}", i + 1, risk->first)); !done) {
                    return done;
                }
            }
        }
        return {};
    }

    Lockout take() { return std::move(result_); }

private:
    Result<void> judge(const Stage& stage, const std::string& called) {
        const auto people = policy_.people.find(stage.from);
        if (people == policy_.people.end()) {
            return fail(Errc::internal, fmt::format("there is no [people.{}]", stage.from));
        }
        const auto persons = persons_of(people->second);
        if (!persons) {
            return std::unexpected(persons.error());
        }
        Names in;
        Names out;
        for (const std::string& person : *persons) {
            const auto free = gets_in(person);
            if (!free) {
                return std::unexpected(free.error());
            }
            (*free ? in : out).insert(person);
        }
        if (in.size() < stage.count) {
            result_.reasons.push_back(fmt::format(
                "{} wants {} of {} to approve, and without a grant {} could log in{}", called, stage.count,
                stage.from, in.empty() ? "none of them" : fmt::format("only {}", fmt::join(in, ", ")),
                out.empty() ? "" : fmt::format(" (not {})", fmt::join(out, ", "))));
        }
        return {};
    }

    Result<Names> persons_of(const People& people) const {
        Names persons;
        for (const Subject& subject : people.members) {
            if (subject.kind == Subject::Kind::person) {
                persons.insert(subject.name);
                continue;
            }
            const auto members = accounts_.members(subject.name);
            if (!members) {
                return std::unexpected(members.error());
            }
            for (const std::string& account : members->value_or(std::vector<std::string>())) {
                persons.insert(policy_.person_of(account));
            }
        }
        return persons;
    }

    Result<bool> gets_in(const std::string& person) const {
        const auto known = policy_.persons.find(person);
        const std::vector<std::string> own =
            known == policy_.persons.end() ? std::vector{person} : known->second.accounts;
        for (const std::string& account : own) {
            const auto uid = accounts_.find(account);
            if (!uid) {
                return std::unexpected(uid.error());
            }
            if (!*uid || **uid == root_uid) { // root answers nothing
                continue;
            }
            if (std::ranges::find(exempt_, account) != exempt_.end()) {
                return true;
            }
            if (gate_.only) {
                const auto gated = accounts_.is_member(account, *gate_.only);
                if (!gated) {
                    return std::unexpected(gated.error());
                }
                if (!*gated) {
                    return true;
                }
            }
        }
        return false;
    }

    const Policy& policy_;
    const Gate& gate_;
    std::vector<std::string> exempt_;
    const AccountSource& accounts_;
    Names judged_;
    Lockout result_;
};

} // namespace

bool opens_service(const Policy& policy, const std::string& service) {
    return std::ranges::any_of(policy.roles,
                               [&service](const auto& entry) { return opens(entry.second, service); });
}

Result<Lockout> find_lockout(const Policy& policy, const std::string& service, const Gate& gate,
                             const AccountSource& accounts) {
    if (!opens_service(policy, service)) {
        return Lockout{
            .reasons = {fmt::format("no role has login = [\"{}\"], so nobody but {} could log in through it",
                                    service, fmt::join(gate.exempted(), ", "))},
            .warnings = {}};
    }
    Judge judge(policy, gate, accounts);
    for (const auto& [name, role] : policy.roles) {
        if (opens(role, service)) {
            if (auto judged = judge.judge(role); !judged) {
                return std::unexpected(judged.error());
            }
        }
    }
    return judge.take();
}

} // namespace jit
