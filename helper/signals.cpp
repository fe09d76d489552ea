// SPDX-License-Identifier: MIT
#include "helper/signals.h"

#include <unistd.h>

namespace jit {

SignalQueue::SignalQueue(const Caller& caller) {
    sigset_t set;
    sigemptyset(&set);
    for (const int number :
         {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGTSTP, SIGCONT, SIGWINCH, SIGCHLD}) {
        if (is_ignored(caller, number)) {
            static_cast<void>(::signal(number, SIG_IGN));
        } else {
            sigaddset(&set, number);
        }
    }
    sigprocmask(SIG_BLOCK, &set, nullptr);
    fd_.reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

std::optional<signalfd_siginfo> SignalQueue::next() const {
    signalfd_siginfo info{};
    if (read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
        return std::nullopt;
    }
    return info;
}

namespace {

// `whom`: as of kill(2).
void take_with(pid_t whom, int number) {
    static_cast<void>(::signal(number, SIG_DFL));
    sigset_t only, before;
    sigemptyset(&only);
    sigaddset(&only, number);
    kill(whom, number);
    sigprocmask(SIG_UNBLOCK, &only, &before);
    sigprocmask(SIG_SETMASK, &before, nullptr);
}

} // namespace

void take_signal(int number) {
    take_with(getpid(), number); // ourselves: that number can't be anybody else's
}

bool stop_job(int number) {
    take_with(0, number);
    sigset_t waiting;
    sigemptyset(&waiting);
    sigpending(&waiting);
    return sigismember(&waiting, SIGCONT) == 1;
}

} // namespace jit
