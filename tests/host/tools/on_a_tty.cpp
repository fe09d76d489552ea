// SPDX-License-Identifier: MIT
// on_a_tty INPUT COMMAND…: runs it on a terminal of its own, types INPUT when it has been quiet for a second,
// prints what it writes. script(1) can't do that for login(1), which hangs its terminal up (vhangup(2)) and
// opens it again: nobody has it open for a moment, and reading from the other end is an error then.
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace {

constexpr int quiet = 1000; // ms
constexpr int again = 20;   // ms

} // namespace

int main(int argc, char** argv) {
    int terminal = -1;
    const pid_t child = argc > 2 ? forkpty(&terminal, nullptr, nullptr, nullptr) : -1;
    if (child < 0) {
        std::perror("on_a_tty");
        return 2;
    }
    if (child == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    bool typed = false;
    int status = 0;
    bool running = true;
    while (running) {
        running = waitpid(child, &status, WNOHANG) == 0;
        pollfd readable{terminal, POLLIN, 0};
        if (poll(&readable, 1, running ? quiet : 0) == 0 && !typed && running) {
            typed = write(terminal, argv[1], std::strlen(argv[1])) > 0;
        }
        char buffer[4096];
        const ssize_t size = (readable.revents & POLLIN) != 0 ? read(terminal, buffer, sizeof buffer) : 0;
        if (size > 0) {
            std::fwrite(buffer, 1, static_cast<std::size_t>(size), stdout);
            running = true; // there may be more
        } else if ((readable.revents & POLLHUP) != 0) {
            usleep(again * 1000);
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
