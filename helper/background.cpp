// SPDX-License-Identifier: MIT
#include "helper/background.h"

#include "helper/messages.h"
#include "helper/report.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace jit {
namespace {

[[noreturn]] void wait_for_start(const Fd& started, pid_t child) {
    char byte = 0;
    ssize_t got = 0;
    do {
        got = read(started.get(), &byte, 1);
    } while (got < 0 && errno == EINTR);
    if (got == 1) {
        _exit(0);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    _exit(WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : exit_refused);
}

} // namespace

Result<Fd> go_to_background(bool stdin_is_terminal) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        return fail_errno("pipe");
    }
    const Fd reader(ends[0]);
    Fd writer(ends[1]);
    const pid_t child = fork();
    if (child < 0) {
        return fail_errno("fork");
    }
    if (child > 0) {
        writer.reset();
        wait_for_start(reader, child);
    }
    if (setsid() < 0) {
        return fail(Errc::internal, std::string(messages::no_new_session));
    }
    if (stdin_is_terminal) {
        const Fd nothing(open("/dev/null", O_RDONLY | O_CLOEXEC));
        if (!nothing || dup2(nothing.get(), STDIN_FILENO) != STDIN_FILENO) {
            return fail_errno("/dev/null");
        }
    }
    return writer;
}

void report_started(Fd& background) {
    if (background) {
        const char byte = 1;
        static_cast<void>(!write(background.get(), &byte, 1)); // whoever waited may be gone
        background.reset();
    }
}

} // namespace jit
