// SPDX-License-Identifier: MIT
// Holds the command to less than root, where its role says so: capabilities, no_new_privs, Landlock, the very
// file that was pinned, the directory where it starts.
//
// MUST:
//  1. What the kernel can't do, or a path that isn't there, refuses the command; nothing is left out.
//  2. It is prepared before there is a process, so that a refusal starts nothing and is said once.
//  3. A path is followed as a command's is: only root could have led it elsewhere. What it leads to is held
//  by a descriptor from then on.
//  4. It is applied in the command's process while that is still root's, and once applied it is for good.
#pragma once

#include "core/error.h"
#include "core/fd.h"
#include "core/helper_protocol.h"
#include "helper/path.h"

#include <optional>

namespace jit {

class Confining {
public:
    // Errc::refused: what is missing, and on which kernel it is there.
    [[nodiscard]] static Result<Confining> prepare(const HelperConfinement& confinement,
                                                   const Program& command);

    // Comes before ids are given up: it takes the rights that it takes away.
    [[nodiscard]] Result<void> apply() const;

    // -D may name the role's directory, and no other. Where the role has none anything is good.
    [[nodiscard]] Result<void> check_directory() const;
    // Of the directory where the command starts; negative: where the caller is.
    [[nodiscard]] int directory() const { return directory_.get(); }

    // Of the command's file, where it is pinned; else negative.
    [[nodiscard]] int file() const { return file_.get(); }
    // As execve(2). What is pinned is executed by its descriptor, but for a script: its interpreter opens it
    // by its path, as it would have anyway.
    void execute(const char* path, char* const* argv, char* const* envp) const;

private:
    explicit Confining(const HelperConfinement& confinement) : confinement_(confinement) {}
    [[nodiscard]] Result<void> pin(const Program& command);

    const HelperConfinement& confinement_;
    std::optional<Fd> ruleset_; // of Landlock
    Fd directory_;
    Fd file_;
    bool is_script_ = false;
};

} // namespace jit
