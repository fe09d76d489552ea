// SPDX-License-Identifier: MIT
#include "helper/relay.h"

#include <algorithm>
#include <cerrno>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace jit {
namespace {

// More than a pty holds: the rest is from something in the background.
constexpr std::size_t at_the_end = 64 * 1024;

bool is_transient(int error) {
    return error == EAGAIN || error == EINTR;
}

bool is_pipe(int fd) {
    struct stat status{};
    return fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

// Reads what is there.
bool wants_an_end(const SignalQueue& signals) {
    bool end = false;
    while (const auto info = signals.next()) {
        const auto number = static_cast<int>(info->ssi_signo);
        end = end || number == SIGHUP || number == SIGINT || number == SIGQUIT || number == SIGTERM;
    }
    return end;
}

} // namespace

bool is_in_pipeline() {
    return is_pipe(STDIN_FILENO) || is_pipe(STDOUT_FILENO);
}

Relay::Relay(const Terminal& terminal, Pty& pty)
    : terminal_(terminal), pty_(pty), shared_(is_pipe(STDOUT_FILENO)), raw_(terminal, shared_) {}

ssize_t Relay::Buffer::fill(int fd) {
    const ssize_t got = read(fd, bytes_.data() + end_, bytes_.size() - end_);
    if (got > 0) {
        end_ += static_cast<std::size_t>(got);
    }
    return got;
}

bool Relay::Buffer::pour(int fd) {
    while (begin_ < end_) {
        const ssize_t put = write(fd, bytes_.data() + begin_, end_ - begin_);
        if (put <= 0) {
            return put == 0 || is_transient(errno);
        }
        begin_ += static_cast<std::size_t>(put);
    }
    clear();
    return true;
}

void Relay::Buffer::add(std::string_view bytes) {
    bytes = bytes.substr(0, bytes_.size() - end_);
    std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(end_));
    end_ += bytes.size();
}

void Relay::Buffer::strip_returns(bool& held) {
    std::size_t kept = begin_;
    for (std::size_t at = begin_; at < end_; ++at) {
        if (bytes_[at] != '\r' || (at + 1 < end_ && bytes_[at + 1] != '\n')) {
            bytes_[kept++] = bytes_[at];
        } else {
            held = at + 1 == end_;
        }
    }
    end_ = kept;
}

pollfd Relay::wish(Slot slot) const {
    short events = 0;
    if (slot == Slot::terminal) {
        if (hung_up_) {
            return {-1, 0, 0};
        }
        if (raw_.active() && to_command_.empty() && terminal_.in_foreground()) {
            events |= POLLIN;
        }
        if (!to_terminal_.empty()) {
            events |= POLLOUT;
        }
        return {terminal_.fd.get(), events, 0};
    }
    if (to_terminal_.empty()) {
        events |= POLLIN;
    }
    if (!to_command_.empty()) {
        events |= POLLOUT;
    }
    return {pty_.master ? pty_.master.get() : -1, events, 0};
}

void Relay::serve(const pollfd& terminal, const pollfd& master) {
    if ((terminal.revents & (POLLHUP | POLLERR)) != 0) {
        hang_up();
        return;
    }
    // Its group is looked at again: what is typed after a shell has taken the terminal back is not ours.
    if ((terminal.revents & POLLIN) != 0 && terminal_.in_foreground()) {
        if (const ssize_t got = to_command_.fill(terminal_.fd.get());
            got == 0 || (got < 0 && !is_transient(errno) && terminal_.in_foreground())) {
            hang_up();
            return;
        }
    }
    if ((master.revents & (POLLIN | POLLHUP)) != 0 && to_terminal_.empty()) {
        take_output();
    }
    if (!to_terminal_.empty() && !to_terminal_.pour(terminal_.fd.get())) {
        hang_up();
        return;
    }
    if (pty_.master && !to_command_.empty() && !to_command_.pour(pty_.master.get())) {
        to_command_.clear();
    }
}

