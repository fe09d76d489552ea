// SPDX-License-Identifier: MIT
#include "core/store.h"

#include "core/record.h"
#include "core/schema.h"
#include "core/text.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <iterator>

#include <sys/stat.h>

namespace jit {
namespace {

constexpr std::string_view columns = "id, state, cause, role, scope, stages, person, account, uid, "
                                     "requester, requester_account, requester_uid, "
                                     "login_person, reason, ticket, duration, filed, answer_by, not_before, "
                                     "not_after, boot_id, boot_deadline, ended, "
                                     "ended_by, ended_reason, extends, chain";

// A row that our own checks would never have written: the file was damaged or tampered with.
[[noreturn]] void damaged(const std::string& what) {
    throw DbError(SQLITE_CORRUPT, "damaged: " + what);
}

std::int64_t count_of(Time time) {
    return time.time_since_epoch().count();
}
Time time_of(std::int64_t count) {
    return Time(Millis(count));
}

std::optional<std::int64_t> count_of(const std::optional<Time>& time) {
    return time ? std::optional(count_of(*time)) : std::nullopt;
}

std::optional<Time> optional_time(const Statement::Rows& rows, int column) {
    return rows.is_null(column) ? std::nullopt : std::optional(time_of(rows.integer(column)));
}

Uid uid_of(std::int64_t value) {
    if (value < 0 || value >= number(no_uid)) {
        damaged("a uid out of range");
    }
    return Uid{static_cast<std::uint32_t>(value)};
}

std::string select(std::string_view rest) {
    return fmt::format("SELECT {} FROM requests {}", columns, rest);
}

Request read_request(const Statement::Rows& rows) {
    Request request;
    int column = 0;
    request.id = rows.text(column++);
    const auto state = state_named(rows.text(column++));
    const std::string cause = rows.text(column++);
    if (!cause.empty()) {
        request.cause = cause_named(cause);
    }
    if (!is_request_id(request.id) || !state || (!cause.empty() && !request.cause)) {
        damaged("request " + escape(request.id));
    }
    request.state = *state;
    request.role = rows.text(column++);
    const auto scope = scope_from_json(rows.text(column++));
    const auto stages = stages_from_json(rows.text(column++));
    if (!scope || !stages) {
        damaged("scope or stages of request " + request.id);
    }
    request.scope = *scope;
    request.stages = *stages;
    request.beneficiary.person = rows.text(column++);
    request.beneficiary.account = rows.text(column++);
    request.beneficiary.uid = uid_of(rows.integer(column++));
    request.requester.person = rows.text(column++);
    request.requester.account = rows.text(column++);
    request.requester.uid = uid_of(rows.integer(column++));
    request.login_person = rows.text(column++);
    request.reason = rows.text(column++);
    request.ticket = rows.text(column++);
    request.duration = Millis(rows.integer(column++));
    request.filed = time_of(rows.integer(column++));
    request.answer_by = time_of(rows.integer(column++));
    request.not_before = optional_time(rows, column++);
    const auto not_after = optional_time(rows, column++);
    const std::string boot_id = rows.text(column++);
    const std::int64_t boot_deadline = rows.integer(column++);
    if (not_after) {
        request.not_after =
            Deadline{.time = *not_after, .boot = BootTime(Millis(boot_deadline)), .boot_id = boot_id};
    }
    request.ended = optional_time(rows, column++);
    request.ended_by = rows.text(column++);
    request.ended_reason = rows.text(column++);
    request.extends = rows.text(column++);
    request.chain = rows.text(column++);
    return request;
}

} // namespace

struct Store::Statements {
    explicit Statements(const Database& db)
        : find(db.prepare(select("WHERE id = ?"))),
          pending(db.prepare(select("WHERE state = 'pending' ORDER BY filed"))),
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
          exists(db.prepare("SELECT 1 FROM requests WHERE id = ?")),
          insert(db.prepare(
              fmt::format("INSERT INTO requests ({}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
                          "?,?,?,?,?)",
                          columns))),
          update(db.prepare("UPDATE requests SET state=?, cause=?, not_before=?, not_after=?, boot_id=?, "
                            "boot_deadline=?, ended=?, ended_by=?, ended_reason=? WHERE id=?")),
          answers(db.prepare("SELECT person, account, uid, approves, stages, reason, at FROM answers "
                             "WHERE request = ? ORDER BY at, person")),
          add_answer(
              db.prepare("INSERT INTO answers (request, person, account, uid, approves, stages, reason, at) "
                         "VALUES (?,?,?,?,?,?,?,?)")),
          insert_use(db.prepare(
              "INSERT INTO uses (id, grant_, person, account, uid, run_as, group_, command, cwd, tty, "
              "pid, session, boot_id, started) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)")),
          update_use(db.prepare("UPDATE uses SET exited=?, status=?, ended=? WHERE id=?")),
          live_uses(db.prepare("SELECT * FROM uses WHERE ended IS NULL ORDER BY started")),
          find_use(db.prepare("SELECT * FROM uses WHERE id = ?")),
          is_elevation(db.prepare("SELECT 1 FROM uses WHERE session = ? AND boot_id = ? LIMIT 1")),
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
        exists, insert, update, answers, add_answer, insert_use, update_use, live_uses, find_use,
        is_elevation, append, events_after, add_checkpoint, checkpoints, get, set, unset;

