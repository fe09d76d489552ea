// SPDX-License-Identifier: MIT
// jit-sudo: runs one command as somebody else, where a grant allows it now. Installed setuid root.
//
// MUST:
//  1. The order below is the specification: sanitise, parse, ask, become root, carry out.
//  2. jitd decides, not this program: nothing is looked up here that says who may do what.
//  3. Whatever fails before the command runs ends with status 1, and nothing has run.
#include "core/text.h"
#include "core/version.h"
#include "helper/audit_record.h"
#include "helper/authenticate.h"
#include "helper/carry_out.h"
#include "helper/ids.h"
#include "helper/jitd.h"
#include "helper/messages.h"
#include "helper/options.h"
#include "helper/path.h"
#include "helper/report.h"
#include "helper/sanitise.h"
#include "helper/terminal.h"
#include "helper/unprivileged.h"
#include "helper/validate.h"
#include "helper/verdict.h"
#include "helper/wish.h"

#include <span>
#include <unistd.h>

namespace jit {
namespace {

int refuse(std::string_view message) {
    say(message);
    return exit_refused;
}

int misused(const Error& error) {
    if (error.message.empty()) {
        write_all(STDERR_FILENO, messages::usage);
    } else {
        say(error.message);
    }
    return exit_refused;
}

// Where no grant gives it: the lines that say what would, or jitctl, which asks for one of those roles and
// then comes back to us. The latter without -n, and with somebody to ask, or a reason that was given.
int refused(const Caller& caller, const Options& options, const HelperRefused& refusal,
            const std::vector<std::string>& words, bool has_terminal) {
    // Once: an answer that changes nothing must not become a loop.
    const bool may_ask = !options.non_interactive && !refusal.offers.empty() && !asked_before(caller) &&
                         (!options.reason.empty() || has_terminal);
    if (!may_ask) {
        show_refusal(refusal, options.reason);
        return exit_refused;
    }
    say(escape(refusal.message));
    return become_jitctl(caller, ask_words(options, refusal.offers, words));
}

int run(Caller& caller, const Options& options, const std::vector<std::string>& words) {
    // What is to be run, as the caller sees it.
    if (!options.directory.empty()) {
        if (auto changed = change_directory(caller, options.directory); !changed) {
            return refuse(changed.error().message);
        }
    }
    const auto wish = read_wish(caller, options);
    if (!wish) {
        return refuse(wish.error().message);
    }
    auto terminal = find_terminal();
    const std::string tty = terminal ? terminal->name : std::string();

    // Asks while the kernel still says who called, and only then becomes root altogether.
    auto jitd = Jitd::connect();
    if (!jitd) {
        return refuse(jitd.error().message);
    }
    const HelperAsk ask{.what = wish->what,
                        .proof = {options.use_proof, options.keep_proof},
                        .run_as = options.user,
                        .group = options.group,
                        .path = wish->command ? wish->command->path : std::string(),
                        .arguments = wish->arguments,
                        .cwd = caller.cwd,
                        .tty = tty,
                        .reason = options.reason,
                        .variables = wish->variables};
    if (auto sent = send_ask(*jitd, ask); !sent) {
        return refuse(sent.error().message);
    }
    if (auto became = become_root(); !became) {
        return refuse(became.error().message);
    }
    const bool is_login = wish->what == HelperWhat::login_shell;
    AuditRecord record(wish->command.value_or(Program{"(shell)", {}}), wish->arguments, caller.cwd, tty);
    auto pam = Pam::load(is_login ? "jit-sudo-i" : "jit-sudo", // while jitd decides
                         asking_of(caller, options, *jitd));
    auto verdict = receive_verdict(*jitd);
    if (!verdict) {
        return refuse(verdict.error().message);
    }
    if (verdict->refused) {
        if (pam) {
            pam->reset();
        }
        record.refused();
        return refused(caller, options, *verdict->refused, words, terminal.has_value());
    }
    const auto status = pam ? carry_out({caller, options, *wish, *verdict, *jitd, std::move(*pam),
                                         std::move(terminal), record})
                            : std::unexpected(pam.error());
    if (!status) {
        static_cast<void>(jitd->send(to_frame(HelperFailed{status.error().message}))); // or it isn't recorded
        return refuse(status.error().message);
    }
    return *status;
}

// What isn't run isn't looked up either: a command that is asked about is found as one that is typed.
int list(const Caller& caller, Options& options) {
    if (!options.command.empty()) {
        if (auto able = check_setuid_root(); !able) {
            return refuse(able.error().message);
        }
        const AsCaller rights(caller.uid);
        const auto command = find_command(options.command.front(), caller.cwd);
        if (!command) {
            return refuse(command.error().message);
        }
        options.command.front() = command->path;
    }
    return become_jitctl(caller, list_words(options));
}

int main(int argc, char** argv) {
    if (argc < 1 || argv == nullptr || argv[0] == nullptr) {
        return exit_refused; // CVE-2021-4034
    }
    Caller caller = sanitise();
    const std::span<const char* const> typed(argv + 1, static_cast<std::size_t>(argc - 1));
    auto options = parse_options(typed);
    if (!options) {
        return misused(options.error());
    }
    switch (options->action) {
    case Action::show_version:
        write_all(STDOUT_FILENO, std::string("jit-sudo ") + version + '\n');
        return 0;
    case Action::show_help:
        write_all(STDOUT_FILENO, std::string(messages::usage) + std::string(messages::help));
        return 0;
    case Action::list:
        return list(caller, *options);
    case Action::run:
    case Action::validate:
    case Action::forget:
        break;
    }
    if (auto able = check_setuid_root(); !able) {
        return refuse(able.error().message);
    }
    switch (options->action) {
    case Action::validate:
        return validate(caller, *options);
    case Action::forget:
        return forget(caller, *options);
    default:
        return run(caller, *options, {typed.begin(), typed.end()});
    }
}

} // namespace
} // namespace jit

int main(int argc, char** argv) {
    return jit::main(argc, argv);
}
