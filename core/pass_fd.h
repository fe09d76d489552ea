// SPDX-License-Identifier: MIT
// Sending bytes through a Unix socket with a descriptor beside them (unix(7), SCM_RIGHTS).
#pragma once

#include <string_view>
#include <sys/types.h>

namespace jit {

// As send(2), and never a SIGPIPE. `descriptor`: goes with the first byte; negative: none.
[[nodiscard]] ssize_t send_with(int socket, std::string_view bytes, int descriptor, int flags);

} // namespace jit
