// SPDX-License-Identifier: MIT
// Character classes are written out: <cctype> would ask the locale.
#include "core/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace jit {
namespace {

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_name(std::string_view name, std::size_t longest) {
    if (name.empty() || name.size() > longest || !(is_letter(name[0]) || name[0] == '_')) {
        return false;
    }
    return std::all_of(name.begin(), name.end(), [](char c) {
        return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '-';
    });
}

struct Character {
    char32_t code;
    std::size_t length; // bytes
};

// The character that `text` (not empty) begins with; none if it begins with no well-formed one: RFC 3629,
// section 4.
std::optional<Character> first_character(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) {
        return Character{lead, 1};
    }
    std::size_t length = 0;
    char32_t smallest = 0; // less is an overlong form
    if (lead >= 0xC2 && lead <= 0xDF) {
        length = 2;
        smallest = 0x80;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        length = 3;
        smallest = 0x800;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        length = 4;
        smallest = 0x10000;
    }
    if (length == 0 || text.size() < length) {
        return std::nullopt;
    }
    char32_t code = lead & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) {
            return std::nullopt;
        }
        code = (code << 6) | (byte(i) & 0x3FU);
    }
    if (code < smallest || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
        return std::nullopt;
    }
    return Character{code, length};
}

struct Range {
    char32_t first, last;
};

// What shows nothing, or changes how its neighbours are shown: Unicode 15 categories Cc, Zl and Zp, the
// property Default_Ignorable_Code_Point (DerivedCoreProperties.txt), bidirectional and interlinear controls,
// private use.
constexpr std::array<Range, 24> unprintable{{
    {0x0000, 0x001F},    // C0
    {0x007F, 0x009F},    // DEL, C1
    {0x00AD, 0x00AD},    // soft hyphen
    {0x034F, 0x034F},    // combining grapheme joiner
    {0x061C, 0x061C},    // Arabic letter mark
    {0x115F, 0x1160},    // Hangul fillers
    {0x17B4, 0x17B5},    // Khmer inherent vowels
    {0x180B, 0x180F},    // Mongolian selectors
    {0x200B, 0x200F},    // zero-width, LRM, RLM
    {0x2028, 0x202E},    // line and paragraph separators, bidirectional embeddings and overrides
    {0x2060, 0x206F},    // word joiner, bidirectional isolates
    {0x2800, 0x2800},    // braille blank
    {0x3164, 0x3164},    // Hangul filler
    {0xE000, 0xF8FF},    // private use
    {0xFDD0, 0xFDEF},    // noncharacters
    {0xFE00, 0xFE0F},    // variation selectors
    {0xFEFF, 0xFEFF},    // byte order mark
    {0xFFA0, 0xFFA0},    // halfwidth Hangul filler
    {0xFFF0, 0xFFFB},    // interlinear annotation
    {0xFFFE, 0xFFFF},    // noncharacters
    {0x1BCA0, 0x1BCA3},  // shorthand format controls
    {0x1D173, 0x1D17A},  // musical format controls
    {0xE0000, 0xE0FFF},  // tags, variation selectors
    {0xF0000, 0x10FFFF}, // private use
}};

bool is_visible(char32_t code) {
    return (code & 0xFFFE) != 0xFFFE &&
           std::none_of(unprintable.begin(), unprintable.end(),
                        [&](const Range& range) { return code >= range.first && code <= range.last; });
}

void append_hex(std::string& out, std::uint32_t value, int digits) {
    constexpr std::string_view hex = "0123456789abcdef";
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
        out += hex[(value >> shift) & 0xF];
    }
}

void append_byte(std::string& out, char byte) {
    switch (byte) {
    case '\n':
        out += "\\n";
        break;
    case '\r':
        out += "\\r";
        break;
    case '\t':
        out += "\\t";
        break;
    default:
        out += "\\x";
        append_hex(out, static_cast<unsigned char>(byte), 2);
    }
}

void append_code(std::string& out, char32_t code) {
    out += "\\u{";
    append_hex(out, code, code > 0xFFFFF ? 6 : code > 0xFFFF ? 5 : 4);
    out += '}';
}

