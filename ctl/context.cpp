// SPDX-License-Identifier: MIT
#include "core/text.h"
#include "ctl/print.h"
#include "ctl/verbs.h"

#include <fmt/format.h>

#include <chrono>

namespace jit {

void Context::print_json(const Json& parameters) const {
    if (json) {
        out << to_line(parameters) << std::endl;
    }
}

void Context::print_text(std::string_view text) const {
    if (!json) {
        out << text << std::flush;
    }
}

void Context::print_failure(const Failure& failure) const {
    if (failure.message.empty()) {
        return; // there is nobody to tell, or nothing that they don't know
    }
    if (json) {
        out << to_line({{"error", failure.kind}, {"message", failure.message}}) << std::endl;
    } else {
        err << fmt::format("{}: {}\n", name, sentence(failure.message)) << std::flush;
    }
}

Time wall_clock() {
    return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
}

Outcome<Json> call(const Context& context, std::string_view method, const Json& parameters) {
    auto client = Client::connect(context.client);
    if (!client) {
        return std::unexpected(client.error());
    }
    return client->call(method, parameters);
}

Outcome<void> set_duration(Json& parameters, const std::optional<std::string>& text) {
    if (!text) {
        return {};
    }
    const auto duration = parse_duration(*text);
    if (!duration) {
        return usage_failure(fmt::format("--for {}: {}", escape(*text), duration.error().message));
    }
    parameters["duration"] = duration->count();
    return {};
}

} // namespace jit
