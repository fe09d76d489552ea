// SPDX-License-Identifier: MIT
// Which services are gated, how, and what is wrong with that.
#include "core/text.h"
#include "ctl/pam.h"
#include "ctl/pam_files.h"
#include "ctl/print.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>

namespace jit {
namespace {

// Not gated, as far as can be seen: nothing.
Outcome<std::optional<GateReport>> look_at(const PamPlaces& places, const std::string& service) {
    const std::string path = places.services + "/" + service;
    const auto text = read_pam_file(path);
    if (!text) {
        return std::unexpected(failure_of(text.error()));
    }
    if (text->find(pam_module) == std::string::npos) {
        return std::optional<GateReport>();
    }
    auto report = inspect_gate(path, *text, kind_of_service(service), reader_of(places));
    if (!report) { // our name is in it, and what PAM makes of it isn't known
        return std::optional(GateReport{.present = true,
                                        .gate = std::nullopt,
                                        .findings = {{.line = 0, .message = report.error().message}}});
    }
    if (!report->present) {
        return std::optional<GateReport>();
    }
    if (is_shared_pam_file(service)) {
        report->findings.push_back(
            {.line = 0,
             .message = fmt::format("other services include this file, and are gated by it; try: jitctl pam "
                                    "disable {}",
                                    shell_word(service))});
    }
    return std::optional(std::move(*report));
}

Json report_json(const std::string& service, const GateReport& report) {
    Json findings = Json::array();
    for (const GateFinding& finding : report.findings) {
        findings.push_back({{"line", finding.line}, {"message", finding.message}});
    }
    Json entry{{"service", service}, {"gated", report.present}};
    if (report.gate) {
        entry.update(gate_json(*report.gate));
    }
    entry["problems"] = findings;
    return entry;
}

std::string report_text(const PamPlaces& places, const std::string& service, const GateReport& report) {
    std::string text = fmt::format("{:<12} {}\n", escape(service),
                                   !report.present ? "not gated"
                                   : report.gate   ? gate_text(*report.gate)
                                                   : "its mode can't be told");
    for (const GateFinding& finding : report.findings) {
        text += finding.line == 0 ? fmt::format("  wrong: {}\n", sentence(finding.message))
                                  : fmt::format("  {}/{}:{}: {}\n", places.services, escape(service),
                                                finding.line, sentence(finding.message));
    }
    return text;
}

// What concerns them all.
std::vector<std::string> problems_of_host(const PamPlaces& places) {
    struct stat status{};
    std::vector<std::string> problems;
    if (stat(places.module_file.c_str(), &status) != 0) {
        problems.push_back(
            fmt::format("{}: {}: PAM refuses everybody", places.module_file, std::strerror(errno)));
    }
    if (stat(places.login_table.c_str(), &status) != 0 && errno == ENOENT) {
        problems.push_back(fmt::format("{} isn't there: jitd isn't running, and nobody that is gated in mode "
                                       "enforce gets in",
                                       places.login_table));
    }
    return problems;
}

} // namespace

std::string gate_text(const Gate& gate) {
    return fmt::format("mode {}{}, exempt {}", name_of(gate.mode),
                       gate.only ? fmt::format(", only {}", *gate.only) : "",
                       fmt::join(gate.exempted(), ", "));
}

Json gate_json(const Gate& gate) {
    return {{"mode", name_of(gate.mode)},
            {"only", gate.only ? Json(*gate.only) : Json(nullptr)},
            {"exempt", gate.exempted()}};
}

Outcome<Exit> pam_status(const Context& context, const PamOptions& options, const PamPlaces& places) {
    if (!options.service.empty() && !is_service_name(options.service)) {
        return usage_failure(fmt::format("'{}' is no name of a PAM service", escape(options.service)));
    }
    const auto names = options.service.empty() ? list_pam_files(places.services)
                                               : Result<std::vector<std::string>>({options.service});
    if (!names) {
        return std::unexpected(failure_of(names.error()));
    }
    Json services = Json::array();
    std::string text;
    bool gated = false;
    bool wrong = false;
    for (const std::string& name : *names) {
        const auto report = look_at(places, name);
        if (!report && !options.service.empty()) {
            return std::unexpected(report.error());
        }
        if (report && (*report || !options.service.empty())) {
            const GateReport shown = report->value_or(GateReport{});
            services.push_back(report_json(name, shown));
            text += report_text(places, name, shown);
            gated = gated || shown.present;
            wrong = wrong || !shown.findings.empty();
        }
    }
    const auto problems = gated ? problems_of_host(places) : std::vector<std::string>();
    for (const std::string& problem : problems) {
        text += fmt::format("wrong: {}\n", sentence(problem));
    }
    context.print_json({{"services", services}, {"problems", problems}});
    context.print_text(text.empty() ? "no service is gated\n" : text);
    return wrong || !problems.empty() ? Exit::refused : Exit::done;
}

Outcome<Exit> pam_status(const Context& context, const PamOptions& options) {
    return pam_status(context, options, host_pam_places());
}

} // namespace jit
