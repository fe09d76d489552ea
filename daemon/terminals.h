// SPDX-License-Identifier: MIT
// Telling people something on their pseudo-terminals (ssh, tmux; not the console), as write(1) does.
//
// MUST:
//  1. Nobody is waited for: a terminal that takes nothing now (^S, nobody reads) is passed over.
//  2. Only a terminal that is that person's is written to, and only where they let others write to it
//  (mesg(1)):
//     the kernel's permissions decide, jitd is but in the group tty.
//  3. What is written is one line of ours, in which nothing needs escaping any more.
#pragma once

#include "core/types.h"

#include <cstdint>
#include <map>
#include <string>

namespace jit {

struct Told {
    Uid uid = no_uid; // whose terminals
    std::string line;
};

// Each audit session's line to every terminal that a process of it has.
void tell_sessions(const std::map<std::uint32_t, Told>& lines);

} // namespace jit
