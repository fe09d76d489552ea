// SPDX-License-Identifier: MIT
// What the parts of the store share: its prepared statements, and how columns become values. For
// core/store*.cpp only.
#pragma once

#include "core/store.h"

#include <cstdint>
#include <fmt/format.h>

namespace jit {

constexpr std::string_view columns = "id, state, cause, role, scope, stages, person, account, uid, "
                                     "requester, requester_account, requester_uid, "
                                     "login_person, reason, ticket, duration, filed, answer_by, not_before, "
                                     "not_after, boot_id, boot_deadline, ended, "
                                     "ended_by, ended_reason, extends, chain, uses, used, wish";

// A row that our own checks would never have written: the file was damaged or tampered with.
[[noreturn]] inline void damaged(const std::string& what) {
    throw DbError(SQLITE_CORRUPT, "damaged: " + what);
}

inline std::int64_t count_of(Time time) {
    return time.time_since_epoch().count();
}
inline Time time_of(std::int64_t count) {
    return Time(Millis(count));
}

inline std::optional<std::int64_t> count_of(const std::optional<Time>& time) {
    return time ? std::optional(count_of(*time)) : std::nullopt;
}

inline std::optional<Time> optional_time(const Statement::Rows& rows, int column) {
    return rows.is_null(column) ? std::nullopt : std::optional(time_of(rows.integer(column)));
}

// A deadline is three columns: its UTC time, the boot that it was made in, and that boot's time of it.
struct DeadlineColumns {
    static constexpr int count = 3;
    std::optional<std::int64_t> time;
    std::optional<std::string> boot_id;
    std::optional<std::int64_t> boot;
    explicit DeadlineColumns(const std::optional<Deadline>& deadline) {
        if (deadline) {
            time = count_of(deadline->time);
            boot_id = deadline->boot_id;
            boot = deadline->boot.time_since_epoch().count();
        }
    }
};

inline std::optional<Deadline> optional_deadline(const Statement::Rows& rows, int column) {
    const auto time = optional_time(rows, column);
    return time ? std::optional(Deadline{.time = *time,
                                         .boot = BootTime(Millis(rows.integer(column + 2))),
                                         .boot_id = rows.text(column + 1)})
                : std::nullopt;
}

inline Uid uid_of(std::int64_t value) {
    if (value < 0 || value >= number(no_uid)) {
        damaged("a uid out of range");
    }
    return Uid{static_cast<std::uint32_t>(value)};
}

inline std::string select(std::string_view rest) {
    return fmt::format("SELECT {} FROM requests {}", columns, rest);
}

struct Store::Statements {
    explicit Statements(const Database& db)
        : find(db.prepare(select("WHERE id = ?"))),
          // The plus keeps SQLite from the index of that column, by which it would go through all there ever
          // was.
          pending(db.prepare(select("WHERE state = 'pending' ORDER BY +filed"))),
          active(db.prepare(select("WHERE state = 'active' ORDER BY not_after"))),
          active_of(db.prepare(select("WHERE state = 'active' AND uid = ? ORDER BY not_after"))),
          active_uids(db.prepare("SELECT DISTINCT uid FROM requests WHERE state = 'active'")),
          due_pending(db.prepare(select("WHERE state = 'pending' AND answer_by <= ?"))),
          due_by_time(db.prepare(select("WHERE state = 'active' AND not_after <= ?"))),
          due_by_boot(db.prepare(
              select("WHERE state = 'active' AND boot_id = ? AND boot_deadline <= ? AND not_after > ?"))),
          newest(db.prepare(select("ORDER BY filed DESC LIMIT ?"))),
          chain_of(db.prepare(select("WHERE chain = ? AND state IN ('pending', 'active') ORDER BY filed"))),
          chain_start(db.prepare("SELECT min(not_before) FROM requests WHERE chain = ?")),
          count(db.prepare("SELECT count(*) FROM requests WHERE state = ?")),
          count_all(db.prepare("SELECT count(*) FROM requests")),
          count_pending_of(
              db.prepare("SELECT count(*) FROM requests WHERE state = 'pending' AND requester = ?")),
          next_timeout(db.prepare("SELECT min(answer_by) FROM requests WHERE state = 'pending'")),
          next_end(db.prepare("SELECT min(not_after) FROM requests WHERE state = 'active'")),
          next_boot_end(
              db.prepare("SELECT min(boot_deadline) FROM requests WHERE state = 'active' AND boot_id = ?")),
          take_over_grants(db.prepare("UPDATE requests SET boot_id = ?1, boot_deadline = not_after + ?2 "
                                      "WHERE state = 'active' AND boot_id <> ?1")),
          take_over_locks(db.prepare("UPDATE locks SET boot_id = ?1, boot_deadline = until + ?2 "
                                     "WHERE lifted IS NULL AND boot_id <> ?1")),
          exists(
              db.prepare("SELECT 1 FROM requests WHERE id = ?1 UNION ALL SELECT 1 FROM locks WHERE id = ?1")),
          insert(db.prepare(
              fmt::format("INSERT INTO requests ({}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
                          "?,?,?,?,?,?,?,?)",
                          columns))),
          update(db.prepare("UPDATE requests SET state=?, cause=?, not_before=?, not_after=?, boot_id=?, "
                            "boot_deadline=?, ended=?, ended_by=?, ended_reason=? WHERE id=?")),
          answers(db.prepare("SELECT person, account, uid, approves, stages, reason, at FROM answers "
                             "WHERE request = ? ORDER BY at, person")),
          add_answer(
              db.prepare("INSERT INTO answers (request, person, account, uid, approves, stages, reason, at) "
                         "VALUES (?,?,?,?,?,?,?,?)")),
          insert_use(db.prepare(
              "INSERT INTO uses (id, grant_, person, account, uid, run_as, group_, command, service, gated, "
              "groups, cgroup, cwd, tty, pid, session, boot_id, started, run_as_uid) "
              "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")),
          count_use(db.prepare("UPDATE requests SET used = used + 1 WHERE id = ?")),
          update_use(db.prepare("UPDATE uses SET exited=?1, status=?2, ended=?3, chains=?4, "
                                "command=CASE WHEN ?3 IS NULL THEN command END WHERE id=?5")),
          live_uses(db.prepare("SELECT * FROM uses WHERE ended IS NULL ORDER BY started")),
          find_use(db.prepare("SELECT * FROM uses WHERE id = ?")),
          use_of_session(db.prepare("SELECT * FROM uses WHERE session = ? AND boot_id = ? "
                                    "ORDER BY ended IS NULL DESC, started DESC LIMIT 1")),
          use_chain(db.prepare("UPDATE requests SET last_used = ?2 "
                               "WHERE id = (SELECT chain FROM requests WHERE id = ?1)")),
          set_last_used(db.prepare("UPDATE requests SET last_used = ?2 WHERE id = ?1")),
          last_used(db.prepare("SELECT last_used FROM requests WHERE id = ?")),
          is_elevation(
              db.prepare("SELECT 1 FROM uses WHERE session = ? AND boot_id = ? AND service IS NULL LIMIT 1")),
          insert_lock(db.prepare("INSERT INTO locks (id, kind, name, uid, reason, person, account, by_uid, "
                                 "since, until, boot_id, boot_deadline) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)")),
          lift(db.prepare("UPDATE locks SET lifted = ? WHERE id = ?")),
          locks(db.prepare("SELECT id, kind, name, uid, reason, person, account, by_uid, since, until, "
                           "boot_id, boot_deadline FROM locks WHERE lifted IS NULL ORDER BY since, id")),
          without_stock(
              db.prepare(select("WHERE state = 'active' AND stock IS NULL ORDER BY not_after LIMIT ?"))),
          unsearched(db.prepare(select("WHERE state = 'ended' AND searched IS NULL AND ended IS NOT NULL AND "
                                       "not_before IS NOT NULL ORDER BY ended LIMIT ?"))),
          newest_stock(db.prepare("SELECT id, items FROM stocks ORDER BY id DESC LIMIT 1")),
          insert_stock(db.prepare("INSERT INTO stocks (id, items) VALUES (?,?)")),
          stock(db.prepare("SELECT items FROM stocks WHERE id = ?")),
          stock_of(db.prepare("SELECT stock FROM requests WHERE id = ?")),
          set_stock(db.prepare("UPDATE requests SET stock = ? WHERE id = ?")),
          set_searched(db.prepare("UPDATE requests SET searched = ?, left_behind = ? WHERE id = ?")),
          set_left_behind(db.prepare("UPDATE requests SET left_behind = ? WHERE id = ?")),
          forget_stocks(db.prepare("DELETE FROM stocks WHERE id NOT IN (SELECT stock FROM requests "
                                   "WHERE stock > 0 AND searched IS NULL)")),
          left_behind(db.prepare("SELECT left_behind FROM requests WHERE id = ?")),
          want_review(db.prepare("UPDATE requests SET review_due = ?, reviewed = NULL, reviewed_by = NULL, "
                                 "review_reason = NULL WHERE id = ?")),
          set_reviewed(db.prepare(
              "UPDATE requests SET reviewed = ?, reviewed_by = ?, review_reason = ? WHERE id = ?")),
          review(db.prepare("SELECT review_due, reviewed, reviewed_by, review_reason FROM requests "
                            "WHERE id = ? AND review_due IS NOT NULL")),
          to_review(db.prepare(
              select("WHERE review_due IS NOT NULL AND reviewed IS NULL ORDER BY review_due, id LIMIT ?"))),
          count_to_review(
              db.prepare("SELECT count(*) FROM requests WHERE review_due IS NOT NULL AND reviewed IS NULL")),
          accounts(db.prepare("SELECT name, uid, grant_, home FROM accounts ORDER BY name")),
          reserve_account(db.prepare("INSERT INTO accounts (name, uid) VALUES (?,?)")),
          set_account(db.prepare("UPDATE accounts SET grant_ = ?, home = ? WHERE name = ?")),
          forget_account(db.prepare("UPDATE accounts SET grant_ = NULL, home = NULL WHERE name = ?")),
          append(db.prepare("INSERT INTO events (seq, body, hash) VALUES (?,?,?)")),
          events_after(db.prepare("SELECT seq, body, hash FROM events WHERE seq > ? ORDER BY seq LIMIT ?")),
          add_checkpoint(
              db.prepare("INSERT OR REPLACE INTO checkpoints (seq, at, hash, signature) VALUES (?,?,?,?)")),
          checkpoints(db.prepare("SELECT seq, at, hash, signature FROM checkpoints ORDER BY seq")),
          get(db.prepare("SELECT value FROM meta WHERE key = ?")),
          set(db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?,?)")),
          unset(db.prepare("DELETE FROM meta WHERE key = ?")) {}

    Statement find, pending, active, active_of, active_uids, due_pending, due_by_time, due_by_boot, newest,
        chain_of, chain_start, count, count_all, count_pending_of, next_timeout, next_end, next_boot_end,
        take_over_grants, take_over_locks, exists, insert, update, answers, add_answer, insert_use, count_use,
        update_use, live_uses, find_use, use_of_session, use_chain, set_last_used, last_used, is_elevation,
        insert_lock, lift, locks, without_stock, unsearched, newest_stock, insert_stock, stock, stock_of,
        set_stock, set_searched, set_left_behind, forget_stocks, left_behind, want_review, set_reviewed,
        review, to_review, count_to_review, accounts, reserve_account, set_account, forget_account, append,
        events_after, add_checkpoint, checkpoints, get, set, unset;

    std::optional<std::string> value(std::string_view key) {
        auto rows = get.run(key);
        return rows.next() ? std::optional(rows.text(0)) : std::nullopt;
    }
};

} // namespace jit
