// SPDX-License-Identifier: MIT
// A thin RAII layer over SQLite 3. Inside the store, failures travel as DbError and become a Result at its
// edge; no DbError leaves core/.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace jit {

class DbError : public std::exception {
public:
    DbError(int code, std::string message) : code_(code), message_(std::move(message)) {}
    [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }
    [[nodiscard]] int code() const { return code_; } // extended SQLite result code

private:
    int code_;
    std::string message_;
};

// A prepared statement, used for one execution at a time. Reset when the Rows that run it go.
class Statement {
public:
    Statement(sqlite3* db, std::string_view sql);

    // One execution. Values are bound in order from 1.
    class Rows {
    public:
        explicit Rows(sqlite3_stmt* statement) : statement_(statement) {}
        ~Rows();
        Rows(const Rows&) = delete;
        Rows& operator=(const Rows&) = delete;
        [[nodiscard]] bool next(); // false: no more rows
        [[nodiscard]] std::int64_t integer(int column) const;
        [[nodiscard]] std::string text(int column) const;
        [[nodiscard]] std::string blob(int column) const;
        [[nodiscard]] bool is_null(int column) const;

    private:
        sqlite3_stmt* statement_;
    };

    template <class... Values>
    Rows run(const Values&... values) {
        begin();
        int index = 0;
        (bind(++index, values), ...);
        return Rows(statement_.get());
    }
    // For statements without rows.
    template <class... Values>
    void execute(const Values&... values) {
        Rows rows = run(values...);
        while (rows.next()) {
        }
    }

private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };
    void begin();
    void bind(int index, std::int64_t value);
    void bind(int index, bool value) { bind(index, std::int64_t{value}); }
    void bind(int index, std::string_view value);
    void bind(int index, const std::string& value) { bind(index, std::string_view(value)); }
    void bind(int index, const char* value) { bind(index, std::string_view(value)); }
    void bind(int index, std::span<const std::uint8_t> blob);
    void bind(int index, std::nullptr_t);
    template <class T>
    void bind(int index, const std::optional<T>& value) {
        if (value) {
            bind(index, *value);
        } else {
            bind(index, nullptr);
        }
    }
    void check(int result) const;

    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
public:
    // immutable: nobody changes this file, so no lock, journal or shared memory is looked for
    // (sqlite.org/uri.html). memory: a database of its own, without a file; the path isn't used.
    enum class Mode { read_write_create, read_only, immutable, memory };
    Database(const std::string& path, Mode mode);

    // The bytes that the database would have as a file. Throws DbError where there is no memory for them.
    [[nodiscard]] std::string serialized() const;

    void execute(const char* sql);
    [[nodiscard]] Statement prepare(std::string_view sql) const { return {db_.get(), sql}; }
    [[nodiscard]] bool in_transaction() const { return sqlite3_get_autocommit(db_.get()) == 0; }

private:
    struct Close {
        void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
    };
    std::unique_ptr<sqlite3, Close> db_;
};

// Begun at construction; rolled back at destruction unless committed.
class Transaction {
public:
    explicit Transaction(Database& db) : db_(db) { db_.execute("BEGIN IMMEDIATE"); }
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit() { db_.execute("COMMIT"); }

private:
    Database& db_;
};

} // namespace jit
