// SPDX-License-Identifier: MIT
#include "ctl/screen.h"

#include "ctl/columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <vector>

namespace jit {
namespace {

// xterm's control sequences, which every terminal of today knows: the other page, no cursor, and no line that
// goes on in the next where a character is wider than we think.
constexpr std::string_view enter_page = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view leave_page = "\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr std::string_view to_top = "\x1b[H";
constexpr std::string_view rest_of_line_empty = "\x1b[K\r\n";
constexpr std::string_view rest_empty = "\x1b[J";

constexpr std::array ending{SIGTERM, SIGHUP, SIGQUIT};
constexpr std::array waking{SIGWINCH, SIGCONT}; // what waits draws anew

// What the signal handlers need.
int page = -1;
bool reads_keys = false;
volatile std::sig_atomic_t entered = 0;
termios typed_before{};
std::array<struct sigaction, NSIG> actions_before{};

void write_page(std::string_view text) {
    const int error = errno;
    (void)!write(page, text.data(), text.size());
    errno = error;
}

void enter() {
    if (reads_keys) {
        termios keys = typed_before;
        keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO); // Ctrl-C and ^Z stay signals
        keys.c_cc[VMIN] = 0;
        keys.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSADRAIN, &keys);
    }
    entered = 1;
    write_page(enter_page);
}

void leave() {
    if (entered == 0) {
        return;
    }
    entered = 0;
    write_page(leave_page);
    // In the background it would stop us, and who ends a job that is stopped would wait for ever.
    const pid_t in_front = tcgetpgrp(STDIN_FILENO);
    if (reads_keys && (in_front == -1 || in_front == getpgrp())) {
        tcsetattr(STDIN_FILENO, TCSADRAIN, &typed_before);
    }
}

void on_end(int signal) {
    leave();
    (void)std::signal(signal, SIG_DFL);
    (void)std::raise(signal);
}

void on_stop(int) {
    const int error = errno;
    leave();
    (void)std::raise(SIGSTOP);
    enter();
    errno = error;
}

void on_wake(int) {}

// A signal that was ignored (nohup) stays so.
void handle(int signal, void (*handler)(int)) {
    struct sigaction& before = actions_before.at(static_cast<std::size_t>(signal));
    sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) {
        struct sigaction action{};
        action.sa_handler = handler;
        sigemptyset(&action.sa_mask);
        sigaction(signal, &action, nullptr);
    }
}

void restore(int signal) {
    sigaction(signal, &actions_before.at(static_cast<std::size_t>(signal)), nullptr);
}

struct Size {
    std::size_t rows = 24;
    std::size_t columns = 80;
};

Size size_of_page() {
    winsize size{};
    if (ioctl(page, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) {
        return {};
    }
    return {.rows = size.ws_row, .columns = size.ws_col};
}

} // namespace

bool Screen::is_one(int output) {
    const char* terminal = std::getenv("TERM");
    return output >= 0 && isatty(output) == 1 && terminal != nullptr && *terminal != '\0' &&
           std::string_view(terminal) != "dumb";
}

Screen::Screen(std::ostream& out, int output) : out_(out) {
    page = output;
    reads_keys = tcgetattr(STDIN_FILENO, &typed_before) == 0;
    for (const int signal : ending) {
        handle(signal, on_end);
    }
    handle(SIGTSTP, on_stop);
    for (const int signal : waking) {
        handle(signal, on_wake);
    }
    enter();
}

Screen::~Screen() {
    leave();
    for (const int signal : ending) {
        restore(signal);
    }
    restore(SIGTSTP);
    for (const int signal : waking) {
        restore(signal);
    }
}

int Screen::keys() const {
    return reads_keys ? STDIN_FILENO : -1;
}

bool Screen::quits() const {
    if (!reads_keys) {
        return false;
    }
    char key = 0;
    ssize_t count = 0;
    while ((count = read(STDIN_FILENO, &key, 1)) == 1) {
        if (key == 'q' || key == 'Q') {
            return true;
        }
    }
    return count < 0 && errno != EINTR && errno != EAGAIN;
}

void Screen::draw(std::string_view text) {
    const Size size = size_of_page();
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        lines.push_back(shortened(line, size.columns));
    }
    const std::size_t most = size.rows - 1; // the cursor rests in the last row
    if (lines.size() > most && most > 0) {
        const std::string below =
            fmt::format("… {} more lines: jitctl watch --once", lines.size() - most + 1);
        lines.resize(most);
        lines.back() = shortened(below, size.columns);
    }
    std::string frame(to_top);
    for (const std::string& line : lines) {
        frame.append(line).append(rest_of_line_empty);
    }
    out_ << frame << rest_empty << std::flush;
}

} // namespace jit
