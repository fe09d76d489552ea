// SPDX-License-Identifier: MIT
#include "ctl/pam_stack.h"

#include "core/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace jit {
namespace {

constexpr std::string_view our_comment = "# jit-sudo: see jitctl pam";
constexpr std::array<std::string_view, 7> called_services = {"su",      "su-l",      "sudo", "sudo-i",
                                                             "runuser", "runuser-l", "doas"};
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> siblings = {
    {{"su", "su-l"}, {"sudo", "sudo-i"}, {"runuser", "runuser-l"}}};
constexpr std::array<std::string_view, 9> shared_files = {
    "system-auth",    "password-auth",    "fingerprint-auth", "smartcard-auth", "postlogin",
    "system-auth-ac", "password-auth-ac", "config-util",      "other"};

std::string rule_text(PamType type, const char* control, const std::string& arguments) {
    return fmt::format("{:<10} {:<12} {}{}", name_of(type), control, pam_module, arguments);
}

std::string arguments_of(const Gate& gate) {
    std::string text = fmt::format(" mode={}", name_of(gate.mode));
    if (gate.only) {
        text += fmt::format(" only={}", *gate.only);
    }
    if (!gate.exempt.empty()) {
        text += fmt::format(" exempt={}", fmt::join(gate.exempt, ","));
    }
    return text;
}

// The lines without those of ours, each with the comment above it that came with it.
std::vector<std::string> lines_without_gate(const PamFile& file) {
    std::vector<bool> ours(file.lines.size(), false);
    for (const PamRule& rule : file.rules) {
        if (rule.is_module(pam_module)) {
            std::fill(ours.begin() + static_cast<std::ptrdiff_t>(rule.first),
                      ours.begin() + static_cast<std::ptrdiff_t>(rule.last) + 1, true);
            if (rule.first > 0 && file.lines[rule.first - 1] == our_comment) {
                ours[rule.first - 1] = true;
            }
        }
    }
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
        if (!ours[i]) {
            lines.push_back(file.lines[i]);
        }
    }
    return lines;
}

std::unexpected<Error> empty_stack(const PamFile& file, PamType type) {
    return fail(Errc::refused,
                fmt::format("{} has no {} rules, so those of the service 'other' hold for it, and a line of "
                            "ours would put them out of force. Copy the {} rules of /etc/pam.d/other (such "
                            "as @include common-{}) into it first",
                            file.shown, name_of(type), name_of(type), name_of(type)));
}

// Works out where lines go in a file without any of ours.
class Placing {
public:
    Placing(const PamFile& file, const ReadIncluded& read_included)
        : file_(file), read_included_(read_included) {}

    Result<void> put_auth() {
        const auto steps = stack(PamType::auth);
        if (!steps) {
            return std::unexpected(steps.error());
        }
        const PamRule* after = nullptr; // the last include, or else the last rule
        for (const PamRule& rule : file_.rules) {
            const bool include = rule.control.kind != PamControl::Kind::module;
            if (shows_in(rule, *steps) &&
                (include || after == nullptr || after->control.kind == PamControl::Kind::module)) {
                after = &rule;
            }
        }
        if (after == nullptr) {
            return empty_stack(file_, PamType::auth);
        }
        const std::size_t before = after->last + 1;
        const auto index = static_cast<std::size_t>(after - file_.rules.data());
        const auto position = static_cast<std::size_t>(
            std::ranges::count_if(*steps, [index](const PamStep& step) { return step.rule <= index; }));
        for (std::size_t i = 0; i < position; ++i) {
            const PamStep& step = (*steps)[i];
            if (i + 1 + step.control.jump > position) {
                return fail(Errc::refused,
                            fmt::format("{}: this rule jumps over where the auth line goes ({}:{}), and "
                                        "would no longer lead where it does",
                                        step.where, file_.shown, before));
            }
            if (step.control.ends) {
                notes_.push_back(fmt::format("{} can end the auth stack: who comes in by it gets no groups "
                                             "of a grant",
                                             step.where));
            }
        }
        insertions_.emplace(before, rule_text(PamType::auth, "optional", ""));
        return {};
    }

    Result<void> put_account(const std::string& arguments) {
        const auto steps = stack(PamType::account);
        if (!steps) {
            return std::unexpected(steps.error());
        }
        for (const PamStep& step : *steps) {
            if (step.control.resets) {
                return fail(Errc::refused,
                            fmt::format("{}: this rule makes PAM forget what was refused before it (reset); "
                                        "take that out of the account stack first",
                                        step.where));
            }
        }
        insertions_.emplace(early_line(PamType::account, *steps),
                            rule_text(PamType::account, "required", arguments));
        return {};
    }

    Result<void> put_session(ServiceKind kind, const std::string& arguments) {
        const auto steps = stack(PamType::session);
        if (!steps) {
            return std::unexpected(steps.error());
        }
        const std::size_t before = early_line(PamType::session, *steps);
        const auto sets_login_uid = std::ranges::find_if(*steps, [](const PamStep& step) {
            return step.module.substr(step.module.rfind('/') + 1) == "pam_loginuid.so";
        });
        if (kind == ServiceKind::login && sets_login_uid == steps->end()) {
            notes_.push_back(fmt::format("{} has no pam_loginuid.so: its logins have no audit session, and "
                                         "what they leave behind is harder to find",
                                         file_.shown));
        } else if (kind == ServiceKind::login && file_.rules[sets_login_uid->rule].first >= before) {
            return fail(Errc::refused,
                        fmt::format("{}: pam_loginuid.so must come before {}:{} (the first include, or what "
                                    "ends the stack), since our session line goes between them; move it up",
                                    sets_login_uid->where, file_.shown, before + 1));
        }
        insertions_.emplace(before, rule_text(PamType::session, "required", arguments));
        return {};
    }

