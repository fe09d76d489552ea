// SPDX-License-Identifier: MIT
// What on this host takes packets and connections as root.
#pragma once

#include <string>
#include <vector>

namespace jit {

// "tcp port 22 (00000000)": the address as the kernel writes it. `root`: "" but in tests.
[[nodiscard]] std::vector<std::string> listening_as_root(const std::string& root);

} // namespace jit
