// SPDX-License-Identifier: MIT
// The arguments of the PAM line, which say whom the gate holds and how hard (written by `jitctl pam enable`):
//
//   mode=enforce|warn|audit   refuse; let in and tell; let in and only record. Default: enforce
//   exempt=NAME[,NAME]        never gated. Default: root
//   only=GROUP                nobody but the members of this group is gated
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jit {

enum class Mode { enforce, warn, audit };
[[nodiscard]] std::string_view name_of(Mode mode);

struct Gate {
    Mode mode = Mode::enforce;
    std::vector<std::string> exempt{"root"};
    std::string only;
    // What is wrong with the arguments, if anything is. Then the gate is in mode enforce and lets in nobody
    // but the exempt: a mistyped word must not open it.
    std::string problem;
    [[nodiscard]] bool exempts(std::string_view account) const;
};

[[nodiscard]] Gate parse_gate(int argc, const char** argv);

} // namespace jit
