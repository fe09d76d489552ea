// SPDX-License-Identifier: MIT
#include "helper/elevate.h"

#include "core/helper_protocol.h"
#include "helper/command_process.h"
#include "helper/messages.h"
#include "helper/report.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace jit {
namespace {

constexpr int birth_patience = 10'000;             // milliseconds
constexpr unsigned signal_process_group = 1U << 2; // PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9

// As fork(2), into a cgroup. glibc has no function for it.
pid_t clone_into(int cgroup, int& pidfd) {
    clone_args args{};
    args.flags = CLONE_INTO_CGROUP | CLONE_PIDFD;
    args.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
    args.exit_signal = SIGCHLD;
    args.cgroup = static_cast<std::uint64_t>(cgroup);
    return static_cast<pid_t>(syscall(SYS_clone3, &args, sizeof args));
}

} // namespace

Result<void> check_cgroup(int directory) {
    struct stat status{};
    struct statfs system{};
    if (fstat(directory, &status) != 0 || fstatfs(directory, &system) != 0 || !S_ISDIR(status.st_mode) ||
        system.f_type != CGROUP2_SUPER_MAGIC) {
        return fail(Errc::unavailable, std::string(messages::not_a_cgroup));
    }
    return {};
}

bool write_cgroup_file(int directory, const char* file, std::string_view text) {
    const Fd fd(openat(directory, file, O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
    return fd && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

void note_exit(int directory, int status) {
    std::array<char, 16> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), status).ptr;
    static_cast<void>(
        fsetxattr(directory, exit_attribute, text.data(), static_cast<std::size_t>(end - text.data()), 0));
}

Result<Child> Child::create(const Elevation& elevation) {
    Child child;
    auto born = child.give_birth(elevation, How::born_inside);
    if (!born && born.error().code == Errc::conflict) {
        // Linux 6.18 kills a child that is born into another cgroup where only one of the two ever had
        // cgroup.kill written. Moved there, it lives.
        born = child.give_birth(elevation, How::moved_inside);
    }
    if (!born) {
        return std::unexpected(std::move(born.error()));
    }
    return child;
}

Child::~Child() {
    if (pidfd_ && !released_) {
        end();
    }
}

Result<void> Child::give_birth(const Elevation& elevation, How how) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return fail_errno("socketpair");
    }
    Fd ours(ends[0]);
    Fd theirs(ends[1]);
    int pidfd = -1;
    pid_ = how == How::born_inside ? clone_into(elevation.cgroup, pidfd) : fork();
    if (pid_ < 0) {
        // jitd takes the place back when the grant ends before anything has started in it.
        return errno == ENOENT || errno == ENODEV
                   ? fail(Errc::refused, std::string(messages::grant_ended_meanwhile))
                   : fail_errno("a new process");
    }
    if (pid_ == 0) {
        ours.reset();
        if (how == How::moved_inside && !write_cgroup_file(elevation.cgroup, "cgroup.procs", "0")) {
            _exit(exit_refused);
        }
        run_command_process(elevation, theirs.get());
    }
    theirs.reset();
    pidfd_.reset(how == How::born_inside ? pidfd : static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    channel_ = std::move(ours);
    if (!pidfd_) {
        auto failure = fail_errno("pidfd_open");
        end();
        return failure;
    }
    pollfd hello{channel_.get(), POLLIN, 0};
    int ready = 0;
    do {
        ready = poll(&hello, 1, birth_patience);
    } while (ready < 0 && errno == EINTR);
    ChildHello told;
    if (ready <= 0 ||
        recv(channel_.get(), &told, sizeof told, MSG_DONTWAIT) != static_cast<ssize_t>(sizeof told)) {
        end();
        return fail(Errc::conflict, std::string(messages::child_died));
    }
    session_ = told.session;
    command_ = told.command;
    keeper_ = elevation.pty != nullptr;
    return {};
}

void Child::end() {
    channel_.reset(); // what waits for its release ends by itself
    if (pidfd_) {
        syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
    }
    if (pid_ > 0) {
        int status = 0;
        while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
    }
    reaped();
}

void Child::reaped() {
    pidfd_.reset();
    channel_.reset();
    pid_ = command_ = -1;
}

bool Child::order(const KeeperOrder& order) const {
    return send(channel_.get(), &order, sizeof order, MSG_NOSIGNAL | MSG_DONTWAIT) ==
           static_cast<ssize_t>(sizeof order);
}

Result<void> Child::release() {
    if (!order({KeeperOrder::What::release})) {
        return fail(Errc::conflict, std::string(messages::child_died));
    }
    released_ = true;
    return {};
}

void Child::signal(int number) const {
    if (keeper_) {
        static_cast<void>(
            order({KeeperOrder::What::signal, number})); // else it is gone, and the command with it
    } else {
        syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0);
    }
}

void Child::signal_group(int number) const {
    if (keeper_) {
        static_cast<void>(order({KeeperOrder::What::signal_group, number}));
    } else if (syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, signal_process_group) != 0) {
        signal(number);
    }
}

void Child::resume(bool foreground) const {
    if (keeper_) {
        static_cast<void>(
            order({foreground ? KeeperOrder::What::foreground : KeeperOrder::What::background}));
    } else {
        signal_group(SIGCONT);
    }
}

std::optional<int> Child::changed() {
    if (keeper_ && channel_) {
        KeeperReport report;
        const ssize_t got = recv(channel_.get(), &report, sizeof report, MSG_DONTWAIT);
        if (got == static_cast<ssize_t>(sizeof report)) {
            return report.status;
        }
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            return std::nullopt;
        }
        channel_.reset(); // it was killed: what became of it is what became of the command
    }
    int status = 0;
    while (waitpid(pid_, &status, WNOHANG | (keeper_ ? 0 : WUNTRACED)) == pid_) {
        if (keeper_ || !was_traced(pid_, status)) {
            return status;
        }
    }
    return std::nullopt;
}

} // namespace jit
