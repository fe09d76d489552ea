// SPDX-License-Identifier: MIT
#include "core/reserve.h"

#include "core/fd.h"

#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace jit {
namespace {

constexpr std::int64_t mebibyte = 1024 * 1024;
constexpr int most_parts = 4;
constexpr std::int64_t part_size = 4 * mebibyte; // some two thousand starts or ends
constexpr std::int64_t headroom = 2 * mebibyte;  // far more than one transaction writes
constexpr std::int64_t plenty = 64 * mebibyte;

// For root, who may use what a file system keeps for it. None: it can't be told.
std::optional<std::int64_t> free_bytes(const std::string& directory) {
    struct statvfs filesystem{};
    if (statvfs(directory.c_str(), &filesystem) != 0) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(filesystem.f_bfree * filesystem.f_frsize);
}

} // namespace

std::string Reserve::part(int number) const {
    return directory_ + "/reserve." + std::to_string(number);
}

// A crash or a power cut may leave one that holds no room, or less.
bool Reserve::is_whole(int number) const {
    struct stat file{};
    return stat(part(number).c_str(), &file) == 0 && file.st_size == part_size;
}

int Reserve::parts() const {
    int last = most_parts;
    while (last > 0 && !is_whole(last)) {
        --last;
    }
    return last;
}

void Reserve::make_room() const {
    const auto left = free_bytes(directory_);
    if (left && *left < headroom) {
        if (const int last = parts(); last > 0) {
            unlink(part(last).c_str());
        }
    } else if (left && *left >= plenty) {
        // One at a time: this is on somebody's way.
        int next = 1;
        while (next <= most_parts && is_whole(next)) {
            ++next;
        }
        if (next <= most_parts) {
            const std::string path = part(next);
            unlink(path.c_str());
            const Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
            if (!file || posix_fallocate(file.get(), 0, part_size) != 0) {
                unlink(path.c_str());
            }
        }
    }
}

bool Reserve::is_near() const {
    const auto left = free_bytes(directory_);
    return left && *left < most_parts * part_size;
}

bool Reserve::for_ends_only() const {
    const auto left = free_bytes(directory_);
    return left && *left < headroom && parts() <= 1;
}

} // namespace jit
