// SPDX-License-Identifier: MIT
// A PAM conversation with the application that runs us. No more than the handle: nothing is kept between
// calls.
#pragma once

#include "core/clock.h"

#include <string>
#include <vector>

struct pam_handle;

namespace jit {

// Where we read and write. One set, but for tests that run without root.
struct Places {
    std::string login_table = "/run/jit/logins.db";
    std::string uses = "/run/jit/uses";
    std::string memberships = "/run/userdb";
};

class Pam {
public:
    Pam(pam_handle* handle, int flags) : handle_(handle), flags_(flags) {}

    [[nodiscard]] std::string user() const; // PAM_USER; empty: the application set none
    [[nodiscard]] std::string service() const;
    [[nodiscard]] std::string tty() const;
    [[nodiscard]] std::string remote_host() const;
    [[nodiscard]] int flags() const { return flags_; }

    void log(int priority, const std::string& text) const;
    void show(const std::string& line) const; // not where the application asked for silence
    void complain(const std::string& line) const;
    [[nodiscard]] bool set_environment(const std::string& name, const std::string& value) const;

    // The name that other modules know it by, and its text.
    [[nodiscard]] bool set_text(const char* name, const std::string& value) const;

    // Groups added in setcred, for open_session in the same process.
    [[nodiscard]] bool remember_groups(const std::vector<std::string>& groups) const;
    [[nodiscard]] std::vector<std::string> remembered_groups() const;
    // That our open_session ran, for setcred in the same process or one that was forked from it.
    [[nodiscard]] bool remember_opening() const;
    [[nodiscard]] bool session_was_opened() const;

private:
    [[nodiscard]] std::string item(int type) const;
    pam_handle* handle_;
    int flags_;
};

} // namespace jit
