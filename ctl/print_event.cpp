// SPDX-License-Identifier: MIT
// An event of the audit as people read it.
#include "core/text.h"
#include "ctl/print.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace jit {
namespace {

bool says_nothing(const Json& value) {
    return value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty()) ||
           (value.is_structured() && value.empty());
}

// A text bare where it can't be mistaken for anything else, else in quotes.
std::string event_text(const std::string& text) {
    if (is_printable(text) && text.find_first_of(" \"\\=,{}[]") == std::string::npos) {
        return text;
    }
    std::string quoted = "\"";
    for (const char c : escape(text)) {
        quoted += c == '"' ? "\\\"" : std::string(1, c);
    }
    return quoted + '"';
}

// "bob", or "bob/bob-adm" for a person who has several accounts.
std::string party_text(const Json& party) {
    const std::string person = event_text(party["person"].get_ref<const std::string&>());
    const std::string account = event_text(party["account"].get_ref<const std::string&>());
    return person == account ? person : person + '/' + account;
}

bool is_party(const Json& value) {
    const auto is_string = [&](const char* key) { return value.contains(key) && value[key].is_string(); };
    return value.is_object() && value.size() == 3 && is_string("person") && is_string("account") &&
           value.contains("uid");
}

bool is_list_of_text(const Json& value) {
    return value.is_array() && std::ranges::all_of(value, [](const Json& word) { return word.is_string(); });
}

// As it would be typed in a shell.
std::string command_text(const Json& argv) {
    std::vector<std::string> words;
    for (const Json& word : argv) {
        words.push_back(shell_word(unescape(word.get_ref<const std::string&>())));
    }
    return fmt::format("[{}]", fmt::join(words, " "));
}

std::string event_value(std::string_view key, const Json& value) {
    constexpr std::array<std::string_view, 5> times{"not_before", "not_after", "answer_by", "until", "found"};
    if (value.is_number_integer() && std::ranges::find(times, key) != times.end()) {
        return format_utc(Time(Millis(value.get<std::int64_t>())));
    }
    if (value.is_number_integer() && key == "duration") {
        return format_duration(Millis(value.get<std::int64_t>()));
    }
    if (key == "argv" && is_list_of_text(value)) {
        return command_text(value);
    }
    if (key == "cwd" && value.is_string()) {
        return shell_word(unescape(value.get_ref<const std::string&>()));
    }
    if (value.is_number_integer() && key == "run_time") {
        const auto ran = value.get<std::int64_t>();
        return fmt::format("{}.{:03}s", ran / 1000, ran % 1000);
    }
    if (value.is_number_integer() && key == "signal") {
        const char* name = sigabbrev_np(value.get<int>());
        return name != nullptr ? fmt::format("SIG{}", name) : to_line(value);
    }
    if (is_party(value)) {
        return party_text(value);
    }
    if (value.is_string()) {
        return event_text(value.get_ref<const std::string&>());
    }
    std::vector<std::string> parts;
    if (value.is_array()) {
        for (const Json& element : value) {
            parts.push_back(event_value({}, element));
        }
        return fmt::format("[{}]", fmt::join(parts, ", "));
    }
    if (value.is_object()) {
        for (const auto& [name, element] : value.items()) {
            if (!says_nothing(element)) {
                parts.push_back(fmt::format("{}={}", event_text(name), event_value(name, element)));
            }
        }
        return fmt::format("{{{}}}", fmt::join(parts, ", "));
    }
    return to_line(value);
}

// What a command that isn't shown in full can be compared with; of one that is, it says nothing more.
bool is_proof_of_command(const Json& body, std::string_view key) {
    return (key == "argv_bytes" || key == "argv_blake2b") && !body.contains("argv_cut");
}

} // namespace

std::string event_line(const Json& body) {
    std::string out;
    if (const auto seq = body.find("seq"); seq != body.end()) {
        out += fmt::format("{:>6}  ", to_line(*seq));
    }
    if (const auto at = body.find("at"); at != body.end() && at->is_number_integer()) {
        out += format_utc(Time(Millis(at->get<std::int64_t>()))) + "  ";
    }
    if (const auto kind = body.find("kind"); kind != body.end() && kind->is_string()) {
        out += escape(kind->get_ref<const std::string&>());
    }
    for (const auto& [key, value] : body.items()) {
        if (key != "seq" && key != "at" && key != "kind" && !says_nothing(value) &&
            !is_proof_of_command(body, key)) {
            out += fmt::format(" {}={}", escape(key), event_value(key, value));
        }
    }
    return out + "\n";
}

} // namespace jit