std::string in_utf8(std::uint32_t code) {
    const auto low = [&](int shift) { return static_cast<char>(0x80U | ((code >> shift) & 0x3FU)); };
    if (code < 0x80) {
        return {static_cast<char>(code)};
    }
    if (code < 0x800) {
        return {static_cast<char>(0xC0U | (code >> 6U)), low(0)};
    }
    if (code < 0x10000) {
        return {static_cast<char>(0xE0U | (code >> 12U)), low(6), low(0)};
    }
    return {static_cast<char>(0xF0U | (code >> 18U)), low(12), low(6), low(0)};
}

// The first of what escape() wrote: how long it is there, and what it stands for.
struct Unit {
    std::size_t length;
    std::string bytes;
};
Unit first_unit(std::string_view escaped) {
    const auto number = [&](std::size_t at, std::size_t digits) -> std::optional<std::uint32_t> {
        const std::string_view text = escaped.substr(std::min(at, escaped.size()), digits);
        std::uint32_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
        return error == std::errc{} && end == text.data() + digits && value <= 0x10FFFF ? std::optional(value)
                                                                                        : std::nullopt;
    };
    constexpr std::string_view letters = "nrt\\";
    constexpr std::string_view meanings = "\n\r\t\\";
    if (escaped[0] == '\\' && escaped.size() > 1) {
        if (const auto known = letters.find(escaped[1]); known != std::string_view::npos) {
            return {2, std::string(1, meanings[known])};
        }
        if (const auto byte = number(2, 2); escaped[1] == 'x' && byte) {
            return {4, std::string(1, static_cast<char>(*byte))};
        }
        const auto close = escaped.find('}');
        if (escaped.starts_with("\\u{") && close != std::string_view::npos && close <= 9) {
            if (const auto code = number(3, close - 3)) {
                return {close + 1, in_utf8(*code)};
            }
        }
    }
    return {1, std::string(1, escaped[0])};
}

} // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(end + 1);
    }
}

bool is_account_name(std::string_view name) {
    return is_name(name, 32);
}

bool is_policy_name(std::string_view name) {
    return is_name(name, 64);
}

bool is_service_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_' || c == '-';
    });
}

bool is_request_id(std::string_view id) {
    return id.size() >= 4 && id.size() <= 16 &&
           std::all_of(id.begin(), id.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

bool is_text(std::string_view text) {
    while (!text.empty()) {
        const auto character = first_character(text);
        if (!character || character->code == 0) {
            return false;
        }
        text.remove_prefix(character->length);
    }
    return true;
}

bool is_printable(std::string_view text) {
    while (!text.empty()) {
        const auto character = first_character(text);
        if (!character || !is_visible(character->code)) {
            return false;
        }
        text.remove_prefix(character->length);
    }
    return true;
}

std::string escape(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto character = first_character(text);
        const std::size_t length = character ? character->length : 1;
        if (character && character->code == '\\') {
            out += "\\\\";
        } else if (character && is_visible(character->code)) {
            out += text.substr(0, length);
        } else if (character && character->code > 0x7F) {
            append_code(out, character->code);
        } else {
            append_byte(out, text[0]);
        }
        text.remove_prefix(length);
    }
    return out;
}

std::string unescape(std::string_view escaped) {
    std::string out;
    while (!escaped.empty()) {
        const auto unit = first_unit(escaped);
        out += unit.bytes;
        escaped.remove_prefix(unit.length);
    }
    return out;
}

std::string shell_word(std::string_view argument) {
    constexpr std::string_view bare_punctuation = "_@%+=:,./-";
    const auto is_bare = [&](char c) {
        return is_letter(c) || is_digit(c) || bare_punctuation.find(c) != std::string_view::npos;
    };
    if (!argument.empty() && std::all_of(argument.begin(), argument.end(), is_bare)) {
        return std::string(argument);
    }
    if (is_printable(argument)) {
        std::string out = "'";
        for (const char c : argument) {
            if (c == '\'') {
                out += "'\\''";
            } else {
                out += c;
            }
        }
        return out + '\'';
    }
    std::string out = "$'";
    while (!argument.empty()) {
        const auto character = first_character(argument);
        const std::size_t length = character ? character->length : 1;
        if (character && (character->code == '\\' || character->code == '\'')) {
            out += '\\';
            out += argument[0];
        } else if (character && is_visible(character->code)) {
            out += argument.substr(0, length);
        } else {
            for (const char byte : argument.substr(0, length)) {
                append_byte(out, byte);
            }
        }
        argument.remove_prefix(length);
    }
    return out + '\'';
}

} // namespace jit
