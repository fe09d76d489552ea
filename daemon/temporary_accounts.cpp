// SPDX-License-Identifier: MIT
#include "daemon/temporary_accounts.h"

#include "core/record.h"
#include "core/text.h"
#include "daemon/carriers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace jit {
namespace {

constexpr Millis patience = std::chrono::minutes(2); // a large home is removed meanwhile

} // namespace

TemporaryAccounts::TemporaryAccounts(Parts parts, std::string directory)
    : parts_(std::move(parts)), files_(std::move(directory)),
      timer_(parts_.loop.at(BootTime::max(), Millis(1), [this] { enforce(); })) {}

Result<void> TemporaryAccounts::load() {
    const auto rows =
        parts_.store.guarded([&]() -> Result<std::vector<MadeAccount>> { return parts_.store.accounts(); });
    if (!rows) {
        return std::unexpected(rows.error());
    }
    for (const MadeAccount& row : *rows) {
        One& one = ones_[row.name];
        one.name = row.name;
        one.uid = row.uid;
        one.grant = row.grant;
        one.home = row.home;
    }
    return {};
}

// What is there and isn't known of is ended; of the rest it is known how far it had come.
void TemporaryAccounts::adopt() {
    adopted_ = true;
    const auto found = files_.list();
    if (!found) {
        parts_.journal.send(Journal::Level::critical, "accounts: " + found.error().message);
    }
    for (const auto& file : found ? *found : std::vector<AccountFiles::Found>()) {
        const auto one = ones_.find(file.name);
        const bool known = one != ones_.end() && file.content && file.content->uid == one->second.uid;
        if (!known) {
            parts_.journal.send(Journal::Level::error,
                                fmt::format("an account {} that isn't known of is removed", file.name));
            static_cast<void>(files_.take(file.name, file.content ? file.content->uid : no_uid));
            if (file.content) {
                std::vector<Carriers> carriers{
                    {.uid = file.content->uid, .whole = true, .spared = {}, .killed = 0}};
                static_cast<void>(kill_carriers(carriers, passes));
            }
            files_.remove_taken(file.name);
        } else if (file.over) {
            one->second.step = Step::ending;
        } else {
            one->second.record = *file.content;
            one->second.step = Step::made;
        }
    }
    policy_changed();
}

std::optional<TemporaryAccounts::Wanted> TemporaryAccounts::wanted_of(Uid uid) {
    const Now now = parts_.clock.now();
    std::optional<Wanted> wanted;
    for (const Request& request : parts_.store.active_of(uid)) {
        const auto role = parts_.policy.roles.find(request.role);
        // Both the grant and its role, as that is now, must give it.
        if (!request.account || role == parts_.policy.roles.end() || !role->second.account ||
            request.not_after->over(now, parts_.clock.boot_id())) {
            continue;
        }
        const Deadline until = in_this_boot(*request.not_after, parts_.clock, now);
        if (!wanted || wanted->until.time < until.time) {
            wanted = Wanted{.grant = request.id,
                            .role = request.role,
                            .beneficiary = request.beneficiary,
                            .wish = *request.account,
                            .until = until};
        }
    }
    return wanted;
}

void TemporaryAccounts::refresh(One& one) {
    auto wanted = parts_.store.guarded([&]() -> Result<std::optional<Wanted>> { return wanted_of(one.uid); });
    if (wanted) {
        one.wanted = std::move(*wanted);
    } else {
        // What was wanted before holds, and not longer than it was to.
        parts_.journal.send(Journal::Level::critical, "accounts: " + wanted.error().message);
    }
    if (one.wanted && one.wanted->until.over(parts_.clock.now(), parts_.clock.boot_id())) {
        one.wanted.reset();
    }
}

void TemporaryAccounts::requests_changed(const std::vector<Request>& requests) {
    for (const Request& request : requests) {
        const auto one = ones_.find(request.beneficiary.account);
        if (request.account && one != ones_.end()) {
            refresh(one->second);
            work_on(one->second);
        }
    }
    arm();
}

void TemporaryAccounts::policy_changed() {
    for (auto& [name, one] : ones_) {
        refresh(one);
    }
    enforce();
}

void TemporaryAccounts::enforce() {
    if (!adopted_) {
        return;
    }
    for (auto& [name, one] : ones_) {
        if (one.wanted && one.wanted->until.over(parts_.clock.now(), parts_.clock.boot_id())) {
            one.wanted.reset();
        }
        work_on(one);
    }
    look_for_processes();
    arm();
}

