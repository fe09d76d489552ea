// SPDX-License-Identifier: MIT
// Who proved lately who they are, and where: so that a password isn't asked for with every command.
//
// MUST:
//  1. In memory only: no file to forge or to leave behind, and nothing of an earlier boot.
//  2. A proof counts at the seat where it was given, for the uid that gave it (CVE-2025-64517), and by the
//  clock
//     that nobody sets (CVE-2013-1775).
//  3. It doesn't outlive a change of the passwords: whatever was proven before proves nothing then.
#pragma once

#include "core/time.h"
#include "daemon/seat.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <tuple>

namespace jit {

// Which version of the password file there is: changing a password, locking and unlocking an account writes
// another.
struct PasswordsStamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t changed_seconds = 0;
    std::int64_t changed_nanoseconds = 0;
    bool operator==(const PasswordsStamp&) const = default;
};

// None where it can't be told: then nothing counts.
[[nodiscard]] std::optional<PasswordsStamp> passwords_stamp(const char* path = "/etc/shadow");

class Proofs {
public:
    using Stamp = std::function<std::optional<PasswordsStamp>()>;
    explicit Proofs(Stamp stamp) : stamp_(std::move(stamp)) {}

    void remember(const Seat& seat, BootTime now);
    [[nodiscard]] bool holds(const Seat& seat, BootTime now, Millis timeout) const;
    void forget(const Seat& seat);
    void forget_all(Uid uid);

private:
    static constexpr std::size_t most_ = 4096;      // the oldest goes first
    static constexpr std::size_t most_of_uid_ = 64; // the same: nobody pushes others out

    struct Proof {
        BootTime at;
        PasswordsStamp passwords;
    };
    void drop_oldest(std::optional<Uid> uid);

    Stamp stamp_;
    std::map<Seat, Proof> proofs_; // in the order of uids
};

} // namespace jit
