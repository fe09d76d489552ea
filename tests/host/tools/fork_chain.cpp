// SPDX-License-Identifier: MIT
// fork_chain FILE SECONDS: one process that is never there for long: it forks, and ends, and what it forked
// does the same, deaf to TERM and HUP. While it lives FILE grows. It ends by itself, so that a test that
// fails leaves no harm.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <ctime>

int main(int argc, char** argv) {
    if (argc != 3 || setsid() < 0) {
        return 2;
    }
    std::signal(SIGTERM, SIG_IGN);
    std::signal(SIGHUP, SIG_IGN);
    const time_t end = std::time(nullptr) + std::atoi(argv[2]);
    for (unsigned generation = 0; std::time(nullptr) < end; ++generation) {
        if (fork() != 0) {
            _exit(0);
        }
        if (generation % 500 == 0) {
            const int file = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
            if (write(file, ".", 1) != 1) {
                return 1;
            }
            close(file);
        }
    }
    return 0;
}
