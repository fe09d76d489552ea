// SPDX-License-Identifier: MIT
// What jit-sudo (setuid root) and jitd say to each other over /run/jit/helper (SOCK_STREAM, 0600 root).
//
//   jit-sudo                                   jitd
//     Ask            real uid: SCM_CREDENTIALS →
//                                              ← Allowed, with the elevation's cgroup directory (SCM_RIGHTS);
//                                              or Refused
//     authenticates: Trying, before an answer of theirs is looked at →
//                                              ← Done; or Refused: too many were wrong
//     Failed, where nothing comes of it: they don't prove who they are, or it can't be run as the role says →
//                                              records it, and that is all
//     forks the child into the cgroup, takes a new audit session
//     Start, with the command's file (SCM_RIGHTS) where Allowed says that it is pinned →
//                                              compares its digest, records it
//                                              ← Go; or Refused
//     lets the child exec; waits
//     Deadline?  at the deadline: is there more time? →
//                                              ← Deadline
//                                              ← Ending, where it is ended before its time
//     Exited                                   →
//
// Where jitd is started anew while the command runs:
//     Resume         of which use; real uid: SCM_CREDENTIALS →
//                                              ← Deadline, as it is now; or the beginning of time: it is over
//     and on as after Go.
//
// Where no command is asked for (-v, -k, -K):
//     Ask            what: validate, forget …  →
//                                              ← Prove; or Done; or Refused
//     authenticates, where Prove says so, with Trying as above
//     Proven                                   →
//                                              ← Done
//
// MUST:
//  1. The caller's uid is the real uid that the kernel puts into SCM_CREDENTIALS of the first message.
//  jit-sudo sends
//     that before it changes any id; nothing in a message names the caller.
//  2. Nothing runs before Go: what isn't recorded isn't given.
//  3. A connection that ends before Go leaves nothing behind: jitd kills and removes the cgroup.
//  4. Both ends reject a frame that is too long, of another type than awaited, or with bytes left over.
#pragma once

#include "core/types.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

inline constexpr const char* helper_socket = "/run/jit/helper";
inline constexpr std::size_t largest_helper_frame = 4 * 1024 * 1024; // argv may reach ARG_MAX
inline constexpr std::size_t longest_helper_reason = 1000;           // bytes, as of a request

// Each differs from every other in four bits or more, as the words of an extended Hamming code do: no bit
// that flips in memory makes one answer another (CVE-2023-42465).
enum class HelperMessage : std::uint8_t {
    ask = 0xaa,
    refused = 0x55,
    allowed = 0xcc,
    start = 0x33,
    go = 0xf0,
    deadline = 0x0f,
    exited = 0x66,
    ending = 0x99,
    prove = 0x5a,
    proven = 0xa5,
    done = 0x3c,
    failed = 0xc3,
    trying = 0x96,
    resume = 0x69
};

// Whether somebody has proven who they are, in memory too: no bits in common, and what is neither is a no.
enum class Proven : std::uint32_t { no = 0x3c96a5e1, yes = 0xc3695a1e };

enum class HelperWhat : std::uint8_t {
    command = 0,
    shell = 1,       // the path is empty: the caller's own shell
    login_shell = 2, // the path is empty: the target's shell
    validate = 3,    // that the caller is who they are, and nothing else
    forget = 4,      // that it was proven in this session
    forget_all = 5   // that it was proven anywhere
};

// How a proof of who one is counts: one from before may be used, and one from now is remembered.
struct HelperProof {
    bool use = true;
    bool keep = true;
};

// "May I?" All text is bytes as they were typed; jitd checks it.
struct HelperAsk {
    HelperWhat what = HelperWhat::command;
    HelperProof proof;
    std::string run_as; // a user name, or "#" and a uid; empty: root, or with a group the caller
    std::string group;  // a group name, or empty
    std::string path;   // the command's absolute path, resolved by jit-sudo in its secure path
    std::vector<std::string> arguments; // argv[1..]
    std::string cwd;
    std::string tty;                    // "/dev/pts/3", or empty
    std::string reason;                 // what it is for, in the caller's words; or empty
    std::vector<std::string> variables; // "NAME=value" that the command is to have
};

// Of a run_as that is "#" and a number: exact decimal, no sign, no leading zero, and never the -1 that means
// "no change" to the kernel (CVE-2019-14287).
[[nodiscard]] std::optional<Uid> uid_in(std::string_view run_as);

// `message` says what was refused and why, in one line; `next` are the lines that say what to do.
struct HelperRefused {
    std::string message;
    std::vector<std::string> next;
    std::string offers; // JSON for `jitctl ask`: the roles that would allow it; empty: none
};

// "Prove who you are": `proven` where that isn't needed, or was done not long ago.
struct HelperProve {
    Proven proven = Proven::no;
    std::string caller; // the account that authenticates
};

