// SPDX-License-Identifier: MIT
// jit-account: makes the home of an account that exists only while a grant lives, and removes what such an
// account had when that is over. Started by systemd for each connection that jitd makes (jit-account.socket,
// Accept=yes), with rights that jitd doesn't have. One job, one reply (account_protocol.h), and it is gone.
#include "daemon/account/home.h"
#include "daemon/account/traces.h"
#include "daemon/streams.h"

#include <fmt/format.h>

#include <cstdio>
#include <unistd.h>

namespace jit {
namespace {

int run() {
    const auto text = read_all(STDIN_FILENO, largest_account_message);
    const auto job = text ? parse_account_job(*text) : std::unexpected(text.error());
    if (!job) {
        fmt::print(stderr, "jit-account: jitd's job can't be read: {}\n", job.error().message);
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