    std::optional<std::string> value(std::string_view key) {
        auto rows = get.run(key);
        return rows.next() ? std::optional(rows.text(0)) : std::nullopt;
    }
};

Result<std::unique_ptr<Store>> Store::open(const std::string& path, Mode mode) {
    if (sodium_init() < 0) {
        return fail(Errc::internal, "libsodium does not start");
    }
    try {
        return std::unique_ptr<Store>(new Store(path, mode));
    } catch (const DbError& error) {
        return fail(Errc::unavailable, fmt::format("{}: {}", path, describe(error)));
    }
}

Store::Store(const std::string& path, Mode mode)
    : db_(path, mode == Mode::owner ? Database::Mode::read_write_create : Database::Mode::read_only) {
    if (mode == Mode::owner) {
        db_.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA "
                    "cache_size=-1024");
        migrate();
    } else {
        auto rows_of = db_.prepare("PRAGMA user_version");
        auto rows = rows_of.run();
        if (!rows.next() || rows.integer(0) != static_cast<std::int64_t>(schema_steps.size())) {
            damaged("not a jit database of this version");
        }
    }
    sql_ = std::make_unique<Statements>(db_);
    load_head();
}

Store::~Store() = default;

void Store::migrate() {
    const auto newest_version = static_cast<std::int64_t>(schema_steps.size());
    Transaction transaction(db_);
    std::int64_t version = 0;
    {
        auto statement = db_.prepare("PRAGMA user_version");
        auto rows = statement.run();
        version = rows.next() ? rows.integer(0) : 0;
    }
    if (version < 0 || version > newest_version) {
        throw DbError(SQLITE_MISMATCH,
                      fmt::format("it was written by a newer jitd (schema {}, this one knows {}); "
                                  "install that version again",
                                  version, newest_version));
    }
    for (auto step = static_cast<std::size_t>(version); step < schema_steps.size(); ++step) {
        db_.execute(schema_steps[step]);
    }
    db_.execute(fmt::format("PRAGMA user_version={}", newest_version).c_str());
    transaction.commit();
}

void Store::load_head() {
    const auto text = sql_->value("audit_head");
    if (!text) {
        return; // a new file
    }
    const auto json = parse_json(*text);
    const auto bytes = json && json->is_object() && json->contains("hash") && (*json)["hash"].is_string()
                           ? from_hex((*json)["hash"].get<std::string>())
                           : std::nullopt;
    const auto hash = bytes ? hash_from_bytes(*bytes) : std::nullopt;
    if (!hash || !json->contains("seq") || !(*json)["seq"].is_number_integer()) {
        damaged("the head of the audit chain");
    }
    head_ = {.seq = (*json)["seq"].get<std::int64_t>(), .hash = *hash};
}

