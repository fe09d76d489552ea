// SPDX-License-Identifier: MIT
#include "helper/keeper.h"

#include "core/fd.h"
#include "helper/report.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <linux/close_range.h>
#include <optional>
#include <poll.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace jit {
namespace {

// Leaves these three open, under other numbers, and nothing else.
void keep_only(int& channel, int& slave, int& release) {
    constexpr int above = 100; // what this program has open has smaller numbers
    for (int* const fd : {&channel, &slave, &release}) {
        *fd = fcntl(*fd, F_DUPFD_CLOEXEC, above);
    }
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    bool good = channel >= 0 && slave >= 0 && release >= 0 && nothing >= 0;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        good = good && dup2(nothing, fd) == fd;
    }
    if (!good || chdir("/") != 0 || close_range(STDERR_FILENO + 1, above - 1, 0) != 0) {
        _exit(exit_refused); // the command waits for its release, and ends with us
    }
}

class Keeper {
public:
    Keeper(int channel, int slave, int release, pid_t command)
        : channel_(channel), slave_(slave), release_(release), command_(command) {
        sigset_t child;
        sigemptyset(&child);
        sigaddset(&child, SIGCHLD);
        signals_.reset(signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
    }

    [[noreturn]] void run() {
        while (true) {
            std::array<pollfd, 2> fds{pollfd{channel_, POLLIN, 0}, pollfd{signals_.get(), POLLIN, 0}};
            if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) {
                leave();
            }
            if (fds[1].revents != 0) {
                signalfd_siginfo info{};
                static_cast<void>(!read(signals_.get(), &info, sizeof info));
                report();
            }
            if (fds[0].revents != 0) {
                obey();
            }
        }
    }

    void give_terminal(bool foreground) const {
        const pid_t group = getpgid(command_);
        if (!foreground) {
            tcsetpgrp(slave_, getpgrp());
        } else if (group > 0 && (wants_terminal_ || tcgetpgrp(slave_) == getpgrp())) {
            tcsetpgrp(slave_, group); // else it is with one of the command's own jobs, and stays there
        }
    }

private:
    void report() {
        siginfo_t over{};
        if (hung_up_ && waitid(P_PID, static_cast<id_t>(command_), &over, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            over.si_pid == command_) {
            killpg(command_, SIGHUP); // also for those that it was just starting
        }
        KeeperReport report;
        while (waitpid(command_, &report.status, WNOHANG | WUNTRACED) == command_) {
            if (was_traced(command_, report.status)) {
                continue;
            }
            wants_terminal_ = WIFSTOPPED(report.status) &&
                              (WSTOPSIG(report.status) == SIGTTIN || WSTOPSIG(report.status) == SIGTTOU);
            if (!WIFSTOPPED(report.status)) {
                give_terminal(false); // or the kernel hangs up, with us, on what it left in the background
            }
            send(channel_, &report, sizeof report, MSG_NOSIGNAL);
            if (!WIFSTOPPED(report.status)) {
                _exit(0);
            }
        }
    }

    void obey() {
        KeeperOrder order;
        const ssize_t got = recv(channel_, &order, sizeof order, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (got != static_cast<ssize_t>(sizeof order)) {
            leave();
        }
        switch (order.what) {
        case KeeperOrder::What::release:
            static_cast<void>(!write(release_, &order, sizeof order));
            break;
        case KeeperOrder::What::signal:
            kill(command_, order.signal);
            break;
        case KeeperOrder::What::signal_group:
            signal_group(order.signal);
            break;
        case KeeperOrder::What::foreground:
        case KeeperOrder::What::background:
            give_terminal(order.what == KeeperOrder::What::foreground);
            signal_group(SIGCONT);
            break;
        }
    }

    // It isn't reaped yet, so the number is still its own. It may have changed to another group.
    void signal_group(int number) {
        hung_up_ = hung_up_ || number == SIGHUP;
        if (killpg(command_, number) != 0) {
            kill(command_, number);
        }
    }

    [[noreturn]] void leave() {
        signal_group(SIGHUP);
        signal_group(SIGCONT);
        _exit(0);
    }

    int channel_, slave_, release_;
    pid_t command_;
    bool wants_terminal_ = false; // what it was stopped for
    bool hung_up_ = false;
    Fd signals_;
};

} // namespace

bool was_traced(pid_t command, int status) {
    if (!WIFSTOPPED(status)) {
        return false;
    }
    const long signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status); // of an execve(2) that was traced
    return ptrace(PTRACE_DETACH, command, nullptr, signal) == 0;
}

void keep(int channel, int slave, int release, pid_t command, bool foreground) {
    keep_only(channel, slave, release);
    Keeper keeper(channel, slave, release, command);
    if (foreground) {
        keeper.give_terminal(true);
    }
    keeper.run();
}

} // namespace jit
