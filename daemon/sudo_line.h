// SPDX-License-Identifier: MIT
// A command as one line in the shape of sudo's log (sudo 1.9.13 and later; sudoers(5), "LOG FORMAT"), for
// what reads that already:
//
//      alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; GROUP=adm ; COMMAND=/usr/bin/true 'with blank'
//
// MUST:
//  1. One line of well-formed UTF-8 whatever the bytes are (CVE-2023-28486): what is not printable is #NNN,
//     byte by byte in octal. A '#' that could be read as the beginning of one is #043.
//  2. Nothing before COMMAND= can be taken for another field: " ;" in a directory's name is " #073".
//  3. At most `longest_sudo_line` bytes. What is left out is counted at the end of the line, never continued
//     in another, which could be read as a command of its own.
//
// It is for people and parsers; the exact bytes are in the audit trail.
#pragma once

#include "core/use.h"

#include <string>
#include <string_view>

namespace jit {

inline constexpr std::size_t longest_sudo_line = 980; // sudo's syslog_maxlen: what any syslog takes

struct SudoLine {
    std::string_view account; // who called
    std::string_view refusal; // why not; empty: it was let run
    std::string_view tty;     // "/dev/pts/0", or empty
    std::string_view cwd;     // empty: it has no name
    std::string_view run_as;
    std::string_view group; // with -g, else empty
};

[[nodiscard]] std::string sudo_line(const SudoLine& about, const Command& command);

} // namespace jit
