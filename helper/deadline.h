// SPDX-License-Identifier: MIT
// When the time is up, by both clocks.
#pragma once

#include "core/error.h"
#include "core/fd.h"
#include "core/helper_protocol.h"
#include "core/time.h"

#include <array>
#include <cstdint>

namespace jit {

// "14:32 UTC"
[[nodiscard]] std::string time_of_day(const HelperDeadline& deadline);

class DeadlineTimer {
public:
    explicit DeadlineTimer(const HelperDeadline& deadline) { set(deadline); }

    void set(const HelperDeadline& deadline);
    [[nodiscard]] const HelperDeadline& deadline() const { return deadline_; }
    [[nodiscard]] Millis left() const; // by the clock that gives less; zero or less: it is over
    // Readable when one of the clocks reaches it, also by being set forward.
    [[nodiscard]] const std::array<Fd, 2>& fds() const { return timers_; }
    void disarm();

private:
    HelperDeadline deadline_;
    std::array<Fd, 2> timers_;
};

} // namespace jit
