// SPDX-License-Identifier: MIT
// Which grant carries a command, or why none does and what to do about it. Pure, like decide.h.
#pragma once

#include "core/lock.h"
#include "core/use.h"
#include "daemon/decide.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace jit {

// What somebody wants to run. With a group and their own account as run_as: any command as themselves, with
// that group.
struct Wanted {
    Party by;
    std::string run_as;
    std::string group; // empty: none
    std::optional<Command> command;
    std::vector<std::string> variables = {}; // names of those that are handed in
};

// Whether a grant of the role could carry it, by its scope: the others needn't be read.
[[nodiscard]] bool could_carry(const Policy& policy, std::string_view role, const Wanted& wanted);
// How a command began.
struct Began {
    Confinement held;  // what it was held to
    RequestId grant;   // that it began under
    RequestId chain;   // of that grant
    bool over = false; // it has ended, and what it left in the background lives
};
// Of those that carry it as it is held and live, the one that lives longest; nullptr: none. What began with
// less to hold it is carried by no role that would have held it. A grant that counts what it starts carries
// what it has counted, and what it extends until that is over.
[[nodiscard]] const Request* longest(const Policy& policy, const std::vector<Request>& active,
                                     const Wanted& wanted, const Began& began, const Now& now,
                                     const std::string& boot_id);
// The one to start it under: one that doesn't confine it where there is one, of these one that doesn't count
// it, of these one that asks for no password, and of these the one that lives longest. None that is used up.
[[nodiscard]] const Request* choose(const Policy& policy, const std::vector<Request>& active,
                                    const Wanted& wanted, const Now& now, const std::string& boot_id);

// Of those that let `by` in through the service, or give them the group, the one that lives longest.
[[nodiscard]] const Request* longest_for_login(const Policy& policy, const std::vector<Request>& active,
                                               const Party& by, std::string_view service, const Now& now,
                                               const std::string& boot_id);
[[nodiscard]] const Request* longest_for_group(const Policy& policy, const std::vector<Request>& active,
                                               const Party& by, std::string_view group, const Now& now,
                                               const std::string& boot_id);

// What a login needs, each by the one that lives longest; none: something of it isn't given.
[[nodiscard]] std::vector<const Request*> all_for_login(const Policy& policy,
                                                        const std::vector<Request>& active, const Party& by,
                                                        const LoginNeeds& needs, const Now& now,
                                                        const std::string& boot_id);

// A role that would allow what was refused.
struct Offer {
    std::string role;
    std::string how;     // in words, how it is had
    std::string ticket;  // the pattern, or empty
    std::string pending; // a request for it that waits already, or empty
};

struct Denial {
    std::string message;           // what was refused, and why
    std::vector<std::string> next; // what to do, a line each
    std::vector<Offer> offers;     // the best first
};

// `mine`: the person's pending and active requests. `locks`: those of the host. `how`: in words, how a role
// is had.
[[nodiscard]] Denial deny(const Policy& policy, const Account& account, const Wanted& wanted,
                          const std::vector<Request>& mine, const std::vector<Lock>& locks,
                          const std::function<std::string(const Role&)>& how);
// `extends`: there is more time to be had for the grant.
[[nodiscard]] Denial deny_too_short(const Role& role, const Request& grant, Millis left, bool extends);

} // namespace jit
