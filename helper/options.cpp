// SPDX-License-Identifier: MIT
// Not getopt_long(3): it keeps state between calls, permutes unless told, asks the environment, and takes
// abbreviations, so that an option added later changes what a script means.
#include "helper/options.h"

#include "core/helper_protocol.h"
#include "core/text.h"
#include "core/time.h"
#include "core/variables.h"
#include "helper/messages.h"

#include <algorithm>
#include <array>
#include <linux/limits.h>
#include <string_view>

namespace jit {
namespace {

std::unexpected<Error> misused(std::string message) {
    return fail(Errc::invalid, std::move(message));
}

enum class Takes { nothing, value };

struct Option {
    char letter; // also names it in the code below
    std::string_view name;
    Takes takes;
};

// Names and letters as sudo has them, so that fingers and scripts need not learn.
constexpr std::array<Option, 21> options = {{
    {'b', "background", Takes::nothing},
    {'D', "chdir", Takes::value},
    {'g', "group", Takes::value},
    {'H', "set-home", Takes::nothing},
    {'h', "help", Takes::nothing},
    {'i', "login", Takes::nothing},
    {'k', "reset-timestamp", Takes::nothing},
    {'K', "remove-timestamp", Takes::nothing},
    {'l', "list", Takes::nothing},
    {'N', "no-update", Takes::nothing},
    {'n', "non-interactive", Takes::nothing},
    {'p', "prompt", Takes::value},
    {'P', "preserve-env", Takes::value},
    {'r', "reason", Takes::value},
    {'S', "stdin", Takes::nothing},
    {'s', "shell", Takes::nothing},
    {'T', "command-timeout", Takes::value},
    {'U', "other-user", Takes::value},
    {'u', "user", Takes::value},
    {'V', "version", Takes::nothing},
    {'v', "validate", Takes::nothing},
}};

struct LeftOut {
    char letter;
    std::string_view name;
    std::string_view why;
};

constexpr std::array<LeftOut, 7> left_out = {{
    {'A', "askpass", messages::no_askpass},
    {'B', "bell", messages::no_bell},
    {'C', "close-from", messages::no_close_from},
    {'E', "preserve-env", messages::no_whole_environment},
    {'e', "edit", messages::no_edit},
    {'R', "chroot", messages::no_chroot},
    {'\0', "host", messages::no_host},
}};

Result<void> set_name(std::string& name, char option, std::string_view value) {
    const std::string flag = {'-', option};
    const std::string what = option == 'g' ? "group" : "user";
    if (option == 'u' && uid_in(value)) {
        name = value;
        return {};
    }
    if (option != 'u' && value.starts_with('#')) {
        return misused(messages::names_only(flag, what));
    }
    if (!is_account_name(value)) {
        return misused(messages::not_a_name(flag, shell_word(value), what));
    }
    name = value;
    return {};
}

// sudo's form has bare seconds too.
Result<void> set_timeout(std::optional<Millis>& timeout, std::string_view value) {
    const bool bare =
        !value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
    const auto parsed = parse_duration(std::string(value) + (bare ? "s" : ""));
    if (!parsed) {
        return misused(messages::not_a_duration(shell_word(value)));
    }
    timeout = *parsed;
    return {};
}

class Parser {
public:
    explicit Parser(std::span<const char* const> words) : rest_(words) {}

    Result<Options> parse() {
        while (!rest_.empty()) {
            const std::string_view word = rest_.front();
            const bool assigns = is_assignment(word);
            if (!assigns && (word.size() < 2 || word.front() != '-')) {
                break;
            }
            rest_ = rest_.subspan(1);
            if (word == "--") {
                break; // what follows is the command, whatever it looks like
            }
            if (assigns) {
                parsed_.variables.emplace_back(word);
                continue;
            }
            if (auto read = word.starts_with("--") ? long_option(word.substr(2)) : cluster(word.substr(1));
                !read) {
                return std::unexpected(std::move(read.error()));
            }
        }
        parsed_.command.assign(rest_.begin(), rest_.end());
        return checked();
    }

private:
    // "nu" and "ubob": letters, of which the last may have a value, here or in the next word.
    Result<void> cluster(std::string_view letters) {
        while (!letters.empty()) {
            const char letter = letters.front();
            letters.remove_prefix(1);
            if (letter == 'h' && (!letters.empty() || !rest_.empty())) {
                return misused(std::string(messages::no_host)); // sudo's -h with a host
            }
            const auto out = std::ranges::find(left_out, letter, &LeftOut::letter);
            if (out != left_out.end()) {
                return misused(std::string(out->why));
            }
            const auto option = std::ranges::find(options, letter, &Option::letter);
            if (option == options.end()) {
                return misused(messages::unknown_option("-" + escape({&letter, 1})));
            }
            if (option->takes == Takes::value) {
                return valued(letter, {'-', letter}, letters.empty() ? std::nullopt : std::optional(letters));
            }
            if (auto set = flag(letter); !set) {
                return set;
            }
        }
        return {};
    }

