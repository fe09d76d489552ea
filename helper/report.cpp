// SPDX-License-Identifier: MIT
#include "helper/report.h"

#include "helper/messages.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <unistd.h>

namespace jit {

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return;
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

void say(std::string_view line) {
    write_all(STDERR_FILENO, "jit-sudo: " + std::string(line) + '\n');
}

void say_next(std::string_view line) {
    write_all(STDERR_FILENO, "  " + std::string(line) + '\n');
}

std::unexpected<Error> fail_errno(std::string_view what) {
    return fail(Errc::internal, messages::system_call(what, strerrordesc_np(errno)));
}

} // namespace jit
