// SPDX-License-Identifier: MIT
// Small files as a whole: /proc, cgroups, and what we left on /run ourselves.
#pragma once

#include <cstddef>
#include <string>

namespace jit {

// What is in it, or as much as could be read, `most` bytes at most; the last part of the path is never
// followed if it is a link. errno is 0 where nothing went wrong, also when the file is empty. `directory`: as
// for openat(2).
[[nodiscard]] std::string read_whole(int directory, const char* path, std::size_t most);

} // namespace jit
