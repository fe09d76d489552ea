// SPDX-License-Identifier: MIT
// The end of accounts: first the record, then what runs, then what it had.
#include "core/record.h"
#include "daemon/carriers.h"
#include "daemon/processes.h"
#include "daemon/still.h"
#include "daemon/temporary_accounts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace jit {
namespace {

constexpr Millis look_again_soon(20);
constexpr Millis look_again_late = std::chrono::minutes(1);
// Then what it had is removed all the same: a file system of its own may be what holds it.
constexpr std::size_t looks_until_removed = 5;
// After the first look. A login that was being made had read the record before it went.
constexpr std::array later_looks{Millis(1000), Millis(5000)};

} // namespace

void TemporaryAccounts::take(One& one) {
    if (const auto taken = files_.take(one.name, one.uid); !taken) {
        parts_.journal.send(Journal::Level::critical, taken.error().message);
    }
    one.record.reset();
    one.step = Step::ending;
    one.at = parts_.clock.now().boot;
    one.looks = 0;
    one.unclean = 0;
    one.killed = 0;
    one.removed = false;
    one.done.clear();
    one.problem.clear();
    one.retry = first_retry;
}

void TemporaryAccounts::look_for_processes() {
    const BootTime now = parts_.clock.now().boot;
    std::vector<One*> due;
    std::vector<Carriers> carriers;
    std::set<Uid> people;
    for (auto& [name, one] : ones_) {
        if (one.step == Step::ending && now >= one.at) {
            due.push_back(&one);
            carriers.push_back({.uid = one.uid, .whole = true, .spared = {}, .killed = 0});
            people.insert(one.uid);
        }
    }
    if (due.empty()) {
        return;
    }
    const Still still(people, "jitd");
    const bool all_clean = kill_carriers(carriers, passes).has_value();
    for (std::size_t index = 0; index < due.size(); ++index) {
        One& one = *due[index];
        // One that doesn't come clean holds up no other.
        std::vector<Carriers> own{carriers[index]};
        const bool clean = all_clean || kill_carriers(own, passes).has_value();
        const int killed = own.front().killed;
        one.killed += killed;
        one.removed = one.removed && killed == 0; // it may have written until then
        if (!clean || !files_.take(one.name, one.uid)) {
            not_clean(one, now);
            continue;
        }
        one.unclean = 0;
        if (!one.removed) {
            remove(one);
        } else if (one.looks < later_looks.size()) {
            one.at = now + later_looks[one.looks++];
        } else {
            forget(one);
        }
    }
}

// A process that can't die yet, most of all. Looked at less and less often.
void TemporaryAccounts::not_clean(One& one, BootTime now) {
    const Millis pause = look_again_soon * (std::int64_t{1} << std::min<std::size_t>(one.unclean, 12));
    one.at = now + std::min(pause, look_again_late);
    if (++one.unclean < looks_until_removed) {
        return;
    }
    tell_of(one, "what runs by it can't be ended yet");
    if (one.unclean == looks_until_removed) {
        remove(one);
    }
}

// Whoever waits for it as a new grant's is told too.
void TemporaryAccounts::tell_of(One& one, const std::string& problem) {
    one.problem = "of the time before something is left: " + problem;
    if (std::exchange(one.said, problem) != problem) {
        parts_.journal.send(
            Journal::Level::error,
            fmt::format("of the account {}, which is over, something is left: {}", one.name, problem));
    }
    settle(one);
}

