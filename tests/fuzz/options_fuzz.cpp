// SPDX-License-Identifier: MIT
// Input: jit-sudo's words, each ended by NUL. Whatever is accepted, no word of the command was changed, no
// number can mean another user, and a shell reads the words handed to it as they were.
#include "core/text.h"
#include "core/variables.h"
#include "helper/options.h"
#include "helper/wish.h"
#include "tests/fuzz/fuzz_kit.h"

#include <algorithm>
#include <string>
#include <vector>

namespace jit {
namespace {

// What a POSIX shell makes of the text, where nothing in it is expanded but what begins with '$'.
std::vector<std::string> shell_words(const std::string& text) {
    std::vector<std::string> words;
    std::string word;
    bool begun = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == ' ') {
            require(begun);
            words.push_back(std::exchange(word, {}));
            begun = false;
            continue;
        }
        begun = true;
        if (text[i] == '\\') {
            require(++i < text.size());
            word += text[i];
        } else if (text[i] == '\'') {
            const auto end = text.find('\'', i + 1);
            require(end != std::string::npos);
            word += text.substr(i + 1, end - i - 1);
            i = end;
        } else {
            word += text[i];
        }
    }
    require(begun || text.empty());
    if (begun) {
        words.push_back(word);
    }
    return words;
}

} // namespace
} // namespace jit

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jit;
    std::vector<std::string> typed;
    const std::string_view text = as_text(data, size);
    for (std::size_t from = 0; from < text.size();) {
        const auto end = std::min(text.find('\0', from), text.size());
        typed.emplace_back(text.substr(from, end - from));
        from = end + 1;
    }
    std::vector<const char*> words;
    for (const std::string& word : typed) {
        words.push_back(word.c_str());
    }
    const auto options = parse_options(words);
    if (!options) {
        return 0;
    }
    const auto& command = options->command;
    require(command.size() <= typed.size() && std::equal(command.rbegin(), command.rend(), typed.rbegin()));
    require(options->user.empty() || options->user.front() == '#' || is_account_name(options->user));
    require(options->user.find("#-") == std::string::npos && options->user != "#4294967295");
    require(options->group.empty() || is_account_name(options->group));
    require(options->other_user.empty() || is_account_name(options->other_user));
    require(std::ranges::all_of(options->variables, is_assignment));
    require(std::ranges::all_of(options->kept, is_variable_name));
    require(!options->timeout || options->timeout->count() > 0);
    require(options->action != Action::run || options->shell != Shell::none || !command.empty());
    require(shell_words(shell_text(command)) == command);
    return 0;
}
