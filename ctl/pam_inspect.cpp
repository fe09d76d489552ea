// SPDX-License-Identifier: MIT
// What is wrong with the lines that are there: somebody may have moved or edited them, or what is included.
#include "core/text.h"
#include "ctl/pam_stack.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace jit {
namespace {

class Inspector {
public:
    Inspector(const PamFile& file, ServiceKind kind, const ReadIncluded& read_included)
        : file_(file), kind_(kind), read_included_(read_included) {}

    GateReport inspect() {
        report_.present = std::ranges::any_of(file_.rules, is_ours);
        if (!report_.present) {
            return report_;
        }
        const PamRule* auth = the_one(PamType::auth, kind_ == ServiceKind::login);
        const PamRule* account = the_one(PamType::account, true);
        const PamRule* session = the_one(PamType::session, true);
        static_cast<void>(the_one(PamType::password, false));
        if (auth != nullptr && kind_ == ServiceKind::login) {
            check_auth(*auth);
        }
        if (account != nullptr) {
            report_.gate = read_gate(*account);
            check_control(*account, "required");
            check_account(*account);
        }
        if (session != nullptr) {
            const auto gate = read_gate(*session);
            check_control(*session, "required");
            check_session(*session);
            if (report_.gate && gate && *gate != *report_.gate) {
                find(*session, "the session line says other than the account line");
            }
        }
        std::ranges::sort(report_.findings, [](const GateFinding& a, const GateFinding& b) {
            return std::tie(a.line, a.message) < std::tie(b.line, b.message);
        });
        return std::move(report_);
    }

private:
    static bool is_ours(const PamRule& rule) { return rule.is_module(pam_module); }

    void find(const PamRule& rule, std::string message) {
        report_.findings.push_back({.line = rule.first + 1, .message = std::move(message)});
    }

    // The line of ours of this type; says where it is missing, one too many, or not wanted at all.
    const PamRule* the_one(PamType type, bool wanted) {
        const PamRule* one = nullptr;
        for (const PamRule& rule : file_.rules) {
            if (!is_ours(rule) || rule.type != type) {
                continue;
            }
            if (!wanted) {
                find(rule, fmt::format("{} lines don't belong here", name_of(type)));
            } else if (one != nullptr) {
                find(rule, fmt::format("a second {} line", name_of(type)));
            }
            one = one == nullptr ? &rule : one;
        }
        if (wanted && one == nullptr) {
            report_.findings.push_back(
                {.line = 0, .message = fmt::format("the {} line is missing", name_of(type))});
        }
        return one;
    }

    void check_control(const PamRule& rule, std::string_view wanted) {
        if (rule.control_text != wanted) {
            find(rule, fmt::format("the {} line is '{}', and must be '{}'", name_of(rule.type),
                                   escape(rule.control_text), wanted));
        }
    }

    std::optional<Gate> read_gate(const PamRule& rule) {
        Gate gate;
        bool has_mode = false;
        bool has_exempt = false;
        bool good = true;
        const auto bad = [&](std::string message) {
            find(rule, std::move(message));
            good = false;
        };
        for (const std::string& argument : rule.arguments) {
            const std::size_t equals = std::min(argument.find('='), argument.size());
            const std::string_view key = std::string_view(argument).substr(0, equals);
            const std::string value = equals < argument.size() ? argument.substr(equals + 1) : "";
            const bool again = (key == "mode" && has_mode) || (key == "only" && gate.only) ||
                               (key == "exempt" && has_exempt);
            if (again) {
                bad(fmt::format("{}= is there twice", key));
            } else if (key == "mode" && gate_mode_of(value)) {
                gate.mode = *gate_mode_of(value);
                has_mode = true;
            } else if (key == "only" && is_account_name(value)) {
                gate.only = value;
            } else if (const auto names = split(value, ',');
                       key == "exempt" && std::ranges::all_of(names, is_account_name)) {
                gate.exempt.assign(names.begin(), names.end());
                has_exempt = true;
            } else {
                bad(fmt::format("'{}' is no argument of {}", escape(argument), pam_module));
            }
        }
        if (!has_mode) {
            bad("mode= is missing");
        }
        if (has_exempt && std::ranges::find(gate.exempt, "root") == gate.exempt.end()) {
            find(rule, "root isn't among the exempt: nobody could mend anything from a console");
        }
        return good ? std::optional(gate) : std::nullopt;
    }

