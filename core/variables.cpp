// SPDX-License-Identifier: MIT
#include "core/variables.h"

#include <algorithm>
#include <array>
#include <span>

namespace jit {
namespace {

constexpr std::array<std::string_view, 8> our_names = {"HOME", "LOGNAME", "MAIL",  "OLDPWD",
                                                       "PATH", "PWD",     "SHELL", "USER"};
// Programs that others start; PAM's files, which are root's, may name them, a caller may not.
constexpr std::array<std::string_view, 5> program_names = {"BROWSER", "EDITOR", "PAGER", "SUDO_EDITOR",
                                                           "VISUAL"};
constexpr std::array<std::string_view, 2> our_prefixes = {"SUDO_", "JIT_"};

constexpr std::array<std::string_view, 42> dangerous_names = {"BASHOPTS",
                                                              "CDPATH",
                                                              "CLASSPATH",
                                                              "DOTNET_STARTUP_HOOKS",
                                                              "ENV",
                                                              "FPATH",
                                                              "GLOBIGNORE",
                                                              "HOSTALIASES",
                                                              "IFS",
                                                              "JAVA_TOOL_OPTIONS",
                                                              "JDK_JAVA_OPTIONS",
                                                              "LOCALDOMAIN",
                                                              "LOCPATH",
                                                              "MAILPATH",
                                                              "MANPAGER",
                                                              "NLSPATH",
                                                              "NODE_OPTIONS",
                                                              "NODE_PATH",
                                                              "NULLCMD",
                                                              "OPENSSL_CONF",
                                                              "OPENSSL_MODULES",
                                                              "PATH_LOCALE",
                                                              "PHPRC",
                                                              "PHP_INI_SCAN_DIR",
                                                              "PROMPT_COMMAND",
                                                              "PS4",
                                                              "READNULLCMD",
                                                              "RESOLV_HOST_CONF",
                                                              "RES_OPTIONS",
                                                              "RUBYLIB",
                                                              "RUBYOPT",
                                                              "SHELLOPTS",
                                                              "SYSTEMD_EDITOR",
                                                              "TCLLIBPATH",
                                                              "TERMCAP",
                                                              "TERMINFO",
                                                              "TERMINFO_DIRS",
                                                              "TERMPATH",
                                                              "TMPPREFIX",
                                                              "TZDIR",
                                                              "ZDOTDIR",
                                                              "_JAVA_OPTIONS"};
constexpr std::array<std::string_view, 19> dangerous_prefixes = {
    "LD_",       "_RLD",          "BASH_", "GCONV_",    "GLIBC_",   "MALLOC_", "PERL",
    "PYTHON",    "GIT_",          "KRB5",  "LUA_",      "GETCONF_", "NIS_",    "DYLD_",
    "SSLKEYLOG", "SYSTEMD_PAGER", "LESS",  "R_PROFILE", "R_ENVIRON"};

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_one_of(std::string_view name, std::span<const std::string_view> names,
               std::span<const std::string_view> prefixes) {
    return std::ranges::find(names, name) != names.end() ||
           std::ranges::any_of(prefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

} // namespace

bool is_variable_name(std::string_view name) {
    return !name.empty() && name.size() <= 128 && is_letter(name.front()) &&
           std::ranges::all_of(name, [](char c) { return is_letter(c) || is_digit(c); });
}

bool is_assignment(std::string_view word) {
    const auto equals = word.find('=');
    return equals != std::string_view::npos && is_variable_name(word.substr(0, equals));
}

bool variables_fit(const std::vector<std::string>& variables) {
    std::size_t size = 0;
    for (const std::string& variable : variables) {
        size += variable.size() + 1;
    }
    return variables.size() <= most_variables && size <= longest_variables;
}

bool is_our_variable(std::string_view name) {
    return is_one_of(name, our_names, our_prefixes);
}

bool is_dangerous_variable(std::string_view name) {
    return is_one_of(name, dangerous_names, dangerous_prefixes);
}

bool may_be_handed_in(std::string_view name, std::string_view value) {
    return is_variable_name(name) && !is_our_variable(name) && !is_dangerous_variable(name) &&
           !value.starts_with("()") && value.find('\0') == std::string_view::npos;
}

std::optional<std::string> wrong_variable_pattern(std::string_view pattern) {
    const bool is_prefix = pattern.ends_with('*');
    const std::string_view name = is_prefix ? pattern.substr(0, pattern.size() - 1) : pattern;
    if (!is_variable_name(name)) {
        return "expected the name of a variable, or a prefix such as \"APP_*\"";
    }
    if (is_our_variable(name)) {
        return "jit-sudo sets it itself, for every command";
    }
    if (is_dangerous_variable(name) || is_one_of(name, program_names, {})) {
        return "it makes a program run what its caller chooses, so it is never handed in";
    }
    return std::nullopt;
}

bool allows_variable(const std::vector<std::string>& patterns, std::string_view name) {
    return !is_our_variable(name) && !is_dangerous_variable(name) && !is_one_of(name, program_names, {}) &&
           std::ranges::any_of(patterns, [&](std::string_view pattern) {
               return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1))
                                             : name == pattern;
           });
}

} // namespace jit
