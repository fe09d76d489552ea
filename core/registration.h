// SPDX-License-Identifier: MIT
// What pam_jit leaves for jitd in /run/jit/uses (0700 root): a file for each login that lives by a grant,
// named by its audit session, and one for each refusal. Each is one frame (core/frame.h), linked into its
// place whole.
//
// MUST:
//  1. A file is never seen half-written, and never replaces another.
//  2. Anything that isn't just so is an error: what can't be read isn't guessed at.
#pragma once

#include "core/clock.h"
#include "core/types.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

inline constexpr const char* uses_directory = "/run/jit/uses";
inline constexpr std::size_t largest_registration = 64 * 1024;
inline constexpr int refusals_kept_of_one_uid = 8; // until jitd has read them

// A login, or a program such as sudo, that was let in by a grant or carries groups of one.
struct RegisteredUse {
    std::string service;             // PAM's, without the "-l" of su and the "-i" of sudo
    std::string account;             // the one judged: who logs in, or who calls sudo
    Uid uid = no_uid;                // and its uid
    std::string target;              // PAM_USER: the same for a login, as whom it runs for su and sudo
    bool gated = false;              // it needs a grant that gives the service
    std::string grant;               // the one it goes by; where it isn't gated, the first of its groups
    std::vector<std::string> groups; // session groups, by name
    Time until;                      // the earliest of its grants' ends, as it was then
    BootTime boot_until;             //
    std::uint32_t pid = 0;           // of the program that opened the session
    std::uint32_t session = 0;       // its audit session
    std::optional<Uid> login_uid;    // its audit login uid
    std::string cgroup;              // of that process when it registered: its line of /proc/self/cgroup
    std::string tty;                 // PAM_TTY
    std::string remote;              // PAM_RHOST
};

// Somebody who was refused, or would have been where the gate only looks.
struct RegisteredRefusal {
    std::string service;
    std::string account; // as PAM has it: any bytes
    Uid uid = no_uid;    // no_uid: there is no such account
    std::string target;
    std::string mode; // "enforce": it was refused; else it was let in all the same
    std::string why;
    std::string tty;
    std::string remote;
};

[[nodiscard]] std::string to_frame(const RegisteredUse& use);
[[nodiscard]] std::string to_frame(const RegisteredRefusal& refusal);

// `file`: all of a file's bytes. None: not that kind, or malformed.
[[nodiscard]] std::optional<RegisteredUse> parse_registered_use(std::string_view file);
[[nodiscard]] std::optional<RegisteredRefusal> parse_registered_refusal(std::string_view file);

// The names of the files. A use's is its audit session in decimal; none for any other name.
[[nodiscard]] std::string use_file_name(std::uint32_t session);
[[nodiscard]] std::optional<std::uint32_t> session_of_use_file(std::string_view name);
[[nodiscard]] std::string refusal_file_name(Uid uid, int slot);
[[nodiscard]] bool is_refusal_file(std::string_view name);

// Puts a file into its place: false with errno where it can't; EEXIST where there is one.
[[nodiscard]] bool put_file(const std::string& directory, const std::string& name, std::string_view content);
// All of a regular file of ours; none (errno says why) where it isn't one, or is longer than the largest.
[[nodiscard]] std::optional<std::string> get_file(const std::string& directory, const std::string& name);

} // namespace jit
