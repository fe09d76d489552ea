// SPDX-License-Identifier: MIT
// Who is at the other end of a socket, as the kernel says.
#pragma once

#include "core/error.h"
#include "core/fd.h"
#include "core/types.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <sys/types.h>

namespace jit {

struct Peer {
    Uid uid = no_uid;
    pid_t pid = 0;
    Fd pidfd; // of the process that connected; without one its /proc is not believed
};

// SO_PEERCRED, and SO_PEERPIDFD where the kernel has it (6.5), else pidfd_open(2) at once after accept.
[[nodiscard]] Result<Peer> peer_of(int connection);

// The audit login of a process (/proc/PID/loginuid, sessionid): kept through su, setsid and nohup, and not to
// be had by asking. Absent where unset (4294967295): a service, cron.
struct Login {
    std::optional<Uid> uid;
    std::optional<std::uint32_t> session;
    // In the scope of a login of that uid (logind's session-N.scope), and so not in a service that somebody
    // started in their name: their service manager, cron and at have login uids and audit sessions of their
    // own.
    bool in_login_scope = false;
};

// pidfd_open(2); closed where there is no such process.
[[nodiscard]] Fd open_process(pid_t pid);

// Whether a line of /proc/PID/cgroup is that of a login scope of the uid:
// "0::/user.slice/user-UID.slice/session-N.scope", and nothing below it.
[[nodiscard]] bool is_login_scope(std::string_view line, Uid uid);

// Of the process that connected. An error where it has gone: what /proc shows then may be another's.
[[nodiscard]] Result<Login> login_of(const Peer& peer);

} // namespace jit
