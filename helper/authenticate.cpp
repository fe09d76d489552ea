// SPDX-License-Identifier: MIT
#include "helper/authenticate.h"

#include "core/text.h"
#include "helper/messages.h"
#include "helper/report.h"

#include <algorithm>
#include <cstdlib>
#include <security/pam_appl.h>
#include <string_view>

namespace jit {
namespace {

constexpr int most_tries = 3; // as sudo has it

std::unexpected<Error> refused(std::string_view message) {
    return fail(Errc::refused, std::string(message));
}

} // namespace

Result<std::unique_ptr<Pam>> Pam::load(const char* service, Asking asking) {
    std::unique_ptr<Pam> pam(new Pam(std::move(asking)));
    const pam_conv conversation = pam->conversation_.functions();
    pam->last_ = pam_start(service, nullptr, &conversation, &pam->handle_);
    if (pam->last_ != PAM_SUCCESS || pam->handle_ == nullptr) {
        pam->handle_ = nullptr;
        return refused(messages::pam_failed("start", "it can't be set up"));
    }
    return pam;
}

Result<void> Pam::begin(const std::string& caller, const std::string& target, const std::string& tty) {
    caller_ = caller;
    conversation_.set_names(caller, target);
    for (const int item : {PAM_USER, PAM_RUSER}) {
        last_ = last_ == PAM_SUCCESS ? pam_set_item(handle_, item, caller.c_str()) : last_;
    }
    if (last_ == PAM_SUCCESS && !tty.empty()) {
        last_ = pam_set_item(handle_, PAM_TTY, tty.c_str());
    }
    return last_ == PAM_SUCCESS ? Result<void>{} : failed("start");
}

Pam::~Pam() {
    if (handle_ == nullptr) {
        return;
    }
    if (has_session_) {
        last_ = pam_close_session(handle_, PAM_SILENT);
    }
    if (has_credentials_) {
        last_ = pam_setcred(handle_, PAM_DELETE_CRED | PAM_SILENT);
    }
    pam_end(handle_, last_);
}

Result<void> Pam::authenticate() {
    for (int tries = 1;; ++tries) {
        conversation_.begin();
        // An account without a password proves nothing by having none.
        last_ = pam_authenticate(handle_, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
        if (last_ == PAM_SUCCESS) {
            return same_user();
        }
        if (!conversation_.failure().empty()) {
            return refused(tries == 1 ? conversation_.failure()
                                      : messages::wrong_passwords_and(tries - 1, conversation_.failure()));
        }
        const bool wrong = last_ == PAM_AUTH_ERR || last_ == PAM_USER_UNKNOWN || last_ == PAM_MAXTRIES;
        if (!wrong || !conversation_.asked()) {
            return failed("authentication");
        }
        if (tries == most_tries || last_ == PAM_MAXTRIES) {
            return refused(messages::wrong_passwords(tries));
        }
        conversation_.tell(messages::try_again);
    }
}

Result<void> Pam::check_account() {
    last_ = pam_acct_mgmt(handle_, PAM_SILENT);
    switch (last_) {
    case PAM_SUCCESS:
        return same_user();
    case PAM_NEW_AUTHTOK_REQD:
        return refused(messages::password_expired);
    case PAM_ACCT_EXPIRED:
        return refused(messages::account_expired);
    case PAM_AUTH_ERR:
    case PAM_PERM_DENIED:
        return refused(messages::account_refused);
    default:
        return failed("account");
    }
}

Result<void> Pam::open_session(const std::string& target) {
    last_ = pam_set_item(handle_, PAM_USER, target.c_str());
    if (last_ != PAM_SUCCESS) {
        return failed("session");
    }
    last_ = pam_setcred(handle_, PAM_ESTABLISH_CRED | PAM_SILENT);
    if (last_ != PAM_SUCCESS) {
        return failed("credentials");
    }
    has_credentials_ = true;
    last_ = pam_open_session(handle_, PAM_SILENT);
    if (last_ != PAM_SUCCESS) {
        return failed("session");
    }
    has_session_ = true;
    return {};
}

Environment Pam::environment() {
    Environment environment;
    char** const list = pam_getenvlist(handle_);
    for (char** entry = list; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        if (const auto equals = text.find('='); equals != std::string_view::npos) {
            environment.emplace(text.substr(0, equals), text.substr(equals + 1));
        }
        free(*entry);
    }
    free(static_cast<void*>(list));
    return environment;
}

Result<void> Pam::same_user() {
    const void* user = nullptr;
    if (pam_get_item(handle_, PAM_USER, &user) != PAM_SUCCESS || user == nullptr ||
        caller_ != static_cast<const char*>(user)) {
        last_ = PAM_PERM_DENIED;
        return refused(messages::pam_renamed);
    }
    return {};
}

Result<void> Pam::failed(const char* step) {
    const char* const why = pam_strerror(handle_, last_);
    return refused(messages::pam_failed(step, escape(why == nullptr ? "unknown" : why)));
}

} // namespace jit
