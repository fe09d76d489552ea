// SPDX-License-Identifier: MIT
// jitd's end of core/helper_protocol.h: decides about commands, and gives them a place to run in.
//
// MUST:
//  1. Who asks is the real uid in the SCM_CREDENTIALS of the first bytes, put there by the kernel.
//  2. What was decided is decided again at Start: the grant may have ended while a password was typed.
//  3. A connection that ends before Go leaves nothing behind.
//  4. Who fails to prove who they are ten times may try once a minute: what is guessed isn't guessed soon.
//  5. Who is taken up again after a start of ours is whose command it is, and only one is.
//  6. A descriptor is taken with Start, where the command is pinned, and nowhere else.
#pragma once

#include "core/fd.h"
#include "core/helper_protocol.h"
#include "daemon/accounts.h"
#include "daemon/choose.h"
#include "daemon/hasher.h"
#include "daemon/journal.h"
#include "daemon/loop.h"
#include "daemon/peer.h"
#include "daemon/proofs.h"
#include "daemon/rate_limit.h"
#include "daemon/requests.h"
#include "daemon/seat.h"
#include "daemon/uses.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace jit {

class HelperServer {
public:
    struct Parts {
        Loop& loop;
        Store& store;
        const Clock& clock;
        const Policy& policy;
        Accounts& accounts;
        Requests& requests;
        Uses& uses;
        Journal& journal;
    };
    HelperServer(Parts parts, Fd listener);

private:
    enum class Awaits { ask, us, start, exit, proven };
    struct Connection {
        Fd fd;
        std::optional<Uid> caller; // from the first message
        Result<Login> login = fail(Errc::unavailable, "the caller's login can't be read");
        std::string in;
        Awaits awaits = Awaits::ask;
        HelperAsk ask;
        Account account; // the caller's
        Account target;  // as whom it runs
        std::optional<Gid> group;
        Wanted wanted;
        std::optional<Seat> seat;
        bool authenticate = true;   // it was demanded
        bool proven_before = false; // and this is why it wasn't
        std::int64_t tries = 0;     // answers that may have been wrong, since Allowed
        Confinement confinement;    // that jit-sudo was told to apply
        Fd file;                    // the command's, that came with Start
        Hasher::Ticket hashing;     // while it is compared
        std::string place;          // the cgroup's name, from Allowed to the end
        Loop::Source io;
        Loop::Source deadline;
    };

    void accept_some();
    void serve(std::uint64_t id);
    // False: the connection has ended, or said something that it may not say.
    bool read_some(Connection& connection);
    bool take_frame(std::uint64_t id, const std::string& body);
    void asked(std::uint64_t id);
    // False: it is none of theirs, and ends.
    bool resume(std::uint64_t id, const HelperResume& resume);
    void found_caller(std::uint64_t id, const Account& account);
    void found_target(std::uint64_t id, const Account& target);
    void decide(std::uint64_t id);
    // Whether no lock holds who logged in here: they may be another by su.
    [[nodiscard]] Result<void> login_is_free(const Connection& connection);
    // helper_proofs.cpp
    [[nodiscard]] bool is_proven(const Connection& connection, const Role& role) const;
    [[nodiscard]] Millis timeout_of(const Role& role) const;
    void remember_proof(const Connection& connection);
    [[nodiscard]] bool trying(Connection& connection);
    void was_right(Connection& connection);
    void forget(std::uint64_t id);
    void validate(std::uint64_t id);
    void proven(std::uint64_t id, const HelperProven& message);
    void allow(std::uint64_t id, const Request& grant, const Role& role, const Deadline& until);
    // helper_digests.cpp. False: the connection ends.
    bool check_digest(std::uint64_t id, const HelperStart& start);
    bool started(Connection& connection, const HelperStart& start);
    // In the audit trail and in the log, within what RefusalLimit allows.
    void record_refusal(const Connection& connection, const std::string& why,
                        std::string_view in_log = "command not allowed");
    // In the shape of sudo's log. `refusal`: empty where it runs.
    void log(const Connection& connection, Journal::Level level, std::string_view refusal,
             Journal::Fields fields);
    bool tell_deadline(Connection& connection, const std::optional<Deadline>& deadline);
    void refuse(std::uint64_t id, const Denial& denial);
    void refuse(std::uint64_t id, const Error& error);
    bool send(Connection& connection, const std::string& frame, int descriptor = -1);
    void drop(std::uint64_t id);
    Connection* find(std::uint64_t id);

    Parts parts_;
    Fd listener_;
    RateLimit starts_{1000, Millis(50)};
    RateLimit tries_{10, std::chrono::minutes(1)}; // to prove who one is, and failing
    Hasher hasher_{parts_.loop};
    Proofs proofs_{[] { return passwords_stamp(); }};
    std::uint64_t next_ = 1;
    std::map<std::uint64_t, Connection> connections_;
    Loop::Source accepting_;
};

} // namespace jit
