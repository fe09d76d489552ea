// SPDX-License-Identifier: MIT
// Input: what comes through the public socket, from the NSS worker, or out of the database, as JSON. What is
// accepted is written again on one line of ASCII, and reads back as the same.
#include "core/record.h"
#include "daemon/nss_protocol.h"
#include "daemon/parameters.h"
#include "tests/fuzz/fuzz_kit.h"

#include <algorithm>

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jit;
    const std::string_view text = as_text(data, size);
    const auto json = parse_json(text);
    if (json) {
        const std::string line = to_line(*json);
        require(std::ranges::all_of(line, [](char c) { return c >= ' ' && c < 0x7f; }));
        const auto again = parse_json(line);
        require(again && to_line(*again) == line);
    }
    if (json && json->is_object()) {
        Parameters parameters(*json);
        static_cast<void>(parameters.text("role"));
        static_cast<void>(parameters.optional_text("ticket"));
        static_cast<void>(parameters.texts("commands"));
        static_cast<void>(parameters.optional_number("after"));
        static_cast<void>(parameters.optional_duration("duration"));
        static_cast<void>(parameters.flag("all"));
        static_cast<void>(parameters.wrong());
    }
    static_cast<void>(parse_nss_question(text));
    if (const auto answer = parse_nss_answer(text)) {
        require(parse_nss_answer(nss_text(*answer)).has_value());
    }
    if (const auto scope = scope_from_json(text)) {
        require(*scope_from_json(to_line(to_json(*scope))) == *scope);
    }
    if (const auto stages = stages_from_json(text)) {
        require(*stages_from_json(to_line(to_json(*stages))) == *stages);
    }
    static_cast<void>(numbers_from_json(text));
    if (const auto mark = clock_mark_from_json(text)) {
        require(*clock_mark_from_json(to_line(to_json(*mark))) == *mark);
    }
    return 0;
}
