// SPDX-License-Identifier: MIT
// Watches what a command writes for one thing: whether it has switched to the terminal's alternate screen, as
// editors and pagers do (DECSET 1049, xterm's ctlseqs). One that is killed there leaves the caller in it.
#pragma once

#include <cstddef>
#include <string_view>

namespace jit {

class Screen {
public:
    void see(std::string_view output); // in pieces as they come
    [[nodiscard]] bool is_alternate() const { return alternate_; }

    // What such a program would have written at its end: normal screen, cursor shown, no mouse reports, no
    // bracketed paste, keys and colours as usual.
    static constexpr std::string_view back =
        "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[0m\x1b[?1049l\x1b[?25h";

private:
    std::size_t matched_ = 0; // bytes of "ESC [ ? 1049"
    bool alternate_ = false;
};

} // namespace jit
