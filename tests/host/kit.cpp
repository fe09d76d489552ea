// SPDX-License-Identifier: MIT
#include "tests/host/kit.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <ostream>
#include <poll.h>
#include <spawn.h>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace jit::host {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr int TIMED_OUT = 124; // as timeout(1) says it

std::vector<std::string> hosts(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), JIT_HOSTS_SCRIPT);
    return arguments;
}

std::array<int, 2> make_pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe2");
    return ends;
}

void close_once(int& fd) {
    if (fd >= 0)
        close(fd);
    fd = -1;
}

// Appends what can be read now. Closes at the end of the stream.
void drain(int& fd, std::string& text) {
    std::array<char, 16384> buffer{};
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count > 0)
        text.append(buffer.data(), static_cast<std::size_t>(count));
    else if (count == 0 || errno != EINTR)
        close_once(fd);
}

Result finish(Session session, const How& how) {
    session.type(how.stdin_text);
    session.close_stdin();
    if (auto run = session.wait(how.timeout))
        return *run;
    session.end();
    Result run = session.wait().value_or(Result{});
    run.status = TIMED_OUT;
    run.err += "(killed by the test kit: its time was up)\n";
    return run;
}

// For what the kit itself needs: a failure is the end of the test.
Result must(const Result& run, const std::string& what) {
    if (run.status != 0) {
        std::ostringstream text;
        text << what << ": " << run;
        throw std::runtime_error(text.str());
    }
    return run;
}

std::string release() {
    const char* name = std::getenv("JIT_TEST_RELEASE");
    return name != nullptr ? name : "d12";
}

} // namespace

std::ostream& operator<<(std::ostream& stream, const Result& run) {
    return stream << "status " << run.status << "\n--- stdout\n" << run.out << "--- stderr\n" << run.err;
}

Session::Session(const std::vector<std::string>& argv) {
    const auto in = make_pipe();
    const auto out = make_pipe();
    const auto err = make_pipe();

    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err[1], STDERR_FILENO);
    // A session of its own: no terminal to ask on, and everything it starts can be ended together.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);

    std::vector<char*> arguments;
    arguments.reserve(argv.size() + 1);
    for (const std::string& argument : argv)
        arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    const int error = posix_spawn(&pid_, arguments[0], &files, &attributes, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);

    close(in[0]);
    close(out[1]);
    close(err[1]);
    stdin_ = in[1];
    stdout_ = out[0];
    stderr_ = err[0];
    if (error != 0) {
        pid_ = -1;
        throw std::system_error(error, std::generic_category(), argv[0]);
    }
}

Session::Session(Session&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), stdin_(std::exchange(other.stdin_, -1)),
      stdout_(std::exchange(other.stdout_, -1)), stderr_(std::exchange(other.stderr_, -1)),
      run_(std::move(other.run_)) {}

Session::~Session() {
    end();
    close_once(stdin_);
    close_once(stdout_);
    close_once(stderr_);
    if (pid_ > 0)
        waitpid(pid_, nullptr, 0);
}

// Reads for up to `timeout`. False when both streams have ended.
bool Session::pump(milliseconds timeout) {
    std::array<pollfd, 2> streams{{{stdout_, POLLIN, 0}, {stderr_, POLLIN, 0}}};
    if (stdout_ < 0 && stderr_ < 0)
        return false;
    if (poll(streams.data(), streams.size(), static_cast<int>(timeout.count())) > 0) {
        if (streams[0].revents != 0)
            drain(stdout_, run_.out);
        if (streams[1].revents != 0)
            drain(stderr_, run_.err);
    }
    return stdout_ >= 0 || stderr_ >= 0;
}

const std::string& Session::output() {
    std::size_t before = 0;
    do {
        before = run_.out.size() + run_.err.size();
    } while (pump(milliseconds(0)) && run_.out.size() + run_.err.size() > before);
    return run_.out;
}

bool Session::shows(const std::string& text, milliseconds timeout) {
    const auto deadline = Clock::now() + timeout;
    while (run_.out.find(text) == std::string::npos) {
        const auto left = duration_cast<milliseconds>(deadline - Clock::now());
        if (left <= milliseconds(0) || !pump(left))
            return run_.out.find(text) != std::string::npos;
    }
    return true;
}

void Session::type(const std::string& text) {
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t count = ::write(stdin_, text.data() + done, text.size() - done);
        if (count < 0 && errno != EINTR)
            return; // it doesn't read any more: its status tells why
        done += count > 0 ? static_cast<std::size_t>(count) : 0;
    }
}

void Session::close_stdin() {
    close_once(stdin_);
}