// Unless somebody else has the number by now. NSS is asked of those alone of whom something runs.
void TemporaryAccounts::look_for_strays() {
    std::map<Uid, std::string> over;
    for (const auto& [name, one] : ones_) {
        if (one.step == Step::nothing && !one.wanted && one.grant.empty()) {
            over.emplace(one.uid, name);
        }
    }
    if (over.empty()) {
        return;
    }
    std::set<std::string> running;
    const auto looked = for_each_pid([&](int proc, pid_t pid) {
        std::set<Uid> uids{login_uid_of_process(proc, pid).value_or(no_uid)};
        if (const auto found = credentials_of(proc, std::to_string(pid))) {
            uids.insert(found->uids.begin(), found->uids.end());
        }
        for (const Uid uid : uids) {
            if (const auto one = over.find(uid); one != over.end()) {
                running.insert(one->second);
            }
        }
    });
    if (!looked) {
        parts_.journal.send(Journal::Level::critical,
                            "processes of accounts that are over: " + looked.error().message);
    }
    for (const std::string& name : running) {
        parts_.accounts.are_unknown(numbers(ones_.at(name).uid), [this, name](const Result<bool>& free) {
            const One& now = ones_.at(name);
            if (!free || !*free || now.wanted) {
                return;
            }
            std::vector<Carriers> carriers{{.uid = now.uid, .whole = true, .spared = {}, .killed = 0}};
            if (const auto clean = kill_carriers(carriers, passes); !clean) {
                parts_.journal.send(Journal::Level::critical,
                                    fmt::format("processes of the account {}, which is over: {}", name,
                                                clean.error().message));
            }
        });
    }
}

void TemporaryAccounts::remove(One& one) {
    one.step = Step::removing;
    send(one,
         {.what = AccountJob::What::remove, .name = one.name, .uid = one.uid, .home = one.home, .keys = {}},
         &TemporaryAccounts::removed);
}

void TemporaryAccounts::removed(One& one, const Result<AccountReply>& reply) {
    one.step = Step::ending;
    one.at = parts_.clock.now().boot;
    const std::string problem = !reply ? reply.error().message
                                : reply->problems.empty()
                                    ? ""
                                    : fmt::format("{}", fmt::join(reply->problems, "; "));
    if (reply) {
        std::ranges::copy_if(reply->done, std::back_inserter(one.done), [&](const std::string& what) {
            return std::ranges::find(one.done, what) == one.done.end();
        });
    }
    one.removed = problem.empty();
    one.retry = problem.empty() ? first_retry : std::min(one.retry * 2, longest_retry);
    if (!problem.empty()) {
        one.at += one.retry;
        tell_of(one, problem);
    }
}

// What has the number now isn't ours to end, and what lies there with it isn't ours to remove.
void TemporaryAccounts::lose(One& one) {
    if (one.grant.empty()) {
        return;
    }
    const auto recorded = parts_.store.transact([&]() -> Result<void> {
        parts_.store.forget_account(one.name);
        parts_.store.append("account.lost", parts_.clock.now().time,
                            {{"request", one.grant}, {"account", one.name}, {"uid", number(one.uid)}});
        return {};
    });
    if (recorded) {
        one.grant.clear();
    }
}

// While it was there. Nobody can tell any more whose a process is.
void TemporaryAccounts::number_lost(One& one) {
    if (one.step != Step::made) {
        return;
    }
    if (const auto taken = files_.take(one.name, one.uid); !taken) {
        return parts_.journal.send(Journal::Level::critical, taken.error().message);
    }
    files_.remove_taken(one.name);
    one.record.reset();
    one.step = Step::nothing;
    one.problem = fmt::format("{} is the number of somebody else by now", number(one.uid));
    one.at = BootTime::max();
    lose(one);
    parts_.lost(one.uid);
}

void TemporaryAccounts::forget(One& one) {
    const auto recorded = parts_.store.transact([&]() -> Result<void> {
        parts_.store.forget_account(one.name);
        const Party party{.person = parts_.policy.person_of(one.name), .account = one.name, .uid = one.uid};
        parts_.store.append("account.removed", parts_.clock.now().time,
                            {{"request", one.grant},
                             {"beneficiary", to_json(party)},
                             {"home", name_of(one.home)},
                             {"removed", one.done},
                             {"killed", one.killed}});
        return {};
    });
    if (!recorded) {
        one.at = parts_.clock.now().boot + longest_retry;
        return;
    }
    files_.remove_taken(one.name);
    one.grant.clear();
    one.said.clear();
    one.problem.clear();
    one.retry = first_retry;
    one.step = Step::nothing;
    one.at = parts_.clock.now().boot;
    work_on(one); // one that is wanted again has waited
}

} // namespace jit
