// SPDX-License-Identifier: MIT
// What time it is, when the clock may have been set by mistake or on purpose.
//
//   now = max(realtime, mark + boot time passed since the mark)
//
// The mark is a moment at which the clock was known to be synchronised; it is kept in the database, so a
// clock set back (before or after a reboot) extends nothing. It moves only while the clock is synchronised: a
// wrong clock at boot (2036 from a flat battery) must not expire everything for ever.
#pragma once

#include "core/time.h"

#include <ctime>
#include <optional>
#include <string>

namespace jit {

struct ClockReading {
    Time realtime;
    BootTime boot;
    bool synchronised = false;
};

// Rounded down.
[[nodiscard]] Millis millis_of(const timespec& spec);

// CLOCK_REALTIME, CLOCK_BOOTTIME and adjtimex(2)'s STA_UNSYNC. Throws std::system_error where a clock can't
// be read.
[[nodiscard]] ClockReading read_system_clock();

// /proc/sys/kernel/random/boot_id; names this boot.
[[nodiscard]] std::string read_boot_id();

struct ClockMark {
    Time time;
    BootTime boot;
    std::string boot_id;
    bool operator==(const ClockMark&) const = default;
};

struct Now {
    Time time;
    BootTime boot;
};

class Clock {
public:
    using Reader = ClockReading (*)();
    explicit Clock(std::string boot_id, Reader reader = read_system_clock)
        : boot_id_(std::move(boot_id)), reader_(reader) {}

    [[nodiscard]] Now now() const;
    [[nodiscard]] bool synchronised() const { return reader_().synchronised; }
    [[nodiscard]] const std::string& boot_id() const { return boot_id_; }

    [[nodiscard]] const std::optional<ClockMark>& mark() const { return mark_; }
    void set_mark(std::optional<ClockMark> mark) { mark_ = std::move(mark); }
    // The mark as it should be now: moved where the clock is synchronised, else as it was.
    [[nodiscard]] std::optional<ClockMark> next_mark() const;

private:
    std::string boot_id_;
    Reader reader_;
    std::optional<ClockMark> mark_;
};

// A deadline as a pair: whichever says "over" first wins, so that a clock set back extends nothing within a
// boot.
struct Deadline {
    Time time;
    BootTime boot; // of the boot named by boot_id
    std::string boot_id;
    [[nodiscard]] bool over(const Now& now, const std::string& this_boot) const {
        return now.time >= time || (boot_id == this_boot && now.boot >= boot);
    }
};

[[nodiscard]] Deadline deadline_at(Time time, const Clock& clock, const Now& now);

// The same deadline by this boot's clock, also where it was set in another boot.
[[nodiscard]] Deadline in_this_boot(const Deadline& deadline, const Clock& clock, const Now& now);

} // namespace jit
