// SPDX-License-Identifier: MIT
// jitd as a client: of the lookup worker, of a search.
#pragma once

#include "core/error.h"
#include "core/fd.h"

#include <string>

namespace jit {

// `type`: SOCK_STREAM or SOCK_SEQPACKET; neither the connecting nor what comes after it ever waits. The error
// says which socket, and why not.
[[nodiscard]] Result<Fd> connect_to(const std::string& socket, int type);

} // namespace jit
