// SPDX-License-Identifier: MIT
// Reading and replacing PAM service files. Whoever can write one of them decides who gets in, and a file that
// is half written lets nobody in, so:
//   1. a directory or file that is a symbolic link, isn't root's, or is writable by others MUST be refused,
//      judged on the descriptor that is then used;
//   2. a file is written beside, synced, and renamed over: at every instant the old or the new one is there,
//      whole, with the old one's owner, mode and SELinux label;
//   3. what was changed by somebody else since it was read MUST not be overwritten;
//   4. one jitctl at a time (a lock on the directory).
#pragma once

#include "core/error.h"
#include "core/fd.h"
#include "core/types.h"

#include <string>
#include <sys/stat.h>
#include <vector>

namespace jit {

struct PamFileRead {
    std::string name;
    std::string text;
    Fd file;
    struct stat status{};
};

class PamDirectory {
public:
    // `owner`: root, but in tests.
    [[nodiscard]] static Result<PamDirectory> open_locked(const std::string& path, Uid owner);

    // Errc::not_found where there is no such file.
    [[nodiscard]] Result<PamFileRead> read(const std::string& name) const;
    [[nodiscard]] Result<void> replace(const PamFileRead& read, const std::string& text) const;
    [[nodiscard]] std::string path_of(const std::string& name) const { return path_ + "/" + name; }

private:
    PamDirectory(std::string path, Uid owner, Fd directory)
        : path_(std::move(path)), owner_(owner), directory_(std::move(directory)) {}

    std::string path_;
    Uid owner_;
    Fd directory_;
};

// The names in it that may be services, sorted. Editors' and package managers' leftovers too: libpam would
// read them all.
[[nodiscard]] Result<std::vector<std::string>> list_pam_files(const std::string& directory);

// Keeps a copy as DIRECTORY/NAME, for a person's eyes only. The directory is made where it is missing, its
// parent isn't.
[[nodiscard]] Result<void> keep_pam_copy(const std::string& directory, Uid owner, const PamFileRead& read);

// A file as others include it: links are followed, and nothing is judged.
[[nodiscard]] Result<std::string> read_pam_file(const std::string& path);

} // namespace jit
