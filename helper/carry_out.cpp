// SPDX-License-Identifier: MIT
#include "helper/carry_out.h"

#include "core/text.h"
#include "core/time.h"
#include "helper/background.h"
#include "helper/confine.h"
#include "helper/deadline.h"
#include "helper/elevate.h"
#include "helper/environment.h"
#include "helper/ids.h"
#include "helper/messages.h"
#include "helper/monitor.h"
#include "helper/relay.h"
#include "helper/report.h"
#include "helper/second_factor.h"
#include "helper/signals.h"

#include <csignal>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace jit {
namespace {

// With the command's own signal, so that whoever waits for us sees what happened to it.
int exit_like(int status) {
    if (WIFEXITED(status)) {
        return WEXITSTATUS(status);
    }
    take_signal(WTERMSIG(status)); // no core: its limit is 0, and this memory is not dumpable
    return 128 + WTERMSIG(status);
}

// Is it them, and is their account good? Whether it was proven now.
Result<Proven> prove(Allowance& allowance) {
    const auto& [caller, options, wish, verdict, jitd, pam, terminal, record] = allowance;
    const HelperAllowed& allowed = verdict.allowed;
    const std::string tty = terminal ? terminal->name : std::string();
    if (auto begun = pam->begin(allowed.caller, allowed.user, tty); !begun) {
        return std::unexpected(begun.error());
    }
    Proven proven = Proven::no;
    if (allowed.proven != Proven::yes) {
        if (options.non_interactive) {
            return fail(Errc::refused, std::string(messages::password_required));
        }
        if (auto authenticated = pam->authenticate(); !authenticated) {
            return std::unexpected(authenticated.error());
        }
        proven = Proven::yes;
    }
    if (const std::string& service = allowed.confinement.second_factor; !service.empty()) {
        if (auto second = prove_second_factor(service, allowed.caller, allowed.user, tty,
                                              asking_of(caller, options, jitd));
            !second) {
            return std::unexpected(second.error());
        }
    }
    if (auto good = pam->check_account(); !good) {
        return std::unexpected(good.error());
    }
    return proven;
}

void say_why_it_ended(const Outcome& outcome, const Allowance& allowance) {
    if (!outcome.why.empty()) {
        say(messages::ended(escape(outcome.why)));
    } else if (outcome.timed_out) {
        say(messages::timed_out(format_duration(*allowance.options.timeout)));
    } else if (outcome.time_is_up) {
        say(messages::time_is_up(escape(allowance.verdict.allowed.role), time_of_day(outcome.deadline)));
    }
}

} // namespace

Result<int> carry_out(Allowance allowance) {
    auto& [caller, options, wish, verdict, jitd, pam, terminal, record] = allowance;
    const HelperAllowed& allowed = verdict.allowed;
    const auto command = settle_command(caller, wish, allowed);
    if (!command) {
        return std::unexpected(command.error());
    }
    record.settled(*command, wish.arguments);
    const auto proven = prove(allowance);
    if (!proven) {
        return std::unexpected(proven.error());
    }
    const auto confining = Confining::prepare(allowed.confinement, *command);
    if (!confining) {
        return std::unexpected(confining.error());
    }
    if (auto good = options.directory.empty() ? Result<void>{} : confining->check_directory(); !good) {
        return std::unexpected(good.error());
    }
    Fd background;
    if (options.in_background) {
        auto gone = go_to_background(terminal && terminal->standard[STDIN_FILENO]);
        if (!gone) {
            return std::unexpected(gone.error());
        }
        background = std::move(*gone);
        if (terminal) {
            terminal->standard[STDIN_FILENO] = false;
        }
    }
    const SignalQueue signals(caller); // from here on what was opened is also closed
    const Limits lifted = current_limits();
    if (auto opened = pam->open_session(allowed.user); !opened) {
        return std::unexpected(opened.error());
    }

    // Contained, recorded, released.
    const bool at_home = wish.what == HelperWhat::login_shell && options.directory.empty();
    Elevation elevation{
        .caller = caller,
        .allowed = allowed,
        .command = *command,
        .confining = *confining,
        .arguments = wish.arguments,
        .environment = to_entries(command_environment(caller, allowed, *command, wish, pam->environment())),
        .home = at_home ? allowed.home : std::string(),
        .timeout = options.timeout,
        .cgroup = verdict.cgroup.get()};
    elevation.limits = command_limits(caller, lifted, current_limits());
    Pty pty;
    const bool on_terminal = terminal && terminal->in_use();
    if (on_terminal) {
        auto opened = open_pty(*terminal, Uid{allowed.uid});
        if (!opened) {
            return std::unexpected(opened.error());
        }
        pty = std::move(*opened);
        elevation.pty = &pty;
        elevation.on_pty = terminal->standard;
        elevation.foreground = !is_in_pipeline() && terminal->in_foreground();
    }
    auto child = Child::create(elevation);
    if (!child) {
        return std::unexpected(child.error());
    }
    const HelperStart start{*proven, static_cast<std::uint32_t>(child->command()), child->session()};
    if (auto recorded = record_start(jitd, start, confining->file()); !recorded) {
        return std::unexpected(recorded.error());
    }
    record.started();
    if (auto released = child->release(); !released) {
        return std::unexpected(released.error());
    }
    report_started(background);

    const Outcome outcome = [&] {
        const Reachable reachable(caller.uid); // what they send is passed on
        return monitor(*child, elevation, jitd, signals, on_terminal ? &*terminal : nullptr,
                       on_terminal ? &pty : nullptr);
    }();
    pam.reset();
    say_why_it_ended(outcome, allowance);
    return exit_like(outcome.status);
}

} // namespace jit
