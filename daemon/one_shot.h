// SPDX-License-Identifier: MIT
// jitd as the client of a process that PID 1 starts for one question (a socket with Accept=yes): connect,
// send it all, read all of the answer. Never waits.
#pragma once

#include "core/error.h"
#include "core/fd.h"
#include "core/time.h"
#include "daemon/loop.h"

#include <cstddef>
#include <functional>
#include <string>

namespace jit {

class OneShot {
public:
    using Done = std::function<void(Result<std::string>)>;
    struct Bounds {
        Millis patience;     // for all of it
        std::size_t largest; // answer
    };

    // `done` is called once, from the loop, never before this returns. Nothing is asked before it was.
    void ask(Loop& loop, const std::string& socket, std::string question, Bounds bounds, Done done);
    [[nodiscard]] bool busy() const { return static_cast<bool>(done_); }

private:
    void send();
    void receive();
    void finish(Result<std::string> answer);

    Fd connection_;
    Loop::Source io_;
    Loop::Source timer_;
    std::string question_;
    std::size_t sent_ = 0;
    std::string answer_;
    std::size_t largest_ = 0;
    Done done_;
};

} // namespace jit
