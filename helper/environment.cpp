// SPDX-License-Identifier: MIT
#include "helper/environment.h"

#include "core/variables.h"

namespace jit {
namespace {

constexpr std::size_t longest_command_text = 4096; // as sudo has it

} // namespace

Environment command_environment(const Caller& caller, const HelperAllowed& allowed, const Program& command,
                                const Wish& wish, const Environment& from_pam) {
    Environment environment = caller.environment;
    // PAM's variables come from root's files, but with some modules from the target's home too.
    for (const auto& [name, value] : from_pam) {
        if (may_be_handed_in(name, value)) {
            environment.try_emplace(name, value);
        }
    }
    for (const auto* variables : {&wish.plain, &wish.variables}) {
        for (const std::string& variable : *variables) {
            const auto equals = variable.find('=');
            const std::string name = variable.substr(0, equals);
            const std::string value = equals == std::string::npos ? "" : variable.substr(equals + 1);
            if (may_be_handed_in(name, value)) {
                environment.insert_or_assign(name, value);
            }
        }
    }
    std::string text = command.path;
    for (const std::string& argument : wish.arguments) {
        text += ' ' + argument;
    }
    const Environment ours = {
        {"HOME", allowed.home},
        {"USER", allowed.user},
        {"LOGNAME", allowed.user},
        {"SHELL", wish.what == HelperWhat::shell ? command.path : allowed.shell},
        {"MAIL", "/var/mail/" + allowed.user},
        {"PATH", secure_path},
        {"SUDO_USER", allowed.caller},
        {"SUDO_UID", std::to_string(number(caller.uid))},
        {"SUDO_GID", std::to_string(number(caller.gid))},
        {"SUDO_COMMAND", text.substr(0, longest_command_text)},
        {"JIT_GRANT", allowed.grant},
        {"JIT_EXPIRES", std::to_string(allowed.deadline.time / 1000)},
    };
    for (const auto& [name, value] : ours) {
        environment.insert_or_assign(name, value);
    }
    if (wish.what == HelperWhat::command) {
        // systemctl and journalctl start a pager on a terminal: one that starts no shell (less(1), SECURITY).
        environment.insert_or_assign("SYSTEMD_PAGERSECURE", "1");
    }
    return environment;
}

std::vector<std::string> to_entries(const Environment& environment) {
    std::vector<std::string> entries;
    for (const auto& [name, value] : environment) {
        entries.push_back(name + '=' + value);
    }
    return entries;
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
    std::vector<char*> list;
    list.reserve(words.size() + 1);
    for (const std::string& word : words) {
        list.push_back(const_cast<char*>(word.c_str()));
    }
    list.push_back(nullptr);
    return list;
}

} // namespace jit
