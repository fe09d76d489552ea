// SPDX-License-Identifier: MIT
// Removing what somebody else has made, as root, while others may still have their fingers in it.
//
// MUST:
//  1. No name is resolved through a link, nor from one file system into another.
//  2. However deep and wide it is, memory and descriptors are bounded.
#pragma once

#include <string>

namespace jit {

// All that is mounted below a path, whose last part is a name in `parent`. What went wrong; with that
// something may be mounted still.
[[nodiscard]] std::string unmount_below(int parent, const std::string& path);

// All that is in a directory. What went wrong.
[[nodiscard]] std::string empty_directory(int directory);

} // namespace jit
