// SPDX-License-Identifier: MIT
// Would somebody get this now, and why or why not.
#include "core/policy_load.h"
#include "core/text.h"
#include "ctl/print.h"
#include "ctl/reply.h"
#include "ctl/verbs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <unistd.h>

namespace jit {
namespace {

// Where jit-sudo looks for a command without a slash, whatever the caller's PATH says.
constexpr std::array<const char*, 6> command_directories{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                                         "/usr/bin",        "/sbin",          "/bin"};

Outcome<std::string> resolve(const std::string& command) {
    if (command.starts_with('/')) {
        return in_real_directory(command);
    }
    if (command.find('/') != std::string::npos || command.empty()) {
        return usage_failure(fmt::format("{}: give the command's full path, such as /usr/bin/systemctl",
                                         command.empty() ? "an empty command" : escape(command)));
    }
    for (const char* directory : command_directories) {
        std::string path = fmt::format("{}/{}", directory, command);
        if (access(path.c_str(), X_OK) == 0) {
            return path;
        }
    }
    return usage_failure(fmt::format("{}: no such command in {}; give its full path", escape(command),
                                     fmt::join(command_directories, ", ")));
}

std::string command_line(const std::vector<std::string>& words) {
    std::vector<std::string> shown;
    std::ranges::transform(words, std::back_inserter(shown), shell_word);
    return fmt::format("{}", fmt::join(shown, " "));
}

std::string check_line(std::string_view name, const reply::Check& check) {
    return fmt::format("  {:<6} {:<4} {}\n", name, check.ok ? "yes" : "no", check.text);
}

std::string text(const reply::Explanation& explanation, const ExplainOptions& options,
                 std::string_view what) {
    std::string out =
        fmt::format("{}: {}?\n", options.user ? escape(*options.user) : std::string("you"), what);
    for (const reply::RoleAnswer& role : explanation.roles) {
        out += role.role + "\n" + check_line("who", role.who) + check_line("what", role.what) +
               check_line("where", role.where) + check_line("when", role.when);
    }
    if (explanation.verdict == "granted") {
        return out + fmt::format("granted now, by {}\n", fmt::join(explanation.grants, ", "));
    }
    if (explanation.verdict != "available") {
        return out + "refused\n" + (explanation.help.empty() ? "" : explanation.help + "\n");
    }
    out += options.user ? fmt::format("available on request of {}:\n", escape(*options.user))
                        : std::string("available on request:\n");
    for (const reply::RoleAnswer& role : explanation.roles) {
        if (role.who.ok && role.what.ok && role.where.ok) {
            out += fmt::format("  jitctl request {} --reason TEXT{}\n", role.role,
                               role.ticket.empty() ? "" : fmt::format(" --ticket '{}'", role.ticket));
        }
    }
    return out;
}

} // namespace

Outcome<Exit> explain(const Context& context, const ExplainOptions& options) {
    Json parameters = Json::object();
    std::string what;
    std::string line;
    if (!options.command.empty()) {
        auto path = resolve(options.command.front());
        if (!path) {
            return std::unexpected(path.error());
        }
        std::vector<std::string> command = options.command;
        command.front() = *path;
        parameters["command"] = command;
        line = command_line(command);
        what = fmt::format("run {} as {}", line, escape(options.run_as.value_or("root")));
    } else if (options.login) {
        parameters["login"] = *options.login;
        what = fmt::format("log in through {}", escape(*options.login));
    } else if (options.group) {
        parameters["group"] = *options.group;
        what = fmt::format("get the group {}", escape(*options.group));
    }
    if (options.user) {
        parameters["user"] = *options.user;
    }
    if (options.run_as) {
        parameters["run_as"] = *options.run_as;
    }
    const auto reply = call(context, "Explain", parameters);
    if (!reply) {
        return no(reply.error(), options.now);
    }
    const auto explanation = reply::read_explanation(*reply);
    if (!explanation) {
        return std::unexpected(explanation.error());
    }
    context.print_json(*reply);
    const bool granted = explanation->verdict == "granted";
    if (granted && options.now && !line.empty()) {
        context.print_text(line + '\n');
    } else if (options.now && !granted && !context.json) {
        context.err << text(*explanation, options, what)
                    << std::flush; // what is printed is a command, or nothing
    } else {
        context.print_text(text(*explanation, options, what));
    }
    return granted || (explanation->verdict == "available" && !options.now) ? Exit::done : Exit::refused;
}

} // namespace jit
