// SPDX-License-Identifier: MIT
// One question of jitd's to jit-search, and its answer. Nobody waits for it.
#pragma once

#include "core/error.h"
#include "core/fd.h"
#include "daemon/loop.h"
#include "daemon/search_protocol.h"

#include <functional>
#include <string>

namespace jit {

class SearchCall {
public:
    using Done = std::function<void(Result<SearchReply>)>;

    SearchCall(Loop& loop, std::string socket) : loop_(loop), socket_(std::move(socket)) {}

    // One at a time. `done` is called in a later turn, unless this is an error.
    [[nodiscard]] Result<void> ask(const SearchJob& job, Done done);
    [[nodiscard]] bool running() const { return static_cast<bool>(connection_); }

private:
    void send();
    void receive();
    void finish(Result<SearchReply> reply);

    Loop& loop_;
    std::string socket_;
    Done done_;
    Fd connection_;
    Loop::Source io_;
    Loop::Source patience_;
    std::string to_send_;
    std::size_t sent_ = 0;
    std::string received_;
};

} // namespace jit
