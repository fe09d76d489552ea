// SPDX-License-Identifier: MIT
#include "helper/command_process.h"

#include "core/text.h"
#include "helper/environment.h"
#include "helper/ids.h"
#include "helper/keeper.h"
#include "helper/messages.h"
#include "helper/report.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/limits.h>
#include <optional>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace jit {
namespace {

constexpr int exit_not_executable = 126;
constexpr int exit_not_found = 127;

[[noreturn]] void give_up(std::string_view what, int status = exit_refused) {
    say(what);
    _exit(status);
}

std::optional<std::uint32_t> read_number(const char* path) {
    const Fd file(open(path, O_RDONLY | O_CLOEXEC));
    std::array<char, 16> text{};
    const ssize_t length = file ? read(file.get(), text.data(), text.size()) : -1;
    std::uint32_t value = 0;
    if (length <= 0 || std::from_chars(text.data(), text.data() + length, value).ec != std::errc{}) {
        return std::nullopt;
    }
    return value;
}

// The kernel begins a new audit session whenever a login uid is written, also the one that is there. So who
// logged in stays, and the command's processes can be told from the rest of the login. Not every kernel lets
// us: then there is no session to report.
std::uint32_t take_audit_session(Uid caller) {
    const auto login = read_number("/proc/self/loginuid");
    const auto before = read_number("/proc/self/sessionid");
    if (!login || !before) {
        return no_audit_session;
    }
    const std::string text = std::to_string(Uid{*login} == no_uid ? number(caller) : *login);
    const Fd file(open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC));
    if (!file || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        return no_audit_session;
    }
    const auto after = read_number("/proc/self/sessionid");
    return after && *after != *before ? *after : no_audit_session;
}

void tell(int channel, const ChildHello& hello) {
    if (send(channel, &hello, sizeof hello, MSG_NOSIGNAL) != static_cast<ssize_t>(sizeof hello)) {
        _exit(exit_refused);
    }
}

void wait_for_release(int channel) {
    KeeperOrder order;
    ssize_t got = 0;
    do {
        got = read(channel, &order, sizeof order);
    } while (got < 0 && errno == EINTR);
    if (got != static_cast<ssize_t>(sizeof order) || order.what != KeeperOrder::What::release) {
        _exit(exit_refused); // whoever should have released us is gone, or says no
    }
}

// On the pty. Comes back in the process that becomes the command, with what it waits for; the one that stays
// is its keeper.
int leave_to_keeper(const Elevation& elevation, int channel, std::uint32_t session) {
    const int slave = elevation.pty->slave.get();
    if (ioctl(slave, TIOCSCTTY, 0) != 0) {
        give_up(messages::terminal_not_taken);
    }
    // For the keeper: SIGTTOU, too, so that it may say who is in the foreground. The command gets its own
    // mask.
    sigset_t all;
    sigfillset(&all);
    std::array<int, 2> release{};
    if (sigprocmask(SIG_BLOCK, &all, nullptr) != 0 || pipe2(release.data(), O_CLOEXEC) != 0) {
        give_up(messages::child_died);
    }
    const pid_t command = fork();
    if (command < 0) {
        give_up(messages::child_died);
    }
    if (command > 0) {
        close(release[0]);
        setpgid(command, command); // both do it: whoever is first, it is done
        tell(channel, {session, command});
        keep(channel, slave, release[1], command, elevation.foreground);
    }
    setpgid(0, 0);
    close(release[1]);
    close(channel);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (elevation.on_pty[static_cast<std::size_t>(fd)] && dup2(slave, fd) != fd) {
            give_up(messages::terminal_not_used);
        }
    }
    return release[0];
}

bool is_deleted_here() {
    std::array<char, PATH_MAX> name{};
    return getcwd(name.data(), name.size()) == nullptr && errno == ENOENT;
}

} // namespace

void run_command_process(const Elevation& elevation, int channel) {
    const HelperAllowed& allowed = elevation.allowed;
    const std::uint32_t session = take_audit_session(elevation.caller.uid);
    // A session of its own in any case: without a pty, so that the command can't reach the caller's terminal
    // by /dev/tty.
    if (setsid() < 0) {
        give_up(messages::no_new_session);
    }
    if (elevation.pty != nullptr) {
        channel = leave_to_keeper(elevation, channel, session);
    } else {
        tell(channel, {session, getpid()});
    }
    // All is made ready while jitd records it.
    // Keys of the caller's session are theirs. Kernels without keyrings have none to hand on.
    syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
    umask(elevation.caller.umask | 022);
    if (!set_limits(elevation.limits)) {
        give_up(messages::limits_not_set);
    }
    std::vector<Gid> groups;
    groups.reserve(allowed.groups.size());
    for (const std::uint32_t group : allowed.groups) {
        groups.push_back(Gid{group});
    }
    if (auto confined = elevation.confining.apply(); !confined) {
        give_up(confined.error().message);
    }
    if (auto became = become(Uid{allowed.uid}, Gid{allowed.gid}, groups); !became) {
        give_up(became.error().message);
    }
    // To change ids may make a process dumpable (fs.suid_dumpable), and so its new owner's to trace; until
    // exec it still holds what is ours.
    if (prctl(PR_SET_DUMPABLE, 0) != 0) {
        give_up(messages::not_protected);
    }
    // The directory stays, even where the target couldn't have entered it, as with sudo: names that were
    // typed must not mean other files. That is also true of one that was deleted; one outside of our root is
    // nowhere.
    bool nowhere = elevation.caller.cwd.empty() && !is_deleted_here();
    if (const int directory = elevation.confining.directory(); directory >= 0) {
        nowhere = false;
        if (fchdir(directory) != 0) {
            give_up(messages::directory_not_entered(escape(allowed.confinement.directory),
                                                    strerrordesc_np(errno)));
        }
    } else if (!elevation.home.empty()) {
        nowhere = chdir(elevation.home.c_str()) != 0;
        if (nowhere) {
            say(messages::not_at_home(escape(elevation.home), strerrordesc_np(errno)));
        }
    }
    if (nowhere && chdir("/") != 0) {
        give_up(messages::no_directory);
    }
    std::vector<std::string> words = {elevation.command.name};
    words.insert(words.end(), elevation.arguments.begin(), elevation.arguments.end());
    const std::vector<char*> argv = pointers(words);
    const std::vector<char*> envp = pointers(elevation.environment);
    if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
        give_up(messages::descriptors_not_closed);
    }
    restore_signals(elevation.caller);
    // Where jit-sudo is killed nobody could end the command any more: it is hung up, as it is on a terminal.
    if (prctl(PR_SET_PDEATHSIG, SIGHUP) != 0) {
        give_up(messages::not_protected);
    }
    wait_for_release(channel);
    elevation.confining.execute(elevation.command.path.c_str(), argv.data(), envp.data());
    const int error = errno;
    give_up(messages::not_executed(escape(elevation.command.path), strerrordesc_np(error)),
            error == ENOENT ? exit_not_found : exit_not_executable);
}

} // namespace jit
