// SPDX-License-Identifier: MIT
// Which commands a role allows. A command is a vector of arguments, never a string: nothing is joined, split
// or unescaped when it is judged (CVE-2021-3156, and sudo's `cat /var/log/*` that also matched /etc/shadow).
#pragma once

#include "core/error.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

// One line of `commands` in a role.
//
// Written as a string, words are separated by one or more spaces; as an array of strings, each is one word.
// No word is empty, none holds a control character. The first is an absolute path without wildcards: no
// empty, `.` or `..` component, no trailing slash. In later words:
//   *     any run of bytes within that one argument. An argument that begins with '-' is matched only where
//         the word itself begins with a literal '-', and each `..` path component only where the word has it.
//   \*    a star; \\ a backslash; in the string form also "\ " a space. Any other backslash is an error.
//   **    as the whole last word: any further arguments, none included, options included. An error elsewhere.
// Words after the path must match one argument each, and all arguments must be matched: a path alone means
// "without arguments".
class CommandPattern {
public:
    [[nodiscard]] static Result<CommandPattern> parse(std::string_view line);
    [[nodiscard]] static Result<CommandPattern> parse(const std::vector<std::string>& words);

    // `path` is the resolved absolute path of the file; `arguments` are argv[1..].
    [[nodiscard]] bool matches(std::string_view path, const std::vector<std::string>& arguments) const;

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] bool any_arguments() const { return any_arguments_; } // ends in **
    [[nodiscard]] bool has_open_option() const; // a word begins with '-' and has a wildcard: "--unit=*"

    // The arguments of a pattern without wildcards; none of one with.
    [[nodiscard]] std::optional<std::vector<std::string>> literal_arguments() const;

    // The string form: parse(text()) gives the same pattern.
    [[nodiscard]] std::string text() const;

    bool operator==(const CommandPattern&) const = default;

private:
    // A word between wildcards: "a*b" is the pieces {"a", "b"}; without a wildcard there is one piece.
    using Word = std::vector<std::string>;

    static Result<CommandPattern> read(const std::vector<std::string>& words, bool escaped_space);

    std::string path_;
    std::vector<Word> words_;
    bool any_arguments_ = false;
};

// Whether any of the patterns allows it.
[[nodiscard]] bool allows(const std::vector<CommandPattern>& patterns, std::string_view path,
                          const std::vector<std::string>& arguments);

} // namespace jit
