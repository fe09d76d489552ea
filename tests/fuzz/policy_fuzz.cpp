// SPDX-License-Identifier: MIT
// Any text is a policy or an error that can be shown; and what is a policy keeps the promises that jitd
// builds on.
#include "core/policy_load.h"
#include "core/text.h"
#include "tests/fuzz/fuzz_kit.h"

#include <algorithm>

namespace {

void check(const jit::Policy& policy) {
    using namespace jit;
    for (const auto& [account, person] : policy.person_by_account) {
        require(is_account_name(account) && policy.person_of(person) == person &&
                policy.persons.contains(person));
    }
    for (const auto& [name, risk] : policy.risks) {
        require(is_policy_name(name) && (risk.auto_approve || !risk.stages.empty()));
        for (const Stage& stage : risk.stages) {
            const auto people = policy.people.find(stage.from);
            require(stage.count > 0 && people != policy.people.end());
            require(!people->second.members.empty() && (!stage.is_signed || !people->second.signers.empty()));
        }
    }
    for (const auto& [name, role] : policy.roles) {
        require(is_policy_name(name) && policy.risks.contains(role.risk) && !role.eligible.empty());
        require(role.max > Millis{0} && role.max <= longest_duration && role.needs < role.max);
        require(!role.extend || *role.extend >= role.max);
        require(role.commands.empty() == role.run_as.empty());
        require(!role.commands.empty() || !role.groups.empty() || !role.memberships.empty() ||
                !role.login.empty());
        for (const CommandPattern& command : role.commands) {
            require(CommandPattern::parse(command.text()) == command);
        }
        const Confinement& confinement = role.confinement;
        require(confinement.empty() || !role.commands.empty());
        require(confinement.second_factor.empty() || is_service_name(confinement.second_factor));
        require(confinement.directory.empty() || confinement.directory.starts_with('/'));
        for (const auto& [path, digests] : confinement.digests) {
            require(path.starts_with('/') && !digests.empty());
        }
        for (const std::string& line : describe(confinement)) {
            require(is_printable(line));
        }
        static_cast<void>(ticket_matches(role.ticket, "INC-4211"));
    }
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jit;
    const LoadedPolicy loaded = parse_policy({{"fuzz.toml", std::string(as_text(data, size))}});
    const bool refused =
        std::any_of(loaded.problems.begin(), loaded.problems.end(),
                    [](const Problem& problem) { return problem.severity == Problem::Severity::error; });
    require(loaded.policy.has_value() == !refused);
    for (const Problem& problem : loaded.problems) {
        require(is_printable(problem.text()));
        require(problem.where.file == "fuzz.toml" && !problem.message.empty());
    }
    if (loaded.policy) {
        check(*loaded.policy);
    }
    return 0;
}
