// SPDX-License-Identifier: MIT
// jit-account: makes the home of an account that exists only while a grant lives, and removes what such an
// account had when that is over. Started by systemd for each connection that jitd makes (jit-account.socket,
// Accept=yes), with rights that jitd doesn't have. One job, one reply (account_protocol.h), and it is gone.
#include "core/fd.h"
#include "daemon/account/home.h"
#include "daemon/account/traces.h"
#include "daemon/streams.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

namespace jit {
namespace {

// One job at a time, in the order of their beginning: what a jitd that is gone had begun ends before the next
// begins. An error where nobody waits for this one any more.
Result<Fd> take_turn() {
    constexpr const char* path = "/run/jit/account.lock";
    Fd lock(open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock || flock(lock.get(), LOCK_EX) != 0) {
        return fail(Errc::unavailable, fmt::format("{}: {}", path, std::strerror(errno)));
    }
    pollfd asked{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
    if (poll(&asked, 1, 0) != 0) {
        return fail(Errc::unavailable, "jitd has gone");
    }
    return lock;
}

int run() {
    const auto text = read_all(STDIN_FILENO, largest_account_message);
    const auto job = text ? parse_account_job(*text) : std::unexpected(text.error());
    if (!job) {
        fmt::print(stderr, "jit-account: jitd's job can't be read: {}\n", job.error().message);
        return 1;
    }
    const auto turn = take_turn();
    if (!turn) {
        fmt::print(stderr, "jit-account: {}\n", turn.error().message);
        return 1;
    }
    AccountReply reply;
    if (job->what == AccountJob::What::make) {
        make_home(*job, reply);
    } else {
        remove_traces(*job, reply);
        remove_home(*job, reply);
    }
    return write_all(STDOUT_FILENO, account_text(reply)) ? 0 : 1;
}

} // namespace
} // namespace jit

int main() {
    try {
        return jit::run();
    } catch (const std::exception& error) {
        fmt::print(stderr, "jit-account: {}\n", error.what());
        return 1;
    }
}