struct HelperDeadline {
    std::int64_t time = 0; // UTC milliseconds
    std::int64_t boot = 0; // CLOCK_BOOTTIME milliseconds
};

// What the command is held to (core/confinement.h), as far as that is jit-sudo's to do. A false flag: it
// isn't held to that, and what belongs to it is empty.
struct HelperConfinement {
    bool bounds_capabilities = false;
    std::uint64_t capabilities = 0;
    bool no_new_privileges = false;
    bool bounds_write = false;
    std::vector<std::string> write;
    bool bounds_execute = false;
    std::vector<std::string> execute;
    bool pinned = false; // Start brings a descriptor of the file, which jitd compares with its digests
    std::string directory;
    std::string second_factor; // a PAM service
};

struct HelperAllowed {
    std::string use; // names it, for Resume
    std::string grant;
    std::string role;
    Proven proven = Proven::no; // yes: nothing more is wanted
    std::string caller;         // the account that authenticates
    // As whom it runs: all of it is looked up by jitd, so that jit-sudo asks no NSS.
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::vector<std::uint32_t> groups;
    std::string user;
    std::string home;
    std::string shell;
    std::string command; // its path, as it was decided about
    HelperDeadline deadline;
    std::vector<std::uint32_t> notices; // so many milliseconds before it (core/notices.h)
    HelperConfinement confinement{};
};

// `proven`: now, because Prove said no.
struct HelperProven {
    Proven proven = Proven::no;
};

struct HelperStart {
    Proven proven = Proven::no; // now, because Allowed said no
    std::uint32_t pid = 0;      // of the child, in jit-sudo's pid namespace
    std::uint32_t session = 0;  // its audit session; 4294967295 where the kernel has none
};

// "Its command still runs": after jitd was started anew.
struct HelperResume {
    std::string use;
};

// `why`: one line, "3 incorrect password attempts".
struct HelperFailed {
    std::string why;
};

// `why`: one line, "bob revoked web-ops: nginx is well again". The command is killed as soon as this is sent.
struct HelperEnding {
    std::string why;
};

struct HelperExited {
    std::int32_t status = 0; // as waitpid(2) gives it
};
// The same as an attribute of the elevation's cgroup (xattr(7); Linux 5.7 on), a decimal number: for the next
// jitd, where this one is killed before it has written down what it was told.
inline constexpr const char* exit_attribute = "user.jit.exit";

[[nodiscard]] std::string to_frame(const HelperAsk& message);
[[nodiscard]] std::string to_frame(const HelperRefused& message);
[[nodiscard]] std::string to_frame(const HelperAllowed& message);
[[nodiscard]] std::string to_frame(const HelperFailed& message);
[[nodiscard]] std::string to_frame(const HelperStart& message);
[[nodiscard]] std::string to_frame(const HelperResume& message);
[[nodiscard]] std::string to_frame(const HelperDeadline& message);
[[nodiscard]] std::string to_frame(const HelperExited& message);
[[nodiscard]] std::string to_frame(const HelperEnding& message);
[[nodiscard]] std::string to_frame(const HelperProve& message);
[[nodiscard]] std::string to_frame(const HelperProven& message);
[[nodiscard]] std::string trying_frame();
[[nodiscard]] std::string done_frame();
[[nodiscard]] std::string go_frame();
[[nodiscard]] std::string deadline_question_frame();

// `body`: a frame without its length. None: not that message, or malformed.
[[nodiscard]] std::optional<HelperMessage> helper_message_type(std::string_view body);
[[nodiscard]] std::optional<HelperAsk> parse_helper_ask(std::string_view body);
[[nodiscard]] std::optional<HelperRefused> parse_helper_refused(std::string_view body);
[[nodiscard]] std::optional<HelperAllowed> parse_helper_allowed(std::string_view body);
[[nodiscard]] std::optional<HelperFailed> parse_helper_failed(std::string_view body);
[[nodiscard]] std::optional<HelperStart> parse_helper_start(std::string_view body);
[[nodiscard]] std::optional<HelperResume> parse_helper_resume(std::string_view body);
[[nodiscard]] std::optional<HelperDeadline> parse_helper_deadline(std::string_view body);
[[nodiscard]] std::optional<HelperExited> parse_helper_exited(std::string_view body);
[[nodiscard]] std::optional<HelperEnding> parse_helper_ending(std::string_view body);
[[nodiscard]] std::optional<HelperProve> parse_helper_prove(std::string_view body);
[[nodiscard]] std::optional<HelperProven> parse_helper_proven(std::string_view body);
[[nodiscard]] bool is_helper_trying(std::string_view body);
[[nodiscard]] bool is_helper_done(std::string_view body);
[[nodiscard]] bool is_helper_go(std::string_view body);
[[nodiscard]] bool is_helper_deadline_question(std::string_view body);

} // namespace jit
