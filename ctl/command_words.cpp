// SPDX-License-Identifier: MIT
#include "ctl/command_words.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace jit {
namespace {

std::string_view verb_of(std::span<const char* const> arguments) {
    for (auto at = arguments.begin(); at != arguments.end(); ++at) {
        const std::string_view argument = *at;
        if (argument == "--socket" && at + 1 != arguments.end()) {
            ++at;
        } else if (!argument.starts_with('-')) {
            return argument;
        }
    }
    return {};
}

} // namespace

SplitWords split_words(std::span<const char* const> arguments) {
    const std::string_view verb = verb_of(arguments);
    const bool takes_command = verb == "explain" || verb == "ask";
    const auto dashes =
        takes_command ? std::ranges::find(arguments, std::string_view("--")) : arguments.end();
    const auto size = static_cast<std::size_t>(dashes - arguments.begin());
    const auto options = arguments.first(size);
    return {.options = options,
            .has_dashes = dashes != arguments.end(),
            .rest = arguments.subspan(std::min(size + 1, arguments.size())),
            .must_be_text = verb == "ask" ? options : arguments};
}

std::size_t not_text(std::span<const char* const> arguments) {
    const auto bad = std::ranges::find_if(arguments, [](const char* argument) { return !is_text(argument); });
    return bad == arguments.end() ? 0 : static_cast<std::size_t>(bad - arguments.begin()) + 1;
}

ExplainedCommand explained_command(std::vector<std::string> begun, const SplitWords& split) {
    ExplainedCommand command{.words = std::move(begun), .without_dashes = false};
    command.without_dashes = !command.words.empty();
    if (command.without_dashes && split.has_dashes) {
        command.words.emplace_back("--"); // the command's own
    }
    command.words.insert(command.words.end(), split.rest.begin(), split.rest.end());
    return command;
}

Outcome<void> check_explained(ExplainOptions& options, ExplainedCommand command, bool command_flag) {
    options.command = std::move(command.words);
    const int questions =
        (options.command.empty() ? 0 : 1) + (options.login ? 1 : 0) + (options.group ? 1 : 0);
    if (questions != 1 || (command_flag && options.command.empty())) {
        return usage_failure(
            "say one thing to explain: -- COMMAND [ARGUMENT ...], --login SERVICE or --group GROUP");
    }
    if (command.without_dashes && options.command.front().starts_with('-')) {
        return usage_failure(
            fmt::format("there is no option {}; see jitctl explain --help", escape(options.command.front())));
    }
    if (options.run_as && options.command.empty()) {
        return usage_failure("--run-as belongs to a command");
    }
    // A whole command in quotes, as one writes it in a policy.
    if (command_flag && options.command.size() == 1 &&
        options.command.front().find(' ') != std::string::npos) {
        const std::string whole = options.command.front();
        options.command.clear();
        for (std::size_t from = 0; from < whole.size();) {
            const std::size_t to = std::min(whole.find(' ', from), whole.size());
            if (to > from) {
                options.command.push_back(whole.substr(from, to - from));
            }
            from = to + 1;
        }
    }
    return {};
}

} // namespace jit
