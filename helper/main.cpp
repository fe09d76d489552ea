// SPDX-License-Identifier: MIT
// jit-sudo: runs one command as somebody else, where a grant allows it now. Installed setuid root.
//
// MUST:
//  1. The order below is the specification: sanitise, parse, ask, become root, authenticate, contain, run,
//  report.
//  2. jitd decides, not this program: nothing is looked up here that says who may do what.
//  3. Whatever fails before the command runs ends with status 1, and nothing has run.
#include "core/text.h"
#include "core/version.h"
#include "helper/audit_record.h"
#include "helper/authenticate.h"
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
#include "helper/signals.h"
#include "helper/terminal.h"
#include "helper/verdict.h"

#include <csignal>
#include <span>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace jit {
namespace {

int refuse(std::string_view message) {
    say(message);
    return exit_refused;
}

int misused(const Error& error) {
    if (!error.message.empty()) {
        say(error.message);
    }
    write_all(STDERR_FILENO, messages::usage);
    return exit_refused;
}

// Everything that needs no rights is done without them.
int without_rights(const Caller& caller, Action action) {
    if (auto became = become_caller(caller.uid, caller.gid); !became) {
        return refuse(became.error().message);
    }
    if (action == Action::show_version) {
        write_all(STDOUT_FILENO, std::string("jit-sudo ") + version + '\n');
        return 0;
    }
    if (action == Action::show_help) {
        write_all(STDOUT_FILENO, std::string(messages::usage) + std::string(messages::help));
        return 0;
    }
    if (!set_limits(caller.limits)) {
        return refuse(messages::limits_not_restored);
    }
    umask(caller.umask);
    restore_signals(caller);
    for (const auto& [name, value] : caller.environment) {
        setenv(name.c_str(), value.c_str(), 1);
    }
    execl("/usr/bin/jitctl", "jitctl", "list", "--mine", nullptr);
    return refuse(fail_errno("/usr/bin/jitctl").error().message);
}

// With the command's own signal, so that whoever waits for us sees what happened to it.
int exit_like(int status) {
    if (WIFEXITED(status)) {
        return WEXITSTATUS(status);
    }
    take_signal(WTERMSIG(status)); // no core: its limit is 0, and this memory is not dumpable
    return 128 + WTERMSIG(status);
}

int run(const Caller& caller, const Options& options) {
    // What is to be run, as the caller sees it.
    const auto command = [&] {
        const AsCaller rights(caller.uid);
        return find_command(options.command.front(), caller.cwd);
    }();
    if (!command) {
        return refuse(command.error().message);
    }
    const std::vector<std::string> arguments(options.command.begin() + 1, options.command.end());
    const auto terminal = find_terminal();
    const std::string tty = terminal ? terminal->name : std::string();

    // Asks while the kernel still says who called, and only then becomes root altogether.
    auto jitd = Jitd::connect();
    if (!jitd) {
        return refuse(jitd.error().message);
    }
    const HelperAsk ask{options.user, options.group, command->path, arguments,
                        caller.cwd,   tty,           options.reason};
    if (auto sent = send_ask(*jitd, ask); !sent) {
        return refuse(sent.error().message);
    }
    if (auto became = become_root(); !became) {
        return refuse(became.error().message);
    }
    AuditRecord record(*command, arguments, caller.cwd, tty);
    auto pam = Pam::load(!options.non_interactive); // while jitd decides
    auto verdict = receive_verdict(*jitd);
    if (!verdict) {
        return refuse(verdict.error().message);
    }
    if (verdict->refused) {
        show_refusal(*verdict->refused, options.reason);
        return exit_refused;
    }
    const HelperAllowed& allowed = verdict->allowed;

    // Is it them, is their account good, and may the target have a session?
    if (!pam) {
        return refuse(pam.error().message);
    }
    if (auto begun = (*pam)->begin(allowed.caller, tty); !begun) {
        return refuse(begun.error().message);
    }
    if (allowed.authenticate) {
        if (options.non_interactive) {
            return refuse(messages::password_required);
        }
        if (auto proven = (*pam)->authenticate(); !proven) {
            return refuse(proven.error().message);
        }
    }
    if (auto good = (*pam)->check_account(); !good) {
        return refuse(good.error().message);
    }
    const SignalQueue signals(caller); // from here on what was opened is also closed
    const Limits lifted = current_limits();
    if (auto opened = (*pam)->open_session(allowed.user); !opened) {
        return refuse(opened.error().message);
    }

    // Contained, recorded, released.
    Elevation elevation{caller, allowed, *command, arguments, {}, {}, verdict->cgroup.get(), nullptr, {}};
    elevation.environment =
        to_entries(command_environment(caller, allowed, *command, arguments, (*pam)->environment()));
    elevation.limits = command_limits(caller, lifted, current_limits());
    Pty pty;
    const bool on_terminal = terminal && terminal->in_use();
    if (on_terminal) {
        auto opened = open_pty(*terminal, Uid{allowed.uid}, !is_in_pipeline());
        if (!opened) {
            return refuse(opened.error().message);
        }
        pty = std::move(*opened);
        elevation.pty = &pty;
        elevation.on_pty = terminal->standard;
    }
    auto child = Child::create(elevation);
    if (!child) {
        return refuse(child.error().message);
    }
    const HelperStart start{allowed.authenticate, static_cast<std::uint32_t>(child->pid()), child->session()};
    if (auto recorded = record_start(*jitd, start); !recorded) {
        return refuse(recorded.error().message);
    }
    record.started();
    if (auto released = child->release(); !released) {
        return refuse(released.error().message);
    }

    const Outcome outcome = monitor(*child, elevation, *jitd, signals, on_terminal ? &*terminal : nullptr,
                                    on_terminal ? &pty : nullptr);
    pam->reset();
    if (!outcome.why.empty()) {
        say(messages::ended(escape(outcome.why)));
    } else if (outcome.time_is_up) {
        const Time time{Millis{outcome.deadline.time}};
        say(messages::time_is_up(escape(allowed.role),
                                 describe_utc(time).substr(std::string_view("2026-11-21 ").size())));
    }
    return exit_like(outcome.status);
}

int main(int argc, char** argv) {
    if (argc < 1 || argv == nullptr || argv[0] == nullptr) {
        return exit_refused; // CVE-2021-4034
    }
    const Caller caller = sanitise();
    const auto options =
        parse_options(std::span<const char* const>(argv + 1, static_cast<std::size_t>(argc - 1)));
    if (!options) {
        return misused(options.error());
    }
    if (options->action != Action::run) {
        return without_rights(caller, options->action);
    }
    if (auto able = check_setuid_root(); !able) {
        return refuse(able.error().message);
    }
    return run(caller, *options);
}

} // namespace
} // namespace jit

int main(int argc, char** argv) {
    return jit::main(argc, argv);
}
