// SPDX-License-Identifier: MIT
// Input: a pattern, then the arguments, a line each. A pattern is read back from its text, and judges as a
// slow and simple matcher does.
#include "core/command.h"
#include "tests/fuzz/fuzz_kit.h"

#include <vector>

namespace {

struct Symbol {
    char c;
    bool star;
};

// A word of CommandPattern::text(), which escapes what is meant literally.
std::vector<Symbol> symbols(std::string_view word) {
    std::vector<Symbol> out;
    for (std::size_t i = 0; i < word.size(); ++i) {
        const bool escaped = word[i] == '\\';
        i += escaped ? 1 : 0;
        out.push_back({word[i], word[i] == '*' && !escaped});
    }
    return out;
}

bool slow_match(const std::vector<Symbol>& word, std::string_view argument) {
    if (argument.starts_with('-') && (word[0].star || word[0].c != '-')) {
        return false;
    }
    std::vector<bool> reached(argument.size() + 1); // by the symbols so far: the argument up to here
    reached[0] = true;
    for (const Symbol& symbol : word) {
        std::vector<bool> next(argument.size() + 1);
        for (std::size_t i = 0; i <= argument.size(); ++i) {
            next[i] = symbol.star ? reached[i] || (i > 0 && next[i - 1])
                                  : i > 0 && reached[i - 1] && argument[i - 1] == symbol.c;
        }
        reached = next;
    }
    return reached[argument.size()];
}

bool climbs(std::string_view argument) {
    return ("/" + std::string(argument) + "/").find("/../") != std::string::npos;
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts(1);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == separator) {
            parts.emplace_back();
        } else {
            parts.back() += text[i];
            if (separator == ' ' && text[i] == '\\') {
                parts.back() += text[++i];
            }
        }
    }
    return parts;
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jit;
    std::vector<std::string> arguments = split(as_text(data, size), '\n');
    const std::string line = arguments.front();
    arguments.erase(arguments.begin());
    static_cast<void>(CommandPattern::parse(arguments));
    const auto pattern = CommandPattern::parse(line);
    if (!pattern) {
        return 0;
    }
    const std::string text = pattern->text();
    const auto again = CommandPattern::parse(text);
    require(again && *again == *pattern && again->text() == text);

    std::vector<std::string> words = split(text, ' ');
    words.erase(words.begin());
    const bool any = !words.empty() && words.back() == "**";
    require(any == pattern->any_arguments());
    if (any) {
        words.pop_back();
    }
    bool slowly = arguments.size() >= words.size() && (any || arguments.size() == words.size());
    bool climbing = false;
    for (std::size_t i = 0; slowly && i < words.size(); ++i) {
        slowly = slow_match(symbols(words[i]), arguments[i]);
        climbing = climbing || climbs(arguments[i]);
    }
    const bool matches = pattern->matches(pattern->path(), arguments);
    require(!matches || slowly);
    require(matches || !slowly || climbing);
    require(!pattern->matches(pattern->path() + "x", arguments));
    return 0;
}
