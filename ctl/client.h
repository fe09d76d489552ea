// SPDX-License-Identifier: MIT
// The caller's end of jitd's socket. It speaks Varlink (https://varlink.org): each message is one JSON object
// and a NUL.
//
// MUST:
//  1. Nothing is sent to, or believed from, a server that isn't root: while jitd is down somebody else might
//  sit on
//     the path. A socket named with --socket may also be served by the caller's own uid.
//  2. What the other end sends is bounded in size and, up to the first reply, in time.
#pragma once

#include "core/fd.h"
#include "core/json.h"
#include "ctl/exit_codes.h"
#include "ctl/interrupt.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace jit {

inline constexpr std::string_view default_socket = "/run/jit/io.jitsudo.Access";
inline constexpr std::size_t largest_reply = 64U << 20U;

struct ClientOptions {
    std::string socket;
    bool own_uid_trusted = false; // the path was given with --socket
    std::chrono::milliseconds timeout = std::chrono::seconds(10);
    int output = -1; // where what comes is written to, if that is a descriptor: nothing is waited for once
                     // its reader is gone
};

// What a stream does while nothing comes.
struct Meanwhile {
    std::chrono::milliseconds every; // so often, and after each signal
    int input = -1;                  // and when this can be read; -1: nothing can
    std::function<bool()> call;      // false: no more is wanted
};

class Client {
public:
    static Outcome<Client> connect(ClientOptions options);

    // Method names are those of io.jitsudo.Access, without it. The result is the reply's parameters, an
    // object.
    [[nodiscard]] Outcome<Json> call(std::string_view method, const Json& parameters);

    // Calls with "more". `take` gets each reply's parameters and says whether to go on; where it says no, the
    // connection is of no use any more. Where `meanwhile` says no, that is as if interrupted.
    enum class First { soon, whenever }; // whether the first reply must come within the timeout
    [[nodiscard]] Outcome<void> stream(std::string_view method, const Json& parameters, First first,
                                       const Interrupt* interrupt,
                                       const std::function<bool(const Json&)>& take,
                                       const Meanwhile* meanwhile = nullptr);

private:
    struct Reply {
        Json parameters;
        bool continues = false;
    };
    using Deadline = std::optional<std::chrono::steady_clock::time_point>;

    Client(ClientOptions options, Fd socket) : options_(std::move(options)), socket_(std::move(socket)) {}
    Outcome<void> send_call(std::string_view method, const Json& parameters, bool more);
    struct Wait {
        Deadline deadline = {};
        const Interrupt* interrupt = nullptr;
        const Meanwhile* meanwhile = nullptr;
    };
    Outcome<Reply> receive(const Wait& wait);
    Outcome<std::string> receive_message(const Wait& wait);
    Outcome<void> wait_readable(const Wait& wait) const;
    [[nodiscard]] Deadline soon() const { return std::chrono::steady_clock::now() + options_.timeout; }
    [[nodiscard]] std::unexpected<Failure> no_answer(std::string_view why) const;

    ClientOptions options_;
    Fd socket_;
    std::string received_; // and not yet taken
};

} // namespace jit
