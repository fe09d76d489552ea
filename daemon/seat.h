// SPDX-License-Identifier: MIT
// Where somebody sits: one session of one login, as the kernel tells it apart from every other one of this
// boot.
//
// MUST:
//  1. Nothing in it is what its owner says. A session id whose leader has gone is nobody's seat: what is left
//  of a
//     login that has ended proves nothing.
//  2. The leader's start time is part of it: a number may come again (CVE-2013-1776 and its kind).
#pragma once

#include "core/types.h"
#include "daemon/peer.h"

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>
#include <sys/types.h>

namespace jit {

struct Seat {
    Uid uid = no_uid;                           // the real uid
    std::optional<std::uint32_t> audit_session; // none where the kernel keeps none
    std::int32_t tty = 0;                       // the device of the controlling terminal; 0: none
    pid_t leader = 0;                           // setsid(2)
    std::uint64_t started = 0;                  // the leader: clock ticks since the boot
    auto operator<=>(const Seat&) const = default;
};

// What is wanted of /proc/PID/stat (proc_pid_stat(5)). The name in it is its process's choice, parentheses,
// blanks and newlines included.
struct ProcessStat {
    pid_t session = 0;
    std::int32_t tty = 0;
    std::uint64_t started = 0;
};
[[nodiscard]] std::optional<ProcessStat> parse_process_stat(std::string_view text);

// Of a process that is there all the while; none where it can't be told.
[[nodiscard]] std::optional<Seat> seat_of(const Peer& peer, const Login& login);

} // namespace jit
