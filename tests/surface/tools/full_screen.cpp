// SPDX-License-Identifier: MIT
// full_screen: a program that has the whole screen, as an editor or a pager does. It shows what it is typed,
// each key as <k>. Where its standard input is no terminal it reads some of it first, and no more, as a pager
// does. ^Z suspends it, with the screen as it was; `q` ends it. Told another size of the window, or to go on,
// it draws anew.
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

namespace {

volatile std::sig_atomic_t resized = 0;

int terminal = -1;
termios before{};

void enter() {
    tcgetattr(terminal, &before);
    termios raw = before;
    cfmakeraw(&raw);
    tcsetattr(terminal, TCSADRAIN, &raw);
    dprintf(terminal, "\x1b[?1049h\x1b[?25l");
}

void leave() {
    dprintf(terminal, "\x1b[?1049l\x1b[?25h");
    tcsetattr(terminal, TCSADRAIN, &before);
}

void draw() {
    winsize size{};
    ioctl(terminal, TIOCGWINSZ, &size);
    dprintf(terminal, "screen of %dx%d\r\n", size.ws_row, size.ws_col);
}

} // namespace

int main() {
    terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (terminal < 0) {
        std::perror("/dev/tty");
        return 2;
    }
    if (!isatty(STDIN_FILENO)) {
        char buffer[4096];
        if (read(STDIN_FILENO, buffer, sizeof buffer) <= 0) {
            return 3;
        }
    }
    struct sigaction action{};
    action.sa_handler = [](int) { resized = 1; };
    sigaction(SIGWINCH, &action, nullptr);
    // It comes while it is waited for, and at no other time.
    sigset_t blocked, open_to;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGWINCH);
    sigprocmask(SIG_BLOCK, &blocked, &open_to);
    enter();
    draw();
    for (;;) {
        pollfd keys{terminal, POLLIN, 0};
        if (ppoll(&keys, 1, nullptr, &open_to) < 0 && errno == EINTR) {
            if (resized != 0) {
                resized = 0;
                draw();
            }
            continue;
        }
        char key = 0;
        const ssize_t got = read(terminal, &key, 1);
        if (got != 1 || key == 'q') {
            leave();
            return got == 1 ? 0 : 1;
        } else if (key == '\x1a') {
            leave();
            kill(0, SIGTSTP);
            enter();
            draw();
        } else {
            dprintf(terminal, "<%c>", key);
        }
    }
}
