// SPDX-License-Identifier: MIT
#include "helper/environment.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace jit {
namespace {

constexpr std::size_t longest_command_text = 4096; // as sudo has it

bool is_variable(std::string_view name) {
    return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
           });
}

// PAM's variables come from root's files, but with some modules from the target's home too.
bool may_come_from_pam(std::string_view name, std::string_view value) {
    constexpr std::array prefixes = {"LD_",    "BASH_", "SUDO_",  "JIT_", "GCONV_",
                                     "GLIBC_", "PERL",  "PYTHON", "RUBY"};
    constexpr std::array names = {"IFS", "ENV",        "CDPATH",       "SHELLOPTS",         "BASHOPTS",
                                  "PS4", "GLOBIGNORE", "NODE_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS"};
    return is_variable(name) && !value.starts_with("()") &&
           std::none_of(prefixes.begin(), prefixes.end(),
                        [&](const char* prefix) { return name.starts_with(prefix); }) &&
           std::find(names.begin(), names.end(), name) == names.end();
}

} // namespace

Environment command_environment(const Caller& caller, const HelperAllowed& allowed, const Program& command,
                                const std::vector<std::string>& arguments, const Environment& from_pam) {
    Environment environment = caller.environment;
    for (const auto& [name, value] : from_pam) {
        if (may_come_from_pam(name, value)) {
            environment.try_emplace(name, value);
        }
    }
    std::string text = command.path;
    for (const std::string& argument : arguments) {
        text += ' ' + argument;
    }
    const Environment ours = {
        {"HOME", allowed.home},
        {"USER", allowed.user},
        {"LOGNAME", allowed.user},
        {"SHELL", allowed.shell},
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
    return environment;
}

std::vector<std::string> to_entries(const Environment& environment) {
    std::vector<std::string> entries;
    for (const auto& [name, value] : environment) {
        entries.push_back(name + '=' + value);
    }
    return entries;
}

} // namespace jit
