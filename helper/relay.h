// SPDX-License-Identifier: MIT
// Passes bytes between the caller's terminal and the command's.
//
// The terminal is raw, and its input ours, only while the command has been given it: in a pipeline somebody
// else may want it (a pager), and in the background it is the shell's. Output is passed on in any case.
#pragma once

#include "helper/screen.h"
#include "helper/signals.h"
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
    void serve(const pollfd& terminal, const pollfd& master);
    // After the command's end: what is still there. A terminal that takes nothing is waited for until
    // somebody wants us to end.
    void drain(const SignalQueue& signals);
    // What the command wrote before it stopped, as far as the terminal takes it at once.
    void flush();
    void resize();
    void attach(); // we are in the foreground, and the command is to have the terminal
    void detach();

    // A line of our own between the command's. False: not now, the terminal is slow. Over a full screen it is
    // shown in the first line until `redraw`.
    [[nodiscard]] bool tell(std::string_view line);
    [[nodiscard]] bool over_full_screen() const { return screen_.is_alternate(); }
    void redraw();
    void leave_full_screen(); // where the command was ended in it

private:
    class Buffer {
    public:
        [[nodiscard]] bool empty() const { return begin_ == end_; }
        ssize_t fill(int fd);
        [[nodiscard]] bool pour(int fd); // false: nobody will ever take it
        void add(std::string_view bytes);
        [[nodiscard]] std::string_view view() const { return {bytes_.data() + begin_, end_ - begin_}; }
        void clear() { begin_ = end_ = 0; }
        // Without the \r of each \r\n. `held`: one at the end, of which that isn't known yet.
        void strip_returns(bool& held);

    private:
        std::array<char, 16 * 1024> bytes_{};
        std::size_t begin_ = 0, end_ = 0;
    };

    void hang_up();
    void take_output();
    [[nodiscard]] bool pass_on(std::size_t& left);

    const Terminal& terminal_;
    Pty& pty_;
    bool shared_; // with what reads from our standard output
    RawMode raw_;
    Screen screen_;
    bool hung_up_ = false;
    bool held_return_ = false;
    Buffer to_command_, to_terminal_;
};

// Whether standard input or output is a pipe or a socket.
[[nodiscard]] bool is_in_pipeline();

} // namespace jit
