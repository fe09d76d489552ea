// SPDX-License-Identifier: MIT
#include "core/clock.h"

#include <sys/timex.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace jit {
namespace {

Millis read_clock(clockid_t id) {
    timespec spec{};
    // It can't fail for these two clocks; but if it does, no time at all is it, rather than 1970, when
    // nothing is over.
    if (clock_gettime(id, &spec) != 0) {
        throw std::system_error(errno, std::generic_category(), "clock_gettime");
    }
    return millis_of(spec);
}

// Without a boot id all deadlines are judged by UTC alone; an empty id must therefore never equal another.
constexpr std::size_t boot_id_length = 36;

} // namespace

Millis millis_of(const timespec& spec) {
    return std::chrono::seconds(spec.tv_sec) +
           std::chrono::duration_cast<Millis>(std::chrono::nanoseconds(spec.tv_nsec));
}

ClockReading read_system_clock() {
    timex state{};
    const int result = adjtimex(&state);
    return {.realtime = Time(read_clock(CLOCK_REALTIME)),
            .boot = BootTime(read_clock(CLOCK_BOOTTIME)),
            .synchronised = result >= 0 && result != TIME_ERROR && (state.status & STA_UNSYNC) == 0};
}

std::string read_boot_id() {
    const int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return {};
    }
    char buffer[boot_id_length] = {};
    const ssize_t count = read(fd, buffer, sizeof buffer);
    close(fd);
    return count == static_cast<ssize_t>(sizeof buffer) ? std::string(buffer, sizeof buffer) : std::string();
}

Now Clock::now() const {
    const ClockReading reading = reader_();
    Time time = reading.realtime;
    if (mark_) {
        // In another boot at least this boot's age has passed since the mark.
        const Millis passed =
            mark_->boot_id == boot_id_ ? reading.boot - mark_->boot : reading.boot.time_since_epoch();
        time = std::max(time, mark_->time + std::max(passed, Millis(0)));
    }
    return {.time = time, .boot = reading.boot};
}

std::optional<ClockMark> Clock::next_mark() const {
    const ClockReading reading = reader_();
    if (!reading.synchronised) {
        return mark_;
    }
    const Now at = now();
    return ClockMark{.time = at.time, .boot = at.boot, .boot_id = boot_id_};
}

Deadline deadline_at(Time time, const Clock& clock, const Now& now) {
    return {.time = time, .boot = now.boot + (time - now.time), .boot_id = clock.boot_id()};
}

Deadline in_this_boot(const Deadline& deadline, const Clock& clock, const Now& now) {
    Deadline here = deadline_at(deadline.time, clock, now);
    if (deadline.boot_id == clock.boot_id()) {
        here.boot = std::min(here.boot, deadline.boot);
    }
    return here;
}

} // namespace jit
