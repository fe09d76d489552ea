// SPDX-License-Identifier: MIT
// The nouns that must not be mixed up. A uid is never an int, a request id is never any string.
#pragma once

#include <cstdint>
#include <string>

namespace jit {

// Kernel ids: unsigned 32-bit, and 4294967295 is "no change" to set*id(2), so never a person
// (CVE-2019-14287).
enum class Uid : std::uint32_t {};
enum class Gid : std::uint32_t {};
inline constexpr Uid root_uid{0};
inline constexpr Uid no_uid{0xffffffffU};
inline constexpr Gid no_gid{0xffffffffU};

constexpr std::uint32_t number(Uid uid) {
    return static_cast<std::uint32_t>(uid);
}
constexpr std::uint32_t number(Gid gid) {
    return static_cast<std::uint32_t>(gid);
}

// Names a request for its whole life, as a grant too: 4 to 16 lowercase hex digits, never reused on a host.
using RequestId = std::string;

} // namespace jit
