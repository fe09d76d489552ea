// SPDX-License-Identifier: MIT
#include "helper/wish.h"

#include "core/text.h"
#include "core/variables.h"
#include "helper/ids.h"
#include "helper/messages.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace jit {
namespace {

std::unexpected<Error> refused(std::string message) {
    return fail(Errc::refused, std::move(message));
}

// Those that -P names and that there are, then those that were written.
Result<std::vector<std::string>> read_variables(const Caller& caller, const Options& options) {
    std::vector<std::string> variables;
    for (const std::string& name : options.kept) {
        if (const auto value = original_value(caller, name)) {
            variables.push_back(name + '=' + std::string(*value));
        }
    }
    variables.insert(variables.end(), options.variables.begin(), options.variables.end());
    for (const std::string& variable : variables) {
        const auto equals = variable.find('=');
        const std::string name = variable.substr(0, equals);
        if (!may_be_handed_in(name, std::string_view(variable).substr(equals + 1))) {
            return refused(may_be_handed_in(name, "") ? messages::value_not_handed_in(escape(name))
                                                      : messages::not_handed_in(escape(name)));
        }
    }
    if (!variables_fit(variables)) {
        return refused(std::string(messages::too_many_variables));
    }
    return variables;
}

} // namespace

// As sudo has it: whatever could mean something to a shell is escaped, but '$', so that "-i echo '$HOME'" is
// the target's home.
std::string shell_text(std::span<const std::string> words) {
    std::string text;
    for (const std::string& word : words) {
        if (&word != words.data()) {
            text += ' ';
        }
        if (word.empty()) {
            text += "''";
        }
        for (const char c : word) {
            const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                               c == '_' || c == '-' || c == '$';
            if (c == '\n') {
                text += "'\n'"; // behind a backslash a shell drops it
            } else {
                text += plain ? std::string{c} : std::string{'\\', c};
            }
        }
    }
    return text;
}

Result<Wish> read_wish(const Caller& caller, const Options& options) {
    Wish wish;
    auto variables = read_variables(caller, options);
    if (!variables) {
        return std::unexpected(std::move(variables.error()));
    }
    for (std::string& variable : *variables) {
        const std::string_view text = variable;
        const auto equals = text.find('=');
        const bool plain = may_be_kept(text.substr(0, equals), text.substr(equals + 1));
        (plain ? wish.plain : wish.variables).push_back(std::move(variable));
    }
    std::string word;
    if (options.shell == Shell::none) {
        word = options.command.front();
        wish.arguments.assign(options.command.begin() + 1, options.command.end());
    } else {
        wish.what = options.shell == Shell::login ? HelperWhat::login_shell : HelperWhat::shell;
        word = options.shell == Shell::callers ? caller.shell : std::string();
        if (!options.command.empty()) {
            wish.arguments = {"-c", shell_text(options.command)};
        }
    }
    if (word.empty()) {
        return wish;
    }
    const AsCaller rights(caller.uid);
    auto command = find_command(word, caller.cwd);
    if (!command) {
        return std::unexpected(std::move(command.error()));
    }
    wish.command = std::move(*command);
    return wish;
}

Result<Program> settle_command(const Caller& caller, const Wish& wish, const HelperAllowed& allowed) {
    auto command = [&]() -> Result<Program> {
        if (wish.command) {
            return *wish.command;
        }
        const AsCaller rights(caller.uid);
        return find_command(allowed.command, "/");
    }();
    if (command && command->path != allowed.command) {
        return fail(Errc::unavailable, std::string(messages::strange_answer));
    }
    if (command && wish.what != HelperWhat::command) {
        const std::string name = command->path.substr(command->path.rfind('/') + 1);
        command->name = (wish.what == HelperWhat::login_shell ? "-" : "") + name;
    }
    return command;
}

Result<void> change_directory(Caller& caller, const std::string& directory) {
    const AsCaller rights(caller.uid);
    if (chdir(directory.c_str()) != 0) {
        return refused(messages::no_such_directory(escape(directory), strerrordesc_np(errno)));
    }
    caller.cwd = working_directory();
    return {};
}

} // namespace jit
