// SPDX-License-Identifier: MIT
// PAM, services "jit-sudo" and "jit-sudo-i" (a login shell): the caller proves who they are, their account is
// checked, and the target gets its credentials and a session.
//
// MUST:
//  1. The account phase runs every time, also where nobody has to authenticate: an expired or locked account
//  gets
//     nothing, whatever was granted to it (CVE-2022-24755).
//  2. PAM_USER is read again after each phase; another name than was asked about is a refusal
//  (CVE-2015-6563).
//  3. Anything but PAM_SUCCESS is a refusal.
//  4. What was opened is closed, in the opposite order, on every way out.
#pragma once

#include "core/error.h"
#include "helper/conversation.h"
#include "helper/sanitise.h"

#include <memory>
#include <string>

struct pam_handle;

namespace jit {

class Pam {
public:
    // Reads PAM's files and loads its modules: most of what PAM takes, and about nobody yet.
    [[nodiscard]] static Result<std::unique_ptr<Pam>> load(const char* service, Asking asking);
    // Comes before all that follows. `caller`: the account that authenticates; `target`: whom it is about to
    // become. `tty` may be empty.
    [[nodiscard]] Result<void> begin(const std::string& caller, const std::string& target,
                                     const std::string& tty);
    ~Pam();
    Pam(const Pam&) = delete;
    Pam& operator=(const Pam&) = delete;

    [[nodiscard]] Result<void> authenticate();
    [[nodiscard]] Result<void> check_account();
    [[nodiscard]] Result<void> open_session(const std::string& target);
    [[nodiscard]] Environment environment();

private:
    explicit Pam(Asking asking) : conversation_(std::move(asking)) {}
    [[nodiscard]] Result<void> same_user();
    [[nodiscard]] Result<void> failed(const char* step);

    std::string caller_;
    Conversation conversation_;
    pam_handle* handle_ = nullptr;
    int last_ = 0;
    bool has_credentials_ = false;
    bool has_session_ = false;
};

} // namespace jit
