// SPDX-License-Identifier: MIT
// Has it looked for what was left behind by the right of a grant, through jit-search: set-id files, which are
// disarmed, and, where the grant gave root or another account, what of that is otherwise than it was when the
// grant began.
//
// MUST:
//  1. Nothing waits for it: a search takes as long as the file systems do, and is tried again until it was
//  done.
//  2. What is to be searched for is what the database says isn't yet: a crash or a reboot forgets no grant.
//  3. What was found is an event of the audit, and kept with the grant.
#pragma once

#include "core/clock.h"
#include "core/fd.h"
#include "core/policy.h"
#include "core/store.h"
#include "daemon/journal.h"
#include "daemon/loop.h"
#include "daemon/search_protocol.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

class Searches {
public:
    struct Parts {
        Loop& loop;
        Store& store;
        const Clock& clock;
        const Policy& policy;
        Journal& journal;
    };
    explicit Searches(Parts parts, std::string socket = search_socket);

    // Asks for what is due, unless a search is on its way: its end asks again.
    void look();

private:
    struct Batch {
        SearchJob job;
        std::vector<Request> began; // those whose stock is taken
        std::vector<Request> ended;
    };
    [[nodiscard]] Result<Batch> due();
    [[nodiscard]] SearchFor search_for(const Request& request, std::map<std::int64_t, std::string>& stocks);
    void start(Batch batch);
    void send();
    void receive();
    void finish();
    [[nodiscard]] Result<void> record(const SearchReply& reply);
    void disconnect();
    void give_up(const std::string& why);

    Parts parts_;
    std::string socket_;
    Fd connection_;
    Loop::Source io_;
    Loop::Source timer_;
    Loop::Source patience_;
    Batch batch_;
    std::string to_send_;
    std::size_t sent_ = 0;
    std::string received_;
    static constexpr Millis first_retry = std::chrono::seconds(5);
    static constexpr Millis longest_retry = std::chrono::minutes(5);
    Millis retry_ = first_retry;
    BootTime not_before_{};
};

} // namespace jit
