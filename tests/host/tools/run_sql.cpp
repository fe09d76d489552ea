// SPDX-License-Identifier: MIT
// run_sql FILE STATEMENTS: changes a database behind jitd's back, on hosts, which have SQLite's library but
// not its shell. Linked to what both releases have: libc and libsqlite3.
#include <sqlite3.h>

#include <cstdio>

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: run_sql FILE STATEMENTS\n", stderr);
        return 2;
    }
    sqlite3* db = nullptr;
    char* message = nullptr;
    // A statement takes its turn with the ones of jitd, which may be writing at just this moment.
    const bool done = sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK &&
                      sqlite3_busy_timeout(db, 10'000) == SQLITE_OK &&
                      sqlite3_exec(db, argv[2], nullptr, nullptr, &message) == SQLITE_OK;
    if (!done)
        std::fprintf(stderr, "run_sql: %s\n", message != nullptr ? message : sqlite3_errmsg(db));
    sqlite3_free(message);
    sqlite3_close(db);
    return done ? 0 : 1;
}
