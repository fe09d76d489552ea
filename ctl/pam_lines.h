// SPDX-License-Identifier: MIT
// A PAM service file as libpam reads it (pam.conf(5), pam_handlers.c of Linux-PAM 1.4 to 1.7, and Debian's
// @include). Pure: text in, rules out. What is read here decides where a gate is put, so:
//   1. it MUST see every rule that libpam sees, in the same order and of the same type;
//   2. what versions of libpam read differently, or as something broken, MUST be an error, never a guess;
//   3. a file MUST come out byte by byte as it went in, but for lines that were added or taken.
#pragma once

#include "core/error.h"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

inline constexpr std::size_t largest_pam_file = 256UL * 1024;
// libpam before 1.6 reads 1024 bytes a rule, and takes what is over for a rule of its own.
inline constexpr std::size_t longest_pam_rule = 1000;

enum class PamType { auth, account, password, session, any }; // any: Debian's @include
[[nodiscard]] std::string_view name_of(PamType type);

// What the outcome of a rule can do to the rest of its stack.
struct PamControl {
    enum class Kind { module, include, substack };
    Kind kind = Kind::module;
    bool ends = false;   // with a yes: sufficient, or something=done
    bool resets = false; // forgets what failed before it
    unsigned jump = 0;   // over so many rules, at most
};

struct PamRule {
    std::size_t first = 0; // its lines, counted from 0
    std::size_t last = 0;
    PamType type = PamType::any;
    std::string control_text; // as written, in lower case
    PamControl control;
    std::string module; // or the name of what is included
    std::vector<std::string> arguments;

    [[nodiscard]] bool is_module(std::string_view name) const; // with or without a path before it
    [[nodiscard]] bool concerns(PamType wanted) const { return type == wanted || type == PamType::any; }
};

struct PamFile {
    std::string shown; // its path, for messages; escaped
    std::vector<std::string> lines;
    bool final_newline = true;
    std::vector<PamRule> rules;

    [[nodiscard]] std::string text() const;
    [[nodiscard]] std::string where(std::size_t line) const; // "/etc/pam.d/sshd:12"
};

[[nodiscard]] Result<PamFile> parse_pam(const std::string& path, std::string_view text);

// The text of a file that another includes by this name.
using ReadIncluded = std::function<Result<std::string>(const std::string& name)>;

// One rule of a stack as it runs, with what is included in its place. A substack is one step: nothing in it
// ends or jumps further than to its own end.
struct PamStep {
    std::size_t rule = 0; // of the file itself: the rule, or what brought it in
    std::string where;    // the file and line it really stands in
    PamControl control;
    std::string module;
};

// All steps of `type`. Also what stands in substacks, each after its own step, where `into_substacks`.
[[nodiscard]] Result<std::vector<PamStep>>
steps_of(const PamFile& file, PamType type, const ReadIncluded& read_included, bool into_substacks = false);

} // namespace jit
