// SPDX-License-Identifier: MIT
#include "core/login_table.h"

#include "core/db.h"
#include "core/text.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <utility>

namespace jit {
namespace {

constexpr off_t largest = 256 * 1024 * 1024;

std::vector<std::string> names_in(std::string_view list, bool (*is_name)(std::string_view)) {
    std::vector<std::string> names;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(' '), list.size());
        const std::string_view name = list.substr(0, end);
        if (!is_name(name)) {
            throw DbError(SQLITE_CORRUPT, "a name that can't be one");
        }
        names.emplace_back(name);
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return names;
}

std::int64_t pragma(Database& db, const char* sql) {
    Statement statement = db.prepare(sql);
    auto rows = statement.run();
    return rows.next() ? rows.integer(0) : -1;
}

// Throws where it isn't whole, or not ours.
void check_whole(Database& db, off_t size) {
    // SQLite takes what is missing of the last page for zeros.
    if (pragma(db, "PRAGMA page_count") * pragma(db, "PRAGMA page_size") != size) {
        throw DbError(SQLITE_CORRUPT, "part of it is missing");
    }
    if (pragma(db, "PRAGMA application_id") != login_table_id ||
        pragma(db, "PRAGMA user_version") != login_table_version) {
        throw DbError(SQLITE_MISMATCH, "another version of jit-sudo wrote it");
    }
}

LoginGrants read_open(Database& db, Uid uid, std::string_view account, std::string_view service,
                      const Now& now) {
    LoginGrants table;
    Statement host = db.prepare("SELECT help FROM host");
    if (auto rows = host.run(); rows.next()) {
        table.help = rows.text(0);
    } else {
        throw DbError(SQLITE_CORRUPT, "something is missing");
    }
    Statement grants = db.prepare("SELECT id, role, services, groups, time, boot, reach FROM grants "
                                  "WHERE uid = ? AND account = ? ORDER BY time");
    auto rows = grants.run(std::int64_t{number(uid)}, account);
    while (rows.next()) {
        LoginGrant grant{.id = rows.text(0),
                         .role = rows.text(1),
                         .services = names_in(rows.text(2), is_account_name),
                         .groups = names_in(rows.text(3), is_account_name),
                         .until = Time(Millis(rows.integer(4))),
                         .boot_until = BootTime(Millis(rows.integer(5))),
                         .reach = Time(Millis(rows.integer(6)))};
        if (!is_request_id(grant.id) || !is_policy_name(grant.role) || grant.reach < grant.until) {
            throw DbError(SQLITE_CORRUPT, "a grant that can't be one");
        }
        if (now.time < grant.until && now.boot < grant.boot_until) {
            table.grants.push_back(std::move(grant));
        }
    }
    Statement doors = db.prepare("SELECT roles FROM doors WHERE service = ?");
    if (auto roles = doors.run(service); roles.next()) {
        table.roles = names_in(roles.text(0), is_policy_name);
    }
    return table;
}

} // namespace

bool LoginGrant::gives_login(std::string_view service) const {
    return std::ranges::find(services, service) != services.end();
}

bool LoginGrant::gives_group(std::string_view group) const {
    return std::ranges::find(groups, group) != groups.end();
}

namespace {

// Calls `read` with the table, opened and whole.
auto with_table(const std::string& path, auto read) -> Result<decltype(read(std::declval<Database&>()))> {
    struct stat status{};
    if (lstat(path.c_str(), &status) != 0) {
        return fail(Errc::unavailable, path + ": " + std::strerror(errno));
    }
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 0077) != 0 ||
        status.st_size > largest) {
        return fail(Errc::unavailable, path + ": not a file of root's alone");
    }
    try {
        Database db(path, Database::Mode::immutable);
        check_whole(db, status.st_size);
        return read(db);
    } catch (const DbError& error) {
        return fail(Errc::unavailable, path + ": " + error.what());
    }
}

} // namespace

Result<LoginGrants> read_login_table(const std::string& path, Uid uid, std::string_view account,
                                     std::string_view service, const Now& now) {
    return with_table(path, [&](Database& db) { return read_open(db, uid, account, service, now); });
}

Result<std::vector<std::string>> login_table_ids(const std::string& path) {
    return with_table(path, [](Database& db) {
        std::vector<std::string> ids;
        Statement grants = db.prepare("SELECT id FROM grants ORDER BY id");
        for (auto rows = grants.run(); rows.next();) {
            ids.push_back(rows.text(0));
        }
        return ids;
    });
}

} // namespace jit
