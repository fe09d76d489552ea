// SPDX-License-Identifier: MIT
#include "pam_module/pam.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <security/pam_ext.h>
#include <security/pam_modules.h>

namespace jit {
namespace {

constexpr const char* groups_name = "jit.groups";
constexpr const char* opened_name = "jit.opened";
constexpr std::size_t longest_item = 1024;

void free_text(pam_handle_t*, void* data, int) {
    free(data);
}

void free_groups(pam_handle_t*, void* data, int) {
    delete static_cast<std::vector<std::string>*>(data);
}

} // namespace

std::string Pam::item(int type) const {
    const void* value = nullptr;
    if (pam_get_item(handle_, type, &value) != PAM_SUCCESS || value == nullptr) {
        return {};
    }
    const auto* text = static_cast<const char*>(value);
    return {text, strnlen(text, longest_item)};
}

std::string Pam::user() const {
    return item(PAM_USER);
}
std::string Pam::service() const {
    return item(PAM_SERVICE);
}
std::string Pam::tty() const {
    return item(PAM_TTY);
}
std::string Pam::remote_host() const {
    return item(PAM_RHOST);
}

void Pam::log(int priority, const std::string& text) const {
    pam_syslog(handle_, priority, "%s", text.c_str());
}

void Pam::show(const std::string& line) const {
    if ((flags_ & PAM_SILENT) == 0) {
        pam_info(handle_, "%s", line.c_str());
    }
}

void Pam::complain(const std::string& line) const {
    // sudo asks for silence always (pam_silent), and then says only "account validation failure".
    pam_error(handle_, "%s", line.c_str());
}

bool Pam::set_environment(const std::string& name, const std::string& value) const {
    return pam_putenv(handle_, (name + "=" + value).c_str()) == PAM_SUCCESS;
}

bool Pam::set_text(const char* name, const std::string& value) const {
    char* copy = strdup(value.c_str());
    if (copy == nullptr || pam_set_data(handle_, name, copy, free_text) != PAM_SUCCESS) {
        free(copy);
        return false;
    }
    return true;
}

bool Pam::remember_groups(const std::vector<std::string>& groups) const {
    auto copy = std::make_unique<std::vector<std::string>>(groups);
    if (pam_set_data(handle_, groups_name, copy.get(), free_groups) != PAM_SUCCESS) {
        return false;
    }
    static_cast<void>(copy.release());
    return true;
}

bool Pam::remember_opening() const {
    return set_text(opened_name, "");
}

bool Pam::session_was_opened() const {
    const void* data = nullptr;
    return pam_get_data(handle_, opened_name, &data) == PAM_SUCCESS && data != nullptr;
}

std::vector<std::string> Pam::remembered_groups() const {
    const void* data = nullptr;
    if (pam_get_data(handle_, groups_name, &data) != PAM_SUCCESS || data == nullptr) {
        return {};
    }
    return *static_cast<const std::vector<std::string>*>(data);
}

} // namespace jit
