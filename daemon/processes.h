// SPDX-License-Identifier: MIT
// Finding and ending processes by their audit session, which follows setsid, nohup, su and moves between
// cgroups.
//
// MUST:
//  1. Signals go to a pidfd, and what /proc said of the pid is read again through it (CVE-2017-2616: a reused
//  pid).
//  2. The unset session (4294967295) matches nothing; nor does our own.
//  3. A process that has ended and isn't reaped counts as gone: who has to reap it may be stopped for ever.
//  4. Not being able to see everybody's processes is an error, never "none left".
#pragma once

#include "core/error.h"
#include "core/types.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <sys/types.h>

namespace jit {

// Calls once for each process but PID 1, with /proc open, the newest first, and for those that have begun
// meanwhile, several times over: who forks and exits all the time lives for some microseconds after it is
// seen. An error where /proc doesn't show other people's.
[[nodiscard]] Result<void> for_each_pid(const std::function<void(int proc, pid_t pid)>& call);

// Calls for each thread of a process, with /proc/PID/task open and its number.
void for_each_thread(int proc, pid_t pid,
                     const std::function<void(int tasks, const std::string& thread)>& call);

// Kills everything in these sessions, and looks again, until two passes in a row found nothing. How many were
// killed; an error when it can't see, or when there is no end of new ones within `passes`.
[[nodiscard]] Result<int> kill_sessions(const std::set<std::uint32_t>& sessions, int passes);

// The process of a pidfd has ended, or it can't be told (-1).
[[nodiscard]] bool has_ended(int pidfd);

// TERM, HUP and CONT to everything in these sessions: the notice before the end. What can't be reached gets
// none.
void ask_sessions_to_end(const std::set<std::uint32_t>& sessions);

// The audit session of a process; none where it is unset, or there is no such process.
[[nodiscard]] std::optional<std::uint32_t> session_of_process(std::uint32_t pid);
[[nodiscard]] std::optional<std::uint32_t> session_of_process(int proc, pid_t pid); // with /proc open

// Who logged in where the process comes from; none where nobody did, or there is no such process.
[[nodiscard]] std::optional<Uid> login_uid_of_process(int proc, pid_t pid);

// Those of the sessions that still have a process.
[[nodiscard]] Result<std::set<std::uint32_t>> sessions_alive(const std::set<std::uint32_t>& sessions);

} // namespace jit
