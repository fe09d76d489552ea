// SPDX-License-Identifier: MIT
// A page that is drawn over and over on a terminal, and leaves it as it was: also when it is stopped (^Z),
// and when it is killed by a signal that can be caught.
#pragma once

#include <ostream>
#include <string_view>

namespace jit {

// One at a time.
class Screen {
public:
    // Whether this is a terminal on which a page can be drawn.
    [[nodiscard]] static bool is_one(int output);

    // Keys come from standard input, if that is a terminal.
    Screen(std::ostream& out, int output);
    ~Screen();
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    // As much of the text as fits: lines end at the right edge, and the last one says how many there are
    // below it.
    void draw(std::string_view text);
    [[nodiscard]] int keys() const; // to be waited for; -1: none come
    // Whether q is among the keys typed until now, or the terminal has gone.
    [[nodiscard]] bool quits() const;

private:
    std::ostream& out_;
};

} // namespace jit
