// SPDX-License-Identifier: MIT
// lone TAG: a process that ignores every signal that can be ignored, until it is killed.
#include <csignal>
#include <initializer_list>
#include <unistd.h>

int main() {
    for (const int signal : {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2}) {
        std::signal(signal, SIG_IGN);
    }
    for (;;) {
        pause();
    }
}
