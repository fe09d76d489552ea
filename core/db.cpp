// SPDX-License-Identifier: MIT
#include "core/db.h"

namespace jit {
namespace {

[[noreturn]] void raise(sqlite3* db, std::string_view what) {
    std::string message(what);
    message += ": ";
    message += db != nullptr ? sqlite3_errmsg(db) : "out of memory";
    throw DbError(db != nullptr ? sqlite3_extended_errcode(db) : SQLITE_NOMEM, std::move(message));
}

int flags_of(Database::Mode mode) {
    constexpr int all = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW;
    switch (mode) {
    case Database::Mode::read_write_create:
        return all | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    case Database::Mode::memory:
        return all | SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY;
    case Database::Mode::immutable:
        return all | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
    case Database::Mode::read_only:
        break;
    }
    return all | SQLITE_OPEN_READONLY;
}

// The path as a URI, with all that has a meaning there written as %XX.
std::string immutable_uri(std::string_view path) {
    std::string uri = "file:";
    for (const char letter : path) {
        constexpr std::string_view digits = "0123456789ABCDEF";
        const auto byte = static_cast<unsigned char>(letter);
        if (letter == '%' || letter == '?' || letter == '#') {
            uri += '%';
            uri += digits[byte >> 4U];
            uri += digits[byte & 15U];
        } else {
            uri += letter;
        }
    }
    return uri + "?immutable=1";
}

} // namespace

Statement::Statement(sqlite3* db, std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                           &statement, nullptr) != SQLITE_OK) {
        raise(db, "cannot prepare a statement");
    }
    statement_.reset(statement);
}

void Statement::check(int result) const {
    if (result != SQLITE_OK) {
        raise(sqlite3_db_handle(statement_.get()), "cannot bind a value");
    }
}

void Statement::begin() {
    sqlite3_reset(statement_.get()); // its result is the last execution's, already reported
    sqlite3_clear_bindings(statement_.get());
}

void Statement::bind(int index, std::int64_t value) {
    check(sqlite3_bind_int64(statement_.get(), index, value));
}

void Statement::bind(int index, std::string_view value) {
    check(sqlite3_bind_text64(statement_.get(), index, value.data() != nullptr ? value.data() : "",
                              value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::bind(int index, std::span<const std::uint8_t> blob) {
    check(sqlite3_bind_blob64(statement_.get(), index, blob.data(), blob.size(), SQLITE_TRANSIENT));
}

void Statement::bind(int index, std::nullptr_t) {
    check(sqlite3_bind_null(statement_.get(), index));
}

Statement::Rows::~Rows() {
    sqlite3_reset(statement_);
}

bool Statement::Rows::next() {
    const int result = sqlite3_step(statement_);
    if (result == SQLITE_ROW) {
        return true;
    }
    if (result != SQLITE_DONE) {
        raise(sqlite3_db_handle(statement_), "cannot run a statement");
    }
    return false;
}

std::int64_t Statement::Rows::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

std::string Statement::Rows::text(int column) const {
    const auto* bytes = sqlite3_column_text(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return bytes != nullptr ? std::string(reinterpret_cast<const char*>(bytes), size) : std::string();
}

std::string Statement::Rows::blob(int column) const {
    const auto* bytes = sqlite3_column_blob(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return bytes != nullptr ? std::string(static_cast<const char*>(bytes), size) : std::string();
}

bool Statement::Rows::is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Database::Database(const std::string& path, Mode mode) {
    const std::string name = mode == Mode::immutable ? immutable_uri(path)
                             : mode == Mode::memory  ? ":memory:"
                                                     : path;
    sqlite3* db = nullptr;
    const int result = sqlite3_open_v2(name.c_str(), &db, flags_of(mode), nullptr);
    db_.reset(db);
    if (result != SQLITE_OK) {
        raise(db, "cannot open " + path);
    }
    // The schema is ours, but the file is data: nothing in it may call functions or grow our memory.
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    execute("PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0");
}

void Database::execute(const char* sql) {
    if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
        raise(db_.get(), "cannot run a statement");
    }
}

std::string Database::serialized() const {
    sqlite3_int64 size = 0;
    const std::unique_ptr<unsigned char, void (*)(void*)> bytes(
        sqlite3_serialize(db_.get(), "main", &size, 0), sqlite3_free);
    if (!bytes) {
        raise(nullptr, "cannot write a database down");
    }
    return {reinterpret_cast<const char*>(bytes.get()), static_cast<std::size_t>(size)};
}

Transaction::~Transaction() {
    // After a commit, or where SQLite has rolled back by itself (disk full), there is nothing to undo.
    if (db_.in_transaction()) {
        try {
            db_.execute("ROLLBACK");
        } catch (const DbError&) {
            // The connection refuses to roll back: the next BEGIN fails and says so, and nothing is
            // committed.
        }
    }
}

} // namespace jit
