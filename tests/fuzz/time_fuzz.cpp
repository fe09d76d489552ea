// SPDX-License-Identifier: MIT
// What is read as a duration or a time is in range, and is written so that it is read as the same again.
#include "core/time.h"
#include "tests/fuzz/fuzz_kit.h"

#include <cstring>

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jit;
    const std::string_view text = as_text(data, size);
    if (const auto duration = parse_duration(text)) {
        require(*duration > Millis{0} && *duration <= longest_duration);
        require(parse_duration(format_duration(*duration)) == *duration);
    }
    if (const auto time = parse_utc(text)) {
        require(time->time_since_epoch() >= Millis{0});
        require(parse_utc(format_utc(*time)) == std::chrono::floor<std::chrono::seconds>(*time));
    }
    // Whatever number a record may hold can be shown.
    std::int64_t number = 0;
    std::memcpy(&number, data, size < sizeof number ? size : sizeof number);
    const Millis millis{number};
    require(!describe_duration(millis).empty());
    if (millis >= std::chrono::seconds{1} && millis <= longest_duration) {
        require(parse_duration(format_duration(millis)) == std::chrono::floor<std::chrono::seconds>(millis));
    }
    const auto shown = parse_utc(format_utc(Time{millis}));
    require(shown.has_value());
    require(describe_utc(*shown) == describe_utc(Time{millis}));
    return 0;
}
