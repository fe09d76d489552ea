// SPDX-License-Identifier: MIT
// Locks: what they end when they are set, what they refuse while they hold, and their own end.
#include "core/record.h"
#include "core/text.h"
#include "daemon/locks.h"
#include "daemon/requests.h"
#include "daemon/requests_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace jit {
namespace {

constexpr std::size_t most_locks = 1000;

Json lock_fields(const Lock& lock) {
    Json fields{{"lock", lock.id}, {"of", name_of(lock.kind)}};
    if (lock.kind != LockKind::host) {
        fields["name"] = lock.name;
    }
    return fields;
}

// Of whom no more is known than who they are.
Party by_name(const std::string& person) {
    return {.person = person, .account = person, .uid = no_uid};
}

Json fields_of(const Root& root) {
    Json fields{{"by", to_json(root.party)}};
    if (root.login_uid) {
        fields["login_uid"] = number(*root.login_uid);
    }
    return fields;
}

} // namespace

Result<std::vector<Lock>> Requests::locks() {
    return store_.guarded([&]() -> Result<std::vector<Lock>> { return store_.locks(); });
}

Result<void> Requests::not_locked(const Party& party, std::string_view role) {
    const auto held = locks();
    if (!held) {
        return std::unexpected(held.error());
    }
    const Lock* lock = lock_on(*held, policy_, party, role);
    return lock == nullptr ? Result<void>() : fail(Errc::refused, described(*lock));
}

// Who sits behind the keyboard counts too: bob in a `su - alice`.
Result<void> Requests::not_locked(const Caller& caller) {
    if (auto free = not_locked(caller.party, ""); !free) {
        return free;
    }
    return not_locked(by_name(caller.login_person), "");
}

Result<Locked> Requests::lock(const Root& root, const LockWish& wish) {
    if (auto good = check_reason(wish.reason); !good) {
        return std::unexpected(good.error());
    }
    Lock lock{.id = {},
              .kind = wish.kind,
              .name = wish.name,
              .uid = wish.account ? std::optional(wish.account->uid) : std::nullopt,
              .reason = wish.reason,
              .by = root.party,
              .since = {},
              .until = {}};
    const Now now = clock_.now();
    lock.since = now.time;
    if (wish.duration) {
        lock.until = deadline_at(now.time + *wish.duration, clock_, now);
    }
    Locked locked;
    std::vector<Request> changed;
    const auto set = store_.transact([&]() -> Result<void> {
        if (store_.locks().size() >= most_locks) {
            return fail(Errc::exhausted, fmt::format("there are {} locks; lift some", most_locks));
        }
        lock.id = store_.new_id();
        store_.insert(lock);
        Json fields = lock_fields(lock);
        fields.update(fields_of(root));
        fields["reason"] = lock.reason;
        if (lock.until) {
            fields["until"] = lock.until->time.time_since_epoch().count();
        }
        store_.append("lock.set", now.time, fields);
        changed = end_those([&](const Request& request) { return held_by({lock}, request); });
        return {};
    });
    if (!set) {
        return std::unexpected(set.error());
    }
    locked.lock = lock;
    locked.ended = static_cast<std::size_t>(
        std::ranges::count(changed, State::ended, [](const Request& request) { return request.state; }));
    locked.cancelled = changed.size() - locked.ended;
    changed_(changed);
    return locked;
}

// What a lock ends: what is had or asked for by whom it holds, and what they have approved and nobody has
// yet.
std::optional<Requests::End> Requests::held_by(const std::vector<Lock>& locks, const Request& request) const {
    if (const Lock* lock = lock_on(locks, policy_, request.beneficiary, request.role)) {
        return End{Cause::locked, described(*lock)};
    }
    if (request.state != State::pending) {
        return std::nullopt;
    }
    std::vector<Party> others{request.requester, by_name(request.login_person)};
    for (const Answer& answer : request.answers) {
        others.push_back(answer.by);
    }
    for (const Party& other : others) {
        if (lock_on(locks, policy_, other, request.role) != nullptr) {
            // Why is told to them, and not to whom this is for.
            return End{Cause::locked, fmt::format("{}, who asked for it or approved it, is locked; ask again",
                                                  other.person)};
        }
    }
    return std::nullopt;
}

Result<Lock> Requests::unlock(const Root& root, const RequestId& id, const std::string& reason) {
    if (!reason.empty()) {
        if (auto good = check_reason(reason); !good) {
            return std::unexpected(good.error());
        }
    }
    return store_.transact([&]() -> Result<Lock> {
        const auto held = store_.locks();
        const auto found = std::ranges::find(held, id, &Lock::id);
        if (found == held.end()) {
            return fail(Errc::not_found, fmt::format("there is no lock '{}'; see jitctl locks", escape(id)));
        }
        Json more = fields_of(root);
        more["reason"] = reason;
        lift(*found, clock_.now().time, more);
        return *found;
    });
}

void Requests::lift(const Lock& lock, Time at, const Json& more) {
    store_.lift(lock.id, at);
    Json fields = lock_fields(lock);
    fields.update(more);
    store_.append("lock.lifted", at, fields);
}

Result<void> Requests::lift_due(const Now& now) {
    auto held = locks();
    if (!held) {
        return std::unexpected(held.error());
    }
    std::erase_if(*held, [&](const Lock& lock) { return !lock.over(now, clock_.boot_id()); });
    if (held->empty()) {
        return {};
    }
    return store_.transact([&]() -> Result<void> {
        for (const Lock& lock : *held) {
            lift(lock, now.time, {{"cause", "expired"}});
        }
        return {};
    });
}

std::optional<BootTime> Requests::next_lift() {
    const auto held = locks();
    const Now now = clock_.now();
    std::optional<BootTime> next;
    for (const Lock& lock : held.value_or(std::vector<Lock>())) {
        if (!lock.until) {
            continue;
        }
        BootTime at = now.boot + std::max(lock.until->time - now.time, Millis(0));
        if (lock.until->boot_id == clock_.boot_id()) {
            at = std::max(at, lock.until->boot);
        }
        next = next ? std::min(*next, at) : at;
    }
    return next;
}

} // namespace jit
