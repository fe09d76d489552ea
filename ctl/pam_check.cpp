// SPDX-License-Identifier: MIT
// What is looked at before a gate is put up: what was typed, the host, and who could still get in.
#include "core/text.h"
#include "ctl/pam.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sys/stat.h>
#include <utility>

namespace jit {
namespace {

std::unexpected<Failure> refused(std::string message) {
    return std::unexpected(Failure{Exit::refused, "refused", std::move(message)});
}

bool is_file(const std::string& path) {
    struct stat status{};
    return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

Outcome<void> check_names(const Gate& gate, const AccountSource& accounts) {
    if (gate.only) {
        const auto members = accounts.members(*gate.only);
        if (!members) {
            return std::unexpected(failure_of(members.error()));
        }
        if (!*members) {
            return refused(fmt::format("there is no group {}", *gate.only));
        }
    }
    for (const std::string& name : gate.exempt) {
        const auto found = accounts.find(name);
        if (!found) {
            return std::unexpected(failure_of(found.error()));
        }
        if (!*found) {
            return refused(fmt::format("there is no account {}", name));
        }
    }
    return {};
}

// Does the gate have what it needs to answer? `notes` where that only matters later.
Outcome<void> check_host(const PamPlaces& places, const Gate& gate, std::vector<std::string>& notes) {
    if (!is_file(places.module_file)) {
        return refused(fmt::format("{} isn't there: PAM would refuse everybody, root included. Install the "
                                   "package jit-sudo again",
                                   places.module_file));
    }
    if (!is_file(places.login_table)) {
        if (gate.mode == GateMode::enforce) {
            return refused(fmt::format("{} isn't there, so jitd isn't running, and nobody but the exempt "
                                       "could log in; try: systemctl start jitd",
                                       places.login_table));
        }
        notes.push_back(fmt::format("{} isn't there: jitd isn't running", places.login_table));
    }
    return {};
}

} // namespace

Outcome<Gate> gate_of(const PamOptions& options) {
    const auto mode = gate_mode_of(options.mode);
    if (!mode) {
        return usage_failure("--mode is one of enforce, warn, audit");
    }
    if (options.only && !is_account_name(*options.only)) {
        return usage_failure(fmt::format("--only: '{}' is no name of a group", escape(*options.only)));
    }
    Gate gate{.mode = *mode, .only = options.only, .exempt = {}};
    for (const std::string& name : options.exempt) {
        if (!is_account_name(name)) {
            return usage_failure(fmt::format("--exempt: '{}' is no name of an account", escape(name)));
        }
        if (gate.exempt.empty()) {
            gate.exempt.emplace_back("root"); // a list replaces the module's own, which is root
        }
        if (std::ranges::find(gate.exempt, name) == gate.exempt.end()) {
            gate.exempt.push_back(name);
        }
    }
    return gate;
}

Outcome<void> check_gate_can_work(const PamPlaces& places, const Gate& gate, const AccountSource& accounts,
                                  std::vector<std::string>& notes) {
    auto good = check_host(places, gate, notes);
    return good ? check_names(gate, accounts) : good;
}

Outcome<void> check_lockout(const PamPlaces& places, const std::string& service, const Gate& gate,
                            const AccountSource& accounts, std::vector<std::string>& notes) {
    const LoadedPolicy loaded = load_policy(places.policy, places.policy_ownership);
    if (!loaded.policy) {
        const auto error = std::ranges::find(loaded.problems, Problem::Severity::error, &Problem::severity);
        return refused(fmt::format(
            "the policy has errors, so who could log in isn't known; see jitctl policy check ({})",
            error != loaded.problems.end() ? error->text() : "it can't be read"));
    }
    if (kind_of_service(service) == ServiceKind::called) {
        const std::string sibling = sibling_of(service);
        if (!opens_service(*loaded.policy, service) && !opens_service(*loaded.policy, sibling)) {
            notes.push_back(fmt::format("no role has login = [\"{}\"]: all that are gated are refused, "
                                        "whatever is granted to them",
                                        service));
        }
        return {};
    }
    const auto lockout = find_lockout(*loaded.policy, service, gate, accounts);
    if (!lockout) {
        return std::unexpected(failure_of(lockout.error()));
    }
    notes.insert(notes.end(), lockout->warnings.begin(), lockout->warnings.end());
    if (!lockout->reasons.empty()) {
        return refused(
            fmt::format("this would shut out who must let others in: {}. Gate fewer (--only "
                        "GROUP), leave some out (--exempt NAME,...), or watch first (--mode audit)",
                        fmt::join(lockout->reasons, "; ")));
    }
    return {};
}

} // namespace jit
