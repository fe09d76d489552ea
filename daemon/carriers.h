// SPDX-License-Identifier: MIT
// Finding and ending the processes of a person that carry a group: a membership that was taken back lives on
// in whatever was started while it held, logins and the person's service manager included.
//
// MUST, besides those of processes.h:
//  1. Any of the four uids and any of the four gids or the groups counts, of every thread: setuid children,
//     newgrp. So does whatever lives in a user namespace that the person made: with the subordinate uids that
//     it has there, their uid is none of the four.
//  2. So does what runs out of that person's login as somebody who hasn't the group by right: they took it
//  along (setuid programs, sudo -P).
//  3. A group alone is nobody's: what others carry is theirs.
#pragma once

#include "core/error.h"
#include "core/types.h"

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace jit {

// What /proc/PID/task/TID/status says of whose a thread is.
struct Credentials {
    std::set<Uid> uids; // real, effective, saved, file system's
    std::set<Gid> gids; // the same, and the supplementary ones
};
[[nodiscard]] std::optional<Credentials> parse_credentials(std::string_view status);
// Of a process or a thread, by the directory that has one of its own for it. None: there is no such one.
[[nodiscard]] std::optional<Credentials> credentials_of(int directory, std::string_view task);

struct FileId {
    dev_t device = 0;
    ino_t number = 0;
    auto operator<=>(const FileId&) const = default;
};

struct Carriers {
    Uid uid = no_uid;
    Gid gid = no_gid;
    Uid become = no_uid; // in place of a group: those that have this uid, and are that person's by another
                         // uid or by who logged in
    bool whole = false;  // in place of a group: all that has this uid, or was logged in by it
    std::set<FileId> programs{}; // in place of a group: what runs from these files
    bool anybodys = false;       // with a group: all that runs out of a login, anybody's, as a stranger to it
    // Whether this uid has the group by no right of its own. Unset: neither is it root, nor has it by the
    // files (LocalGroups).
    std::function<bool(Uid)> is_stranger{};
    std::set<std::uint32_t> spared; // audit sessions that have the group by what still holds
    int killed = 0;                 // is added to
};

// Kills them all, and looks again, until two passes in a row found none. An error when it can't see, or when
// there is no end of new ones within `passes`.
[[nodiscard]] Result<void> kill_carriers(std::vector<Carriers>& all, int passes);

} // namespace jit
