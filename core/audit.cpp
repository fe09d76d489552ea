// SPDX-License-Identifier: MIT
#include "core/audit.h"

#include "core/json.h"
#include "core/sync.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace jit {
namespace {

constexpr std::string_view event_domain = "jit-audit-1\n";
constexpr std::size_t most_findings = 100;

std::string checkpoint_text(std::string_view machine_id, std::int64_t seq, Time at, const Hash& hash) {
    return fmt::format("jit-checkpoint-1\nhost={}\nseq={}\nat={}\nhash={}\n", machine_id, seq,
                       at.time_since_epoch().count(), to_hex(hash));
}

const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

std::string errno_text() {
    return std::strerror(errno);
}

Result<std::string> read_small_file(const std::string& path, std::size_t most) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return fail(errno == ENOENT ? Errc::not_found : Errc::internal,
                    fmt::format("{}: {}", path, errno_text()));
    }
    std::string content(most + 1, '\0');
    const ssize_t count = read(fd, content.data(), content.size());
    close(fd);
    if (count < 0 || static_cast<std::size_t>(count) > most) {
        return fail(Errc::internal, fmt::format("{}: not readable, or longer than {} bytes", path, most));
    }
    content.resize(static_cast<std::size_t>(count));
    return content;
}

// Written beside and renamed, so that a power cut leaves the whole key or none; and on the disk when this
// returns: what it signs is told to others.
Result<void> write_new_file(const std::string& path, std::string_view content, mode_t mode) {
    const std::string beside = path + ".new";
    unlink(beside.c_str());
    const int fd = open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    bool written = fd >= 0;
    if (written) {
        written = write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
                  fsync(fd) == 0;
        written = close(fd) == 0 && written;
        written = written && rename(beside.c_str(), path.c_str()) == 0 && sync_directory_of(path);
    }
    if (!written) {
        return fail(Errc::internal, fmt::format("cannot write {}: {}", path, errno_text()));
    }
    return {};
}

} // namespace

std::string to_hex(std::string_view data) {
    std::string hex(data.size() * 2 + 1, '\0');
    sodium_bin2hex(hex.data(), hex.size(), bytes(data), data.size());
    hex.pop_back();
    return hex;
}

std::string to_hex(const Hash& hash) {
    return to_hex(std::string_view(reinterpret_cast<const char*>(hash.data()), hash.size()));
}

std::optional<std::string> from_hex(std::string_view hex) {
    const auto lowercase = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    std::string data(hex.size() / 2, '\0');
    if (hex.size() % 2 != 0 || !std::ranges::all_of(hex, lowercase) ||
        sodium_hex2bin(bytes(data), data.size(), hex.data(), hex.size(), nullptr, nullptr, nullptr) != 0) {
        return std::nullopt;
    }
    return data;
}

std::optional<Hash> hash_from_bytes(std::string_view data) {
    Hash hash;
    if (data.size() != hash.size()) {
        return std::nullopt;
    }
    std::memcpy(hash.data(), data.data(), hash.size());
    return hash;
}

Hash chain_hash(const Hash& previous, std::string_view body) {
    Hash hash;
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, hash.size());
    crypto_generichash_update(&state, bytes(event_domain), event_domain.size());
    crypto_generichash_update(&state, previous.data(), previous.size());
    crypto_generichash_update(&state, bytes(body), body.size());
    crypto_generichash_final(&state, hash.data(), hash.size());
    return hash;
}

HostKey::HostKey(std::string secret, std::string machine_id)
    : secret_(std::move(secret)), public_key_(crypto_sign_PUBLICKEYBYTES, '\0'),
      machine_id_(std::move(machine_id)) {
    crypto_sign_ed25519_sk_to_pk(bytes(public_key_), bytes(secret_));
}

Result<HostKey> HostKey::load_or_create(const std::string& directory, std::string machine_id) {
    if (sodium_init() < 0) {
        return fail(Errc::internal, "libsodium does not start");
    }
    const std::string path = directory + "/host.key";
    auto secret = read_small_file(path, crypto_sign_SECRETKEYBYTES);
    if (!secret && secret.error().code == Errc::not_found) {
        std::string made(crypto_sign_SECRETKEYBYTES, '\0');
        std::string public_key(crypto_sign_PUBLICKEYBYTES, '\0');
        crypto_sign_keypair(bytes(public_key), bytes(made));
        if (auto written = write_new_file(path, made, 0600); !written) {
            return std::unexpected(written.error());
        }
        secret = std::move(made);
    }
    if (!secret) {
        return std::unexpected(secret.error());
    }
    if (secret->size() != crypto_sign_SECRETKEYBYTES) {
        return fail(Errc::internal,
                    fmt::format("{} is damaged: {} bytes where {} belong; restore it from a backup, or "
                                "move it away to have a new one made",
                                path, secret->size(), crypto_sign_SECRETKEYBYTES));
    }
    HostKey key(std::move(*secret), std::move(machine_id));
    if (access((directory + "/host.pub").c_str(), F_OK) != 0) {
        if (auto written = write_new_file(directory + "/host.pub", to_hex(key.public_key()) + "\n", 0644);
            !written) {
            return std::unexpected(written.error());
        }
    }
    return key;
}

