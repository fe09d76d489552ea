// SPDX-License-Identifier: MIT
#include "daemon/reconcile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace jit {
namespace {

constexpr Millis between_checks = std::chrono::minutes(1);
// gpasswd(1) and the like write several files. And chfn(1) lets anybody write one, as often as they like.
constexpr Millis after_a_change = std::chrono::seconds(2);
constexpr Millis between_checkpoints = std::chrono::hours(1);
constexpr Millis retry = std::chrono::seconds(1);
constexpr std::int64_t events_a_checkpoint = 1000;

// Whether passwd or group was written, or exchanged, of what has happened in their directory.
bool accounts_were_written(int watch) {
    alignas(inotify_event) char buffer[4096];
    bool written = false;
    for (ssize_t size = 0; (size = read(watch, buffer, sizeof buffer)) > 0;) {
        for (ssize_t at = 0; at < size;) {
            inotify_event event{};
            std::memcpy(&event, buffer + at, sizeof event);
            const std::string_view name(event.len > 0 ? buffer + at + sizeof event : "");
            written = written || name == "passwd" || name == "group" || (event.mask & IN_Q_OVERFLOW) != 0;
            at += static_cast<ssize_t>(sizeof event + event.len);
        }
    }
    return written;
}

} // namespace

Reconciler::Reconciler(Loop& loop, Store& store, Clock& clock, PolicyKeeper& policy, Requests& requests,
                       Uses& uses, Memberships& memberships, TemporaryAccounts& temporary, Ends& ends,
                       Accounts& accounts, const HostKey& host_key, Journal& journal)
    : loop_(loop), store_(store), clock_(clock), policy_(policy), requests_(requests), uses_(uses),
      memberships_(memberships), temporary_(temporary), ends_(ends), accounts_(accounts), host_key_(host_key),
      journal_(journal), next_check_(clock.now().boot),
      next_checkpoint_(clock.now().boot + between_checkpoints),
      timer_(loop_.at(BootTime::max(), Millis(1), [this] { reconcile(); })) {
    watch_clock();
    watch_accounts();
}

void Reconciler::reconcile() {
    // Acts first; what is due is recorded after. What was taken back opens nothing any more before anybody is
    // looked for who has it.
    memberships_.publish();
    uses_.enforce();
    memberships_.enforce();
    temporary_.enforce();
    const auto advanced = requests_.advance();
    if (!advanced && !failing_) {
        journal_.send(Journal::Level::critical, "what is due can't be recorded: " + advanced.error().message);
    }
    failing_ = !advanced;
    const BootTime now = clock_.now().boot;
    if (now >= next_check_) {
        next_check_ = now + between_checks;
        check_eligibility();
    }
    if (now >= next_checkpoint_ || store_.head().seq - signed_ >= events_a_checkpoint) {
        checkpoint();
    }
    arm();
}

void Reconciler::arm() {
    const Now now = clock_.now();
    const auto next =
        store_.guarded([&]() -> Result<Store::NextChange> { return store_.next_change(clock_.boot_id()); });
    if (!next || failing_) {
        return timer_.set_time(now.boot + retry);
    }
    BootTime wake = BootTime::max();
    if (next->time) {
        wake = now.boot + std::max(*next->time - now.time, Millis(0));
    }
    if (next->boot) {
        // A grant lives: its end by this boot's clock, and the minute's check.
        wake = std::min({wake, *next->boot, next_check_});
    }
    if (const auto lift = requests_.next_lift()) {
        wake = std::min(wake, *lift);
    }
    if (store_.head().seq > signed_) {
        wake = std::min(wake, next_checkpoint_);
    }
    if (wake != BootTime::max()) {
        timer_.set_time(wake);
    }
}

