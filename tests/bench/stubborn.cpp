// SPDX-License-Identifier: MIT
// stubborn TAG: three processes that ignore every signal that can be ignored, until they are killed.
#include <csignal>
#include <initializer_list>
#include <unistd.h>

int main() {
    for (const int signal : {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2}) {
        std::signal(signal, SIG_IGN);
    }
    for (int child = 0; child < 2 && fork() > 0; ++child) {
    }
    for (;;) {
        pause();
    }
}
