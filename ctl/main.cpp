// SPDX-License-Identifier: MIT
#include "ctl/exit_codes.h"
#include "ctl/run.h"

#include <csignal>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <iostream>
#include <poll.h>
#include <unistd.h>

namespace {

// Where one of the three is closed, the next descriptor would take its place, and text meant for a person
// would go into a socket. Opened the wrong way round, so that using it still fails.
bool hold_standard_descriptors() {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) {
            return false;
        }
    }
    return true;
}

// A reader that has seen enough (head, less) needs no telling.
bool reader_is_gone() {
    pollfd out{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

// So that a shell or script that called us sees the Ctrl-C and stops as well.
[[noreturn]] void die_of_interrupt() {
    (void)std::signal(SIGINT, SIG_DFL);
    (void)std::raise(SIGINT);
    std::_Exit(static_cast<int>(jit::Exit::interrupted));
}

} // namespace

int main(int argc, char** argv) {
    constexpr int internal = static_cast<int>(jit::Exit::internal);
    if (!hold_standard_descriptors()) {
        return internal;
    }
    (void)std::signal(SIGPIPE, SIG_IGN);
    try {
        std::ios::sync_with_stdio(false);
        const int result = jit::run(argc, argv, std::cout, std::cerr, STDOUT_FILENO);
        if (!std::cout) {
            if (!reader_is_gone()) {
                std::cerr << "jitctl: the answer can't be written to standard output" << std::endl;
            }
            return internal;
        }
        if (result == static_cast<int>(jit::Exit::interrupted)) {
            die_of_interrupt();
        }
        return result;
    } catch (const std::exception& error) {
        std::cerr << "jitctl: " << error.what() << std::endl;
        return internal;
    }
}
