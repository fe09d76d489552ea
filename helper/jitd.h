// SPDX-License-Identifier: MIT
// The connection to jitd (core/helper_protocol.h says what is said).
//
// MUST:
//  1. The other end is root: nobody else could have made the socket, and it is asked for all the same.
//  2. Every wait is bounded; a jitd that doesn't answer is a refusal.
//  3. A frame that is too long, cut off, or carries descriptors where none belong is an error, and so is the
//  rest of
//     the connection.
#pragma once

#include "core/error.h"
#include "core/fd.h"
#include "core/helper_protocol.h"
#include "core/time.h"

#include <string>
#include <string_view>

namespace jit {

inline constexpr Millis jitd_patience{10'000};

class Jitd {
public:
    [[nodiscard]] static Result<Jitd> connect(const char* path = helper_socket,
                                              Millis patience = jitd_patience);

    // With a descriptor, where one is wanted.
    [[nodiscard]] Result<void> send(std::string_view frame, int descriptor = -1);

    struct Frame {
        std::string body;
        Fd descriptor; // where one came with it
    };
    [[nodiscard]] Result<Frame> receive(Millis patience = jitd_patience);

    [[nodiscard]] int fd() const { return socket_.get(); }
    [[nodiscard]] bool connected() const { return static_cast<bool>(socket_); }
    void close() { socket_.reset(); }

private:
    explicit Jitd(Fd socket) : socket_(std::move(socket)) {}

    Fd socket_;
};

} // namespace jit
