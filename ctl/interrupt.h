// SPDX-License-Identifier: MIT
// Ctrl-C while waiting: said to the one who waits instead of cutting the line off.
#pragma once

#include <chrono>
#include <csignal>

namespace jit {

// While one lives, SIGINT is held back except inside ppoll(2) with mask(), where it sets interrupted(). So it
// can't slip in between a check and the wait. A SIGINT that was ignored (nohup, a background job) stays
// ignored.
class Interrupt {
public:
    Interrupt();
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    [[nodiscard]] const sigset_t& mask() const { return before_; }
    [[nodiscard]] static bool interrupted();
    // False: interrupted meanwhile.
    [[nodiscard]] bool sleep(std::chrono::milliseconds duration) const;

private:
    bool ignored_ = false;
    sigset_t before_{};
    struct sigaction action_before_{};
};

} // namespace jit
