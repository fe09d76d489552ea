// SPDX-License-Identifier: MIT
// The decisions, as functions of what is known: no clock, no database, no NSS in here.
//
// MUST:
//  1. Anything unclear is a refusal.
//  2. Nobody answers their own request, or reviews their own grant, under any account. People are counted,
//  not accounts.
//  3. All stages are needed, and one person counts for one place in one stage.
#pragma once

#include "core/error.h"
#include "core/grant.h"
#include "core/policy.h"
#include "daemon/account.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

[[nodiscard]] Party party_of(const Policy& policy, const Account& account);

// Whether the subjects name this person, or a group that this account is in.
[[nodiscard]] bool includes(const std::vector<Subject>& subjects, const Party& party, const Account& account);

[[nodiscard]] bool eligible(const Role& role, const Party& party, const Account& account);

// What of the role is asked for. With neither commands nor groups: all of it. Naming any leaves out the
// commands, groups and memberships that aren't named; login has no parts. An error names what the role
// doesn't have.
[[nodiscard]] Result<Scope> scope_of(const Role& role, const std::vector<std::string>& commands,
                                     const std::vector<std::string>& groups);

// What a role gives.
[[nodiscard]] bool role_gives_command(const Role& role, std::string_view run_as, std::string_view path,
                                      const std::vector<std::string>& arguments);
[[nodiscard]] bool role_gives_group(const Role& role, std::string_view group);

// The part of a scope that the role still gives.
[[nodiscard]] bool scope_allows_command(const Scope& scope, const Role& role, std::string_view run_as,
                                        std::string_view path, const std::vector<std::string>& arguments);
[[nodiscard]] bool scope_allows_group(const Scope& scope, const Role& role, std::string_view group);
[[nodiscard]] bool scope_allows_login(const Scope& scope, const Role& role, std::string_view service);

// How many commands the grant still starts, by what the role had when it was asked for and has now; none: any
// number.
[[nodiscard]] std::optional<std::uint32_t> uses_left(const Request& grant, const Role& role);

// The stages a request for so long must pass; none where no person is asked.
[[nodiscard]] Result<std::vector<Stage>> route(const Policy& policy, const Role& role, Millis duration);

// Whether the role's hours are now; why not says when the next begin.
[[nodiscard]] Result<void> in_hours(const Role& role, Time now);

// The duration where none was asked for: the longest without asking a person, else the role's longest.
[[nodiscard]] Millis default_duration(const Policy& policy, const Role& role);

// Positions of the stages whose people include the party.
[[nodiscard]] std::vector<unsigned> stages_of(const Policy& policy, const std::vector<Stage>& stages,
                                              const Party& party, const Account& account);

// How many more people each stage needs, when those who approved are placed so that the fewest places stay
// open.
[[nodiscard]] std::vector<unsigned> missing(const std::vector<Stage>& stages,
                                            const std::vector<Answer>& answers);
[[nodiscard]] bool satisfied(const std::vector<Stage>& stages, const std::vector<Answer>& answers);

// Who asks, as far as is known of them.
struct Caller {
    Party party;
    Account account;
    std::string login_person; // of the audit login uid, where there is one
    // Whether that could be read at all. Where not, nothing is asked for: the asker might be somebody else,
    // who then approves.
    bool login_known = false;
    // Why their word doesn't count as an answer; empty where it does (DESIGN: attested locally).
    std::string not_attested;
    [[nodiscard]] bool is_root() const { return party.uid == root_uid; }
};

// Whether the caller is one of the people of the request: for whom, by whom, under any account.
[[nodiscard]] bool concerns(const Request& request, const Caller& caller);

// The stages (by position) that the caller may answer now, or why none.
[[nodiscard]] Result<std::vector<unsigned>> answerable(const Policy& policy, const Request& request,
                                                       const Caller& caller);

// Whether the caller may say that they have looked at what the grant left behind, or why not. Nothing is
// given by it, so auditors may, people of a stage without the signature that it wants, and root, where it is
// known who that is.
[[nodiscard]] Result<void> reviewable(const Policy& policy, const Request& request, const Caller& caller);

// Whether the caller may see the request: it is theirs, they are among the people of a stage, auditors, root.
[[nodiscard]] bool may_see(const Policy& policy, const Request& request, const Caller& caller);
// Whether they may see what it left behind too: that tells of files which aren't theirs whom it was for.
[[nodiscard]] bool may_see_left_behind(const Policy& policy, const Request& request, const Caller& caller);
[[nodiscard]] bool is_auditor(const Policy& policy, const Caller& caller);

} // namespace jit
