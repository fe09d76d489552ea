// SPDX-License-Identifier: MIT
// Which names and numbers accounts may have.
#include "daemon/account_uids.h"
#include "daemon/temporary_accounts.h"

#include <fmt/format.h>

#include <algorithm>

namespace jit {
namespace {

constexpr int most_tries = 64; // of uids that are somebody's

} // namespace

std::vector<NssKey> TemporaryAccounts::numbers(Uid uid) {
    return {NssKey(uid), NssKey(Gid{number(uid)})};
}

// The worker's view hides /run/userdb: what it knows is what there is without us.
void TemporaryAccounts::ask_whether_free(const std::string& name, std::optional<Uid> uid,
                                         const std::function<void(const Result<bool>&)>& done, Turn turn) {
    std::vector<NssKey> keys = uid ? numbers(*uid) : std::vector<NssKey>();
    keys.emplace_back(name);
    keys.emplace_back(GroupName{name});
    parts_.accounts.are_unknown(std::move(keys), done, turn);
}

void TemporaryAccounts::reserve(const std::string& name, Done done) {
    const auto known = ones_.find(name);
    ask_whether_free(
        name, known != ones_.end() ? std::optional(known->second.uid) : std::nullopt,
        [this, name, done = std::move(done)](const Result<bool>& free) {
            if (!free) {
                return done(std::unexpected(free.error()));
            }
            if (!*free) {
                return done(fail(Errc::refused,
                                 fmt::format("{} is an account or a group of this host, and what exists is "
                                             "never taken over: name another",
                                             name)));
            }
            if (const auto one = ones_.find(name); one != ones_.end()) {
                return done(account_of(one->second, {}, ""));
            }
            const auto candidate = next_uid();
            if (!candidate) {
                return done(std::unexpected(candidate.error()));
            }
            reserve_next(name, *candidate, 1, done);
        });
}

Result<Uid> TemporaryAccounts::next_uid() {
    const UidRange& range = parts_.policy.site.account_uids;
    const auto mark = read_uid_mark();
    if (!mark) {
        return std::unexpected(mark.error());
    }
    // Above all that were ever given. Where the range was moved down, nothing in it is known to be free.
    std::uint32_t next = number(range.first);
    if (*mark) {
        next = std::max(next, number(**mark) + 1);
    }
    for (const auto& [name, one] : ones_) {
        next = std::max(next, number(one.uid) + 1);
    }
    if (!range.holds(Uid{next})) {
        return fail(Errc::exhausted,
                    fmt::format("all uids from {} to {} have been given, and none is given twice: set "
                                "account_uids in [site] to a range above",
                                number(range.first), number(range.last)));
    }
    return Uid{next};
}

void TemporaryAccounts::reserve_next(const std::string& name, Uid candidate, int tries, const Done& done) {
    if (tries > most_tries) {
        return done(
            fail(Errc::exhausted,
                 fmt::format("{} uids up to {} are somebody's already: set account_uids in [site] to a "
                             "range that nothing else uses",
                             most_tries, number(candidate))));
    }
    ask_whether_free(name, candidate, [this, name, candidate, tries, done](const Result<bool>& free) {
        if (!free) {
            return done(std::unexpected(free.error()));
        }
        if (const auto one = ones_.find(name); one != ones_.end()) {
            return done(account_of(one->second, {}, "")); // meanwhile, by another request
        }
        const auto next = next_uid();
        if (!next) {
            return done(std::unexpected(next.error()));
        }
        if (*next > candidate) {
            return reserve_next(name, *next, tries, done);
        }
        if (!*free) {
            // Somebody's. It counts as given, so that it isn't tried each time.
            if (const auto marked = write_uid_mark(candidate); !marked) {
                return done(std::unexpected(marked.error()));
            }
            const auto after = next_uid();
            return after ? reserve_next(name, *after, tries + 1, done) : done(std::unexpected(after.error()));
        }
        auto kept = write_uid_mark(candidate);
        kept = kept ? parts_.store.transact([&]() -> Result<void> {
            parts_.store.reserve_account(name, candidate);
            parts_.store.append("account.reserved", parts_.clock.now().time,
                                {{"account", name}, {"uid", number(candidate)}});
            return {};
        })
                    : kept;
        if (!kept) {
            return done(std::unexpected(kept.error()));
        }
        One& one = ones_[name];
        one.name = name;
        one.uid = candidate;
        done(account_of(one, {}, ""));
    });
}

} // namespace jit
