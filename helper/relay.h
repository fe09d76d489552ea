// SPDX-License-Identifier: MIT
// Passes bytes between the caller's terminal and the command's.
//
// Where standard input or output is a pipe, another program of the pipeline may want the terminal for itself
// (a pager). Then the terminal keeps its line editing, lines are passed on, and as soon as somebody else
// turns line editing off, the terminal's input is theirs.
#pragma once

#include "helper/terminal.h"

#include <array>
#include <poll.h>
#include <string_view>

namespace jit {

class Relay {
public:
    Relay(const Terminal& terminal, Pty& pty);

    enum class Slot { terminal, master };
    [[nodiscard]] pollfd wish(Slot slot) const; // what to wait for; fd -1: nothing
    // Returns whether ^Z was typed where nothing but us could act on it.
    [[nodiscard]] bool serve(const pollfd& terminal, const pollfd& master, pid_t command);
    void drain(); // after the command's end: what is still there
    void resize();
    void resume(); // in the foreground again
    void suspend();

private:
    class Buffer {
    public:
        [[nodiscard]] bool has_room() const { return end_ < bytes_.size(); }
        [[nodiscard]] bool empty() const { return begin_ == end_; }
        ssize_t fill(int fd);
        [[nodiscard]] bool pour(int fd); // false: nobody will ever take it
        void add(char byte);
        [[nodiscard]] std::string_view view() const { return {bytes_.data() + begin_, end_ - begin_}; }
        void clear() { begin_ = end_ = 0; }
        void drop_last() { --end_; }

    private:
        std::array<char, 16 * 1024> bytes_{};
        std::size_t begin_ = 0, end_ = 0;
    };

    void read_terminal();
    void hang_up();
    [[nodiscard]] bool input_is_ours() const;
    [[nodiscard]] bool take_suspend_key(pid_t command);

    const Terminal& terminal_;
    Pty& pty_;
    RawMode raw_;
    bool pipeline_;
    bool reads_ = true; // the terminal's input
    bool hung_up_ = false;
    Buffer to_command_, to_terminal_;
};

// Whether standard input or output is a pipe or a socket.
[[nodiscard]] bool is_in_pipeline();

} // namespace jit