void Relay::take_output() {
    if (held_return_) {
        to_terminal_.add("\r");
        held_return_ = false;
    }
    const ssize_t got = pty_.master ? to_terminal_.fill(pty_.master.get()) : 0;
    if (got == 0 || (got < 0 && !is_transient(errno))) {
        pty_.master.reset();
        to_command_.clear();
    }
    screen_.see(to_terminal_.view());
    termios settings{};
    if ((shared_ || !raw_.active()) && tcgetattr(terminal_.fd.get(), &settings) == 0 &&
        (settings.c_oflag & OPOST) != 0 && (settings.c_oflag & ONLCR) != 0) {
        to_terminal_.strip_returns(held_return_); // the terminal adds them, as the pty has done
    }
}

// The caller's terminal is gone: for the command's, that is the same.
void Relay::hang_up() {
    hung_up_ = true;
    pty_.master.reset();
    to_command_.clear();
    to_terminal_.clear();
}

// At most `left` bytes of the command's, as far as the terminal takes them at once. False: nobody will ever
// take them.
bool Relay::pass_on(std::size_t& left) {
    while (!hung_up_) {
        if (!to_terminal_.pour(terminal_.fd.get())) {
            return false;
        }
        if (!to_terminal_.empty() || !pty_.master || left == 0) {
            return true;
        }
        take_output();
        if (to_terminal_.empty()) {
            if (!held_return_) {
                return true;
            }
            to_terminal_.add("\r");
            held_return_ = false;
        }
        left -= std::min(left, to_terminal_.view().size());
    }
    return false;
}

void Relay::drain(const SignalQueue& signals) {
    std::size_t left = at_the_end;
    while (pass_on(left) && !to_terminal_.empty()) {
        std::array<pollfd, 2> fds{pollfd{terminal_.fd.get(), POLLOUT, 0}, pollfd{signals.fd(), POLLIN, 0}};
        if ((poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) ||
            (fds[0].revents & (POLLHUP | POLLERR)) != 0 || (fds[1].revents != 0 && wants_an_end(signals))) {
            return;
        }
    }
}

void Relay::flush() {
    std::size_t left = at_the_end;
    static_cast<void>(pass_on(left));
}

void Relay::resize() {
    if (pty_.master) {
        copy_window_size(terminal_, pty_.master.get());
    }
}

void Relay::attach() {
    pty_.settle(terminal_);
    raw_.enter();
    resize();
}

void Relay::detach() {
    raw_.leave();
}

bool Relay::tell(std::string_view line) {
    if (hung_up_ || !to_terminal_.empty()) {
        return false;
    }
    // Saves the cursor, goes to the first line; reverse; comes back (ECMA-48, DECSC and DECRC).
    const bool full = raw_.active() && over_full_screen();
    const std::string_view end_of_line = raw_.active() ? "\r\n" : "\n";
    to_terminal_.add(full ? "\0337\033[1;1H\033[7m" : raw_.active() ? end_of_line : "");
    to_terminal_.add(line);
    to_terminal_.add(full ? "\033[0m\033[K\0338" : end_of_line);
    const UnusedMeanwhile meanwhile(terminal_);
    if (!to_terminal_.pour(terminal_.fd.get())) {
        hang_up();
    }
    return true;
}

// Another size and back: each lets the kernel send a SIGWINCH to the one in the foreground, which then draws
// all of it anew.
void Relay::redraw() {
    winsize size{};
    if (over_full_screen() && pty_.master && ioctl(pty_.master.get(), TIOCGWINSZ, &size) == 0) {
        ++size.ws_row;
        ioctl(pty_.master.get(), TIOCSWINSZ, &size);
        resize();
    }
}

void Relay::leave_full_screen() {
    if (!hung_up_ && over_full_screen() && terminal_.in_foreground()) {
        to_terminal_.add(Screen::back);
        static_cast<void>(!to_terminal_.pour(terminal_.fd.get()));
    }
}

} // namespace jit
