// SPDX-License-Identifier: MIT
#include "daemon/hasher.h"

#include "core/audit.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sodium.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace jit {
namespace {

constexpr std::size_t slice = std::size_t{256} * 1024; // under a millisecond

constexpr std::array<std::int64_t, 6> remote = {NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC,  SMB2_SUPER_MAGIC,
                                                CIFS_SUPER_MAGIC, FUSE_SUPER_MAGIC, V9FS_MAGIC};

Result<void> check_file(int fd) {
    struct stat status{};
    struct statfs system{};
    if (fstat(fd, &status) != 0 || fstatfs(fd, &system) != 0 || !S_ISREG(status.st_mode)) {
        return fail(Errc::refused, "the command is no file that can be compared with its digest");
    }
    if (std::ranges::find(remote, static_cast<std::int64_t>(system.f_type)) != remote.end()) {
        return fail(Errc::refused, "the command's digest is pinned, and its file system is not local: "
                                   "it is not read from there");
    }
    if (status.st_size > Hasher::largest) {
        return fail(Errc::refused,
                    fmt::format("the command's digest is pinned, and its file has more than {} MiB",
                                Hasher::largest >> 20));
    }
    return {};
}

} // namespace

struct Hasher::Job {
    Fd file;
    Done done;
    crypto_hash_sha256_state state{};
    std::int64_t offset = 0;
    Result<void> good;
    std::weak_ptr<const bool> ticket;
};

Hasher::Ticket Hasher::hash(Fd file, Uid whose, Done done) {
    auto ticket = std::make_shared<const bool>(true);
    auto job = std::make_shared<Job>();
    job->good = check_file(file.get());
    job->file = std::move(file);
    job->done = std::move(done);
    job->ticket = ticket;
    crypto_hash_sha256_init(&job->state);
    auto& theirs = jobs_[whose];
    theirs.push_back(std::move(job));
    if (theirs.size() == 1) {
        turns_.push_back(whose);
        if (turns_.size() == 1) {
            next();
        }
    }
    return ticket;
}

void Hasher::next() {
    next_ = loop_.soon([this] { turn(); });
}

void Hasher::turn() {
    const Uid whose = turns_.front();
    turns_.pop_front();
    auto& theirs = jobs_[whose];
    const auto job = theirs.front();
    theirs.pop_front();
    std::array<unsigned char, slice> bytes;
    const bool wanted = !job->ticket.expired();
    const ssize_t got =
        wanted && job->good ? pread(job->file.get(), bytes.data(), bytes.size(), job->offset) : -1;
    const int error = errno;
    if (got > 0) {
        theirs.push_back(job);
    }
    if (theirs.empty()) {
        jobs_.erase(whose);
    } else {
        turns_.push_back(whose);
    }
    if (!turns_.empty()) {
        next();
    }
    if (!wanted) {
        return;
    }
    if (got > 0) {
        crypto_hash_sha256_update(&job->state, bytes.data(), static_cast<unsigned long long>(got));
        job->offset += got;
        if (job->offset > largest) { // it grew
            job->good = fail(Errc::refused, "the command's file grows while its digest is taken");
        }
        return;
    }
    if (!job->good) {
        return job->done(std::unexpected(job->good.error()));
    }
    if (got < 0) {
        return job->done(fail(Errc::unavailable,
                              fmt::format("the command's file can't be read: {}", std::strerror(error))));
    }
    std::string digest(crypto_hash_sha256_BYTES, '\0');
    crypto_hash_sha256_final(&job->state, reinterpret_cast<unsigned char*>(digest.data()));
    job->done(to_hex(digest));
}

} // namespace jit
