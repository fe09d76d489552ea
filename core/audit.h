// SPDX-License-Identifier: MIT
// The audit chain. Each event is one line of JSON; its hash covers the hash before it and every byte of the
// line:
//
//   hash(0) = 32 zero bytes
//   hash(n) = BLAKE2b-256( "jit-audit-1\n" | hash(n-1) | body(n) )
//
// The body holds its own number as "seq", so a hash also fixes the place. A checkpoint is an Ed25519
// signature by the host key over
//
//   "jit-checkpoint-1\nhost=" machine-id "\nseq=" n "\nat=" UTC-ms "\nhash=" hex(hash(n)) "\n"
//
// and is published in the journal too, so that an old copy of the database shows. (BLAKE2b: RFC 7693;
// Ed25519: RFC 8032; both by libsodium.)
#pragma once

#include "core/error.h"
#include "core/time.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

using Hash = std::array<std::uint8_t, 32>;

[[nodiscard]] std::string to_hex(std::string_view bytes);
[[nodiscard]] std::string to_hex(const Hash& hash);
[[nodiscard]] std::optional<std::string> from_hex(std::string_view hex); // lowercase only
[[nodiscard]] std::optional<Hash> hash_from_bytes(std::string_view bytes);

struct Event {
    std::int64_t seq = 0;
    std::string body;
    Hash hash{};
};

[[nodiscard]] Hash chain_hash(const Hash& previous, std::string_view body);

struct Checkpoint {
    std::int64_t seq = 0;
    Time at;
    Hash hash{};
    std::string signature; // 64 bytes
};

// The host's signing key, made at first start: DIRECTORY/host.key (0600: 64 bytes secret) and host.pub (hex).
class HostKey {
public:
    static Result<HostKey> load_or_create(const std::string& directory, std::string machine_id);

    [[nodiscard]] Checkpoint sign(std::int64_t seq, Time at, const Hash& hash) const;
    [[nodiscard]] const std::string& public_key() const { return public_key_; } // 32 bytes

private:
    HostKey(std::string secret, std::string machine_id);
    std::string secret_;
    std::string public_key_;
    std::string machine_id_;
};

[[nodiscard]] bool checkpoint_valid(const Checkpoint& checkpoint, std::string_view machine_id,
                                    std::string_view public_key);

// /etc/machine-id, without the newline; empty where there is none.
[[nodiscard]] std::string read_machine_id();

// Checks a chain, event by event in the order of their numbers, and says what is wrong with which.
class ChainVerifier {
public:
    // `checkpoints` in order of seq; their signatures are judged here.
    ChainVerifier(std::vector<Checkpoint> checkpoints, std::string_view machine_id,
                  std::string_view public_key);

    void add(const Event& event);
    // `head`: the number of the newest event, as the database's own head says.
    void finish(std::int64_t head);

    [[nodiscard]] std::int64_t count() const { return count_; }
    [[nodiscard]] std::int64_t checkpoints_checked() const { return checked_; }
    [[nodiscard]] const std::vector<std::string>& findings() const { return findings_; }

private:
    void note(std::string finding);

    std::vector<Checkpoint> checkpoints_;
    std::size_t next_checkpoint_ = 0;
    std::int64_t expected_ = 1;
    std::int64_t count_ = 0;
    std::int64_t checked_ = 0;
    std::int64_t suppressed_ = 0;
    Hash previous_{};
    std::vector<std::string> findings_;
};

} // namespace jit
