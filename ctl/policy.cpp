// SPDX-License-Identifier: MIT
// Whether a policy is right, and making it hold.
#include "core/policy_load.h"
#include "ctl/print.h"
#include "ctl/reply.h"
#include "ctl/verbs.h"

#include <fmt/format.h>

#include <algorithm>
#include <sys/stat.h>

namespace jit {
namespace {

LoadedPolicy load(const std::optional<std::string>& path) {
    if (!path) {
        return load_policy("/etc/jit", Ownership::root_only);
    }
    struct stat info{};
    const bool is_directory = stat(path->c_str(), &info) == 0 && S_ISDIR(info.st_mode);
    return is_directory ? load_policy(*path, Ownership::anyone) : load_policy_file(*path, Ownership::anyone);
}

} // namespace

Outcome<Exit> policy_check(const Context& context, const std::optional<std::string>& path) {
    const LoadedPolicy loaded = load(path);
    Json problems = Json::array();
    std::vector<reply::ProblemLine> lines;
    for (const Problem& problem : loaded.problems) {
        const bool is_error = problem.severity == Problem::Severity::error;
        problems.push_back({{"severity", is_error ? "error" : "warning"},
                            {"file", problem.where.file},
                            {"line", problem.where.line},
                            {"key", problem.key},
                            {"message", problem.message}});
        lines.push_back({.is_error = is_error, .text = problem.text()});
    }
    const std::size_t roles = loaded.policy ? loaded.policy->roles.size() : 0;
    context.print_json({{"good", loaded.policy.has_value()}, {"roles", roles}, {"problems", problems}});
    context.print_text(problem_lines(lines));
    if (!loaded.policy) {
        const auto errors = std::ranges::count_if(lines, &reply::ProblemLine::is_error);
        context.print_text(
            fmt::format("policy is broken: {} {}\n", errors, errors == 1 ? "error" : "errors"));
        return Exit::policy_broken;
    }
    context.print_text(fmt::format("policy is good: {} {}\n", roles, roles == 1 ? "role" : "roles"));
    return Exit::done;
}

Outcome<Exit> policy_reload(const Context& context) {
    const auto reply = call(context, "ReloadPolicy", Json::object());
    if (!reply) {
        return std::unexpected(reply.error());
    }
    const auto taken = reply::read_bool(*reply, "taken");
    const auto problems = reply::read_problems(*reply);
    if (!taken || !problems) {
        return std::unexpected(taken ? problems.error() : taken.error());
    }
    context.print_json(*reply);
    if (!*taken) {
        context.print_text(problem_lines(*problems));
        context.print_text("policy NOT taken: the files are broken, and the one before stays in force\n");
        return Exit::policy_broken;
    }
    context.print_text("policy taken: it holds from now on\n");
    if (!problems->empty()) {
        context.print_text(fmt::format("{} {}; to see {}: jitctl policy check\n", problems->size(),
                                       problems->size() == 1 ? "warning" : "warnings",
                                       problems->size() == 1 ? "it" : "them"));
    }
    return Exit::done;
}

} // namespace jit
