// SPDX-License-Identifier: MIT
// What kind of file system something is in, without asking that file system: one in user space whose program
// doesn't answer would hold whoever asks (statfs(2), stat(2)) for ever.
#pragma once

#include "core/fd.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>

namespace jit {

struct Place {
    dev_t device = 0;
    ino_t inode = 0;
    std::uint64_t mount = 0;
    bool directory = false;
    auto operator<=>(const Place&) const = default;
};
// What an O_PATH descriptor stands for, as far as is known without asking. errno says why not.
[[nodiscard]] std::optional<Place> place_of(int descriptor);

class Mounts {
public:
    // Nobody keeps a program there, or the kernel executes none of it with other rights (FUSE that a person
    // has mounted is nosuid), or it would be mounted by being looked at.
    [[nodiscard]] bool passed_over(std::uint64_t mount);
    [[nodiscard]] bool of_other_hosts(std::uint64_t mount); // which may hang

    // A path that root names (O_PATH): links in it are root's, and what is mounted on demand is.
    [[nodiscard]] Fd open_top(const std::string& path);

private:
    const std::string& type_of(std::uint64_t mount);
    std::map<std::uint64_t, std::string> types_;
};

// Opens what a name in a directory stands for (O_PATH), mounting nothing by it; a link in its place is an
// error.
[[nodiscard]] Fd open_place(int directory, const char* name);

} // namespace jit
