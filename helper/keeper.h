// SPDX-License-Identifier: MIT
// Where the command has a terminal of its own (a pty), a process of ours leads that terminal's session and is
// the command's parent. Without it the command's process group would be orphaned (POSIX.1-2017, 3.264): the
// kernel stops no such group, so ^Z would do nothing, and who reads from the background would get an error
// instead of being stopped.
//
//   jit-sudo                              keeper                              command
//     (the caller's session)                (the pty's session)                 (a process group of that
//     session) KeeperOrder                         →   kill(2), tcsetpgrp(3)             →
//                                         ←   ChildHello, then KeeperReport     ←  waitpid(2)
//
// MUST:
//  1. It stays uid 0, so that neither the caller nor the command's user can signal or trace it, and it lives
//  in the
//     elevation's cgroup: what ends that ends it too.
//  2. It does nothing by itself: without jit-sudo (killed, say) it hangs up on the command and is gone.
//  3. It holds nothing of the caller's: no descriptor of a pipeline, no directory.
#pragma once

#include <cstdint>
#include <sys/types.h>

namespace jit {

// First of all, from the child that Child::create made: it lives, and who it is.
struct ChildHello {
    std::uint32_t session = 0; // the audit session
    pid_t command = -1;        // the process that will execute the command; its process group's number, too
};

struct KeeperOrder {
    enum class What : std::int32_t { release, signal, signal_group, foreground, background };
    What what = What::release;
    std::int32_t signal = 0; // of signal and signal_group
};

struct KeeperReport {
    std::int32_t status = 0; // as waitpid(2) gives it: the command has stopped or ended
};

// A command may have made its parent its tracer (PTRACE_TRACEME): then each of its signals looks like a stop,
// with a number that it chooses. Whether that was so; it is traced no more, and goes on with its signal.
[[nodiscard]] bool was_traced(pid_t command, int status);

// Never comes back. `channel`: to jit-sudo, SOCK_SEQPACKET. `release`: what the command waits for; the order
// to release is passed on there. `foreground`: whether the command may read from the terminal from the start.
[[noreturn]] void keep(int channel, int slave, int release, pid_t command, bool foreground);

} // namespace jit
