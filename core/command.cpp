// SPDX-License-Identifier: MIT
// A pattern MUST
//   1. match each word against exactly one argument, and every argument against a word;
//   2. let no wildcard become an option: `*` never brings the '-' that an argument begins with
//      (journalctl --cursor-file=ANY writes ANY as root);
//   3. let no wildcard climb: `*` never brings a `..` component (/var/log/* is not
//   /var/log/../../etc/shadow);
//   4. be refused when it is written so that its meaning could be mistaken;
//   5. cost time that grows with argument times word, never exponentially.
#include "core/command.h"

#include <algorithm>
#include <cstddef>

namespace jit {
namespace {

// A word as written, its escapes resolved. Wildcards are the gaps between the pieces.
using Pieces = std::vector<std::string>;

bool is_any_arguments(const std::string& written) {
    return written == "**";
}

// Words are split at spaces; a backslash takes the next character along, whatever it is: read_word judges it.
std::vector<std::string> split(std::string_view line) {
    std::vector<std::string> words;
    std::string word;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == ' ') {
            if (!word.empty()) {
                words.push_back(std::move(word));
                word.clear();
            }
        } else {
            word += line[i];
            if (line[i] == '\\' && i + 1 < line.size()) {
                word += line[++i];
            }
        }
    }
    if (!word.empty()) {
        words.push_back(std::move(word));
    }
    return words;
}

Result<Pieces> read_word(const std::string& written, bool escaped_space) {
    if (written.empty()) {
        return fail(Errc::invalid, "an empty word; * also matches an empty argument");
    }
    Pieces pieces(1);
    bool after_star = false;
    for (std::size_t i = 0; i < written.size(); ++i) {
        const auto byte = static_cast<unsigned char>(written[i]);
        if (byte < 0x20 || byte == 0x7F) {
            return fail(Errc::invalid,
                        "control characters can't be part of a command (words are separated by spaces)");
        }
        if (written[i] == '*') {
            if (after_star) {
                return fail(Errc::invalid, "** must be a word of its own, the last one");
            }
            pieces.emplace_back();
            after_star = true;
            continue;
        }
        after_star = false;
        if (written[i] == '\\') {
            const char next = i + 1 < written.size() ? written[++i] : '\0';
            if (next != '*' && next != '\\' && !(next == ' ' && escaped_space)) {
                return fail(Errc::invalid, escaped_space
                                               ? "a backslash may only stand before *, a backslash or a space"
                                               : "a backslash may only stand before * or a backslash");
            }
        }
        pieces.back() += written[i];
    }
    return pieces;
}

// Calls `visit` with each component of `path`: what stands between slashes.
template <class Visit>
void each_component(std::string_view path, Visit visit) {
    for (;;) {
        const std::size_t slash = path.find('/');
        visit(path.substr(0, slash));
        if (slash == std::string_view::npos) {
            return;
        }
        path.remove_prefix(slash + 1);
    }
}

Result<std::string> read_path(const std::string& written, bool escaped_space) {
    if (is_any_arguments(written)) {
        return fail(Errc::invalid, "the first word must be the absolute path of one file, not a wildcard");
    }
    const auto pieces = read_word(written, escaped_space);
    if (!pieces) {
        return std::unexpected(pieces.error());
    }
    if (pieces->size() > 1) {
        return fail(Errc::invalid,
                    "a wildcard in the path; name each file (a star that is meant is written \\*)");
    }
    const std::string& path = pieces->front();
    if (path[0] != '/') {
        return fail(Errc::invalid, "the first word must be an absolute path, such as /usr/bin/systemctl");
    }
    bool plain = true;
    each_component(std::string_view(path).substr(1), [&](std::string_view component) {
        plain = plain && !component.empty() && component != "." && component != "..";
    });
    if (!plain) {
        return fail(Errc::invalid,
                    "the path must be written plainly: no //, no . or .. component, no slash at its end");
    }
    return path;
}

