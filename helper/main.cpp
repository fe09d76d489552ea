// SPDX-License-Identifier: MIT
// jit-sudo: runs one command as somebody else, where a grant allows it now. Installed setuid root.
//
// MUST:
//  1. The order below is the specification: sanitise, parse, ask, become root, authenticate, contain, run,
//  report.
//  2. jitd decides, not this program: nothing is looked up here that says who may do what.
//  3. Whatever fails before the command runs ends with status 1, and nothing has run.
#include "core/text.h"
#include "core/time.h"
#include "core/version.h"
#include "helper/audit_record.h"
#include "helper/authenticate.h"
#include "helper/background.h"
#include "helper/confine.h"
#include "helper/deadline.h"
#include "helper/elevate.h"
#include "helper/environment.h"
#include "helper/ids.h"
#include "helper/jitd.h"
#include "helper/messages.h"
#include "helper/monitor.h"
#include "helper/options.h"
#include "helper/path.h"
#include "helper/relay.h"
#include "helper/report.h"
#include "helper/sanitise.h"
#include "helper/second_factor.h"
#include "helper/signals.h"
#include "helper/terminal.h"
#include "helper/unprivileged.h"
#include "helper/validate.h"
#include "helper/verdict.h"
#include "helper/wish.h"

#include <csignal>
#include <span>
#include <sys/wait.h>
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
                         (!options.reason.empty() || (has_terminal && isatty(STDERR_FILENO) == 1));
    if (!may_ask) {
        show_refusal(refusal, options.reason);
        return exit_refused;
    }
    say(escape(refusal.message));
    return become_jitctl(caller, ask_words(options, refusal.offers, words));
}

// With the command's own signal, so that whoever waits for us sees what happened to it.
int exit_like(int status) {
    if (WIFEXITED(status)) {
        return WEXITSTATUS(status);
    }
    take_signal(WTERMSIG(status)); // no core: its limit is 0, and this memory is not dumpable
    return 128 + WTERMSIG(status);
}

// Is it them, is their account good, and may the target have a session?
Result<void> prove(Pam& pam, const HelperAllowed& allowed, const Options& options, const std::string& tty) {
    if (auto begun = pam.begin(allowed.caller, allowed.user, tty); !begun) {
        return begun;
    }
    if (allowed.authenticate) {
        if (options.non_interactive) {
            return fail(Errc::refused, std::string(messages::password_required));
        }
        if (auto proven = pam.authenticate(); !proven) {
            return proven;
        }
    }
    if (const std::string& service = allowed.confinement.second_factor; !service.empty()) {
        if (auto proven = prove_second_factor(service, allowed.caller, allowed.user, tty,
                                              {!options.non_interactive, options.from_stdin, {}});
            !proven) {
            return proven;
        }
    }
    return pam.check_account();
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
                         {!options.non_interactive, options.from_stdin, options.prompt});
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
    const HelperAllowed& allowed = verdict->allowed;
    const auto command = settle_command(caller, *wish, allowed);
    if (!command) {
        return refuse(command.error().message);
    }
    record.settled(*command, wish->arguments);

    if (!pam) {
        return refuse(pam.error().message);
    }
    if (auto proven = prove(**pam, allowed, options, tty); !proven) {
        static_cast<void>(jitd->send(to_frame(HelperFailed{proven.error().message}))); // or it isn't recorded
        return refuse(proven.error().message);
    }
    const auto confining = Confining::prepare(allowed.confinement, *command);
    if (!confining) {
        return refuse(confining.error().message);
    }
    if (auto good = options.directory.empty() ? Result<void>{} : confining->check_directory(); !good) {
        return refuse(good.error().message);
    }
    Fd background;
    if (options.in_background) {
        auto gone = go_to_background(terminal && terminal->standard[STDIN_FILENO]);
        if (!gone) {
            return refuse(gone.error().message);
        }
        background = std::move(*gone);
        if (terminal) {
            terminal->standard[STDIN_FILENO] = false;
        }
    }
    const SignalQueue signals(caller); // from here on what was opened is also closed
    const Limits lifted = current_limits();
    if (auto opened = (*pam)->open_session(allowed.user); !opened) {
        return refuse(opened.error().message);
    }

    // Contained, recorded, released.
    Elevation elevation{.caller = caller,
                        .allowed = allowed,
                        .command = *command,
                        .confining = *confining,
                        .arguments = wish->arguments,
                        .environment = to_entries(
                            command_environment(caller, allowed, *command, *wish, (*pam)->environment())),
                        .home = is_login && options.directory.empty() ? allowed.home : std::string(),
                        .timeout = options.timeout,
                        .cgroup = verdict->cgroup.get()};
    elevation.limits = command_limits(caller, lifted, current_limits());
    Pty pty;
    const bool on_terminal = terminal && terminal->in_use();
    if (on_terminal) {
        auto opened = open_pty(*terminal, Uid{allowed.uid});
        if (!opened) {
            return refuse(opened.error().message);
        }
        pty = std::move(*opened);
        elevation.pty = &pty;
        elevation.on_pty = terminal->standard;
        elevation.foreground = !is_in_pipeline() && terminal->in_foreground();
    }
    auto child = Child::create(elevation);
    if (!child) {
        return refuse(child.error().message);
    }
    const HelperStart start{allowed.authenticate, static_cast<std::uint32_t>(child->command()),
                            child->session()};
    if (auto recorded = record_start(*jitd, start, confining->file()); !recorded) {
        return refuse(recorded.error().message);
    }
    record.started();
    if (auto released = child->release(); !released) {
        return refuse(released.error().message);
    }
    report_started(background);

    const Outcome outcome = monitor(*child, elevation, *jitd, signals, on_terminal ? &*terminal : nullptr,
                                    on_terminal ? &pty : nullptr);
    pam->reset();
    if (!outcome.why.empty()) {
        say(messages::ended(escape(outcome.why)));
    } else if (outcome.timed_out) {
        say(messages::timed_out(format_duration(*options.timeout)));
    } else if (outcome.time_is_up) {
        say(messages::time_is_up(escape(allowed.role), time_of_day(outcome.deadline)));
    }
    return exit_like(outcome.status);
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
