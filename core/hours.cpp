// SPDX-License-Identifier: MIT
#include "core/hours.h"

#include "core/fd.h"
#include "core/policy_draft.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <ranges>

namespace jit {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<std::string_view, 7> day_names = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::string_view separator = "..";
constexpr const char* zone_directory = "/usr/share/zoneinfo/";
constexpr std::size_t longest_zone = 64;
constexpr int most_joined = 400; // days: longer than any grant

std::string file_of(std::string_view zone) {
    return zone_directory + std::string(zone);
}

// Only what is a file of the database: the C library takes anything else for UTC without a word, or opens it.
bool is_known(std::string_view zone) {
    const auto is_of_names = [](char byte) {
        return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
               byte == '/' || byte == '_' || byte == '-' || byte == '+';
    };
    if (zone == "UTC") {
        return true; // also where tzdata isn't installed
    }
    if (zone.empty() || zone.size() > longest_zone || zone.front() == '/' ||
        !std::ranges::all_of(zone, is_of_names)) {
        return false;
    }
    const Fd file(open(file_of(zone).c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 4> magic{};
    return file && read(file.get(), magic.data(), magic.size()) == 4 &&
           std::string_view(magic.data(), magic.size()) == "TZif";
}

// The C library's local time is this zone's. It is one for the whole process: ours have one thread.
class InZone {
public:
    explicit InZone(const std::string& zone) {
        if (const char* before = std::getenv("TZ")) {
            before_ = before;
        }
        set(zone == "UTC" ? "UTC0" : ":" + file_of(zone));
    }
    ~InZone() { set(before_); }
    InZone(const InZone&) = delete;
    InZone& operator=(const InZone&) = delete;

private:
    static void set(const std::optional<std::string>& zone) {
        if (zone) {
            setenv("TZ", zone->c_str(), 1);
        } else {
            unsetenv("TZ");
        }
        tzset();
    }

    std::optional<std::string> before_;
};

struct Span {
    Time from;
    Time to;
};

// Those of the hours that begin on the day of this time, `offset` days on; none where that day isn't theirs.
std::optional<Span> span_of_day(const Hours& hours, Time at, int offset) {
    const InZone zone(hours.zone);
    const std::time_t second = std::chrono::floor<seconds>(at).time_since_epoch().count();
    std::tm day{};
    if (localtime_r(&second, &day) == nullptr) {
        return std::nullopt;
    }
    const auto at_minute = [&](minutes minute) {
        std::tm local{};
        local.tm_year = day.tm_year;
        local.tm_mon = day.tm_mon;
        local.tm_mday = day.tm_mday + offset;
        local.tm_min = static_cast<int>(minute.count());
        local.tm_isdst = -1;
        return local;
    };
    std::tm from = at_minute(hours.from);
    std::tm to = at_minute(hours.to);
    const auto weekday = static_cast<std::size_t>(((day.tm_wday + offset) % 7 + 7) % 7);
    if (!hours.days.at(weekday)) {
        return std::nullopt;
    }
    return Span{Time{seconds{std::mktime(&from)}}, Time{seconds{std::mktime(&to)}}};
}

std::optional<Time> end_of_one(const Hours& hours, Time at) {
    std::optional<Time> end;
    for (const int offset : {-1, 0}) { // it may have begun yesterday
        const auto span = span_of_day(hours, at, offset);
        if (span && span->from <= at && at < span->to) {
            end = std::max(end.value_or(span->to), span->to);
        }
    }
    return end;
}

bool all_are_known(const std::vector<Hours>& all) {
    return std::ranges::all_of(all, [](const Hours& each) { return is_known(each.zone); });
}

std::optional<std::size_t> day_named(std::string_view name) {
    const auto found = std::ranges::find(day_names, name);
    return found != day_names.end() ? std::optional<std::size_t>(found - day_names.begin()) : std::nullopt;
}

bool parse_days(std::string_view text, std::array<bool, 7>& days) {
    for (const auto part : std::views::split(text, ',')) {
        const std::string_view word(part);
        const auto dots = word.find(separator);
        const auto first = day_named(word.substr(0, dots));
        const auto last =
            dots == std::string_view::npos ? first : day_named(word.substr(dots + separator.size()));
        if (!first || !last) {
            return false;
        }
        for (std::size_t day = *first;; day = (day + 1) % days.size()) {
            days.at(day) = true;
            if (day == *last) {
                break;
            }
        }
    }
    return true;
}

std::optional<minutes> parse_minute(std::string_view text) {
    const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
    if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4)) {
        return std::nullopt;
    }
    const int hour = (text[0] - '0') * 10 + (text[1] - '0');
    const int minute = (text[3] - '0') * 10 + (text[4] - '0');
    const minutes all = std::chrono::hours(hour) + minutes(minute);
    return minute < 60 && all <= std::chrono::hours(24) ? std::optional(all) : std::nullopt;
}

bool parse_span(std::string_view text, Hours& hours) {
    const auto dots = text.find(separator);
    if (dots == std::string_view::npos) {
        return false;
    }
    const auto from = parse_minute(text.substr(0, dots));
    const auto to = parse_minute(text.substr(dots + separator.size()));
    if (!from || !to || *from == std::chrono::hours(24)) {
        return false;
    }
    hours.from = *from;
    hours.to = *to > *from ? *to : *to + std::chrono::hours(24);
    return true;
}

} // namespace

Result<Hours> parse_hours(std::string_view text) {
    Hours hours;
    hours.text = text;
    std::vector<std::string_view> words;
    for (const auto word : std::views::split(text, ' ')) {
        words.emplace_back(word);
    }
    const bool has_days = words.size() == 3;
    hours.days.fill(!has_days);
    if ((words.size() != 2 && !has_days) || (has_days && !parse_days(words.front(), hours.days)) ||
        !parse_span(words.at(words.size() - 2), hours)) {
        return fail(Errc::invalid, fmt::format("expected days, hours and a time zone, such as "
                                               "\"Mon..Fri 08:00..18:00 Europe/Zurich\", found {}",
                                               in_quotes(text)));
    }
    if (!is_known(words.back())) {
        return fail(Errc::invalid,
                    fmt::format("this host has no time zone {}: there is no such file below {} (package "
                                "tzdata)",
                                in_quotes(words.back()), zone_directory));
    }
    hours.zone = words.back();
    return hours;
}

std::optional<Time> open_until(const std::vector<Hours>& hours, Time at) {
    if (hours.empty()) {
        return Time::max();
    }
    if (!all_are_known(hours)) {
        return std::nullopt;
    }
    Time until = at;
    for (int joined = 0; joined < most_joined; ++joined) {
        Time further = until;
        for (const Hours& each : hours) {
            further = std::max(further, end_of_one(each, until).value_or(until));
        }
        if (further == until) {
            break;
        }
        until = further;
    }
    return until > at ? std::optional(until) : std::nullopt;
}

std::optional<Time> opens_at(const std::vector<Hours>& hours, Time at) {
    std::optional<Time> next;
    for (int offset = 0; offset <= 7 && all_are_known(hours); ++offset) {
        for (const Hours& each : hours) {
            const auto span = span_of_day(each, at, offset);
            if (span && span->from > at) {
                next = std::min(next.value_or(span->from), span->from);
            }
        }
    }
    return next;
}

std::string describe(const std::vector<Hours>& hours) {
    return fmt::format("{}", fmt::join(hours | std::views::transform(&Hours::text), ", "));
}

} // namespace jit
