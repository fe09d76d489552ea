// SPDX-License-Identifier: MIT
#include "pam_module/arguments.h"

#include "core/text.h"

#include <algorithm>

namespace jit {
namespace {

std::vector<std::string> split(std::string_view list) {
    std::vector<std::string> names;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(','), list.size());
        names.emplace_back(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return names;
}

} // namespace

std::string_view name_of(Mode mode) {
    switch (mode) {
    case Mode::warn:
        return "warn";
    case Mode::audit:
        return "audit";
    case Mode::enforce:
        break;
    }
    return "enforce";
}

bool Gate::exempts(std::string_view account) const {
    return std::ranges::find(exempt, account) != exempt.end();
}

Gate parse_gate(int argc, const char** argv) {
    Gate gate;
    for (int index = 0; index < argc; ++index) {
        const std::string_view argument(argv[index]);
        if (argument == "mode=enforce") {
            gate.mode = Mode::enforce;
        } else if (argument == "mode=warn") {
            gate.mode = Mode::warn;
        } else if (argument == "mode=audit") {
            gate.mode = Mode::audit;
        } else if (argument.starts_with("exempt=")) {
            gate.exempt = split(argument.substr(argument.find('=') + 1));
        } else if (argument.starts_with("only=") && argument.size() > std::string_view("only=").size()) {
            gate.only = argument.substr(argument.find('=') + 1);
        } else {
            gate.problem = "unknown argument " + escape(argument);
        }
    }
    if (!gate.problem.empty()) {
        gate.mode = Mode::enforce;
        gate.only.clear();
    }
    return gate;
}

} // namespace jit
