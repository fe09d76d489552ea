// SPDX-License-Identifier: MIT
#include "ctl/interrupt.h"

#include <ctime>
#include <poll.h>

namespace jit {
namespace {

volatile std::sig_atomic_t caught = 0;

void on_interrupt(int) {
    caught = 1;
}

} // namespace

Interrupt::Interrupt() {
    caught = 0;
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    pthread_sigmask(SIG_BLOCK, &held, &before_);
    sigaction(SIGINT, nullptr, &action_before_);
    ignored_ = action_before_.sa_handler == SIG_IGN;
    if (!ignored_) {
        struct sigaction action{};
        action.sa_handler = on_interrupt;
        sigemptyset(&action.sa_mask);
        sigaction(SIGINT, &action, nullptr);
    }
}

Interrupt::~Interrupt() {
    // First the mask: what is still held back is taken by our handler and not by what was there before.
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    if (!ignored_) {
        sigaction(SIGINT, &action_before_, nullptr);
    }
}

bool Interrupt::interrupted() {
    return caught != 0;
}

bool Interrupt::sleep(std::chrono::milliseconds duration) const {
    const timespec time{.tv_sec = duration.count() / 1000, .tv_nsec = duration.count() % 1000 * 1'000'000};
    ppoll(nullptr, 0, &time, &before_);
    return !interrupted();
}

} // namespace jit
