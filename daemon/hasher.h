// SPDX-License-Identifier: MIT
// SHA-256 of files, a slice in each turn of the loop: whatever is hashed, nothing else waits for it.
//
// MUST:
//  1. What is read is the descriptor that was given, never a path.
//  2. However much somebody has hashed, another's file waits for half of it at most: whose turn it is goes
//  round by uid.
//  3. Only regular files of bounded size on local file systems are read: reading them doesn't wait on a
//  network, or on a program of somebody's.
#pragma once

#include "core/error.h"
#include "core/fd.h"
#include "core/types.h"
#include "daemon/loop.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace jit {

class Hasher {
public:
    explicit Hasher(Loop& loop) : loop_(loop) {}

    // `done` is called in a later turn, with 64 hex digits or why there are none; while the ticket is kept,
    // and not after: what nobody waits for is read no further.
    using Done = std::function<void(const Result<std::string>&)>;
    using Ticket = std::shared_ptr<const bool>;
    [[nodiscard]] Ticket hash(Fd file, Uid whose, Done done);

    static constexpr std::int64_t largest = std::int64_t{256} << 20;

private:
    struct Job;
    void next();
    void turn();

    Loop& loop_;
    std::map<Uid, std::deque<std::shared_ptr<Job>>> jobs_; // a slice of the first, which then is the last
    std::deque<Uid> turns_;                                // of those who have any
    Loop::Source next_;
};

} // namespace jit
