// SPDX-License-Identifier: MIT
// The login table, /run/jit/logins.db (0600 root): a small SQLite file with the grants that give logins or
// session groups now, and nothing else: no reasons, no past. jitd writes it beside and renames it over;
// pam_jit reads it, read-only and immutable: no lock, no journal, no waiting for a writer. /run is empty
// after a boot, so its boot clock is always this one.
//
// MUST:
//  1. Not being able to read it is an error, never "no grants", and never "not gated".
//  2. Each deadline is a pair, and over when either clock says so: a dead jitd and a clock set back extend
//     nothing.
#pragma once

#include "core/clock.h"
#include "core/error.h"
#include "core/types.h"

#include <string>
#include <string_view>
#include <vector>

namespace jit {

inline constexpr const char* login_table_file = "/run/jit/logins.db";
inline constexpr int login_table_version = 1;     // PRAGMA user_version
inline constexpr int login_table_id = 0x6a697431; // PRAGMA application_id: "jit1"

// Lists of names are separated by spaces, which no name has.
inline constexpr const char* login_table_schema = R"sql(
CREATE TABLE host (help TEXT NOT NULL) STRICT;
CREATE TABLE grants (
    uid      INTEGER NOT NULL,
    account  TEXT NOT NULL,
    id       TEXT NOT NULL,
    role     TEXT NOT NULL,
    services TEXT NOT NULL,
    groups   TEXT NOT NULL,
    time     INTEGER NOT NULL,
    boot     INTEGER NOT NULL,
    reach    INTEGER NOT NULL,
    PRIMARY KEY (uid, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE doors (service TEXT PRIMARY KEY, roles TEXT NOT NULL) STRICT, WITHOUT ROWID;
)sql";

// A grant of one account that lives.
struct LoginGrant {
    std::string id;
    std::string role;
    std::vector<std::string> services;
    std::vector<std::string> groups;
    Time until;
    BootTime boot_until;
    Time reach; // how far extensions could take it; the same as `until` where it can't be extended
    [[nodiscard]] bool gives_login(std::string_view service) const;
    [[nodiscard]] bool gives_group(std::string_view group) const;
};

struct LoginGrants {
    std::vector<LoginGrant> grants; // the account's, live ones only
    std::vector<std::string> roles; // those that give logins through the service
    std::string help;               // the site's
};

// What the table says of an account, by uid and by name, and of a service.
[[nodiscard]] Result<LoginGrants> read_login_table(const std::string& path, Uid uid, std::string_view account,
                                                   std::string_view service, const Now& now);

// The grants of everybody that are in it.
[[nodiscard]] Result<std::vector<std::string>> login_table_ids(const std::string& path);

} // namespace jit