Checkpoint HostKey::sign(std::int64_t seq, Time at, const Hash& hash) const {
    Checkpoint checkpoint{
        .seq = seq, .at = at, .hash = hash, .signature = std::string(crypto_sign_BYTES, '\0')};
    const std::string text = checkpoint_text(machine_id_, seq, at, hash);
    crypto_sign_detached(bytes(checkpoint.signature), nullptr, bytes(text), text.size(), bytes(secret_));
    return checkpoint;
}

bool checkpoint_valid(const Checkpoint& checkpoint, std::string_view machine_id,
                      std::string_view public_key) {
    if (checkpoint.signature.size() != crypto_sign_BYTES || public_key.size() != crypto_sign_PUBLICKEYBYTES) {
        return false;
    }
    const std::string text = checkpoint_text(machine_id, checkpoint.seq, checkpoint.at, checkpoint.hash);
    return crypto_sign_verify_detached(bytes(checkpoint.signature), bytes(text), text.size(),
                                       bytes(public_key)) == 0;
}

std::string read_machine_id() {
    auto content = read_small_file("/etc/machine-id", 64);
    if (!content) {
        return {};
    }
    content->erase(std::ranges::find(*content, '\n'), content->end());
    return std::move(*content);
}

ChainVerifier::ChainVerifier(std::vector<Checkpoint> checkpoints, std::string_view machine_id,
                             std::string_view public_key)
    : checkpoints_(std::move(checkpoints)) {
    for (const Checkpoint& checkpoint : checkpoints_) {
        if (!checkpoint_valid(checkpoint, machine_id, public_key)) {
            note(fmt::format("the checkpoint at event {} is not signed by this host's key", checkpoint.seq));
        }
    }
}

void ChainVerifier::note(std::string finding) {
    if (findings_.size() < most_findings) {
        findings_.push_back(std::move(finding));
    } else {
        ++suppressed_;
    }
}

void ChainVerifier::add(const Event& event) {
    ++count_;
    if (event.seq > expected_) {
        note(event.seq == expected_ + 1
                 ? fmt::format("event {} is missing", expected_)
                 : fmt::format("events {} to {} are missing", expected_, event.seq - 1));
    } else if (event.seq < expected_) {
        note(fmt::format("event {} stands after event {}", event.seq, expected_ - 1));
    }
    const auto body = parse_json(event.body);
    if (!body || !body->is_object() || !body->contains("seq") || !(*body)["seq"].is_number_integer()) {
        note(fmt::format("event {} was edited: its text is not an event", event.seq));
    } else if ((*body)["seq"] != event.seq) {
        note(fmt::format("event {} was put in the place of event {}", (*body)["seq"].get<std::int64_t>(),
                         event.seq));
    } else if (event.seq == expected_ && chain_hash(previous_, event.body) != event.hash) {
        // After a gap the hash before is unknown, and the gap has been reported.
        note(fmt::format("event {} was edited, or the one before it replaced: its hash does not match",
                         event.seq));
    }
    while (next_checkpoint_ < checkpoints_.size() && checkpoints_[next_checkpoint_].seq <= event.seq) {
        const Checkpoint& checkpoint = checkpoints_[next_checkpoint_++];
        ++checked_;
        if (checkpoint.seq == event.seq && checkpoint.hash != event.hash) {
            note(fmt::format("events up to {} are not those that the checkpoint of {} signed", event.seq,
                             describe_utc(checkpoint.at)));
        }
    }
    expected_ = event.seq + 1;
    previous_ = event.hash;
}

void ChainVerifier::finish(std::int64_t head) {
    const std::int64_t last = expected_ - 1;
    if (head > last) {
        note(head == last + 1 ? fmt::format("event {}, the newest, is cut off", head)
                              : fmt::format("events {} to {}, the newest, are cut off", last + 1, head));
    } else if (head < last) {
        note(fmt::format("there are events up to {}, but the database's head says {}", last, head));
    }
    for (; next_checkpoint_ < checkpoints_.size(); ++next_checkpoint_) {
        note(fmt::format("a checkpoint signed event {}, which is not there",
                         checkpoints_[next_checkpoint_].seq));
    }
    if (suppressed_ > 0) {
        findings_.push_back(fmt::format("and {} more findings", suppressed_));
        suppressed_ = 0;
    }
}

} // namespace jit