    // The text with all of it, in the order in which it was put.
    GatedText finish() {
        PamFile result{.shown = {}, .lines = {}, .final_newline = file_.final_newline, .rules = {}};
        auto next = insertions_.begin();
        for (std::size_t i = 0; i <= file_.lines.size(); ++i) {
            for (; next != insertions_.end() && next->first == i; ++next) {
                result.lines.emplace_back(our_comment);
                result.lines.push_back(next->second);
            }
            if (i < file_.lines.size()) {
                result.lines.push_back(file_.lines[i]);
            }
        }
        return {.text = result.text(), .notes = std::move(notes_)};
    }

private:
    // None of them ours, and not empty.
    Result<std::vector<PamStep>> stack(PamType type) {
        auto steps = steps_of(file_, type, read_included_, true);
        if (!steps) {
            return steps;
        }
        for (const PamStep& step : *steps) {
            if (step.module.substr(step.module.rfind('/') + 1) == pam_module) {
                return fail(Errc::refused,
                            fmt::format("{} includes {}, where there is a line of ours already", file_.shown,
                                        step.where));
            }
        }
        steps = steps_of(file_, type, read_included_);
        if (steps && steps->empty()) {
            return empty_stack(file_, type);
        }
        return steps;
    }

    // A rule that adds something to the stack. `@include` of a file without such rules doesn't.
    bool shows_in(const PamRule& rule, const std::vector<PamStep>& steps) const {
        const auto index = static_cast<std::size_t>(&rule - file_.rules.data());
        return std::ranges::find(steps, index, &PamStep::rule) != steps.end();
    }

    // Before the first rule that includes, can end the stack with a yes, or jumps; else after the last.
    std::size_t early_line(PamType type, const std::vector<PamStep>& steps) const {
        std::size_t after_last = 0;
        for (const PamRule& rule : file_.rules) {
            const bool shows = shows_in(rule, steps) || rule.type == type;
            if (shows && (rule.control.kind != PamControl::Kind::module || rule.control.ends ||
                          rule.control.jump != 0)) {
                return rule.first;
            }
            if (shows) {
                after_last = rule.last + 1;
            }
        }
        return after_last;
    }

    const PamFile& file_;
    const ReadIncluded& read_included_;
    std::multimap<std::size_t, std::string> insertions_; // before which line; equal ones stay in order
    std::vector<std::string> notes_;
};

} // namespace

std::string_view name_of(GateMode mode) {
    switch (mode) {
    case GateMode::enforce:
        return "enforce";
    case GateMode::warn:
        return "warn";
    case GateMode::audit:
        break;
    }
    return "audit";
}

std::optional<GateMode> gate_mode_of(std::string_view name) {
    for (const GateMode mode : {GateMode::enforce, GateMode::warn, GateMode::audit}) {
        if (name == name_of(mode)) {
            return mode;
        }
    }
    return std::nullopt;
}

std::vector<std::string> Gate::exempted() const {
    return exempt.empty() ? std::vector<std::string>{"root"} : exempt;
}

ServiceKind kind_of_service(std::string_view service) {
    return std::ranges::find(called_services, service) != called_services.end() ? ServiceKind::called
                                                                                : ServiceKind::login;
}

std::string sibling_of(std::string_view service) {
    const auto found = std::ranges::find(siblings, service, &decltype(siblings)::value_type::first);
    return found != siblings.end() ? std::string(found->second) : std::string();
}

bool is_shared_pam_file(std::string_view service) {
    return service.starts_with("common-") || std::ranges::find(shared_files, service) != shared_files.end();
}

Result<GatedText> with_gate(const std::string& path, std::string_view text, ServiceKind kind,
                            const Gate& gate, const ReadIncluded& read_included) {
    const std::string arguments = arguments_of(gate);
    if (arguments.size() > longest_pam_rule - 100) {
        return fail(Errc::invalid, "more names than fit into a line of PAM; gate a group instead (--only)");
    }
    const auto bare = without_gate(path, text);
    const auto file = bare ? parse_pam(path, *bare) : std::unexpected(bare.error());
    if (!file) {
        return std::unexpected(file.error());
    }
    Placing placing(*file, read_included);
    Result<void> put = kind == ServiceKind::login ? placing.put_auth() : Result<void>();
    if (put) {
        put = placing.put_account(arguments);
    }
    if (put) {
        put = placing.put_session(kind, arguments);
    }
    if (!put) {
        return std::unexpected(put.error());
    }
    return placing.finish();
}

Result<std::string> without_gate(const std::string& path, std::string_view text) {
    auto file = parse_pam(path, text);
    if (!file) {
        return std::unexpected(file.error());
    }
    file->lines = lines_without_gate(*file);
    return file->text();
}

Result<bool> has_gate(const std::string& path, std::string_view text) {
    const auto file = parse_pam(path, text);
    if (!file) {
        return std::unexpected(file.error());
    }
    return std::ranges::any_of(file->rules, [](const PamRule& rule) { return rule.is_module(pam_module); });
}

Result<bool> includes_service(const PamFile& file, PamType type, std::string_view service,
                              const ReadIncluded& read_included) {
    // Told by who is asked for, so that an empty file counts as well.
    bool found = false;
    const ReadIncluded watching = [&](const std::string& name) {
        found = found || std::string_view(name).substr(name.rfind('/') + 1) == service;
        return read_included(name);
    };
    if (const auto steps = steps_of(file, type, watching, true); !steps) {
        return std::unexpected(steps.error());
    }
    return found;
}

} // namespace jit
