// SPDX-License-Identifier: MIT
// The caller's terminal, and the one that the command gets instead: with the caller's own, a command could
// type into their shell or read what they type after it has ended (CVE-2005-4890, CVE-2016-2779,
// CVE-2023-28339).
//
// MUST:
//  1. The caller's terminal is as it was on every way out, and while we are stopped.
//  2. It is changed only while we are in its foreground: else it is somebody else's.
//  3. The command's side is opened by descriptor, not by name, and belongs to the target.
#pragma once

#include "core/error.h"
#include "core/fd.h"
#include "core/types.h"

#include <array>
#include <ctime>
#include <optional>
#include <string>
#include <termios.h>

namespace jit {

struct Terminal {
    Fd fd;                          // an opening of our own, non-blocking
    std::string name;               // "/dev/pts/3"; empty: it has none here
    std::array<bool, 3> standard{}; // which of the descriptors 0 to 2 it is

    [[nodiscard]] bool in_use() const { return standard[0] || standard[1] || standard[2]; }
    [[nodiscard]] bool in_foreground() const;
};

// The controlling terminal; none where there is none.
[[nodiscard]] std::optional<Terminal> find_terminal();

struct Pty {
    Fd master; // non-blocking
    Fd slave;  // stays open: a command that closes its terminal may open /dev/tty again
    // Has the settings of the caller's. Not before we were in its foreground: a shell that edits a line has
    // others.
    bool settled = false;

    void settle(const Terminal& like); // if it isn't, and we are
};
// With the size of `like`.
[[nodiscard]] Result<Pty> open_pty(const Terminal& like, Uid owner);

// What is written meanwhile is no use of the terminal, for whoever looks at its times: w(1), and jitd.
class UnusedMeanwhile {
public:
    explicit UnusedMeanwhile(const Terminal& terminal);
    ~UnusedMeanwhile();
    UnusedMeanwhile(const UnusedMeanwhile&) = delete;
    UnusedMeanwhile& operator=(const UnusedMeanwhile&) = delete;

private:
    Fd device_; // /dev/tty is another file, with times of its own
    struct timespec written_{};
};

void copy_window_size(const Terminal& from, int pty);

class RawMode {
public:
    // `shared`: somebody else of the job writes there, and is to get the signals that are typed.
    RawMode(const Terminal& terminal, bool shared) : terminal_(terminal), shared_(shared) {}
    ~RawMode() { leave(); }
    RawMode(const RawMode&) = delete;
    RawMode& operator=(const RawMode&) = delete;

    void enter(); // if we are in the foreground; also again, when somebody has changed it meanwhile
    void leave(); // as it was, if we are in the foreground: else it is as whoever took it wants it
    [[nodiscard]] bool active() const { return before_.has_value(); }

private:
    const Terminal& terminal_;
    bool shared_;
    std::optional<termios> before_;
};

} // namespace jit
