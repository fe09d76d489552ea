// SPDX-License-Identifier: MIT
// Whether the host's root is out of reach: in a user namespace (user_namespaces(7)) that somebody made for
// themselves, ids of the host have no number, and files show the owner "nobody" instead. A container that is
// a system of its own, with its own root, is one too and is none of this: there the files are its root's.
#pragma once

#include <string_view>
#include <sys/types.h>

namespace jit {

// Of the owner of a file: it may be somebody who has no number here.
[[nodiscard]] bool is_unmapped(uid_t owner);

// `uid_map`: the content of /proc/self/uid_map.
[[nodiscard]] bool is_initial_map(std::string_view uid_map);

} // namespace jit