std::string Store::describe(const DbError& error) {
    switch (error.code() & 0xff) {
    case SQLITE_FULL:
        return "the database can't be written: the disk is full";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        return fmt::format("the database can't be read or written ({}); is /var/lib/jit there, and writable?",
                           error.what());
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return fmt::format("the database is damaged ({}); restore /var/lib/jit/jit.db from a backup",
                           error.what());
    default:
        return fmt::format("the database says: {}", error.what());
    }
}

std::vector<Request> Store::read_requests(Statement::Rows rows) {
    std::vector<Request> requests;
    while (rows.next()) {
        requests.push_back(read_request(rows));
    }
    for (Request& request : requests) {
        auto answers = sql_->answers.run(request.id);
        while (answers.next()) {
            const auto stages = numbers_from_json(answers.text(4));
            if (!stages) {
                damaged("an answer to request " + request.id);
            }
            request.answers.push_back({.by = {.person = answers.text(0),
                                              .account = answers.text(1),
                                              .uid = uid_of(answers.integer(2))},
                                       .approves = answers.integer(3) == 1,
                                       .stages = *stages,
                                       .reason = answers.text(5),
                                       .at = time_of(answers.integer(6))});
        }
    }
    return requests;
}

std::optional<Request> Store::find(const RequestId& id) {
    auto found = read_requests(sql_->find.run(id));
    return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

std::vector<Request> Store::pending() {
    return read_requests(sql_->pending.run());
}
std::vector<Request> Store::active() {
    return read_requests(sql_->active.run());
}
std::vector<Request> Store::active_of(Uid uid) {
    return read_requests(sql_->active_of.run(std::int64_t{number(uid)}));
}

std::vector<Uid> Store::active_uids() {
    std::vector<Uid> uids;
    auto rows = sql_->active_uids.run();
    while (rows.next()) {
        uids.push_back(uid_of(rows.integer(0)));
    }
    return uids;
}

std::vector<Request> Store::due(const Now& now, const std::string& boot_id) {
    const std::int64_t time = count_of(now.time);
    auto requests = read_requests(sql_->due_pending.run(time));
    std::ranges::move(read_requests(sql_->due_by_time.run(time)), std::back_inserter(requests));
    std::ranges::move(read_requests(sql_->due_by_boot.run(
                          boot_id, std::int64_t{now.boot.time_since_epoch().count()}, time)),
                      std::back_inserter(requests));
    return requests;
}

std::vector<Request> Store::newest(std::int64_t limit) {
    return read_requests(sql_->newest.run(limit));
}
std::vector<Request> Store::chain_of(const RequestId& chain) {
    return read_requests(sql_->chain_of.run(chain));
}

Time Store::chain_start(const RequestId& chain) {
    auto rows = sql_->chain_start.run(chain);
    if (!rows.next() || rows.is_null(0)) {
        damaged("the chain of request " + chain);
    }
    return time_of(rows.integer(0));
}

std::int64_t Store::count(State state) {
    auto rows = sql_->count.run(name_of(state));
    return rows.next() ? rows.integer(0) : 0;
}

std::int64_t Store::count_pending_of(std::string_view requester_person) {
    auto rows = sql_->count_pending_of.run(requester_person);
    return rows.next() ? rows.integer(0) : 0;
}

Store::NextChange Store::next_change(const std::string& boot_id) {
    NextChange next;
    for (Statement* statement : {&sql_->next_timeout, &sql_->next_end}) {
        auto rows = statement->run();
        if (rows.next() && !rows.is_null(0)) {
            const Time time = time_of(rows.integer(0));
            next.time = next.time ? std::min(*next.time, time) : time;
        }
    }
    auto rows = sql_->next_boot_end.run(boot_id);
    if (rows.next() && !rows.is_null(0)) {
        next.boot = BootTime(Millis(rows.integer(0)));
    }
    return next;
}

RequestId Store::new_id() {
    // Ids are typed by people, so they are as short as leaves 64 times more of them than are taken.
    std::int64_t taken = 0;
    {
        auto rows = sql_->count_all.run();
        taken = rows.next() ? rows.integer(0) : 0;
    }
    std::size_t digits = 4;
    for (std::int64_t room = 1 << 16; room / 64 < taken && digits < 16; room *= 16) {
        ++digits;
    }
    for (;;) {
        std::string random(8, '\0');
        randombytes_buf(random.data(), random.size());
        RequestId id = to_hex(random).substr(0, digits);
        auto rows = sql_->exists.run(id);
        if (!rows.next()) {
            return id;
        }
    }
}

namespace {

struct DeadlineColumns {
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

std::optional<std::string> cause_column(const Request& request) {
    return request.cause ? std::optional(std::string(name_of(*request.cause))) : std::nullopt;
}

} // namespace

void Store::insert(const Request& r) {
    const DeadlineColumns end(r.not_after);
    sql_->insert.execute(r.id, name_of(r.state), cause_column(r), r.role, to_line(to_json(r.scope)),
                         to_line(to_json(r.stages)), r.beneficiary.person, r.beneficiary.account,
                         std::int64_t{number(r.beneficiary.uid)}, r.requester.person, r.requester.account,
                         std::int64_t{number(r.requester.uid)}, r.login_person, r.reason, r.ticket,
                         std::int64_t{r.duration.count()}, count_of(r.filed), count_of(r.answer_by),
                         count_of(r.not_before), end.time, end.boot_id, end.boot, count_of(r.ended),
                         r.ended_by, r.ended_reason, r.extends, r.chain);
    for (const Answer& answer : r.answers) {
        add_answer(r.id, answer);
    }
}

void Store::update(const Request& r) {
    const DeadlineColumns end(r.not_after);
    sql_->update.execute(name_of(r.state), cause_column(r), count_of(r.not_before), end.time, end.boot_id,
                         end.boot, count_of(r.ended), r.ended_by, r.ended_reason, r.id);
}

void Store::add_answer(const RequestId& id, const Answer& answer) {
    sql_->add_answer.execute(id, answer.by.person, answer.by.account, std::int64_t{number(answer.by.uid)},
                             answer.approves, to_line(Json(answer.stages)), answer.reason,
                             count_of(answer.at));
}

void Store::insert(const Use& u) {
    std::optional<std::string> command;
    if (u.command) {
        command = u.command->path + '\0';
        for (const std::string& argument : u.command->arguments) {
            *command += argument + '\0';
        }
    }
    std::optional<std::span<const std::uint8_t>> blob;
    if (command) {
        blob = std::span(reinterpret_cast<const std::uint8_t*>(command->data()), command->size());
    }
    sql_->insert_use.execute(u.id, u.grant, u.by.person, u.by.account, std::int64_t{number(u.by.uid)},
                             u.run_as, u.group, blob, u.cwd, u.tty, std::int64_t{u.pid},
                             u.session ? std::optional(std::int64_t{*u.session}) : std::nullopt, u.boot_id,
                             count_of(u.started));
}

void Store::update(const Use& u) {
    sql_->update_use.execute(count_of(u.exited),
                             u.status ? std::optional(std::int64_t{*u.status}) : std::nullopt,
                             count_of(u.ended), u.id);
}

std::vector<Use> Store::read_uses(Statement::Rows rows) {
    std::vector<Use> uses;
    while (rows.next()) {
        Use use;
        use.id = rows.text(0);
        use.grant = rows.text(1);
        use.by = {.person = rows.text(2), .account = rows.text(3), .uid = uid_of(rows.integer(4))};
        use.run_as = rows.text(5);
        use.group = rows.text(6);
        if (!rows.is_null(7)) {
            const std::string bytes = rows.blob(7);
            std::vector<std::string> words;
            for (std::size_t begin = 0, end = 0; (end = bytes.find('\0', begin)) != std::string::npos;
                 begin = end + 1) {
                words.push_back(bytes.substr(begin, end - begin));
            }
            if (words.empty() || bytes.back() != '\0') {
                damaged("the command of use " + escape(use.id));
            }
            use.command = Command{.path = words.front(), .arguments = {words.begin() + 1, words.end()}};
        }
        use.cwd = rows.text(8);
        use.tty = rows.text(9);
        use.pid = static_cast<std::uint32_t>(rows.integer(10));
        if (!rows.is_null(11)) {
            use.session = static_cast<std::uint32_t>(rows.integer(11));
        }
        use.boot_id = rows.text(12);
        use.started = time_of(rows.integer(13));
        use.exited = optional_time(rows, 14);
        if (!rows.is_null(15)) {
            use.status = static_cast<std::int32_t>(rows.integer(15));
        }
        use.ended = optional_time(rows, 16);
        uses.push_back(std::move(use));
    }
    return uses;
}

std::vector<Use> Store::live_uses() {
    return read_uses(sql_->live_uses.run());
}

std::optional<Use> Store::find_use(const std::string& id) {
    auto found = read_uses(sql_->find_use.run(id));
    return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

bool Store::is_elevation_session(std::uint32_t session, const std::string& boot_id) {
    auto rows = sql_->is_elevation.run(std::int64_t{session}, boot_id);
    return rows.next();
}

void Store::append(std::string_view kind, Time at, const Json& fields) {
    Json body{{"seq", head_.seq + 1}, {"at", count_of(at)}, {"kind", kind}};
    body.update(fields);
    const std::string line = to_line(body);
    const AuditHead next{.seq = head_.seq + 1, .hash = chain_hash(head_.hash, line)};
    sql_->append.execute(next.seq, line, std::span(next.hash));
    sql_->set.execute("audit_head", to_line(Json{{"seq", next.seq}, {"hash", to_hex(next.hash)}}));
    head_ = next;
    fresh_.push_back({.seq = next.seq, .body = line, .hash = next.hash});
}

std::optional<std::string> Store::head_problem() {
    const auto newest_events = events_after(head_.seq - 1, 2);
    if (head_.seq == 0 ? newest_events.empty()
                       : newest_events.size() == 1 && newest_events.front().hash == head_.hash) {
        return std::nullopt;
    }
    return fmt::format("the newest event should be number {} with hash {}, and is not", head_.seq,
                       to_hex(head_.hash));
}

std::vector<Event> Store::take_committed() {
    committed_ = 0;
    return std::exchange(fresh_, {});
}

std::vector<Event> Store::events_after(std::int64_t seq, std::int64_t limit) {
    std::vector<Event> events;
    auto rows = sql_->events_after.run(seq, limit);
    while (rows.next()) {
        // A hash of another size is shown as all zeros: verification reports the event, and reading goes on.
        events.push_back({.seq = rows.integer(0),
                          .body = rows.text(1),
                          .hash = hash_from_bytes(rows.blob(2)).value_or(Hash{})});
    }
    return events;
}

void Store::add_checkpoint(const Checkpoint& checkpoint) {
    const std::span signature(reinterpret_cast<const std::uint8_t*>(checkpoint.signature.data()),
                              checkpoint.signature.size());
    sql_->add_checkpoint.execute(checkpoint.seq, count_of(checkpoint.at), std::span(checkpoint.hash),
                                 signature);
}

std::vector<Checkpoint> Store::checkpoints() {
    std::vector<Checkpoint> checkpoints;
    auto rows = sql_->checkpoints.run();
    while (rows.next()) {
        checkpoints.push_back({.seq = rows.integer(0),
                               .at = time_of(rows.integer(1)),
                               .hash = hash_from_bytes(rows.blob(2)).value_or(Hash{}),
                               .signature = rows.blob(3)});
    }
    return checkpoints;
}

std::optional<ClockMark> Store::clock_mark() {
    const auto text = sql_->value("clock_mark");
    if (!text) {
        return std::nullopt;
    }
    auto mark = clock_mark_from_json(*text);
    if (!mark) {
        damaged("the clock mark");
    }
    return *mark;
}

void Store::set_clock_mark(const std::optional<ClockMark>& mark) {
    if (mark) {
        sql_->set.execute("clock_mark", to_line(to_json(*mark)));
    } else {
        sql_->unset.execute("clock_mark");
    }
}

std::optional<std::string> Store::policy_sources() {
    return sql_->value("policy");
}
void Store::set_policy_sources(std::string_view json) {
    sql_->set.execute("policy", json);
}

} // namespace jit
