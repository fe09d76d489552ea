// SPDX-License-Identifier: MIT
#include "ctl/run.h"

#include "ctl/command_line.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace jit {
namespace {

// Whether errors are to be JSON, known before the command line is.
bool wants_json(std::span<const char* const> arguments) {
    const auto end = std::ranges::find(arguments, std::string_view("--"));
    return std::find(arguments.begin(), end, std::string_view("--json")) != end;
}

Outcome<Exit> read_and_run(std::span<const char* const> arguments, Context& context) {
    const auto line = read_command_line(arguments);
    if (!line) {
        return std::unexpected(line.error());
    }
    if (!line->help.empty()) {
        context.out << line->help;
        return Exit::done;
    }
    context.json = line->json;
    context.client.own_uid_trusted = !line->socket.empty();
    context.client.socket = line->socket.empty() ? std::string(default_socket) : line->socket;
    return line->verb(context, *line);
}

// jit-sudo, for what it doesn't do itself, calls us by its own name (helper/unprivileged.h).
std::string_view called_as(int argc, const char* const* argv) {
    constexpr std::string_view helper = "jit-sudo";
    return argc > 0 && argv[0] == helper ? helper : "jitctl";
}

} // namespace

int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err, int output) {
    const std::span arguments(argv + std::min(argc, 1), static_cast<std::size_t>(std::max(argc - 1, 0)));
    Context context{.out = out,
                    .err = err,
                    .json = wants_json(arguments),
                    .client = {.socket = {}, .output = output},
                    .name = called_as(argc, argv)};
    const Outcome<Exit> result = read_and_run(arguments, context);
    if (!result) {
        context.print_failure(result.error());
    }
    out.flush();
    return static_cast<int>(!out ? Exit::internal : result ? *result : result.error().exit);
}

} // namespace jit
