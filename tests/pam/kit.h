// SPDX-License-Identifier: MIT
// pam_jit in a real libpam, without a host and without root: service files, login table and registrations are
// in a directory of the test's own, which is the working directory while it runs.
//
// A person is judged in one of two ways, and most tests run in both: who calls a program (sudo: the real
// uid), and who logs in (sshd: PAM_USER, where the program is root's). Root runs the first as nobody; without
// root the second is skipped.
#pragma once

#include "core/registration.h"
#include "core/time.h"
#include "core/types.h"

#include <gtest/gtest.h>
#include <security/pam_appl.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace jit {

// What a test does to calls that the module makes of libc; see interpose.cpp.
struct Interposed {
    bool accounts_fail = false; // getpwnam_r, getpwuid_r: EIO, as with a directory server that is down
    bool groups_fail = false;   // getgrnam_r
    bool lists_fail = false;    // getgrouplist
    bool clocks_fail = false;   // clock_gettime
    std::function<void()> after_link;
};
inline Interposed interposed;

// Lets `count` allocations of this thread succeed and no other; a negative count: all. How many failed since.
int fail_allocations_after(int count);

struct Row {
    Uid uid{};
    std::string account;
    std::string id = "7f3a";
    std::string role = "web";
    std::string services;
    std::string groups;
    Millis left = std::chrono::hours(1); // by UTC
    Millis boot_left = std::chrono::hours(1);
    Millis reach = std::chrono::hours(2);
};

struct Conversation {
    bool none = false; // no function at all
    int answer = PAM_SUCCESS;
    bool responds = true; // else no responses are given
    std::string said;     // all messages, a line each
};

// A PAM handle, and the conversation that it has.
class Handle {
public:
    Handle(const std::string& service, const char* user, Conversation conversation = {});
    Handle(const std::string& service, const std::string& user) : Handle(service, user.c_str()) {}
    ~Handle();
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    int account(int flags = 0) { return status_ = pam_acct_mgmt(handle_, flags); }
    int open(int flags = 0) { return status_ = pam_open_session(handle_, flags); }
    int close() { return status_ = pam_close_session(handle_, 0); }
    int credentials(int flags = PAM_ESTABLISH_CRED) { return status_ = pam_setcred(handle_, flags); }
    // pam_setcred follows the way that authentication took through the stack.
    int authenticate() { return status_ = pam_authenticate(handle_, 0); }
    [[nodiscard]] const std::string& said() const { return conversation_.said; }
    // Of its PAM environment; none where it isn't set.
    [[nodiscard]] std::optional<std::string> variable(const std::string& name) const;
    [[nodiscard]] pam_handle_t* get() const { return handle_; }

private:
    Conversation conversation_;
    pam_handle_t* handle_ = nullptr;
    int status_ = PAM_SUCCESS;
};

enum class Way { call, login };

class PamTest : public testing::Test {
protected:
    void start(Way way);
    void TearDown() override;

    // The person judged, and what they use.
    [[nodiscard]] std::string service() const { return way_ == Way::call ? "sudo" : "sshd"; }
    [[nodiscard]] Handle handle() const { return {service(), target}; }
    [[nodiscard]] Way way() const { return way_; }
    // Whether this process can have `count` audit sessions, one after the other.
    [[nodiscard]] static bool has_audit_sessions(int count);

    // "auth", "account" and "session" lines of all services that the tests use. "JIT" is the module.
    static void stack(const std::string& lines);
    static void stack_of(const std::string& name, const std::string& lines);
    // The module alone in each phase, with these arguments.
    static void stack_with(const std::string& arguments);

    [[nodiscard]] Row grant() const;
    static std::string table_bytes(const std::vector<Row>& rows, const std::string& more_sql = "");
    static void write_table(const std::vector<Row>& rows, const std::string& more_sql = "");
    static void write(const std::string& path, const std::string& bytes, unsigned mode = 0600);

    // Names in uses/, sorted.
    [[nodiscard]] static std::vector<std::string> registered(bool refusals);
    [[nodiscard]] static std::optional<RegisteredRefusal> refusal(int slot = 0);

    // Another account, another group that the person isn't in, and one that they are in.
    static constexpr const char* other_account = "daemon";
    static constexpr const char* foreign_group = "daemon";
    std::string own_group;
    std::string person;
    Uid uid{};
    std::string target; // PAM_USER

private:
    Way way_ = Way::call;
    std::string directory_;
    std::vector<gid_t> groups_;
};

// A test in both ways.
class EitherWay : public PamTest, public testing::WithParamInterface<Way> {
protected:
    void SetUp() override { start(GetParam()); }
};
class Calls : public PamTest {
protected:
    void SetUp() override { start(Way::call); }
};
class Logins : public PamTest {
protected:
    void SetUp() override { start(Way::login); }
};

std::string name_of_way(const testing::TestParamInfo<Way>& info);

} // namespace jit
