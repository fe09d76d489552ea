// SPDX-License-Identifier: MIT
#include "core/json.h"

#include <set>
#include <vector>

namespace jit {
namespace {

constexpr int deepest = 16;

} // namespace

std::string to_line(const Json& value) {
    return value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

Result<Json> parse_json(std::string_view text) {
    // Two parsers that read one document differently are a hole of their own: the second of two equal keys is
    // never silently taken for both.
    std::vector<std::set<std::string>> keys;
    std::string problem;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
        switch (event) {
        case Json::parse_event_t::object_start:
            keys.emplace_back();
            [[fallthrough]];
        case Json::parse_event_t::array_start:
            if (depth >= deepest && problem.empty()) {
                problem = "nested too deeply";
            }
            break;
        case Json::parse_event_t::object_end:
            keys.pop_back();
            break;
        case Json::parse_event_t::key:
            if (!keys.back().insert(parsed.get<std::string>()).second && problem.empty()) {
                problem = "a key is there twice";
            }
            break;
        default:
            break;
        }
        return problem.empty();
    };
    Json value = Json::parse(text, watch, /*allow_exceptions=*/false);
    if (!problem.empty()) {
        return fail(Errc::invalid, "not acceptable JSON: " + problem);
    }
    if (value.is_discarded()) {
        return fail(Errc::invalid, "not JSON");
    }
    return value;
}

} // namespace jit
