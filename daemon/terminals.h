// SPDX-License-Identifier: MIT
// People's pseudo-terminals (ssh, tmux; not the console, which isn't in the /dev that jitd has): telling them
// something there, as write(1) does, and when they were last used, as w(1) looks at it.
//
// MUST:
//  1. Nobody is waited for: a terminal that takes nothing now (^S, nobody reads) is passed over.
//  2. Only a terminal that is that person's is written to, and only where they let others write to it
//  (mesg(1)):
//     the kernel's permissions decide, jitd is but in the group tty.
//  3. What is written is one line of ours, in which nothing needs escaping any more.
//  4. Their times are asked of the terminal that the kernel says a process has, or of a pseudo-terminal by
//  its plain
//     name; nothing is opened for that, no link followed.
#pragma once

#include "core/error.h"
#include "core/time.h"
#include "core/types.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace jit {

struct Told {
    Uid uid = no_uid; // whose terminals
    std::string line;
};

struct TerminalUse {
    bool visible = false;     // it can be looked at
    std::optional<Time> last; // when something was last typed or shown; none: it is gone
};
// Of a terminal by its name, as "/dev/pts/3".
[[nodiscard]] TerminalUse use_of_terminal(std::string_view path);
// Of all that an audit session's processes have together; those that have none aren't in it.
[[nodiscard]] Result<std::map<std::uint32_t, TerminalUse>>
use_of_terminals(const std::set<std::uint32_t>& sessions);

// Each audit session's line to every terminal that a process of it has.
void tell_sessions(const std::map<std::uint32_t, Told>& lines);

} // namespace jit
