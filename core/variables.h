// SPDX-License-Identifier: MIT
// Environment variables: which may be handed into a command that runs as somebody else.
//
// MUST:
//  1. What a loader, a shell or an interpreter acts on before the program does is handed to nobody, whatever
//     a policy, a PAM module or a command line says (CVE-2014-0106, CVE-2005-4158 and their kind).
//  2. What says who one is and what was granted is ours alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jit {

inline constexpr std::size_t most_variables = 64;           // of one command line
inline constexpr std::size_t longest_variables = 32 * 1024; // all of them, with their names

[[nodiscard]] bool is_variable_name(std::string_view name); // [A-Za-z_][A-Za-z0-9_]{0,127}

// "NAME=value", and NAME is a variable's name.
[[nodiscard]] bool is_assignment(std::string_view word);

// As "NAME=value" each: no more, and no longer, than the two bounds say.
[[nodiscard]] bool variables_fit(const std::vector<std::string>& variables);

// PATH, HOME, USER, SUDO_*, JIT_* and the like, which jit-sudo sets.
[[nodiscard]] bool is_our_variable(std::string_view name);

// LD_*, BASH_ENV, IFS, PERL5LIB and the like.
[[nodiscard]] bool is_dangerous_variable(std::string_view name);

// Neither of them, and the value is not a shell function ("() {").
[[nodiscard]] bool may_be_handed_in(std::string_view name, std::string_view value);

// A policy's "NAME" or "PREFIX_*". Why not, or nothing.
[[nodiscard]] std::optional<std::string> wrong_variable_pattern(std::string_view pattern);

// Whether one of the patterns names it, and it isn't one of those that are handed to nobody.
[[nodiscard]] bool allows_variable(const std::vector<std::string>& patterns, std::string_view name);

} // namespace jit
