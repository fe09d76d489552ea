// SPDX-License-Identifier: MIT
// An account that exists only while a grant lives, as nss-systemd reads it (systemd's USER_RECORD and
// GROUP_RECORD):
//
//   /run/userdb/NAME.user     {"io.jitsudo":{"grant":"7f3a","until":UTC_MS,"boot":BOOT_MS},"userName":"NAME",
//                              "uid":UID,"gid":UID,"homeDirectory":"/home/NAME","shell":"/bin/bash"}
//   /run/userdb/UID.user      → NAME.user
//   /run/userdb/NAME.group, UID.group: its own group, of the same number
//
// One that is over is renamed to NAME.jit-over, which nss-systemd doesn't read, and removed when nothing of
// it is left: so whoever comes after a crash knows what to look for.
//
// MUST, besides those of userdb.h: it says all that ending it needs. Nobody is asked then.
#pragma once

#include "core/clock.h"
#include "core/error.h"
#include "core/types.h"
#include "daemon/userdb.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

struct AccountRecord {
    RequestId grant;
    std::string name;
    Uid uid = no_uid;
    std::string home;
    std::string shell;
    Time until; // the deadline as a pair
    BootTime boot;
    bool operator==(const AccountRecord&) const = default;
};

[[nodiscard]] std::string record_text(const AccountRecord& record);
[[nodiscard]] std::string account_group_text(const AccountRecord& record);
// An error for anything but what record_text() writes.
[[nodiscard]] Result<AccountRecord> parse_account_record(std::string_view text);

class AccountFiles {
public:
    explicit AccountFiles(std::string directory = userdb_directory) : directory_(std::move(directory)) {}

    struct Found {
        std::string name;
        bool over = false;                    // renamed
        std::optional<AccountRecord> content; // none: with our marker, and damaged
    };
    [[nodiscard]] Result<std::vector<Found>> list() const;

    // The account is there when this returns without an error. refused: somebody else's file has a name that
    // it needs.
    [[nodiscard]] Result<void> put(const AccountRecord& record) const;
    // It is no account any more when this returns without an error; one that is gone already is none.
    [[nodiscard]] Result<void> take(const std::string& name, Uid uid) const;
    // Forgets one that was taken.
    void remove_taken(const std::string& name) const;

private:
    [[nodiscard]] std::string path(std::string_view stem, std::string_view suffix) const;
    [[nodiscard]] Result<void> put_link(Uid uid, std::string_view name, std::string_view suffix) const;
    void take_link(Uid uid, std::string_view name, std::string_view suffix) const;

    std::string directory_;
};

} // namespace jit
