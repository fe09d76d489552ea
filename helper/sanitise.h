// SPDX-License-Identifier: MIT
// Makes this process what it would be if nobody had prepared it: a setuid program inherits descriptors,
// environment, signals, limits and timers from somebody who may want it to misbehave.
//
// MUST:
//  1. First of all: descriptors 0 to 2 are open, none above them is (a file that we open must never become
//  anybody's
//     standard error).
//  2. The environment is cleared before anything in libc reads it: what the loader leaves in a setuid program
//  still
//     holds TZ, LC_*, DBUS_* and shell functions. What is kept is kept by name and by a list of harmless
//     characters.
//  3. No signal disposition, mask or timer of the caller holds; no limit of the caller stops us halfway
//     (CVE-2026-35535: RLIMIT_NPROC), and no core of ours is ever written (CVE-2022-4415).
//  4. What PAM modules log carries our name, whatever argv[0] is.
//  5. Nothing here is undone but for the command, or for good and without privileges.
#pragma once

#include "core/error.h"
#include "core/types.h"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/types.h>
#include <vector>

namespace jit {

inline constexpr const char* secure_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

using Environment = std::map<std::string, std::string>;
using Limits = std::array<rlimit, RLIM_NLIMITS>; // by resource

// What is known of who called, and what the command gets back of theirs.
struct Caller {
    Uid uid = no_uid;
    Gid gid = no_gid;
    std::vector<Gid> groups;
    std::string cwd;   // empty: it has no name here (deleted, or outside of our root)
    std::string shell; // what SHELL says, an absolute path; empty: nothing
    mode_t umask = 0;
    Environment environment;           // what may be kept
    std::vector<std::string> original; // the whole of it, for programs without our rights
    Limits limits{};                   // before they were lifted
    std::vector<int> ignored_signals;  // as by nohup(1); not those by which a command waits, or is ended
};

// Where the process is, once it has changed there. Empty: it has no name here.
[[nodiscard]] std::string working_directory();

// Ends the process where it can't.
[[nodiscard]] Caller sanitise();

// What the caller's own environment says: the first of that name, as they wrote it.
[[nodiscard]] std::optional<std::string_view> original_value(const Caller& caller, std::string_view name);

// Whether the caller ignores that signal, and is to find it so in the command.
[[nodiscard]] bool is_ignored(const Caller& caller, int number);

// A harmless value of a harmless name: terminal, language, time zone.
[[nodiscard]] bool may_be_kept(std::string_view name, std::string_view value);
// What of an environment may be kept: harmless values of harmless names, the first of each.
[[nodiscard]] Environment kept_environment(const char* const* environment);

// Says why this process isn't root, if it isn't.
[[nodiscard]] Result<void> check_setuid_root();

// For a child: as the caller had it. `limits` are then set with `set_limits`.
void restore_signals(const Caller& caller);

[[nodiscard]] Limits current_limits();

// What the command gets: the caller's, but where something (pam_limits) has changed them since `lifted`. No
// core file unless it asks for one.
[[nodiscard]] Limits command_limits(const Caller& caller, const Limits& lifted, const Limits& now);
[[nodiscard]] bool set_limits(const Limits& limits);

} // namespace jit
