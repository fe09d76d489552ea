// SPDX-License-Identifier: MIT
#include "helper/validate.h"

#include "core/text.h"
#include "helper/authenticate.h"
#include "helper/ids.h"
#include "helper/jitd.h"
#include "helper/messages.h"
#include "helper/report.h"
#include "helper/terminal.h"
#include "helper/verdict.h"

namespace jit {
namespace {

HelperAsk question(const Caller& caller, const Options& options, HelperWhat what) {
    HelperAsk ask;
    ask.what = what;
    ask.proof = {options.use_proof, options.keep_proof};
    ask.cwd = caller.cwd;
    return ask;
}

// Asks as the caller, and is root when the answer comes.
Result<Jitd> ask(const HelperAsk& what) {
    auto jitd = Jitd::connect();
    if (!jitd) {
        return jitd;
    }
    if (auto sent = send_ask(*jitd, what); !sent) {
        return std::unexpected(std::move(sent.error()));
    }
    if (auto became = become_root(); !became) {
        return std::unexpected(std::move(became.error()));
    }
    return jitd;
}

int outcome(const Result<void>& result) {
    if (!result) {
        say(result.error().message);
        return exit_refused;
    }
    return 0;
}

Result<void> prove(Jitd& jitd, const Caller& caller, const Options& options) {
    const auto wanted = receive_prove(jitd);
    if (!wanted) {
        return std::unexpected(wanted.error());
    }
    if (wanted->proven != Proven::yes && options.non_interactive) {
        return fail(Errc::refused, std::string(messages::password_required));
    }
    auto pam = Pam::load("jit-sudo", asking_of(caller, options, jitd));
    if (!pam) {
        return std::unexpected(pam.error());
    }
    const auto terminal = find_terminal();
    if (auto begun = (*pam)->begin(wanted->caller, wanted->caller, terminal ? terminal->name : ""); !begun) {
        return begun;
    }
    Proven proven = Proven::no;
    if (wanted->proven != Proven::yes) {
        if (auto authenticated = (*pam)->authenticate(); !authenticated) {
            return authenticated;
        }
        proven = Proven::yes;
    }
    if (auto good = (*pam)->check_account(); !good) {
        return good;
    }
    return report_proven(jitd, proven);
}

} // namespace

int validate(const Caller& caller, const Options& options) {
    auto jitd = ask(question(caller, options, HelperWhat::validate));
    return jitd ? outcome(prove(*jitd, caller, options)) : outcome(std::unexpected(jitd.error()));
}

int forget(const Caller& caller, const Options& options) {
    auto jitd =
        ask(question(caller, options, options.forget_all ? HelperWhat::forget_all : HelperWhat::forget));
    return jitd ? outcome(receive_done(*jitd)) : outcome(std::unexpected(jitd.error()));
}

} // namespace jit
