// SPDX-License-Identifier: MIT
// Not getopt(3): it keeps state between calls, permutes unless told, and asks the environment.
#include "helper/options.h"

#include "core/helper_protocol.h"
#include "core/text.h"
#include "helper/messages.h"

#include <string_view>

namespace jit {
namespace {

std::unexpected<Error> misused(std::string message) {
    return fail(Errc::invalid, std::move(message));
}

// "LD_PRELOAD=/x": sudo would set it.
bool is_assignment(std::string_view word) {
    const auto equals = word.find('=');
    return equals != std::string_view::npos && is_policy_name(word.substr(0, equals)) &&
           word.substr(0, equals).find_first_of(".-") == std::string_view::npos;
}

Result<void> set_name(std::string& name, char option, std::string_view value) {
    const std::string flag = {'-', option};
    const std::string what = option == 'u' ? "user" : "group";
    if (value.starts_with('#')) {
        return misused(messages::names_only(flag, what));
    }
    if (!is_account_name(value)) {
        return misused(messages::not_a_name(flag, shell_word(value), what));
    }
    name = value;
    return {};
}

class Parser {
public:
    explicit Parser(std::span<const char* const> words) : rest_(words) {}

    Result<Options> parse() {
        while (!rest_.empty()) {
            const std::string_view word = rest_.front();
            if (word.size() < 2 || word.front() != '-') {
                break;
            }
            rest_ = rest_.subspan(1);
            if (word == "--") {
                break;
            }
            if (auto read = cluster(word.substr(1)); !read) {
                return std::unexpected(std::move(read.error()));
            }
        }
        options_.command.assign(rest_.begin(), rest_.end());
        return checked();
    }

private:
    // "nu" and "ubob": letters, of which the last may have a value, here or in the next word.
    Result<void> cluster(std::string_view letters) {
        while (!letters.empty()) {
            const char letter = letters.front();
            letters.remove_prefix(1);
            switch (letter) {
            case 'n':
                options_.non_interactive = true;
                break;
            case 'l':
                options_.action = Action::list;
                break;
            case 'h':
                options_.action = Action::show_help;
                break;
            case 'V':
                options_.action = Action::show_version;
                break;
            case 'u':
            case 'g':
            case 'r':
                return valued(letter, letters);
            default:
                return misused(messages::unknown_option(escape({&letter, 1})));
            }
        }
        return {};
    }

    Result<void> valued(char letter, std::string_view value) {
        const std::string flag = {'-', letter};
        if (given_.find(letter) != std::string::npos) {
            return misused(messages::given_twice(flag));
        }
        given_ += letter;
        if (value.empty()) {
            if (rest_.empty()) {
                return misused(messages::no_value(flag));
            }
            value = rest_.front();
            rest_ = rest_.subspan(1);
        }
        if (letter != 'r') {
            return set_name(letter == 'u' ? options_.user : options_.group, letter, value);
        }
        if (value.empty()) {
            return misused(std::string(messages::no_reason));
        }
        if (value.size() > longest_helper_reason) {
            return misused(messages::reason_too_long(longest_helper_reason));
        }
        options_.reason = value;
        return {};
    }

    Result<Options> checked() {
        if (options_.action == Action::show_help || options_.action == Action::show_version) {
            return std::move(options_);
        }
        if (options_.action == Action::list) {
            if (!given_.empty() || !options_.command.empty()) {
                return misused(std::string(messages::list_alone));
            }
            return std::move(options_);
        }
        if (options_.command.empty() || options_.command.front().empty()) {
            return misused("");
        }
        if (is_assignment(options_.command.front())) {
            return misused(messages::no_assignment(shell_word(options_.command.front())));
        }
        return std::move(options_);
    }

    std::span<const char* const> rest_;
    Options options_;
    std::string given_; // letters of the valued options so far
};

} // namespace

Result<Options> parse_options(std::span<const char* const> words) {
    return Parser(words).parse();
}

} // namespace jit
