// SPDX-License-Identifier: MIT
// Locks.
#include "core/store_statements.h"
#include "core/text.h"

namespace jit {

void Store::insert(const Lock& lock) {
    const DeadlineColumns until(lock.until);
    sql_->insert_lock.execute(lock.id, name_of(lock.kind), lock.name,
                              lock.uid ? std::optional(std::int64_t{number(*lock.uid)}) : std::nullopt,
                              lock.reason, lock.by.person, lock.by.account, std::int64_t{number(lock.by.uid)},
                              count_of(lock.since), until.time, until.boot_id, until.boot);
}

void Store::lift(const RequestId& lock, Time at) {
    sql_->lift.execute(count_of(at), lock);
}

std::vector<Lock> Store::locks() {
    std::vector<Lock> locks;
    auto rows = sql_->locks.run();
    while (rows.next()) {
        const auto kind = lock_kind_named(rows.text(1));
        if (!is_request_id(rows.text(0)) || !kind) {
            damaged("lock " + escape(rows.text(0)));
        }
        locks.push_back(
            {.id = rows.text(0),
             .kind = *kind,
             .name = rows.text(2),
             .uid = rows.is_null(3) ? std::nullopt : std::optional(uid_of(rows.integer(3))),
             .reason = rows.text(4),
             .by = {.person = rows.text(5), .account = rows.text(6), .uid = uid_of(rows.integer(7))},
             .since = time_of(rows.integer(8)),
             .until = optional_deadline(rows, 9)});
    }
    return locks;
}

} // namespace jit
