// SPDX-License-Identifier: MIT
// Asks the NSS worker, without ever waiting for it.
#pragma once

#include "core/fd.h"
#include "daemon/account.h"
#include "daemon/loop.h"
#include "daemon/nss_protocol.h"

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace jit {

class Accounts {
public:
    // No account: NSS says that there is none. An error (Errc::unavailable): it isn't known.
    using Done = std::function<void(Result<std::optional<Account>>)>;

    Accounts(Loop& loop, std::string socket) : loop_(loop), socket_(std::move(socket)) {}

    // `done` is called from the loop, never before this returns, within a few seconds.
    void look_up(AccountKey key, Done done);

private:
    struct Waiting {
        Done done;
        Loop::Source timer;
    };
    Result<void> connect();
    void receive();
    void disconnect(const std::string& why);
    void finish(std::int64_t id, Result<std::optional<Account>> account);

    Loop& loop_;
    std::string socket_;
    Fd connection_;
    Loop::Source readable_;
    std::int64_t next_id_ = 1;
    std::map<std::int64_t, Waiting> waiting_;
};

} // namespace jit
