// SPDX-License-Identifier: MIT
#include "daemon/sudo_line.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace jit {
namespace {

constexpr std::size_t longest_place = 256; // of cwd and tty, so that the command has its room
constexpr std::size_t longest_mark = 40;   // " [... 131072 of 131072 bytes left out]"
constexpr std::string_view place_cut = "[...]";

enum class Part { place, path, bare_argument, quoted_argument };

// How many bytes the first character takes; 0: they are no character.
std::size_t character_at(std::string_view text) {
    for (std::size_t size = 1; size <= std::min<std::size_t>(4, text.size()); ++size) {
        if (is_text(text.substr(0, size))) {
            return size;
        }
    }
    return 0;
}

bool looks_escaped(std::string_view text) {
    return text.size() >= 4 && text[0] == '#' &&
           std::ranges::all_of(text.substr(1, 3), [](char c) { return c >= '0' && c <= '7'; });
}

std::string in_octal(std::string_view bytes) {
    std::string text;
    for (const char byte : bytes) {
        text += fmt::format("#{:03o}", static_cast<unsigned char>(byte));
    }
    return text;
}

// What is drawn as a blank or a semicolon, and is none: a person would see another field begin.
bool looks_like_a_separator(std::string_view one) {
    constexpr std::array<std::string_view, 22> lookalikes = {
        "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005",
        "\u2006", "\u2007", "\u2008", "\u2009", "\u200a", "\u202f", "\u205f", "\u3000",
        "\u2800", "\u3164", "\u037e", "\u061b", "\uff1b", "\ufe14"};
    return std::ranges::find(lookalikes, one) != lookalikes.end();
}

// One character of it, as it is written there.
std::string shown(std::string_view text, std::size_t at, std::size_t size, Part part) {
    const std::string_view one = text.substr(at, size);
    const bool blank_before = at > 0 && text[at - 1] == ' ';
    if (!is_printable(one) || looks_like_a_separator(one) || looks_escaped(text.substr(at)) ||
        (one == " " && part == Part::path) || (one == ";" && part == Part::place && blank_before)) {
        return in_octal(one);
    }
    const bool argument = part == Part::bare_argument || part == Part::quoted_argument;
    return (argument && (one == "'" || one == "\\") ? "\\" : "") + std::string(one);
}

// As much of it as leaves `line` at most `most` bytes long. How many bytes of it that was.
std::size_t add(std::string& line, std::string_view text, Part part, std::size_t most) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t size = character_at(text.substr(at, 4));
        const std::string one = size > 0 ? shown(text, at, size, part) : in_octal(text.substr(at, 1));
        if (line.size() + one.size() > most) {
            break;
        }
        line += one;
        at += std::max<std::size_t>(size, 1);
    }
    return at;
}

void add_place(std::string& line, std::string_view text) {
    if (add(line, text, Part::place, line.size() + longest_place) < text.size()) {
        line += place_cut;
    }
}

// False: not all of it.
bool add_argument(std::string& line, const std::string& argument, std::size_t most, std::size_t& written) {
    const bool quoted = argument.empty() || argument.find(' ') != std::string::npos;
    const std::string_view quote = quoted ? "'" : "";
    if (line.size() + 1 + 2 * quote.size() > most) {
        return false;
    }
    (line += ' ') += quote;
    const std::size_t size =
        add(line, argument, quoted ? Part::quoted_argument : Part::bare_argument, most - quote.size());
    line += quote;
    written += size + 1;
    return size == argument.size();
}

} // namespace

std::string sudo_line(const SudoLine& about, const Command& command) {
    std::string line = fmt::format("{:>8} : ", about.account);
    if (!about.refusal.empty()) {
        line += fmt::format("{} ; ", about.refusal);
    }
    line += "TTY=";
    constexpr std::string_view devices = "/dev/";
    add_place(line, about.tty.empty()                ? "unknown"
                    : about.tty.starts_with(devices) ? about.tty.substr(devices.size())
                                                     : about.tty);
    line += " ; PWD=";
    add_place(line, about.cwd.empty() ? "unknown" : about.cwd);
    line += fmt::format(" ; USER={}", about.run_as);
    if (!about.group.empty()) {
        line += fmt::format(" ; GROUP={}", about.group);
    }
    line += " ; COMMAND=";

    constexpr std::size_t most = longest_sudo_line - longest_mark;
    std::size_t size = command.path.size();
    for (const std::string& argument : command.arguments) {
        size += argument.size() + 1;
    }
    std::size_t written = add(line, command.path, Part::path, most);
    bool all = written == command.path.size();
    for (auto argument = command.arguments.begin(); all && argument != command.arguments.end(); ++argument) {
        all = add_argument(line, *argument, most, written);
    }
    return all ? line : line + fmt::format(" [... {} of {} bytes left out]", size - written, size);
}

} // namespace jit
