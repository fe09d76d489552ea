// SPDX-License-Identifier: MIT
// A command whose digest is pinned: the file that jit-sudo has open, and will execute, is compared before all
// else.
#include "daemon/helper_server.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace jit {

bool HelperServer::check_digest(std::uint64_t id, const HelperStart& start) {
    Connection& connection = *find(id);
    const auto pinned = connection.confinement.digests.find(connection.wanted.command->path);
    if (pinned == connection.confinement.digests.end()) {
        return started(connection, start);
    }
    if (!connection.file) {
        return false;
    }
    // Whatever comes meanwhile comes too early.
    connection.awaits = Awaits::us;
    auto done = [this, id, start](const Result<std::string>& digest) {
        Connection& waiting = *find(id); // it has the ticket
        const auto& path = waiting.wanted.command->path;
        const auto& digests = waiting.confinement.digests.find(path)->second;
        Result<void> good = digest ? Result<void>() : std::unexpected(digest.error());
        if (digest && std::ranges::find(digests, *digest) == digests.end()) {
            good = fail(Errc::refused,
                        fmt::format("{} is not the file whose digest the role has: its SHA-256 is {}",
                                    escape(path), *digest));
        }
        if (!good) {
            record_refusal(waiting, good.error().message);
            return refuse(id, good.error());
        }
        if (!started(waiting, start)) {
            drop(id);
        }
    };
    connection.hashing = hasher_.hash(std::move(connection.file), connection.account.uid, std::move(done));
    return true;
}

} // namespace jit
