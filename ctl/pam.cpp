// SPDX-License-Identifier: MIT
// Turning a gate on and off. Everything that can be refused is refused before the first file is changed.
#include "ctl/pam.h"

#include "core/text.h"
#include "ctl/pam_files.h"
#include "ctl/print.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace jit {
namespace {

std::unexpected<Failure> refused(std::string message) {
    return std::unexpected(Failure{Exit::refused, "refused", std::move(message)});
}

// Services whose logins aren't logins of people, or where the grant has been judged already.
constexpr std::array<std::string_view, 2> never_gated = {"jit-sudo", "systemd-user"};

Outcome<void> check_service(const std::string& service) {
    return is_service_name(service)
               ? Outcome<void>()
               : usage_failure(fmt::format(
                     "'{}' is no name of a PAM service: letters a-z, digits, _ and -, as in /etc/pam.d",
                     escape(service)));
}

Outcome<void> check_caller(const PamPlaces& places, std::string_view verb) {
    return Uid{geteuid()} == places.owner
               ? Outcome<void>()
               : refused(fmt::format("jitctl pam {} changes {}, so it needs root", verb, places.services));
}

bool is_file(const std::string& path) {
    struct stat status{};
    return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

// One file and what becomes of it.
struct Plan {
    PamFileRead read;
    std::string text;
    bool was_gated = false;

    [[nodiscard]] bool changes() const { return text != read.text; }
};

class Change {
public:
    static Outcome<Change> begin(const PamPlaces& places) {
        auto directory = PamDirectory::open_locked(places.services, places.owner);
        if (!directory) {
            return std::unexpected(failure_of(directory.error()));
        }
        return Change(places, std::move(*directory));
    }

    Outcome<void> plan_enable(const std::string& service, const Gate& gate) {
        auto plan = read(service);
        if (!plan) {
            return std::unexpected(plan.error());
        }
        auto gated = with_gate(directory_.path_of(service), plan->read.text, kind_of_service(service), gate,
                               reader_of(places_));
        if (!gated) {
            return std::unexpected(failure_of(gated.error()));
        }
        notes_.insert(notes_.end(), gated->notes.begin(), gated->notes.end());
        plan->text = std::move(gated->text);
        plans_.push_back(std::move(*plan));
        return {};
    }

    Outcome<void> plan_disable(const std::string& service) {
        auto plan = read(service);
        if (!plan) {
            return std::unexpected(plan.error());
        }
        auto bare = without_gate(directory_.path_of(service), plan->read.text);
        if (!bare) {
            return std::unexpected(failure_of(bare.error()));
        }
        plan->text = std::move(*bare);
        plans_.push_back(std::move(*plan));
        return {};
    }

    // All that name us, however they came to.
    Outcome<void> plan_disable_all() {
        const auto names = list_pam_files(places_.services);
        if (!names) {
            return std::unexpected(failure_of(names.error()));
        }
        for (const std::string& name : *names) {
            const auto text = read_pam_file(directory_.path_of(name));
            if (!text || text->find("pam_jit") == std::string::npos) {
                continue;
            }
            if (auto planned = plan_disable(name); !planned) {
                return planned;
            }
        }
        return {};
    }

    // The login-shell form: gated through the file it includes, or else on its own. Where there is none,
    // nothing.
    Outcome<void> plan_sibling(const std::string& service, const Gate& gate) {
        const std::string sibling = sibling_of(service);
        if (sibling.empty()) {
            return {};
        }
        const auto plan = read(sibling);
        if (!plan) {
            return plan.error().exit == Exit::not_found ? Outcome<void>() : std::unexpected(plan.error());
        }
        const auto bare = without_gate(directory_.path_of(sibling), plan->read.text);
        const auto file =
            bare ? parse_pam(directory_.path_of(sibling), *bare) : std::unexpected(bare.error());
        const auto included = [&](PamType type) {
            return file ? includes_service(*file, type, service, reader_of(places_))
                        : std::unexpected(file.error());
        };
        const auto account = included(PamType::account);
        const auto session = included(PamType::session);
        if (!account || !session) {
            return std::unexpected(failure_of(account ? session.error() : account.error()));
        }
        if (*account != *session) {
            return refused(fmt::format("{} includes {} in one of its account and session stacks and not in "
                                       "the other, so a gate can't be put right; make it both or none",
                                       directory_.path_of(sibling), service));
        }
        if (*account) {
            notes_.push_back(fmt::format("{} includes {}, and is gated with it", sibling, service));
            return plan->was_gated ? plan_disable(sibling) : Outcome<void>(); // not twice
        }
        notes_.push_back(fmt::format("{} has a file of its own, and gets the same lines", sibling));
        return plan_enable(sibling, gate);
    }

    // Copies first, so that no change is without one.
    Outcome<void> carry_out() {
        for (const Plan& plan : plans_) {
            if (plan.changes() && !plan.was_gated) {
                if (auto kept = keep_pam_copy(places_.copies, places_.owner, plan.read); !kept) {
                    return std::unexpected(failure_of(kept.error()));
                }
            }
        }
        for (const Plan& plan : plans_) {
            if (plan.changes()) {
                if (auto done = directory_.replace(plan.read, plan.text); !done) {
                    return std::unexpected(failure_of(done.error()));
                }
            }
        }
        return {};
    }

    [[nodiscard]] const std::vector<Plan>& plans() const { return plans_; }
    [[nodiscard]] std::vector<std::string>& notes() { return notes_; }

    [[nodiscard]] Json files_json() const {
        Json files = Json::array();
        for (const Plan& plan : plans_) {
            files.push_back({{"service", plan.read.name}, {"changed", plan.changes()}});
        }
        return files;
    }

    [[nodiscard]] std::string copies_text() const {
        std::string text;
        for (const Plan& plan : plans_) {
            const std::string copy = places_.copies + "/" + plan.read.name;
            if (plan.changes() && is_file(copy)) {
                text += fmt::format("{} from before: {}\n", directory_.path_of(plan.read.name), copy);
            }
        }
        return text;
    }

private:
    Change(const PamPlaces& places, PamDirectory directory)
        : places_(places), directory_(std::move(directory)) {}

    Outcome<Plan> read(const std::string& service) const {
        auto file = directory_.read(service);
        if (!file) {
            Failure failure = failure_of(file.error());
            if (failure.exit == Exit::not_found && is_file(places_.vendor_services + "/" + service)) {
                failure.message += fmt::format("; copy {}/{} there first", places_.vendor_services, service);
            }
            return std::unexpected(failure);
        }
        const auto gated = has_gate(directory_.path_of(service), file->text);
        if (!gated) {
            return std::unexpected(failure_of(gated.error()));
        }
        return Plan{.read = std::move(*file), .text = {}, .was_gated = *gated};
    }

    const PamPlaces& places_;
    PamDirectory directory_;
    std::vector<Plan> plans_;
    std::vector<std::string> notes_;
};

// What holds from now on, for people.
std::string holds_text(const std::string& service, const Gate& gate) {
    const std::string who =
        gate.only ? fmt::format("who is in {} (but {})", *gate.only, fmt::join(gate.exempted(), ", "))
                  : fmt::format("everybody but {}", fmt::join(gate.exempted(), ", "));
    switch (gate.mode) {
    case GateMode::enforce:
        return fmt::format("{} is gated: {} needs a grant.\n", service, who);
    case GateMode::warn:
        return fmt::format("{} is watched: {} is let in without a grant, and told so.\n", service, who);
    case GateMode::audit:
        break;
    }
    return fmt::format("{} is watched: {} is let in without a grant, and that is logged.\n", service, who);
}

std::string notes_text(const std::vector<std::string>& notes) {
    std::string text;
    for (const std::string& note : notes) {
        text += fmt::format("note: {}\n", sentence(note));
    }
    return text;
}

} // namespace

PamPlaces host_pam_places() {
    PamPlaces places;
    places.module_file = JIT_PAM_MODULE_FILE;
    return places;
}

ReadIncluded reader_of(const PamPlaces& places) {
    return [&places](const std::string& name) -> Result<std::string> {
        if (name.starts_with('/')) {
            return read_pam_file(name);
        }
        auto text = read_pam_file(places.services + "/" + name);
        return !text && text.error().code == Errc::not_found
                   ? read_pam_file(places.vendor_services + "/" + name)
                   : text;
    };
}

Outcome<Exit> pam_enable(const Context& context, const PamOptions& options, const PamPlaces& places,
                         const AccountSource& accounts) {
    const std::string& service = options.service;
    const auto gate = gate_of(options);
    Outcome<void> good = check_service(service);
    if (!good || !gate) {
        return std::unexpected(good ? gate.error() : good.error());
    }
    if (is_shared_pam_file(service)) {
        return refused(fmt::format("{} is included by other services, and a gate in it would gate them all; "
                                   "name one service, such as sshd",
                                   service));
    }
    if (std::ranges::find(never_gated, service) != never_gated.end()) {
        return refused(fmt::format("{} is not to be gated: nobody logs in through it", service));
    }
    if (good = check_caller(places, "enable"); !good) {
        return std::unexpected(good.error());
    }
    auto change = Change::begin(places);
    if (!change) {
        return std::unexpected(change.error());
    }
    good = change->plan_enable(service, *gate);
    if (good) {
        good = change->plan_sibling(service, *gate);
    }
    if (good) {
        good = check_gate_can_work(places, *gate, accounts, change->notes());
    }
    if (good) {
        good = check_lockout(places, service, *gate, accounts, change->notes());
        if (!good && gate->mode != GateMode::enforce) {
            change->notes().push_back(fmt::format("with --mode enforce: {}", good.error().message));
            good = {};
        }
    }
    if (good) {
        good = change->carry_out();
    }
    if (!good) {
        return std::unexpected(good.error());
    }
    const bool changed = std::ranges::any_of(change->plans(), &Plan::changes);
    Json reply{{"service", service}, {"changed", changed}};
    reply.update(gate_json(*gate));
    reply["files"] = change->files_json();
    reply["notes"] = change->notes();
    context.print_json(reply);
    context.print_text(changed ? holds_text(service, *gate)
                               : fmt::format("nothing to change: {} has this gate already ({})\n", service,
                                             gate_text(*gate)));
    context.print_text(notes_text(change->notes()));
    if (changed) {
        context.print_text(change->copies_text() +
                           fmt::format("Keep this root shell open and try a login from another terminal. To "
                                       "undo it: jitctl pam disable {}\n",
                                       service));
    }
    return Exit::done;
}

Outcome<Exit> pam_disable(const Context& context, const PamOptions& options, const PamPlaces& places) {
    const std::string& service = options.service;
    Outcome<void> good = options.all ? Outcome<void>() : check_service(service);
    if (good) {
        good = check_caller(places, "disable");
    }
    if (!good) {
        return std::unexpected(good.error());
    }
    auto change = Change::begin(places);
    if (!change) {
        return std::unexpected(change.error());
    }
    if (options.all) {
        good = change->plan_disable_all();
    } else {
        good = change->plan_disable(service);
        if (const std::string sibling = sibling_of(service); good && !sibling.empty()) {
            good = change->plan_disable(sibling);
            if (!good && good.error().exit == Exit::not_found) {
                good = {};
            }
        }
    }
    if (good) {
        good = change->carry_out();
    }
    if (!good) {
        return std::unexpected(good.error());
    }
    std::vector<std::string> freed;
    for (const Plan& plan : change->plans()) {
        if (plan.changes()) {
            freed.push_back(plan.read.name);
        }
    }
    context.print_json({{"service", service}, {"changed", !freed.empty()}, {"files", change->files_json()}});
    context.print_text(
        freed.empty() ? (options.all ? "nothing to change: no service is gated\n"
                                     : fmt::format("nothing to change: {} isn't gated\n", service))
                      : fmt::format("{} gated no more\n", fmt::format("{} {}", fmt::join(freed, " and "),
                                                                      freed.size() == 1 ? "is" : "are")));
    return Exit::done;
}

Outcome<Exit> pam_enable(const Context& context, const PamOptions& options) {
    return pam_enable(context, options, host_pam_places(), NssAccounts("/run/userdb"));
}

Outcome<Exit> pam_disable(const Context& context, const PamOptions& options) {
    return pam_disable(context, options, host_pam_places());
}

} // namespace jit
