// SPDX-License-Identifier: MIT
// Set-id files that have no name any more, or never had one (O_TMPFILE, memfd_create), and live in a process
// that has them open or runs them: execveat(2) takes them as they are.
#pragma once

#include "core/error.h"

#include <functional>
#include <string>
#include <sys/stat.h>

namespace jit {

// An O_PATH descriptor of each, what it is, and where it was met. An error where it can't see.
[[nodiscard]] Result<void> look_at_nameless(
    const std::function<void(int place, const struct stat& found, const std::string& path)>& look);

} // namespace jit
