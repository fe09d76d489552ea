// SPDX-License-Identifier: MIT
// While a command runs, signals are read, one after the other, and never interrupt anything.
#pragma once

#include "core/fd.h"
#include "helper/sanitise.h"

#include <csignal>
#include <optional>
#include <sys/signalfd.h>

namespace jit {

class SignalQueue {
public:
    // From here on they wait to be read; those that the caller ignored are not among them.
    explicit SignalQueue(const Caller& caller);
    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] std::optional<signalfd_siginfo> next() const;

private:
    Fd fd_;
};

// With its default effect, on this process. Comes back if that isn't its end.
void take_signal(int number);

// Stops the whole job that we are in, as ^Z does: the shell waits for all of a pipeline, and for a script
// that called us. False: it wasn't stopped, since no shell could let it go on (an orphaned process group).
// When it goes on, a SIGCONT waits to be read.
[[nodiscard]] bool stop_job(int number);

} // namespace jit
