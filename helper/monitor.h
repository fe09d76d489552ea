// SPDX-License-Identifier: MIT
// Stays while the command runs: passes terminal and signals on, stops when it stops, warns before the end,
// and asks jitd for more time when it is over.
//
// MUST:
//  1. Nothing rests on it: it may be stopped, killed or starved, and the command still ends on time, because
//  jitd
//     ends it. So a jitd that is gone is no reason to end anything before the deadline.
//  2. While the command runs it waits for nothing else without a bound: not for the terminal, not for jitd.
//  3. Whichever of the two clocks says "over" first is right; one that was set back gives no time.
//  4. A signal goes to the command only if it came from elsewhere: one that the command sent itself would
//  come back
//     for ever.
//  5. What the command wrote before it ended reaches the terminal; nobody waits for what it left in the
//  background.
//  6. The terminal is the command's only while we are in its foreground, and, in a pipeline, once the command
//  has
//     asked for it (the kernel stops who reads or changes it from the background).
#pragma once

#include "helper/elevate.h"
#include "helper/jitd.h"
#include "helper/signals.h"
#include "helper/terminal.h"

namespace jit {

struct Outcome {
    int status = 0;          // as waitpid(2) gives it
    bool time_is_up = false; // it was killed, and that is why
    bool timed_out = false;  // the same, for the caller's own limit (-T)
    HelperDeadline deadline; // the last one
    std::string why;         // it was ended before its time, and why; else empty
};

// `pty` and `terminal`: both or none.
[[nodiscard]] Outcome monitor(Child& child, const Elevation& elevation, Jitd& jitd,
                              const SignalQueue& signals, const Terminal* terminal, Pty* pty);

} // namespace jit
