// SPDX-License-Identifier: MIT
#include "daemon/streams.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace jit {

Result<std::string> read_all(int fd, std::size_t most) {
    std::string text;
    char buffer[65536];
    while (text.size() < most) {
        const ssize_t size = read(fd, buffer, sizeof buffer);
        if (size == 0) {
            return text;
        }
        if (size < 0 && errno != EINTR) {
            return fail(Errc::unavailable, std::strerror(errno));
        }
        text.append(buffer, size > 0 ? static_cast<std::size_t>(size) : 0);
    }
    return fail(Errc::invalid, "it is too long");
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t size = write(fd, text.data(), text.size());
        if (size < 0 && errno != EINTR) {
            return false;
        }
        text.remove_prefix(size > 0 ? static_cast<std::size_t>(size) : 0);
    }
    return true;
}

} // namespace jit
