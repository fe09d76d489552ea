// SPDX-License-Identifier: MIT
// The other end of OneShot: a process that PID 1 started for one question.
#pragma once

#include "core/error.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace jit {

// To the end of the stream; an error where that is further than `most`.
[[nodiscard]] Result<std::string> read_all(int fd, std::size_t most);
[[nodiscard]] bool write_all(int fd, std::string_view text);

} // namespace jit