    // The stack as it runs, and the place of the line in it; none where it can't be read, which is said.
    struct Place {
        std::vector<PamStep> steps;
        std::size_t at = 0;
    };
    std::optional<Place> place_of(const PamRule& rule) {
        auto steps = steps_of(file_, rule.type, read_included_);
        if (!steps) {
            find(rule, steps.error().message);
            return std::nullopt;
        }
        const auto index = static_cast<std::size_t>(&rule - file_.rules.data());
        const auto found = std::ranges::find(*steps, index, &PamStep::rule);
        const auto at = static_cast<std::size_t>(found - steps->begin());
        return Place{.steps = std::move(*steps), .at = at};
    }

    void check_reached(const PamRule& rule, const Place& place, bool ends_matter) {
        for (std::size_t i = 0; i < place.at; ++i) {
            const PamStep& step = place.steps[i];
            if (ends_matter && step.control.ends) {
                find(rule, fmt::format("{} can end the {} stack with a yes before this line is reached",
                                       step.where, name_of(rule.type)));
            }
            if (i + step.control.jump >= place.at) {
                find(rule, fmt::format("{} can jump over this line", step.where));
            }
        }
    }

    // A rule that brings others into the stack of `type`, on the wrong side of the line.
    bool is_include_in(const PamRule& rule, const Place& place) const {
        const auto index = static_cast<std::size_t>(&rule - file_.rules.data());
        return rule.control.kind != PamControl::Kind::module &&
               std::ranges::find(place.steps, index, &PamStep::rule) != place.steps.end();
    }

    void check_auth(const PamRule& rule) {
        check_control(rule, "optional");
        if (!rule.arguments.empty()) {
            find(rule, "the auth line has no arguments");
        }
        if (const auto place = place_of(rule)) {
            check_reached(rule, *place, false);
            for (const PamRule& other : file_.rules) {
                if (other.first > rule.first && is_include_in(other, *place)) {
                    find(rule, fmt::format("the auth line must come after {}", file_.where(other.first)));
                }
            }
        }
    }

    void check_account(const PamRule& rule) {
        const auto place = place_of(rule);
        if (!place) {
            return;
        }
        check_reached(rule, *place, true);
        for (std::size_t i = place->at + 1; i < place->steps.size(); ++i) {
            if (place->steps[i].control.resets) {
                find(rule, fmt::format("{} makes PAM forget what this line refused (reset)",
                                       place->steps[i].where));
            }
        }
    }

    void check_session(const PamRule& rule) {
        const auto place = place_of(rule);
        if (!place) {
            return;
        }
        check_reached(rule, *place, true);
        for (const PamRule& other : file_.rules) {
            if (other.first < rule.first && is_include_in(other, *place)) {
                find(rule, fmt::format("the session line must come before {}", file_.where(other.first)));
            }
            if (kind_ == ServiceKind::login && other.first > rule.first && other.type == PamType::session &&
                other.is_module("pam_loginuid.so")) {
                find(rule, fmt::format("the session line must come after {} (pam_loginuid)",
                                       file_.where(other.first)));
            }
        }
    }

    const PamFile& file_;
    ServiceKind kind_;
    const ReadIncluded& read_included_;
    GateReport report_;
};

} // namespace

Result<GateReport> inspect_gate(const std::string& path, std::string_view text, ServiceKind kind,
                                const ReadIncluded& read_included) {
    const auto file = parse_pam(path, text);
    if (!file) {
        return std::unexpected(file.error());
    }
    return Inspector(*file, kind, read_included).inspect();
}

} // namespace jit
