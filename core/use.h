// SPDX-License-Identifier: MIT
// A use: something that runs by a grant. An elevation is one command run by jit-sudo; a login is what pam_jit
// let in or gave groups to: an ssh session, or a plain sudo or su.
//
//   running (the command runs) → exited (it ended; what it left in the background may live) → ended (nothing
//   is left)
#pragma once

#include "core/grant.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace jit {

// The command of an elevation, as it was asked for.
struct Command {
    std::string path;
    std::vector<std::string> arguments; // bytes, argv[1..]
    bool operator==(const Command&) const = default;
};

// What a login needs of live grants.
struct LoginNeeds {
    std::string service;             // PAM's
    bool gated = false;              // a grant that gives the service
    std::vector<std::string> groups; // and for each of these, one that gives it
    std::string cgroup;              // where it registered: its line of /proc/PID/cgroup
};

struct Use {
    std::string id;  // names an elevation's cgroup
    RequestId grant; // the one that it began under
    Party by;
    std::string run_as;            // an account
    std::optional<Uid> run_as_uid; // of an elevation
    std::optional<Gid> run_as_gid; // of an elevation; for the event only
    std::string group;             // with -g, else empty
    // Of an elevation. None where it was too long to be kept: then only the grant that it began under carries
    // it.
    std::optional<Command> command;
    std::optional<LoginNeeds> login; // none: an elevation
    std::string cwd;
    std::string tty;
    std::string reason;                      // jit-sudo -r; for the event only
    std::vector<std::string> variables = {}; // names of those handed in, whose values may be secret; likewise
    std::optional<Uid> login_uid;         // the audit login uid that it was started from; for the event only
    std::uint32_t pid = 0;                // of the command, when it began
    std::optional<std::uint32_t> session; // its audit session; none where the kernel keeps none
    std::string boot_id;                  // the boot that pid and session are of
    Time started;
    std::optional<Time> exited;         // the command or login itself was over, whatever it left behind
    std::optional<std::int32_t> status; // as waitpid(2) gives it; none where jit-sudo didn't tell
    std::optional<Time> ended;
    std::set<RequestId> chains = {}; // of the grants that have carried it
};

} // namespace jit
