// SPDX-License-Identifier: MIT
#include "helper/relay.h"

#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

namespace jit {
namespace {

bool is_transient(int error) {
    return error == EAGAIN || error == EINTR;
}

} // namespace

bool is_in_pipeline() {
    struct stat status{};
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) {
        if (fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))) {
            return true;
        }
    }
    return false;
}

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

void Relay::Buffer::add(char byte) {
    if (has_room()) {
        bytes_[end_++] = byte;
    }
}

Relay::Relay(const Terminal& terminal, Pty& pty)
    : terminal_(terminal), pty_(pty), raw_(terminal), pipeline_(is_in_pipeline()) {
    resume();
}

pollfd Relay::wish(Slot slot) const {
    short events = 0;
    if (slot == Slot::terminal) {
        if (hung_up_) {
            return {-1, 0, 0};
        }
        if (to_command_.empty() && input_is_ours()) {
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

bool Relay::input_is_ours() const {
    return reads_ && terminal_.in_foreground();
}

bool Relay::serve(const pollfd& terminal, const pollfd& master, pid_t command) {
    bool suspend_key = false;
    if ((terminal.revents & (POLLHUP | POLLERR)) != 0) {
        hang_up();
        return false;
    }
    if ((terminal.revents & POLLIN) != 0 && to_command_.empty() && input_is_ours()) {
        read_terminal();
        suspend_key = take_suspend_key(command);
    }
    if (!hung_up_ && (master.revents & (POLLIN | POLLHUP)) != 0 && to_terminal_.empty()) {
        if (const ssize_t got = to_terminal_.fill(pty_.master.get());
            got == 0 || (got < 0 && !is_transient(errno))) {
            pty_.master.reset();
            to_command_.clear();
        }
    }
    if (!hung_up_ && !to_terminal_.empty() && !to_terminal_.pour(terminal_.fd.get())) {
        hang_up();
    }
    if (pty_.master && !to_command_.empty() && !to_command_.pour(pty_.master.get())) {
        to_command_.clear();
    }
    return suspend_key;
}

void Relay::read_terminal() {
    if (pipeline_) {
        termios settings{};
        if (tcgetattr(terminal_.fd.get(), &settings) != 0 || (settings.c_lflag & ICANON) == 0) {
            reads_ = false;
            return;
        }
    }
    const ssize_t got = to_command_.fill(terminal_.fd.get());
    if (got == 0) {
        // ^D at the beginning of a line, where the terminal edits lines itself.
        termios settings{};
        if (pty_.master && tcgetattr(pty_.master.get(), &settings) == 0) {
            to_command_.add(static_cast<char>(settings.c_cc[VEOF]));
        }
    } else if (got < 0 && !is_transient(errno)) {
        hang_up();
    }
}

// The kernel stops nobody whose parent is in another session (an orphaned process group): the command is ours
// to stop. Where a shell with jobs of its own runs, ^Z is for the job.
bool Relay::take_suspend_key(pid_t command) {
    termios settings{};
    if (pipeline_ || to_command_.empty() || !pty_.master || tcgetattr(pty_.master.get(), &settings) != 0 ||
        (settings.c_lflag & ISIG) == 0 || settings.c_cc[VSUSP] == _POSIX_VDISABLE ||
        to_command_.view().back() != static_cast<char>(settings.c_cc[VSUSP]) ||
        tcgetpgrp(pty_.master.get()) != command) {
        return false;
    }
    to_command_.drop_last();
    return true;
}

// The caller's terminal is gone: for the command's, that is the same.
void Relay::hang_up() {
    hung_up_ = true;
    reads_ = false;
    pty_.master.reset();
    to_command_.clear();
    to_terminal_.clear();
}

void Relay::drain() {
    constexpr std::size_t most =
        64 * 1024; // more than a pty holds: the rest is from something in the background
    std::size_t total = 0;
    while (!hung_up_) {
        if (!to_terminal_.pour(terminal_.fd.get())) {
            return;
        }
        if (!to_terminal_.empty()) {
            pollfd room{terminal_.fd.get(), POLLOUT, 0};
            if (poll(&room, 1, -1) < 0 && errno != EINTR) {
                return;
            }
            if ((room.revents & (POLLHUP | POLLERR)) != 0) {
                return;
            }
            continue;
        }
        const ssize_t got = pty_.master && total < most ? to_terminal_.fill(pty_.master.get()) : 0;
        if (got <= 0) {
            return;
        }
        total += static_cast<std::size_t>(got);
    }
}

void Relay::resize() {
    if (pty_.master) {
        copy_window_size(terminal_, pty_.master.get());
    }
}

void Relay::resume() {
    if (!pipeline_) {
        raw_.enter();
    }
    if (raw_.active()) {
        pty_.cook();
    }
    resize();
}

void Relay::suspend() {
    raw_.leave();
}

} // namespace jit
