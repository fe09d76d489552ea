// SPDX-License-Identifier: MIT
// Which file a command's word means, and whether it is safe to run as somebody else.
//
// MUST:
//  1. Every component that the kernel will pass on the way to the executed file, through symbolic links as
//  well, is
//     owned by root and not writable by group or others. So the file that is judged is the file that is
//     executed: nobody but root can put another one there in between (CVE-2005-1993, CVE-2015-8239).
//  2. A word without '/' is looked up in the secure path only: not in the caller's PATH, and not in ".".
//  3. Called with the caller's rights on files, it tells nothing that they couldn't see themselves: what is
//  missing
//     and what is hidden look the same (CVE-2021-23239).
//  4. What jitd is asked about is one spelling: no links, "." or ".." in its directory. The last name stays
//  what it
//     is, even where it is a link (/usr/bin/vi), because programs look at it.
#pragma once

#include "core/error.h"
#include "core/fd.h"

#include <string>
#include <string_view>

namespace jit {

struct Program {
    std::string path; // absolute, what is judged and executed
    std::string name; // argv[0]
};

// `cwd` is empty where it has no name. `root`: a descriptor of the directory that '/' means.
// Errc::not_found: there is no such command, or none that the caller can see; Errc::refused: there is, and it
// is not safe, or not executable.
[[nodiscard]] Result<Program> find_command(std::string_view word, std::string_view cwd,
                                           std::string_view search_path, int root);
[[nodiscard]] Result<Program> find_command(std::string_view word, std::string_view cwd);

// A file or directory that a role names: held by O_PATH, for the kernel. Whose it is itself doesn't matter
// (the directory of a service is the service's); whoever could put another in its place, does.
[[nodiscard]] Result<Fd> open_of_role(std::string_view path, int root);
[[nodiscard]] Result<Fd> open_of_role(std::string_view path);

} // namespace jit
