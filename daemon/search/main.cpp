// SPDX-License-Identifier: MIT
// jit-search: looks for what was left behind by the right of a grant that is over, and takes stock of the
// host when one begins that gives root. Started by systemd for each connection that jitd makes
// (jit-search.socket, Accept=yes), with rights that jitd doesn't have: it reads all of the host, and changes
// modes in the trees that the policy names. One job, one reply (search_protocol.h), and it is gone.
#include "daemon/search/lookups.h"
#include "daemon/search/set_id.h"
#include "daemon/search/stock.h"
#include "daemon/search_protocol.h"
#include "daemon/still.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <unistd.h>

namespace jit {
namespace {

Result<std::string> read_job() {
    std::string text;
    char buffer[65536];
    while (text.size() < largest_search) {
        const ssize_t size = read(STDIN_FILENO, buffer, sizeof buffer);
        if (size == 0) {
            return text;
        }
        if (size < 0 && errno != EINTR) {
            return fail(Errc::unavailable, std::strerror(errno));
        }
        text.append(buffer, size > 0 ? static_cast<std::size_t>(size) : 0);
    }
    return fail(Errc::invalid, "it is too long");
}

bool write_all(std::string_view text) {
    while (!text.empty()) {
        const ssize_t size = write(STDOUT_FILENO, text.data(), text.size());
        if (size < 0 && errno != EINTR) {
            return false;
        }
        text.remove_prefix(size > 0 ? static_cast<std::size_t>(size) : 0);
    }
    return true;
}

// Who gave root away, or an account's rights: what differs from how it was, of all or of that account's.
void compare(const SearchFor& grant, const SearchJob& job, const TakenStock& now, Searched& searched) {
    std::map<Uid, std::string> accounts;
    if (!grant.root) {
        accounts = run_as_of(grant, searched.problems);
        accounts.erase(grant.uid);
        if (accounts.empty()) {
            return;
        }
    }
    searched.problems.insert(searched.problems.end(), now.problems.begin(), now.problems.end());
    if (!grant.stock) {
        searched.problems.emplace_back(
            "how the host was when the grant began isn't known: no stock was taken");
        return;
    }
    const auto before = parse_stock(job.stocks.at(*grant.stock));
    if (!before) {
        searched.problems.push_back(before.error().message);
        return;
    }
    const auto changes = grant.root ? differences(*before, now.items, grant.since)
                                    : differences(of_accounts(*before, accounts),
                                                  of_accounts(now.items, accounts), grant.since);
    searched.left.insert(searched.left.end(), changes.begin(), changes.end());
}

SearchReply search(const SearchJob& job) {
    SearchReply reply;
    for (const SearchFor& grant : job.grants) {
        reply.grants.push_back({.grant = grant.grant, .left = {}, .problems = {}});
    }
    if (!job.grants.empty()) {
        search_set_id_files(job, reply.grants);
    }
    if (job.take_stock) {
        const TakenStock now = take_stock();
        for (std::size_t index = 0; index < job.grants.size(); ++index) {
            compare(job.grants[index], job, now, reply.grants[index]);
        }
        reply.stock = stock_text(now.items);
    }
    return reply;
}

int run() {
    release_held("search", std::chrono::minutes(1)); // by one that was killed meanwhile
    const auto text = read_job();
    const auto job = text ? parse_search_job(*text) : std::unexpected(text.error());
    if (!job) {
        fmt::print(stderr, "jit-search: jitd's question can't be read: {}\n", job.error().message);
        return 1;
    }
    return write_all(search_text(search(*job))) ? 0 : 1;
}

} // namespace
} // namespace jit

int main() {
    try {
        return jit::run();
    } catch (const std::exception& error) {
        fmt::print(stderr, "jit-search: {}\n", error.what());
        return 1;
    }
}
