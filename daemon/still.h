// SPDX-License-Identifier: MIT
// Holds a person's processes still while they are looked through: who forks and exits without a pause has a
// new pid by the time that the last one is read, and no reading of /proc ever meets them. What systemd runs
// for an account is below /user.slice/user-UID.slice, in the scopes of sessions and in the service manager's
// unit, and cgroup v2 freezes each of these whole (cgroup.freeze).
//
// MUST:
//  1. It is a matter of milliseconds, and nobody who does the looking waits for anybody in there.
//  2. What is held is written down first, so that whoever comes after a crash lets go of it.
//  3. What somebody else has frozen stays so.
//  4. Nothing is held in which PID 1 starts processes: it waits for them to execute (vfork), and would do so
//  for ever if we were killed just then. So not the slice, where it starts the runtime directory's unit and
//  the manager; nor the manager before it runs.
#pragma once

#include "core/time.h"
#include "core/types.h"

#include <set>
#include <string>

namespace jit {

class Still {
public:
    // `holder`: names the file in which it is written down, /run/jit/held-HOLDER; one for each program.
    Still(const std::set<Uid>& uids, const std::string& holder);
    ~Still();
    Still(const Still&) = delete;
    Still& operator=(const Still&) = delete;

private:
    bool hold_more(const std::set<Uid>& uids); // whether there were any

    std::string note_;
    std::set<std::string> held_; // cgroups, below user.slice
};

// Lets go of what a HOLDER that is no more held, if that was so long ago.
void release_held(const std::string& holder, Millis ago);

} // namespace jit
