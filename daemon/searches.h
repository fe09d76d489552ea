// SPDX-License-Identifier: MIT
// Has it looked for what was left behind by the right of a grant, through jit-search: set-id files, which are
// disarmed, and, where the grant gave root or another account, what of that is otherwise than it was when the
// grant began.
//
// MUST:
//  1. Nothing waits for it: a search takes as long as the file systems do, and is tried again until it was
//  done. Taking stock, which is due as a grant begins, doesn't wait for a search either.
//  2. What is to be searched for is what the database says isn't yet: a crash or a reboot forgets no grant.
//  3. What was found is an event of the audit, and kept with the grant, and somebody is to look at it.
#pragma once

#include "core/clock.h"
#include "core/policy.h"
#include "core/store.h"
#include "daemon/journal.h"
#include "daemon/loop.h"
#include "daemon/search_call.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
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

    // Asks for what is due, unless that is on its way: its end asks again.
    void look();

private:
    static constexpr Millis first_retry = std::chrono::seconds(5);
    static constexpr Millis longest_retry = std::chrono::minutes(5);

    // A kind of question, of which one at a time is asked.
    struct Lane {
        SearchCall call;
        std::vector<Request> asked = {};
        Millis retry = first_retry;
        BootTime not_before{};
    };
    // A grant that couldn't be searched for as it should be.
    struct Again {
        int tries = 0;
        Millis pause = first_retry;
        BootTime next{};
    };
    // The grants that are due, no more than go into one question; `next`: when there will be more.
    struct Due {
        std::vector<Request> grants;
        SearchJob job;
        BootTime next = BootTime::max();
    };
    [[nodiscard]] Result<Due> due_for_stock();
    [[nodiscard]] Result<Due> due_for_search();
    [[nodiscard]] BootTime due_at(const Request& request, const Now& now) const;
    [[nodiscard]] bool is_made_by_another(const Request& request);
    [[nodiscard]] SearchFor search_for(const Request& request, std::map<std::int64_t, std::string>& stocks);
    [[nodiscard]] BootTime look(Lane& lane, Result<Due> (Searches::*due)(),
                                Result<void> (Searches::*keep)(const SearchReply&));
    void done(Lane& lane, const Result<SearchReply>& reply,
              Result<void> (Searches::*keep)(const SearchReply&));
    [[nodiscard]] Result<void> record_stock(const SearchReply& reply);
    [[nodiscard]] Result<void> record_found(const SearchReply& reply);
    void record(const Request& request, const Searched& searched, const Now& now);
    void give_up(Lane& lane, const std::string& why);

    Parts parts_;
    Loop::Source timer_;
    Lane stocks_;
    Lane searches_;
    std::map<RequestId, Again> again_;
};

} // namespace jit
