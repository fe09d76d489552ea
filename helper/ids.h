// SPDX-License-Identifier: MIT
// Every change of who this process is.
//
// MUST:
//  1. Every result is checked, and what the kernel then says is compared with what was wanted (CVE-2006-2607,
//     CVE-2026-35535). A failure is an error that the callers of these treat as fatal.
//  2. Ids change in the order groups, gid, uid: afterwards there is no right left to change the others.
//  3. Who isn't meant to be root can't become root again.
//  4. 4294967295 is nobody's id: to the kernel it means "no change" (CVE-2019-14287).
#pragma once

#include "core/error.h"
#include "core/types.h"

#include <sys/types.h>
#include <vector>

namespace jit {

// For good, with exactly these supplementary groups, and without ambient capabilities.
[[nodiscard]] Result<void> become(Uid uid, Gid gid, const std::vector<Gid>& groups);

// From setuid root to root in every respect: from then on the caller can neither signal nor trace this
// process, unless it is Reachable.
[[nodiscard]] Result<void> become_root();

// Back to who called, for good. `groups` are what was theirs from the start.
[[nodiscard]] Result<void> become_caller(Uid uid, Gid gid, const std::vector<Gid>& groups);

// The supplementary groups of this process.
[[nodiscard]] Result<std::vector<Gid>> current_groups();

// The memory stays unreadable. False: it isn't so, and nothing may go on.
[[nodiscard]] bool set_effective_uid(uid_t uid);

// While it lives, files are reached with the caller's rights and no others. A failure ends the process.
class AsCaller {
public:
    explicit AsCaller(Uid uid);
    ~AsCaller();
    AsCaller(const AsCaller&) = delete;
    AsCaller& operator=(const AsCaller&) = delete;

private:
    Uid before_;
};

// While it lives, the caller may signal this process, as they may whatever else they have started:
// timeout(1), `kill %1`, a build that is cancelled. Nothing else: to trace it or to read its memory takes all
// three of its ids. A failure ends the process.
class Reachable {
public:
    explicit Reachable(Uid caller);
    ~Reachable();
    Reachable(const Reachable&) = delete;
    Reachable& operator=(const Reachable&) = delete;
};

} // namespace jit