void TemporaryAccounts::work_on(One& one) {
    if (!adopted_) {
        return;
    }
    if (!one.wanted) {
        settle(one);
    }
    const BootTime now = parts_.clock.now().boot;
    switch (one.step) {
    case Step::nothing:
        if (one.wanted && now >= one.at) {
            ask(one);
        } else if (!one.wanted && !one.grant.empty()) {
            take(one); // there is something of it, but for its record
        }
        break;
    case Step::made:
        if (!one.wanted) {
            take(one);
        } else if (one.record->grant != one.wanted->grant || one.record->until != one.wanted->until.time) {
            put(one);
        }
        break;
    case Step::asking:
    case Step::making:
    case Step::ending:
    case Step::removing:
        break; // their answers go on with it
    }
}

void TemporaryAccounts::arm() {
    BootTime next = BootTime::max();
    for (const auto& [name, one] : ones_) {
        if (one.wanted) {
            next = std::min(next, one.wanted->until.boot);
        }
        if (one.step == Step::ending || (one.step == Step::nothing && one.wanted)) {
            next = std::min(next, one.at);
        }
    }
    if (next != BootTime::max()) {
        timer_.set_time(next);
    }
}

void TemporaryAccounts::look_again() {
    if (!adopted_) {
        return;
    }
    for (auto& [name, one] : ones_) {
        if (one.step == Step::made && one.wanted) {
            put(one); // where somebody removed or changed it
            ask_whether_free(
                name, std::nullopt,
                [this, uid = one.uid](const Result<bool>& free) {
                    if (free && !*free) {
                        parts_.lost(uid);
                    }
                },
                Turn::check);
            parts_.accounts.are_unknown(
                numbers(one.uid),
                [this, name](const Result<bool>& free) {
                    if (free && !*free) {
                        number_lost(ones_.at(name));
                    }
                },
                Turn::check);
        }
    }
    look_for_strays();
    enforce();
}

void TemporaryAccounts::ask(One& one) {
    one.step = Step::asking;
    ask_whether_free(one.name, one.uid,
                     [this, name = one.name](const Result<bool>& free) { answered(name, free); });
}

void TemporaryAccounts::answered(const std::string& name, const Result<bool>& free) {
    One& one = ones_.at(name);
    one.step = Step::nothing;
    if (one.wanted && !free) {
        failed(one, free.error().message);
    } else if (one.wanted && !*free) {
        failed(one, fmt::format("{}, or the number {}, is an account or a group of this host: that is never "
                                "taken over",
                                name, number(one.uid)));
        lose(one);
        parts_.lost(one.uid);
    } else if (one.wanted) {
        make(one);
    } else {
        work_on(one);
    }
    arm();
}

void TemporaryAccounts::make(One& one) {
    const Wanted& wanted = *one.wanted;
    const auto recorded = parts_.store.transact([&]() -> Result<void> {
        parts_.store.set_account(one.name, wanted.grant, wanted.wish.home);
        parts_.store.append("account.making", parts_.clock.now().time,
                            {{"request", wanted.grant},
                             {"role", wanted.role},
                             {"beneficiary", to_json(wanted.beneficiary)},
                             {"account", describe(wanted.wish)},
                             {"until", wanted.until.time.time_since_epoch().count()}});
        return {};
    });
    if (!recorded) {
        return failed(one, "it can't be recorded: " + recorded.error().message);
    }
    one.grant = wanted.grant;
    one.home = wanted.wish.home;
    one.step = Step::making;
    one.sent = wanted.wish;
    send(one,
         {.what = AccountJob::What::make,
          .name = one.name,
          .uid = one.uid,
          .home = one.home,
          .keys = wanted.wish.keys},
         &TemporaryAccounts::made);
}

void TemporaryAccounts::made(One& one, const Result<AccountReply>& reply) {
    one.step = Step::nothing;
    if (!one.wanted) {
        return work_on(one); // which removes it
    }
    if (one.wanted->wish != one.sent) {
        return take(one); // it was made for another grant, that has ended meanwhile
    }
    if (!reply || !reply->problems.empty()) {
        return failed(one,
                      reply ? fmt::format("{}", fmt::join(reply->problems, "; ")) : reply.error().message);
    }
    one.retry = first_retry;
    put(one);
}

