// SPDX-License-Identifier: MIT
// Looks at every file of some trees once, however they are moved about meanwhile.
//
// MUST:
//  1. No symbolic link is followed, and no name is resolved twice: each directory is opened in the one above.
//  2. Settled means: a whole pass met no directory that was changed since it was read, or nobody ran
//  meanwhile
//     who could have changed one. Who moves a file from a directory that is still to be read into one that
//     was read already changes both, and a directory's ctime can't be set. So each file that was there all
//     the time has been looked at.
//  3. What can't be read is said, never passed over.
//  4. However deep and wide it is, memory and descriptors are bounded: what is beyond that is said too.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace jit {

struct Walked {
    bool settled = false;
    bool changed = false; // the last pass met something that was changed meanwhile
    std::size_t directories = 0;
    std::vector<std::string> problems; // no more than most_problems
};
inline constexpr std::size_t most_problems = 20;

struct Walk {
    std::vector<std::string> trees = {};
    bool remote = true; // also file systems of other hosts (NFS, CIFS …), which may hang
    int passes = 1;     // at most so many, until it is settled
    // Before the last of them: holds still whoever may move what is looked for, as long as the result is
    // kept.
    std::function<std::shared_ptr<void>()> hold = {};
    // For each regular file, with `links` each symbolic link too: the directory that it is in, its name
    // there, what fstatat(2) says, and where that is, for people: of a very long path the middle is left out.
    std::function<void(int directory, const char* name, const struct stat& found, const std::string& path)>
        look = {};
    bool links = false;
};
[[nodiscard]] Walked walk(const Walk& how);

// A path as it goes into a message: escaped, and its middle left out where it is long.
[[nodiscard]] std::string shown_path(const std::string& path);

} // namespace jit
