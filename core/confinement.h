// SPDX-License-Identifier: MIT
// What a role's commands are held to, beyond what they are and as whom they run: "less than root". Each part
// is enforced as it stands or the command is refused; where a part is absent, nothing is held.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace jit {

struct Confinement {
    using Digests = std::map<std::string, std::vector<std::string>, std::less<>>;

    std::optional<std::uint64_t> capabilities;       // the bounding set, a bit each
    bool no_new_privileges = false;                  // setuid and file capabilities give nothing
    std::optional<std::vector<std::string>> write;   // below these only files are changed
    std::optional<std::vector<std::string>> execute; // below these only files are executed
    Digests digests;                                 // SHA-256 in hex, of a command's path: one of them
    std::string directory;                           // where commands start; empty: where the caller is
    std::optional<std::uint64_t> memory;             // bytes
    std::optional<std::uint32_t> processes;
    std::string second_factor; // a PAM service that is asked at each use; empty: none

    [[nodiscard]] bool empty() const { return *this == Confinement{}; }
    bool operator==(const Confinement&) const = default;
};

// A line each, for people: "writes below /etc/nginx only".
[[nodiscard]] std::vector<std::string> describe(const Confinement& confinement);

} // namespace jit
