// SPDX-License-Identifier: MIT
// The file itself, the audit chain, and what is kept of the clock and the policy.
#include "core/store.h"

#include "core/record.h"
#include "core/schema.h"
#include "core/store_statements.h"

#include <fmt/format.h>
#include <sodium.h>

namespace jit {

namespace {

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

} // namespace

Result<std::unique_ptr<Store>> Store::open(const std::string& path, Mode mode) {
    if (sodium_init() < 0) {
        return fail(Errc::internal, "libsodium does not start");
    }
    if (mode == Mode::owner) {
        Reserve(directory_of(path)).make_room(); // opening it may write
    }
    try {
        return std::unique_ptr<Store>(new Store(path, mode));
    } catch (const DbError& error) {
        return fail(Errc::unavailable, fmt::format("{}: {}", path, describe(error)));
    }
}

Store::Store(const std::string& path, Mode mode)
    : reserve_(directory_of(path)),
      db_(path, mode == Mode::owner ? Database::Mode::read_write_create : Database::Mode::read_only) {
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

Result<void> Store::room_to_give() const {
    if (reserve_.for_ends_only()) {
        return fail(Errc::unavailable,
                    "the disk that holds /var/lib/jit is full: what is left of it is kept for "
                    "recording ends. Root makes room, and then it goes on");
    }
    return {};
}

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

void Store::append(std::string_view kind, Time at, const Json& fields) {
    Json body{{"seq", head_.seq + 1}, {"at", count_of(at)}, {"kind", kind}};
    body.update(fields);
    const std::string line = to_line(body);
    const AuditHead next{.seq = head_.seq + 1, .hash = chain_hash(head_.hash, line)};
    sql_->append.execute(next.seq, line, std::span(next.hash));
    sql_->set.execute("audit_head", to_line(Json{{"seq", next.seq}, {"hash", to_hex(next.hash)}}));
    head_ = next;
    appended_ += static_cast<std::int64_t>(line.size());
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