// How many `..` components the argument or the literal part of a word has. `head` and `tail` say whether the
// component at that end is complete, not cut off by a wildcard.
std::size_t count_climbs(std::string_view text, bool head, bool tail) {
    std::size_t climbs = 0;
    std::size_t begin = 0;
    each_component(text, [&](std::string_view component) {
        const bool complete = (begin > 0 || head) && (begin + component.size() < text.size() || tail);
        if (complete && component == "..") {
            ++climbs;
        }
        begin += component.size() + 1;
    });
    return climbs;
}

bool word_matches(const Pieces& pieces, std::string_view argument) {
    if (pieces.size() == 1) {
        return argument == pieces.front();
    }
    const std::string& prefix = pieces.front();
    const std::string& suffix = pieces.back();
    if (argument.size() < prefix.size() + suffix.size() || !argument.starts_with(prefix) ||
        !argument.ends_with(suffix)) {
        return false;
    }
    if (argument.starts_with('-') && prefix.empty()) {
        return false;
    }
    // Each further piece where it occurs first: a later place could never leave more room for the rest.
    std::string_view middle = argument.substr(prefix.size(), argument.size() - prefix.size() - suffix.size());
    for (std::size_t i = 1; i + 1 < pieces.size(); ++i) {
        const std::size_t found = middle.find(pieces[i]);
        if (found == std::string_view::npos) {
            return false;
        }
        middle.remove_prefix(found + pieces[i].size());
    }
    // What the word itself climbs is in the argument anyway, so more than that came through a wildcard.
    std::size_t climbs = 0;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        climbs += count_climbs(pieces[i], i == 0, i + 1 == pieces.size());
    }
    return count_climbs(argument, true, true) <= climbs;
}

std::string write_piece(const std::string& piece) {
    std::string out;
    for (const char c : piece) {
        if (c == '*' || c == '\\' || c == ' ') {
            out += '\\';
        }
        out += c;
    }
    return out;
}

} // namespace

Result<CommandPattern> CommandPattern::read(const std::vector<std::string>& words, bool escaped_space) {
    if (words.empty()) {
        return fail(Errc::invalid, "an empty command");
    }
    CommandPattern pattern;
    auto path = read_path(words.front(), escaped_space);
    if (!path) {
        return std::unexpected(path.error());
    }
    pattern.path_ = std::move(*path);
    for (std::size_t i = 1; i < words.size(); ++i) {
        if (is_any_arguments(words[i]) && i + 1 == words.size()) {
            pattern.any_arguments_ = true;
            break;
        }
        auto word = read_word(words[i], escaped_space);
        if (!word) {
            return std::unexpected(word.error());
        }
        pattern.words_.push_back(std::move(*word));
    }
    return pattern;
}

Result<CommandPattern> CommandPattern::parse(std::string_view line) {
    return read(split(line), true);
}

Result<CommandPattern> CommandPattern::parse(const std::vector<std::string>& words) {
    return read(words, false);
}

bool CommandPattern::matches(std::string_view path, const std::vector<std::string>& arguments) const {
    if (path != path_ || arguments.size() < words_.size() ||
        (arguments.size() > words_.size() && !any_arguments_)) {
        return false;
    }
    return std::equal(words_.begin(), words_.end(), arguments.begin(), word_matches);
}

bool CommandPattern::has_open_option() const {
    return std::any_of(words_.begin(), words_.end(),
                       [](const Word& word) { return word.size() > 1 && word.front().starts_with('-'); });
}

std::optional<std::vector<std::string>> CommandPattern::literal_arguments() const {
    if (any_arguments_) {
        return std::nullopt;
    }
    std::vector<std::string> arguments;
    for (const Word& word : words_) {
        if (word.size() != 1) {
            return std::nullopt;
        }
        arguments.push_back(word.front());
    }
    return arguments;
}

std::string CommandPattern::text() const {
    std::string out = write_piece(path_);
    for (const Word& word : words_) {
        out += ' ';
        for (std::size_t i = 0; i < word.size(); ++i) {
            out += i > 0 ? "*" : "";
            out += write_piece(word[i]);
        }
    }
    return any_arguments_ ? out + " **" : out;
}

bool allows(const std::vector<CommandPattern>& patterns, std::string_view path,
            const std::vector<std::string>& arguments) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const CommandPattern& pattern) { return pattern.matches(path, arguments); });
}

} // namespace jit
