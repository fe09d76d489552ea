// SPDX-License-Identifier: MIT
// The text of a policy before it is parsed. Two reasons:
//   1. What can't be seen may not be in a policy: a reviewer must see what jitd sees (CVE-2021-42574).
//   2. toml++ 3.3 (Debian 12) has undefined behaviour for a character beyond ASCII outside of quotes, and
//   after a
//      backslash at the end of a line in a multi-line string (its issue 190); 3.3 and 3.4 recurse as deep as
//      dotted keys go. So neither gets to see such a text. Nothing that a policy needs is lost.
#include "core/policy_draft.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace jit {
namespace {

constexpr unsigned most_dots = 64;  // in a line: role.x.max has two
constexpr unsigned most_nested = 8; // brackets: stages = [{ … }] has two

// What is wrong with a line; empty if nothing. `nesting` is how many brackets are open.
std::string judge_line(std::string_view line, unsigned& nesting) {
    if (!is_text(line)) {
        return "not UTF-8 text, or a NUL byte";
    }
    std::string without_tabs(line);
    std::erase(without_tabs, '\t');
    if (!is_printable(without_tabs)) {
        return "a control or an invisible character: " + in_quotes(line);
    }
    unsigned dots = 0;
    char quote = '\0';
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (quote != '\0') {
            if (c == '\\' && quote == '"') {
                ++i;
            } else if (c == quote) {
                quote = '\0';
            }
            continue;
        }
        switch (c) {
        case '#':
            return {};
        case '"':
        case '\'':
            // toml++ reads on to the end of the word, so it would not take this for the beginning of a
            // string.
            if (i > 0 && std::string_view(" \t=[{,.").find(line[i - 1]) == std::string_view::npos) {
                return "a quote within a word: " + in_quotes(line);
            }
            if (line.substr(i, 3) == std::string(3, c)) {
                return "multi-line strings are not used in a policy";
            }
            quote = c;
            break;
        case '.':
            ++dots;
            break;
        case '[':
        case '{':
            ++nesting;
            break;
        case ']':
        case '}':
            nesting -= nesting > 0 ? 1 : 0;
            break;
        default:
            if (static_cast<unsigned char>(c) > 0x7F) {
                return "a character beyond ASCII stands only within quotes or in a comment: " +
                       in_quotes(line);
            }
        }
        if (dots > most_dots || nesting > most_nested) {
            return "nested too deeply";
        }
    }
    return {};
}

} // namespace

std::vector<Problem> scan_policy(const PolicySource& source) {
    std::vector<Problem> problems;
    const auto refuse = [&](unsigned line, std::string message) {
        problems.push_back({Problem::Severity::error, Where{source.name, line}, "", std::move(message)});
    };
    if (source.text.size() > largest_source) {
        refuse(0, fmt::format("larger than {} KiB", largest_source / 1024));
        return problems;
    }
    std::string_view rest = source.text;
    unsigned nesting = 0;
    for (unsigned number = 1; !rest.empty(); ++number) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (std::string message = judge_line(line, nesting); !message.empty()) {
            refuse(number, std::move(message));
        }
    }
    return problems;
}

} // namespace jit
