// SPDX-License-Identifier: MIT
#include "core/read.h"

#include "core/fd.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>

namespace jit {

std::string read_whole(int directory, const char* path, std::size_t most) {
    const Fd file(openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    std::string content;
    errno = file ? 0 : errno;
    char buffer[8192];
    while (file && content.size() < most) {
        const ssize_t size = read(file.get(), buffer, std::min(sizeof buffer, most - content.size()));
        if (size <= 0) {
            break;
        }
        content.append(buffer, static_cast<std::size_t>(size));
    }
    return content;
}

} // namespace jit
