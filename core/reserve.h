// SPDX-License-Identifier: MIT
// Room on the disk that is kept for us. A host whose disk is full is one that somebody has to get into, and
// the ends of what was given are to be recorded whatever others write. So files that hold nothing lie beside
// the database: while there is no other room they are given up one by one, the last of them for ends only,
// and once there is plenty they are made again.
#pragma once

#include <cstdint>
#include <string>

namespace jit {

class Reserve {
public:
    explicit Reserve(std::string directory) : directory_(std::move(directory)) {}

    // Comes before whatever is written: a small change finds room then, if there is any to be had.
    void make_room() const;
    // What is left is for ends: nothing may be given any more.
    [[nodiscard]] bool for_ends_only() const;
    // It is in use, or soon will be: what can wait, waits.
    [[nodiscard]] bool is_near() const;

private:
    [[nodiscard]] std::string part(int number) const;
    [[nodiscard]] bool is_whole(int number) const;
    [[nodiscard]] int parts() const; // up to the last that is whole

    std::string directory_;
};

} // namespace jit
