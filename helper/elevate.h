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
//  5. Signals go to its pidfd.
#pragma once

#include "core/error.h"
#include "core/fd.h"
#include "core/helper_protocol.h"
#include "core/time.h"
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
    std::vector<std::string> arguments;   // argv[1..]
    std::vector<std::string> environment; // "NAME=value"
    std::string home;                     // where a login shell starts; empty: where the caller is
    std::optional<Millis> timeout;        // the caller's own, from the start on
    Limits limits{};
    int cgroup = -1;
    const Pty* pty = nullptr;     // none: standard input and output are passed on as they are
    std::array<bool, 3> on_pty{}; // which of the descriptors 0 to 2 become the pty
};

class Child {
public:
    // Born and held back.
    [[nodiscard]] static Result<Child> create(const Elevation& elevation);
    ~Child(); // one that was not released is killed
    Child(Child&&) = default;
    Child& operator=(Child&&) = delete;

    [[nodiscard]] Result<void> release();
    void signal(int number, bool group = false) const;

    [[nodiscard]] pid_t pid() const {
        return pid_;
    } // of our own child, until `reaped`: for waitpid(2) and to tell jitd
    [[nodiscard]] std::uint32_t session() const { return session_; }
    void reaped() { pidfd_.reset(); }

private:
    Child() = default;
    enum class How { born_inside, moved_inside };
    [[nodiscard]] Result<void> give_birth(const Elevation& elevation, How how);
    void end();

    pid_t pid_ = -1;
    Fd pidfd_;
    Fd channel_; // until it is released
    std::uint32_t session_ = no_audit_session;
};

// The directory of a cgroup v2, and nothing else.
[[nodiscard]] Result<void> check_cgroup(int directory);
[[nodiscard]] bool write_cgroup_file(int directory, const char* file, std::string_view text);

} // namespace jit