void Reconciler::check_eligibility() {
    const auto uids = store_.guarded([&]() -> Result<std::vector<Uid>> { return store_.active_uids(); });
    if (!uids) {
        return journal_.send(Journal::Level::critical, uids.error().message);
    }
    memberships_.look_again();
    temporary_.look_again();
    for (const Uid uid : *uids) {
        if (!checking_.insert(uid).second) {
            continue; // the last check isn't through yet, and has them in its line
        }
        accounts_.look_up(
            uid,
            [this, uid](const Result<std::optional<Account>>& found) {
                checking_.erase(uid);
                checked(uid, found);
            },
            Turn::check);
    }
    // The mark moves on while it matters.
    const auto mark = clock_.next_mark();
    if (mark != clock_.mark()) {
        const auto kept = store_.transact([&]() -> Result<void> {
            store_.set_clock_mark(mark);
            return {};
        });
        if (kept) {
            clock_.set_mark(mark);
        }
    }
}

void Reconciler::checked(Uid uid, const Result<std::optional<Account>>& found) {
    if (!found) {
        return journal_.send(Journal::Level::warning,
                             fmt::format("uid {} keeps its grants until their end without another check: {}",
                                         number(uid), found.error().message));
    }
    if (const auto applied = requests_.apply_account(uid, *found ? &**found : nullptr); !applied) {
        journal_.send(Journal::Level::critical, applied.error().message);
    }
}

Result<void> Reconciler::reload_policy() {
    if (auto loaded = policy_.load(); !loaded) {
        return loaded;
    }
    for (const Problem& problem : policy_.problems()) {
        const bool error = problem.severity == Problem::Severity::error;
        journal_.send(error ? Journal::Level::error : Journal::Level::warning, problem.text());
    }
    if (!policy_.current()) {
        journal_.send(Journal::Level::error, "the policy has errors; the last good one stays in force");
        return {};
    }
    uses_.policy_changed();
    memberships_.policy_changed();
    temporary_.policy_changed();
    ends_.look_at_all();
    auto applied = requests_.apply_policy();
    check_eligibility();
    return applied;
}

void Reconciler::checkpoint() {
    next_checkpoint_ = clock_.now().boot + between_checkpoints;
    const AuditHead& head = store_.head();
    if (head.seq <= signed_) {
        return;
    }
    const Checkpoint made = host_key_.sign(head.seq, clock_.now().time, head.hash);
    const auto kept = store_.transact([&]() -> Result<void> {
        store_.add_checkpoint(made);
        return {};
    });
    if (kept) {
        signed_ = made.seq;
        journal_.send(made);
    }
}

void Reconciler::watch_accounts() {
    // The directory: those who write these files exchange them.
    accounts_watch_.reset(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!accounts_watch_ ||
        inotify_add_watch(accounts_watch_.get(), "/etc", IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
        return journal_.send(Journal::Level::warning,
                             fmt::format("that groups change can't be seen ({}): they are looked at each "
                                         "minute only",
                                         std::strerror(errno)));
    }
    accounts_seen_ = loop_.on_io(accounts_watch_.get(), EPOLLIN, [this](std::uint32_t) {
        if (accounts_were_written(accounts_watch_.get())) {
            next_check_ = std::min(next_check_, clock_.now().boot + after_a_change);
            arm();
        }
    });
}

void Reconciler::watch_clock() {
    // Readable with ECANCELED whenever CLOCK_REALTIME is set (timerfd_create(2)); the time itself is never
    // reached.
    clock_watch_.reset(timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK));
    itimerspec never{};
    never.it_value.tv_sec = 0x7fffffffffffL;
    if (timerfd_settime(clock_watch_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr) !=
        0) {
        journal_.send(Journal::Level::warning,
                      "that the clock is set can't be seen: it is looked at each minute only");
    }
    clock_set_ = loop_.on_io(clock_watch_.get(), EPOLLIN, [this](std::uint32_t) {
        journal_.send(Journal::Level::notice, "the clock was set");
        watch_clock();
        uses_.policy_changed();
        memberships_.policy_changed();
        if (const auto applied = requests_.apply_policy(); !applied) { // its hours may be others now
            journal_.send(Journal::Level::critical, applied.error().message);
        }
        reconcile();
    });
}

} // namespace jit
