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
#include "daemon/streams.h"

#include <fmt/format.h>

#include <cstdio>
#include <unistd.h>

namespace jit {
namespace {

using Stocks = std::map<std::int64_t, Result<Stock>>;

// Who gave root away, or an account's rights: what differs from how it was, of all or of that account's.
void compare(const SearchFor& grant, AccountNames run_as, const Stocks& before, const TakenStock& now,
             Searched& searched) {
    run_as.erase(grant.uid);
    if (!grant.root && run_as.empty()) {
        return;
    }
    for (const std::string& problem : now.problems) {
        searched.problem(problem);
    }
    // Without a stock from then it is known at least what was written since.
    Result<Stock> was = now.items;
    if (grant.stock) {
        was = before.at(*grant.stock);
    } else {
        searched.problem("how the host was when the grant began isn't known: no stock was taken");
    }
    if (!was) {
        return searched.problem(was.error().message);
    }
    std::set<std::string> homes;
    for (const auto& [uid, name] : run_as) {
        homes.insert(fmt::format("/run/user/{}", number(uid)));
        if (const auto account = account_named(name); account && account->home.size() > 1) {
            homes.insert(account->home);
        }
    }
    const auto changes = grant.root ? differences(*was, now.items, grant.since)
                                    : differences(of_accounts(*was, run_as, homes),
                                                  of_accounts(now.items, run_as, homes), grant.since);
    for (const Change& change : changes) {
        searched.add(change);
    }
}

SearchReply search(const SearchJob& job) {
    SearchReply reply;
    std::vector<AccountNames> run_as;
    reply.grants.reserve(job.grants.size());
    for (const SearchFor& grant : job.grants) {
        Searched& searched = reply.grants.emplace_back(Searched{.grant = grant.grant, .left = {}});
        run_as.push_back(run_as_of(grant, searched));
    }
    // A stock is how it is now, and the way through the trees may take long.
    if (job.take_stock) {
        Stocks before;
        for (const auto& [id, text] : job.stocks) {
            before.emplace(id, parse_stock(text));
        }
        const TakenStock now = take_stock();
        for (std::size_t index = 0; index < job.grants.size(); ++index) {
            compare(job.grants[index], run_as[index], before, now, reply.grants[index]);
        }
        if (job.grants.empty()) {
            reply.stock = stock_text(now.items);
        }
    }
    if (!job.grants.empty()) {
        search_set_id_files(job, run_as, reply.grants);
    }
    return reply;
}

int run() {
    const auto text = read_all(STDIN_FILENO, largest_search);
    const auto job = text ? parse_search_job(*text) : std::unexpected(text.error());
    if (!job) {
        fmt::print(stderr, "jit-search: jitd's question can't be read: {}\n", job.error().message);
        return 1;
    }
    if (!job->grants.empty()) {
        release_held("search", std::chrono::minutes(1)); // by one that was killed meanwhile
    }
    return write_all(STDOUT_FILENO, search_text(search(*job))) ? 0 : 1;
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
