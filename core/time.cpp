// SPDX-License-Identifier: MIT
#include "core/time.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace jit {
namespace {

struct Unit {
    char letter;             // in a written duration
    std::string_view spoken; // in a described one
    std::int64_t seconds;
};

constexpr std::array<Unit, 4> units{{{'d', "d", 86400}, {'h', "h", 3600}, {'m', "min", 60}, {'s', "s", 1}}};

constexpr std::int64_t longest_seconds =
    std::chrono::duration_cast<std::chrono::seconds>(longest_duration).count();

constexpr Time earliest{};
constexpr Time latest =
    std::chrono::sys_days{std::chrono::year{9999} / 12 / 31} + std::chrono::days{1} - Millis{1};

std::int64_t whole_seconds(Millis duration) {
    return std::max<std::int64_t>(duration.count() / 1000, 0);
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

void append_padded(std::string& out, unsigned value, std::size_t width) {
    const std::string digits = std::to_string(value);
    out.append(width - std::min(width, digits.size()), '0');
    out += digits;
}

// "2026-11-21", `between`, "14:32", of a time that is clamped to the years that can be written.
std::string date_and_minute(Time time, char between) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{time - day};
    std::string out;
    append_padded(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    out += '-';
    append_padded(out, static_cast<unsigned>(date.month()), 2);
    out += '-';
    append_padded(out, static_cast<unsigned>(date.day()), 2);
    out += between;
    append_padded(out, static_cast<unsigned>(clock.hours().count()), 2);
    out += ':';
    append_padded(out, static_cast<unsigned>(clock.minutes().count()), 2);
    return out;
}

} // namespace

Result<Millis> parse_duration(std::string_view text) {
    constexpr auto expected =
        "expected a duration such as 45s, 30m, 1h30m or 7d: whole numbers, each with one of the "
        "units d h m s, in this order";
    if (text.empty()) {
        return fail(Errc::invalid, expected);
    }
    if (std::all_of(text.begin(), text.end(), is_digit)) {
        return fail(Errc::invalid, "a number without a unit: write 45s, 30m, 1h or 7d");
    }
    const char* at = text.data();
    const char* const end = at + text.size();
    std::size_t next_unit = 0;
    std::int64_t total = 0;
    while (at != end) {
        std::uint64_t value = 0; // unsigned, so that from_chars takes no sign
        const auto [after, status] = std::from_chars(at, end, value);
        if (status == std::errc::result_out_of_range) {
            return fail(Errc::invalid, "longer than the longest duration, 366d");
        }
        if (status != std::errc{} || after == end) {
            return fail(Errc::invalid, expected);
        }
        while (next_unit < units.size() && units[next_unit].letter != *after) {
            ++next_unit;
        }
        if (next_unit == units.size()) {
            return fail(Errc::invalid, expected);
        }
        const std::int64_t seconds = units[next_unit++].seconds;
        if (value > static_cast<std::uint64_t>((longest_seconds - total) / seconds)) {
            return fail(Errc::invalid, "longer than the longest duration, 366d");
        }
        total += static_cast<std::int64_t>(value) * seconds;
        at = after + 1;
    }
    if (total == 0) {
        return fail(Errc::invalid, "a duration must be longer than nothing");
    }
    return Millis{total * 1000};
}

std::string format_duration(Millis duration) {
    std::int64_t seconds = whole_seconds(duration);
    std::string out;
    for (const Unit& unit : units) {
        if (const std::int64_t value = seconds / unit.seconds; value > 0) {
            out += std::to_string(value);
            out += unit.letter;
            seconds %= unit.seconds;
        }
    }
    return out.empty() ? "0s" : out;
}

std::string describe_duration(Millis duration) {
    std::int64_t seconds = whole_seconds(duration);
    if (seconds >= 600) {
        seconds -= seconds % 60;
    }
    const auto largest =
        std::find_if(units.begin(), units.end(), [&](const Unit& unit) { return seconds >= unit.seconds; });
    if (largest == units.end()) {
        return "0 s";
    }
    std::string out = std::to_string(seconds / largest->seconds) + ' ' + std::string(largest->spoken);
    if (const auto next = largest + 1; next != units.end()) {
        if (const std::int64_t value = seconds % largest->seconds / next->seconds; value > 0) {
            out += ' ' + std::to_string(value) + ' ' + std::string(next->spoken);
        }
    }
    return out;
}

Result<Time> parse_utc(std::string_view text) {
    constexpr std::string_view seconds_shape = "dddd-dd-ddTdd:dd:ddZ";
    constexpr std::string_view millis_shape = "dddd-dd-ddTdd:dd:dd.dddZ";
    const auto has_shape = [&](std::string_view shape) {
        return std::equal(text.begin(), text.end(), shape.begin(), shape.end(),
                          [](char c, char wanted) { return wanted == 'd' ? is_digit(c) : c == wanted; });
    };
    const bool with_millis = has_shape(millis_shape);
    if (!with_millis && !has_shape(seconds_shape)) {
        return fail(Errc::invalid, "expected a time in UTC such as 2026-11-21T14:32:05Z");
    }
    const auto number = [&](std::size_t offset, std::size_t length) {
        unsigned value = 0;
        std::from_chars(text.data() + offset, text.data() + offset + length,
                        value); // digits only: see the shape
        return value;
    };
    const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(number(0, 4))},
                                           std::chrono::month{number(5, 2)}, std::chrono::day{number(8, 2)}};
    if (!date.ok()) {
        return fail(Errc::invalid, "there is no such day");
    }
    if (date.year() < std::chrono::year{1970}) {
        return fail(Errc::invalid, "a time before 1970");
    }
    const unsigned hour = number(11, 2);
    const unsigned minute = number(14, 2);
    const unsigned second = number(17, 2);
    if (hour > 23 || minute > 59 || second > 59) { // no leap seconds: POSIX time has none
        return fail(Errc::invalid, "there is no such time of day");
    }
    return std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
           std::chrono::seconds{second} + Millis{with_millis ? number(20, 3) : 0U};
}

std::string format_utc(Time time) {
    time = std::clamp(time, earliest, latest);
    std::string out = date_and_minute(time, 'T') + ':';
    append_padded(out, static_cast<unsigned>(time.time_since_epoch().count() / 1000 % 60), 2);
    return out + 'Z';
}

std::string describe_utc(Time time) {
    return date_and_minute(std::clamp(time, earliest, latest), ' ') + " UTC";
}

} // namespace jit
