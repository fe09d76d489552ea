// SPDX-License-Identifier: MIT
// The command's process: born into the elevation's cgroup, with an audit session of its own, held back until
// jitd has recorded it, then turned into the target and executed.
//
// MUST:
//  1. It is in its cgroup from its first instruction, or it ends: what isn't in there would outlive the
//  grant.
//  2. It executes nothing before it is released; if this program dies first, so does it.
//  3. Its audit session is reported only if it is new: jitd ends sessions by that number, and the caller's
//  own login
//     must never be one of them.
//  4. Ids are set, verified and given up for good (helper/ids.h) before the command's file is opened.
//  5. Signals go to its pidfd; or, on a pty, through its keeper (helper/keeper.h), whose child it is.
#pragma once

#include "core/error.h"
#include "core/fd.h"
#include "core/helper_protocol.h"
#include "core/time.h"
#include "helper/confine.h"
#include "helper/keeper.h"
#include "helper/path.h"
#include "helper/sanitise.h"
#include "helper/terminal.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jit {

inline constexpr std::uint32_t no_audit_session = 0xffffffffU;

// Everything about the command that is decided.
struct Elevation {
    const Caller& caller;
    const HelperAllowed& allowed;
    const Program& command;
    const Confining& confining;
    std::vector<std::string> arguments;   // argv[1..]
    std::vector<std::string> environment; // "NAME=value"
    std::string home;                     // where a login shell starts; empty: where the caller is
    std::optional<Millis> timeout;        // the caller's own, from the start on
    Limits limits{};
    int cgroup = -1;
    const Pty* pty = nullptr;     // none: standard input and output are passed on as they are
    std::array<bool, 3> on_pty{}; // which of the descriptors 0 to 2 become the pty
    bool foreground = false;      // it may read from the pty from the start
};

class Child {
public:
    // Born and held back.
    [[nodiscard]] static Result<Child> create(const Elevation& elevation);
    ~Child(); // one that was not released is killed
    Child(Child&&) = default;
    Child& operator=(Child&&) = delete;

    [[nodiscard]] Result<void> release();
    void signal(int number) const;       // the command alone
    void signal_group(int number) const; // and what it started, as far as that has no jobs of its own
    // Continues it, in the foreground of its terminal (where it has one) or in the background.
    void resume(bool foreground) const;

    // What waitpid(2) says of the command: it has stopped or ended. None: nothing new. To be asked when a
    // SIGCHLD comes, and when `reports` is readable.
    [[nodiscard]] std::optional<int> changed();
    [[nodiscard]] int reports() const { return keeper_ ? channel_.get() : -1; }

    [[nodiscard]] pid_t command() const { return command_; } // its number, and that of its process group
    [[nodiscard]] std::uint32_t session() const { return session_; }
    void reaped(); // it has ended: its numbers may be another's from now on

private:
    Child() = default;
    enum class How { born_inside, moved_inside };
    [[nodiscard]] Result<void> give_birth(const Elevation& elevation, How how);
    [[nodiscard]] bool order(const KeeperOrder& order) const;
    void end();

    bool keeper_ = false; // `pid_` is the keeper, and the command its child; else `pid_` is the command
    bool released_ = false;
    pid_t pid_ = -1;
    pid_t command_ = -1;
    Fd pidfd_;
    Fd channel_;
    std::uint32_t session_ = no_audit_session;
};

// The directory of a cgroup v2, and nothing else.
[[nodiscard]] Result<void> check_cgroup(int directory);
[[nodiscard]] bool write_cgroup_file(int directory, const char* file, std::string_view text);
// exit_attribute. Where it can't be kept, jitd alone is told.
void note_exit(int directory, int status);

} // namespace jit
