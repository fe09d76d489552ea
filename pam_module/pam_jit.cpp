// SPDX-License-Identifier: MIT
// pam_jit.so: the gate for logins, and session groups. It reads the login table that jitd projects, and
// leaves a file for jitd; it asks nobody, waits for nobody, and keeps nothing between calls.
//
//   auth     optional  nothing by itself; its setcred adds session groups
//   account  required  the gate
//   session  required  registers the session
//
// MUST:
//  1. For somebody who is gated anything wrong is a refusal, never PAM_IGNORE: another module's yes must not
//  become
//     the answer.
//  2. No exception, thread, signal handler, static, child process or open file outlives a call; nothing but
//     pam_sm_* is exported.
#include "pam_module/gate.h"
#include "pam_module/groups.h"
#include "pam_module/session.h"

#include <security/pam_modules.h>
#include <syslog.h>

#include <exception>

namespace {

#ifdef JIT_TEST_DIRECTORY // tests/pam: the same without root, in a directory of the test's own
jit::Places places() {
    return {.login_table = JIT_TEST_DIRECTORY "/logins.db",
            .uses = JIT_TEST_DIRECTORY "/uses",
            .memberships = JIT_TEST_DIRECTORY "/userdb"};
}
#else
jit::Places places() {
    return {};
}
#endif

// Whatever goes wrong inside is `failure` to the application.
template <class Call>
int guarded(pam_handle_t* handle, int flags, int argc, const char** argv, int failure, Call call) noexcept {
    try {
        const jit::Pam pam(handle, flags);
        try {
            return call(pam, jit::parse_gate(argc, argv), places());
        } catch (const std::exception& error) {
            pam.log(LOG_CRIT, error.what());
        }
    } catch (...) {
        // Not even that could be said.
    }
    return failure;
}

int account(const jit::Pam& pam, const jit::Gate& gate, const jit::Places& where) {
    const jit::Judgement judged = jit::judge(pam, gate, where);
    if (!judged.refused()) {
        return judged.gated ? PAM_SUCCESS : PAM_IGNORE;
    }
    jit::record_refusal(pam, gate, where, judged);
    if (gate.mode != jit::Mode::enforce) {
        return PAM_IGNORE;
    }
    pam.complain("jit-sudo: " + judged.why + ". " + judged.next);
    return PAM_PERM_DENIED;
}

} // namespace

extern "C" {

PAM_EXTERN __attribute__((visibility("default"))) int pam_sm_authenticate(pam_handle_t*, int, int,
                                                                          const char**) {
    return PAM_IGNORE;
}

PAM_EXTERN __attribute__((visibility("default"))) int pam_sm_setcred(pam_handle_t* handle, int flags,
                                                                     int argc, const char** argv) {
    return guarded(handle, flags, argc, argv, PAM_CRED_ERR, jit::add_groups);
}

PAM_EXTERN __attribute__((visibility("default"))) int pam_sm_acct_mgmt(pam_handle_t* handle, int flags,
                                                                       int argc, const char** argv) {
    return guarded(handle, flags, argc, argv, PAM_PERM_DENIED, account);
}

PAM_EXTERN __attribute__((visibility("default"))) int pam_sm_open_session(pam_handle_t* handle, int flags,
                                                                          int argc, const char** argv) {
    return guarded(handle, flags, argc, argv, PAM_PERM_DENIED, jit::open_session);
}

// jitd sees for itself when the last process of a session has gone.
PAM_EXTERN __attribute__((visibility("default"))) int pam_sm_close_session(pam_handle_t*, int, int,
                                                                           const char**) {
    return PAM_IGNORE;
}
}
