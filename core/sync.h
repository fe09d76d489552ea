// SPDX-License-Identifier: MIT
// What is named, renamed or removed in a directory survives a power cut only once that directory is synced
// (fsync(2)); a file's own sync says nothing of its name.
#pragma once

#include "core/fd.h"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace jit {

// False: errno says why not. EINVAL is that the file system knows no such thing (fsync(2)): no more is to be
// had there.
[[nodiscard]] inline bool sync_directory(int directory) {
    return fsync(directory) == 0 || errno == EINVAL;
}
[[nodiscard]] inline bool sync_directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    const Fd directory(open(slash == std::string::npos ? "." : path.substr(0, slash + 1).c_str(),
                            O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return directory && sync_directory(directory.get());
}

} // namespace jit
