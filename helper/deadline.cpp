// SPDX-License-Identifier: MIT
#include "helper/deadline.h"

#include <algorithm>
#include <ctime>
#include <limits>
#include <sys/timerfd.h>

namespace jit {
namespace {

std::int64_t now(clockid_t clock) {
    timespec time{};
    if (clock_gettime(clock, &time) != 0) {
        return std::numeric_limits<std::int64_t>::max() / 2; // whoever doesn't know the time has none left
    }
    return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

Fd timer(clockid_t clock, std::int64_t at) {
    Fd fd(timerfd_create(clock, TFD_CLOEXEC | TFD_NONBLOCK));
    at = std::max<std::int64_t>(at, 1); // zero would disarm it
    itimerspec when{};
    when.it_value.tv_sec = at / 1000;
    when.it_value.tv_nsec = at % 1000 * 1'000'000;
    if (fd && timerfd_settime(fd.get(), TFD_TIMER_ABSTIME, &when, nullptr) != 0) {
        fd.reset();
    }
    return fd;
}

} // namespace

std::string time_of_day(const HelperDeadline& deadline) {
    return describe_utc(Time{Millis{deadline.time}}).substr(std::string_view("2026-11-21 ").size());
}

void DeadlineTimer::set(const HelperDeadline& deadline) {
    deadline_ = deadline;
    timers_ = {timer(CLOCK_REALTIME, deadline.time), timer(CLOCK_BOOTTIME, deadline.boot)};
}

Millis DeadlineTimer::left() const {
    return Millis{std::min(deadline_.time - now(CLOCK_REALTIME), deadline_.boot - now(CLOCK_BOOTTIME))};
}

void DeadlineTimer::disarm() {
    timers_ = {};
}

} // namespace jit
