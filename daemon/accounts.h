// SPDX-License-Identifier: MIT
// Asks the NSS worker, without ever waiting for it.
#pragma once

#include "core/fd.h"
#include "daemon/account.h"
#include "daemon/loop.h"
#include "daemon/nss_protocol.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace jit {

// The worker refuses those who are too many at once, so they are asked in turn. Whose turn comes first: a
// person's who waits, or that of a check, which asks about everybody and has the time.
enum class Turn : std::uint8_t { person, check };

class Accounts {
public:
    // No account: NSS says that there is none. An error (Errc::unavailable): it isn't known.
    using Done = std::function<void(const Result<std::optional<Account>>&)>;
    using GroupDone = std::function<void(const Result<std::optional<Gid>>&)>;

    Accounts(Loop& loop, std::string socket) : loop_(loop), socket_(std::move(socket)) {}

    // `done` is called from the loop, never before this returns, within a few seconds; of a check, within a
    // few seconds of its turn.
    void look_up(const AccountKey& key, Done done, Turn turn = Turn::person);
    // The same, content with what was found less than ten seconds ago, and then calls at once. For those
    // whose rights rest on a grant: who is eligible, and who may answer, is asked anew each time.
    void look_up_recent(const AccountKey& key, const Done& done);
    void look_up_group(const std::string& name, GroupDone done, Turn turn = Turn::person);
    // Whether this host knows none of them, but for what jit itself made.
    using FreeDone = std::function<void(const Result<bool>&)>;
    void are_unknown(std::vector<NssKey> keys, FreeDone done, Turn turn = Turn::person);
    // Where NSS says that there is no such account: those that jit made, which the worker doesn't see.
    using Made = std::function<std::optional<Account>(const AccountKey&)>;
    void set_made(Made made) { made_ = std::move(made); }

private:
    using Found = std::function<void(const Result<NssFound>&)>;
    struct Waiting {
        NssKey key;
        Found done;
        Turn turn = Turn::person;
        bool asked = false;
        Loop::Source timer;
    };
    struct Line {
        std::size_t most_asked; // at once
        std::size_t asked = 0;
        std::set<std::int64_t> next;
    };
    void ask(NssKey key, Found done, Turn turn);
    void ask_next();
    void ask_worker(std::int64_t id);
    void give_up_in(Millis delay, std::int64_t id, const Error& error);
    Line& line_of(Turn turn) { return turn == Turn::person ? persons_ : checks_; }
    Result<void> connect();
    void receive();
    void disconnect(const std::string& why);
    void finish(std::int64_t id, const Result<NssFound>& found);

    Loop& loop_;
    Made made_;
    std::string socket_;
    Fd connection_;
    Loop::Source readable_;
    std::int64_t next_id_ = 1;
    std::map<std::int64_t, Waiting> waiting_;
    Line persons_{.most_asked = 48, .next = {}}; // of the worker's 64
    Line checks_{.most_asked = 8, .next = {}};
    struct Recent {
        Account account;
        BootTime at;
    };
    std::map<AccountKey, Recent> recent_;
};

} // namespace jit