std::optional<Result> Session::wait(milliseconds timeout) {
    const auto deadline = Clock::now() + timeout;
    while (pid_ > 0) {
        int status = 0;
        if (waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = -1;
            run_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            break;
        }
        if (Clock::now() >= deadline)
            return std::nullopt;
        // What closed its streams may still be about to exit.
        if (!pump(milliseconds(10)))
            std::this_thread::sleep_for(milliseconds(2));
    }
    output();
    return run_;
}

void Session::end() {
    if (pid_ > 0)
        kill(-pid_, SIGKILL);
}

Host::Host(With with) {
    static int count = 0;
    // A connection that has broken shows in what a write returns; the signal would end the test program.
    std::signal(SIGPIPE, SIG_IGN);
    name_ = release() + "-" + std::to_string(getpid()) + "-" + std::to_string(++count);
    std::vector<std::string> arguments{"start", name_, release(), "--owner", std::to_string(getpid())};
    if (with == With::nothing)
        arguments.emplace_back("--bare");
    must(finish(Session(hosts(arguments)), {.timeout = std::chrono::seconds(90)}), "starting a host");
}

// What no live grant gives isn't there, whatever the test did, as soon as jitd has had the time to end it.
// Where jitd doesn't answer (the test is about that), nobody can say.
void Host::expect_no_leftovers() {
    const Result looked = root("for _ in $(seq 75); do said=$(timeout 3 jitctl leftovers 2>&1); status=$?; "
                               "[ $status = 1 ] || exit 0; sleep 0.2; done; echo \"$said\"; exit 1",
                               {.timeout = std::chrono::seconds(60)});
    if (looked.status != 0)
        ADD_FAILURE() << "leftovers on " << name_ << ":\n" << looked;
}

Host::~Host() {
    try {
        expect_no_leftovers();
        if (testing::Test::HasFailure())
            std::cout << "---- journal of " << name_ << "\n"
                      << root("journalctl --no-pager -n 80 -u jitd -u jit-nss -u ssh").out << "----\n";
        finish(Session(hosts({"stop", name_})), {.timeout = std::chrono::seconds(60)});
    } catch (const std::exception& error) {
        std::cout << name_ << ": " << error.what() << "\n";
    }
}

Result Host::root(const std::string& command, const How& how) {
    return finish(Session(hosts({"run", name_, "/bin/bash", "-c", command})), how);
}

Session Host::begin_as(const std::string& user, const std::string& command, const How& how) {
    std::vector<std::string> arguments{"ssh", name_, user};
    if (!how.password.empty())
        arguments.insert(arguments.end(), {"--password", how.password});
    arguments.emplace_back(how.tty ? "-tt" : "-T");
    if (!command.empty())
        arguments.push_back(command);
    return Session(hosts(arguments));
}

Result Host::as(const std::string& user, const std::string& command, const How& how) {
    return finish(begin_as(user, command, how), how);
}

void Host::write(const std::string& path, const std::string& content, const std::string& mode) {
    must(finish(Session(hosts({"run", name_, "install", "-D", "-m", mode, "/dev/stdin", path})),
                {.stdin_text = content}),
         "writing " + path);
}

void Host::copy(const char* file, const std::string& path, const std::string& mode) {
    std::ifstream content(file, std::ios::binary);
    write(path, {std::istreambuf_iterator<char>(content), {}}, mode);
}

void Host::policy(const std::string& toml) {
    write("/etc/jit/policy.toml", toml);
    must(root("jitctl policy reload"), "loading the policy");
}

void Host::stop_sweep() {
    must(root("systemctl --quiet mask --runtime --now jit-sweep.timer"), "stopping the sweep");
}

void Host::start_sweep() {
    must(root("systemctl --quiet unmask --runtime jit-sweep.timer && systemctl start jit-sweep.timer"),
         "starting the sweep");
}

std::vector<Process> Host::processes(const std::string& user) {
    std::vector<Process> found;
    std::istringstream lines(root("ps -o pid=,args= -U '" + user + "' -u '" + user + "'").out);
    Process process{};
    while (lines >> process.pid && std::getline(lines >> std::ws, process.command))
        found.push_back(process);
    return found;
}

void Host::reboot() {
    must(finish(Session(hosts({"reboot", name_})), {.timeout = std::chrono::seconds(90)}), "rebooting");
}

void Host::power_failure() {
    must(finish(Session(hosts({"reboot", name_, "--hard"})), {.timeout = std::chrono::seconds(90)}),
         "power failure");
}

bool eventually(const std::function<bool()>& predicate, milliseconds timeout) {
    const auto deadline = Clock::now() + timeout;
    while (!predicate()) {
        if (Clock::now() >= deadline)
            return false;
        std::this_thread::sleep_for(milliseconds(20));
    }
    return true;
}

} // namespace jit::host