// As the live grants have it now.
void TemporaryAccounts::put(One& one) {
    const Wanted& wanted = *one.wanted;
    const AccountRecord record{.grant = wanted.grant,
                               .name = one.name,
                               .uid = one.uid,
                               .home = home_of(one.name),
                               .shell = wanted.wish.shell,
                               .until = wanted.until.time,
                               .boot = wanted.until.boot};
    if (const auto placed = files_.put(record); !placed) {
        return failed(one, placed.error().message);
    }
    one.record = record;
    one.step = Step::made;
    one.problem.clear();
    settle(one);
}

void TemporaryAccounts::failed(One& one, const std::string& why) {
    one.problem = why;
    one.at = parts_.clock.now().boot + one.retry;
    one.retry = std::min(one.retry * 2, longest_retry);
    if (std::exchange(one.said, why) != why) {
        const auto recorded = parts_.store.transact([&]() -> Result<void> {
            parts_.store.append("account.refused", parts_.clock.now().time,
                                {{"request", one.wanted->grant},
                                 {"role", one.wanted->role},
                                 {"beneficiary", to_json(one.wanted->beneficiary)},
                                 {"why", why}});
            return {};
        });
        if (!recorded) {
            parts_.journal.send(Journal::Level::error,
                                fmt::format("the account {} isn't made: {}", one.name, why));
        }
    }
    settle(one);
}

void TemporaryAccounts::settle(One& one) {
    for (const auto& done : std::exchange(one.waiting, {})) {
        done();
    }
}

bool TemporaryAccounts::is_settled(Uid uid) const {
    return std::ranges::none_of(ones_, [uid](const auto& entry) {
        const One& one = entry.second;
        // More than so many don't wait: they are told how it is.
        return one.uid == uid && one.wanted && one.step != Step::made && one.problem.empty() &&
               one.waiting.size() < most_waiting;
    });
}

void TemporaryAccounts::when_settled(Uid uid, const std::function<void()>& done) {
    for (auto& [name, one] : ones_) {
        if (one.uid == uid) {
            one.waiting.push_back(done);
        }
    }
}

std::string TemporaryAccounts::problem_of(Uid uid) const {
    for (const auto& [name, one] : ones_) {
        if (one.uid == uid) {
            return one.problem;
        }
    }
    return "";
}

Account TemporaryAccounts::account_of(const One& one, const AccountWish& wish, const RequestId& grant) {
    return {.name = one.name,
            .uid = one.uid,
            .gid = Gid{number(one.uid)},
            .groups = {},
            .gids = {Gid{number(one.uid)}},
            .home = home_of(one.name),
            .shell = wish.shell,
            .has_password = false,
            .made_by = grant};
}

std::optional<Account> TemporaryAccounts::find(const AccountKey& key) {
    for (const auto& [name, one] : ones_) {
        const auto* uid = std::get_if<Uid>(&key);
        if (uid != nullptr ? one.uid != *uid : name != std::get<std::string>(key)) {
            continue;
        }
        const auto wanted =
            parts_.store.guarded([&]() -> Result<std::optional<Wanted>> { return wanted_of(one.uid); });
        return wanted && *wanted ? std::optional(account_of(one, (*wanted)->wish, (*wanted)->grant))
                                 : std::nullopt;
    }
    return std::nullopt;
}

void TemporaryAccounts::send(One& one, const AccountJob& job,
                             void (TemporaryAccounts::*done)(One&, const Result<AccountReply>&)) {
    queue_.push_back({.name = one.name, .question = account_text(job), .done = done});
    send_next();
}

void TemporaryAccounts::send_next() {
    if (one_shot_.busy() || queue_.empty()) {
        return;
    }
    const Sending sending = queue_.front();
    queue_.erase(queue_.begin());
    one_shot_.ask(parts_.loop, account_socket, sending.question,
                  {.patience = patience, .largest = largest_account_message},
                  [this, sending](const Result<std::string>& answer) {
                      One& one = ones_.at(sending.name);
                      const auto reply =
                          answer ? parse_account_reply(*answer) : std::unexpected(answer.error());
                      (this->*sending.done)(
                          one, reply ? reply
                                     : fail(Errc::unavailable,
                                            fmt::format("jit-account did not answer ({}): see journalctl -u "
                                                        "'jit-account@*'",
                                                        reply.error().message)));
                      work_on(one);
                      arm();
                      send_next();
                  });
}

} // namespace jit
