// SPDX-License-Identifier: MIT
// jitctl as a function, for main() and for tests.
#pragma once

#include <ostream>

namespace jit {

// Reads the command line and does what it says. The result is one of ctl/exit_codes.h: where `out` has
// failed, it is Exit::internal, and the caller knows best how to say so. `output` is the descriptor behind
// `out`, where there is one: a stream ends when its reader has gone.
[[nodiscard]] int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err,
                      int output = -1);

} // namespace jit
