// SPDX-License-Identifier: MIT
// When the time is up, by both clocks.
#pragma once

#include "core/error.h"
#include "core/fd.h"
#include "core/helper_protocol.h"

#include <array>
#include <cstdint>

namespace jit {

class DeadlineTimer {
public:
    explicit DeadlineTimer(const HelperDeadline& deadline) { set(deadline); }

    void set(const HelperDeadline& deadline);
    [[nodiscard]] const HelperDeadline& deadline() const { return deadline_; }
    [[nodiscard]] bool is_over(std::int64_t ahead = 0) const; // now, or `ahead` milliseconds from now
    // Readable when one of the clocks reaches it, also by being set forward.
    [[nodiscard]] const std::array<Fd, 2>& fds() const { return timers_; }
    void disarm();

private:
    HelperDeadline deadline_;
    std::array<Fd, 2> timers_;
};

} // namespace jit
