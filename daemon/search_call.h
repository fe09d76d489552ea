// SPDX-License-Identifier: MIT
// One question of jitd's to jit-search, and its answer. Nobody waits for it.
#pragma once

#include "core/error.h"
#include "daemon/loop.h"
#include "daemon/one_shot.h"
#include "daemon/search_protocol.h"

#include <functional>
#include <string>

namespace jit {

class SearchCall {
public:
    using Done = std::function<void(Result<SearchReply>)>;

    SearchCall(Loop& loop, std::string socket) : loop_(loop), socket_(std::move(socket)) {}

    // One at a time. `done` is called in a later turn.
    void ask(const SearchJob& job, Done done);
    [[nodiscard]] bool running() const { return one_shot_.busy(); }

private:
    Loop& loop_;
    std::string socket_;
    OneShot one_shot_;
};

} // namespace jit