    // "user=bob", or "user" with the next word.
    Result<void> long_option(std::string_view text) {
        const auto equals = text.find('=');
        const std::string_view name = text.substr(0, equals);
        const std::optional<std::string_view> value =
            equals == std::string_view::npos ? std::nullopt : std::optional(text.substr(equals + 1));
        const auto option = std::ranges::find(options, name, &Option::name);
        const auto out = std::ranges::find(left_out, name, &LeftOut::name);
        if (out != left_out.end() && (option == options.end() || !value)) {
            return misused(std::string(out->why)); // --preserve-env alone is -E
        }
        const std::string shown = "--" + escape(name);
        if (option == options.end()) {
            return misused(messages::unknown_option(shown));
        }
        if (option->takes == Takes::value) {
            return valued(option->letter, shown, value);
        }
        return value ? misused(messages::no_value_wanted(shown)) : flag(option->letter);
    }

    Result<void> flag(char letter) {
        switch (letter) {
        case 'b':
            parsed_.in_background = true;
            break;
        case 'H':
            break; // HOME is always the target's
        case 'h':
            return act(Action::show_help);
        case 'i':
            return shell(Shell::login);
        case 's':
            return shell(Shell::callers);
        case 'k':
            parsed_.use_proof = false;
            break;
        case 'K':
            parsed_.forget_all = true;
            return act(Action::forget);
        case 'l':
            parsed_.in_detail = parsed_.action == Action::list;
            return act(Action::list);
        case 'N':
            parsed_.keep_proof = false;
            break;
        case 'n':
            parsed_.non_interactive = true;
            break;
        case 'S':
            parsed_.from_stdin = true;
            break;
        case 'V':
            return act(Action::show_version);
        default: // 'v'
            return act(Action::validate);
        }
        return {};
    }

    Result<void> act(Action action) {
        if (parsed_.action != Action::run && parsed_.action != action) {
            return misused(std::string(messages::one_thing_only));
        }
        parsed_.action = action;
        return {};
    }

    Result<void> shell(Shell which) {
        if (parsed_.shell != Shell::none && parsed_.shell != which) {
            return misused(std::string(messages::one_shell_only));
        }
        parsed_.shell = which;
        return {};
    }

    Result<void> valued(char letter, const std::string& shown, std::optional<std::string_view> value) {
        if (given_.find(letter) != std::string::npos) {
            return misused(messages::given_twice(shown));
        }
        given_ += letter;
        if (!value) {
            if (rest_.empty()) {
                return misused(messages::no_value(shown));
            }
            value = rest_.front();
            rest_ = rest_.subspan(1);
        }
        switch (letter) {
        case 'u':
            return set_name(parsed_.user, letter, *value);
        case 'g':
            return set_name(parsed_.group, letter, *value);
        case 'U':
            return set_name(parsed_.other_user, letter, *value);
        case 'T':
            return set_timeout(parsed_.timeout, *value);
        case 'p':
            parsed_.prompt = *value;
            return {};
        case 'P':
            return keep(*value);
        case 'D':
            if (value->empty() || value->size() >= PATH_MAX) {
                return misused(messages::no_value(shown));
            }
            parsed_.directory = *value;
            return {};
        default: // 'r'
            if (value->find_first_not_of(' ') == std::string_view::npos) {
                return misused(std::string(messages::no_reason));
            }
            if (value->size() > longest_helper_reason) {
                return misused(messages::reason_too_long(longest_helper_reason));
            }
            parsed_.reason = *value;
            return {};
        }
    }

    Result<void> keep(std::string_view list) {
        for (;;) {
            const auto comma = list.find(',');
            const std::string_view name = list.substr(0, comma);
            if (!is_variable_name(name)) {
                return misused(messages::not_a_variable(shell_word(name)));
            }
            parsed_.kept.emplace_back(name);
            if (comma == std::string_view::npos) {
                return {};
            }
            list.remove_prefix(comma + 1);
        }
    }

    [[nodiscard]] bool given(std::string_view letters) const {
        return given_.find_first_of(letters) != std::string::npos;
    }

    Result<Options> checked() {
        Options& p = parsed_;
        const bool has_words = !p.command.empty() || !p.variables.empty();
        const bool is_bare = !has_words && p.shell == Shell::none;
        if (p.action == Action::run && !p.use_proof && is_bare && given_.empty() && !p.in_background) {
            p.action = Action::forget; // -k alone
        }
        const bool runs = p.action == Action::run;
        switch (p.action) {
        case Action::show_help:
        case Action::show_version:
            return std::move(p);
        case Action::list:
            if (p.shell != Shell::none || p.in_background || given("DPTr") || !p.variables.empty() ||
                (p.command.empty() && given("ug")) || given("g")) {
                return misused(std::string(messages::list_takes_less));
            }
            break;
        case Action::validate:
        case Action::forget:
            if (!is_bare || p.in_background || given("DPTrugU")) {
                return misused(std::string(messages::no_command_wanted));
            }
            break;
        case Action::run:
            if (given("U")) {
                return misused(std::string(messages::other_user_lists));
            }
            break;
        }
        if (runs && p.shell == Shell::none && (p.command.empty() || p.command.front().empty())) {
            return misused("");
        }
        if (runs && p.in_background && p.command.empty()) {
            return misused(std::string(messages::background_needs_command));
        }
        return std::move(p);
    }

    std::span<const char* const> rest_;
    Options parsed_;
    std::string given_; // letters of the valued options so far
};

} // namespace

Result<Options> parse_options(std::span<const char* const> words) {
    return Parser(words).parse();
}

} // namespace jit
