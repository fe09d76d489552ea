// SPDX-License-Identifier: MIT
// A module that shows what others told pam_systemd, which only modules can read.
#include <security/pam_modules.h>

#include <string>

extern "C" {

__attribute__((visibility("default"))) int pam_sm_open_session(pam_handle_t* handle, int, int, const char**) {
    const void* text = nullptr;
    if (pam_get_data(handle, "systemd.runtime_max_sec", &text) == PAM_SUCCESS && text != nullptr) {
        pam_putenv(handle, (std::string("RUNTIME_MAX_SEC=") + static_cast<const char*>(text)).c_str());
    }
    return PAM_IGNORE;
}

__attribute__((visibility("default"))) int pam_sm_close_session(pam_handle_t*, int, int, const char**) {
    return PAM_IGNORE;
}
}
