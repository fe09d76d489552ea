// SPDX-License-Identifier: MIT
// What a test on a real host is written with: a fresh Debian with systemd as PID 1 and sshd, the package
// under test installed, and people who log in. docs/testing.md shows one.
//
// The release comes from the environment variable JIT_TEST_RELEASE (d12 or d13; d12 when unset). Needs root,
// or sudo without a password. Nothing here is safe to share between threads.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace jit::host {

// What a finished command left. `status` is the exit code, 128 + the signal that ended it, 255 when ssh
// itself failed, and 124 when it was killed because its time was up.
struct Result {
    int status = -1;
    std::string out;
    std::string err;
};
std::ostream& operator<<(std::ostream& stream, const Result& run);

struct How {
    bool tty = false;          // ssh -tt: stdout and stderr are one, as on a terminal
    std::string password = {}; // log in with this instead of the key
    std::string stdin_text = {};
    std::chrono::milliseconds timeout{20'000};
};

// A command that runs in the background. Ends with the object, as when the connection breaks.
class Session {
public:
    explicit Session(const std::vector<std::string>& argv);
    Session(Session&& other) noexcept;
    Session& operator=(Session&&) = delete;
    ~Session();

    // Everything it has written to stdout until now.
    const std::string& output();
    // Whether its stdout comes to contain `text` within `timeout`.
    bool shows(const std::string& text, std::chrono::milliseconds timeout = std::chrono::seconds(10));
    void type(const std::string& text);
    void close_stdin();
    // Its end, or nothing when it still runs after `timeout`.
    std::optional<Result> wait(std::chrono::milliseconds timeout = std::chrono::seconds(10));
    // Breaks the connection: nothing is said to the other side.
    void end();

private:
    bool pump(std::chrono::milliseconds timeout);

    pid_t pid_ = -1;
    int stdin_ = -1;
    int stdout_ = -1;
    int stderr_ = -1;
    Result run_;
};

struct Process {
    pid_t pid;
    std::string command;
};

enum class With { package, nothing };

class Host {
public:
    explicit Host(With with = With::package);
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;
    // When the test has failed, prints what the daemons logged.
    ~Host();

    // A shell command as root, without a login: no login uid, no audit session.
    Result root(const std::string& command, const How& how = {});
    // A shell command over ssh: everything that a person does. With an empty command a login shell is
    // started.
    Result as(const std::string& user, const std::string& command, const How& how = {});
    // `how.stdin_text` and `how.timeout` are not used: type() and wait() are there for it.
    Session begin_as(const std::string& user, const std::string& command, const How& how = {});

    void write(const std::string& path, const std::string& content, const std::string& mode = "0644");
    // A file of this machine, such as a program of the tests.
    void copy(const char* file, const std::string& path, const std::string& mode = "0644");
    // Makes this the policy. Returns when it holds.
    void policy(const std::string& toml);
    // Its timer is masked meanwhile: stopped only, it would be started again (jit-elevations.service).
    void stop_sweep();
    void start_sweep();

    // Everything that runs with this uid, the user's service manager included.
    std::vector<Process> processes(const std::string& user);

    void reboot();
    void power_failure();

private:
    void expect_no_leftovers();
    std::string name_;
};

// Whether `predicate` comes true within `timeout`.
bool eventually(const std::function<bool()>& predicate,
                std::chrono::milliseconds timeout = std::chrono::seconds(5));

} // namespace jit::host
