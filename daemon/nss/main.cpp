// SPDX-License-Identifier: MIT
// jit-nss: asks NSS on behalf of jitd. A unit of its own for two reasons: NSS can hang for as long as its
// back ends do, and jitd's loop must not; and it sees no /run/userdb, so that what jit itself gave never
// makes anybody eligible.
//
// Each question is answered by a child with an alarm of its own. One that hangs holds up nobody else.
#include "core/fd.h"
#include "core/nss_lookup.h"
#include "daemon/nss_protocol.h"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <shadow.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <vector>

namespace jit {
namespace {

constexpr unsigned seconds_a_lookup = 20;
constexpr int most_children = 64;
constexpr std::size_t most_connections = 8;
constexpr std::size_t largest_record = 1 << 20;

Result<void> add_groups(const passwd& entry, Account& account) {
    const auto gids = group_list(entry.pw_name, entry.pw_gid);
    if (!gids) {
        return fail(Errc::unavailable, "its groups can't be told");
    }
    for (const gid_t gid : *gids) {
        group record{};
        group* found = nullptr;
        std::vector<char> buffer;
        const int result = look_up(
            record, found, buffer, largest_record,
            [gid](group* g, char* b, std::size_t n, group** f) { return getgrgid_r(gid, g, b, n, f); });
        if (result != 0) {
            return fail(Errc::unavailable, fmt::format("group {}: {}", gid, std::strerror(result)));
        }
        if (found != nullptr) { // a gid without a name can't be what a policy names
            account.groups.emplace_back(record.gr_name);
        }
        account.gids.push_back(Gid{gid});
    }
    return {};
}

// Where shadow(5) can't say, it is taken that there is one: then PAM asks for it, and decides.
bool has_password(const passwd& entry) {
    spwd record{};
    spwd* found = nullptr;
    std::vector<char> buffer;
    const int result =
        look_up(record, found, buffer, largest_record, [&entry](spwd* s, char* b, std::size_t n, spwd** f) {
            return getspnam_r(entry.pw_name, s, b, n, f);
        });
    return result != 0 || found == nullptr || (record.sp_pwdp[0] != '!' && record.sp_pwdp[0] != '*');
}

Result<NssFound> ask_for_group(const std::variant<std::string, Gid>& wanted) {
    group record{};
    group* found = nullptr;
    std::vector<char> buffer;
    const int result = look_up(record, found, buffer, largest_record,
                               [&wanted](group* g, char* b, std::size_t n, group** f) {
                                   if (const auto* gid = std::get_if<Gid>(&wanted)) {
                                       return getgrgid_r(number(*gid), g, b, n, f);
                                   }
                                   return getgrnam_r(std::get<std::string>(wanted).c_str(), g, b, n, f);
                               });
    if (result != 0) {
        return fail(Errc::unavailable, std::strerror(result));
    }
    return NssFound{.account = {},
                    .group = found != nullptr ? std::optional(Gid{record.gr_gid}) : std::nullopt};
}

Result<NssFound> ask_nss(const NssKey& key) {
    if (const auto* wanted = std::get_if<GroupName>(&key)) {
        return ask_for_group(wanted->name);
    }
    if (const auto* gid = std::get_if<Gid>(&key)) {
        return ask_for_group(*gid);
    }
    passwd entry{};
    passwd* found = nullptr;
    std::vector<char> buffer;
    const int result =
        look_up(entry, found, buffer, largest_record, [&key](passwd* p, char* b, std::size_t n, passwd** f) {
            if (const auto* uid = std::get_if<Uid>(&key)) {
                return getpwuid_r(number(*uid), p, b, n, f);
            }
            return getpwnam_r(std::get<std::string>(key).c_str(), p, b, n, f);
        });
    if (result != 0) {
        return fail(Errc::unavailable, std::strerror(result));
    }
    if (found == nullptr) {
        return NssFound();
    }
    Account account{.name = entry.pw_name,
                    .uid = Uid{entry.pw_uid},
                    .gid = Gid{entry.pw_gid},
                    .groups = {},
                    .gids = {},
                    .home = entry.pw_dir,
                    .shell = entry.pw_shell,
                    .has_password = has_password(entry)};
    if (auto added = add_groups(entry, account); !added) {
        return std::unexpected(added.error());
    }
    return NssFound{.account = std::move(account), .group = {}};
}

void answer(int connection, const NssAnswer& answer) {
    const std::string text = nss_text(answer);
    if (text.size() > largest_nss_packet) {
        return jit::answer(connection,
                           {.id = answer.id, .found = fail(Errc::unavailable, "too many groups")});
    }
    send(connection, text.data(), text.size(), MSG_NOSIGNAL); // jitd gone: nobody is waiting
}

class Worker {
public:
    Worker(int listener, int signals) : listener_(listener), signals_(signals) {}

    [[noreturn]] void run() {
        for (;;) {
            std::vector<pollfd> polled{{listener_, POLLIN, 0}, {signals_, POLLIN, 0}};
            for (const Fd& connection : connections_) {
                polled.push_back({connection.get(), POLLIN, 0});
            }
            if (poll(polled.data(), polled.size(), -1) < 0) {
                continue;
            }
            reap();
            // From the end, so that closing one doesn't move those still to be read.
            for (std::size_t index = polled.size(); index-- > 2;) {
                if (polled[index].revents != 0) {
                    read_from(index - 2);
                }
            }
            if (polled[0].revents != 0) {
                accept_one();
            }
        }
    }

private:
    void reap() {
        signalfd_siginfo info;
        while (read(signals_, &info, sizeof info) > 0) {
        }
        while (waitpid(-1, nullptr, WNOHANG) > 0) {
            --children_;
        }
    }

    void accept_one() {
        Fd connection(accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        ucred peer{};
        socklen_t size = sizeof peer;
        if (connection && connections_.size() < most_connections &&
            getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == 0) {
            connections_.push_back(std::move(connection));
        }
    }

    void read_from(std::size_t index) {
        const int connection = connections_[index].get();
        char packet[4096];
        const ssize_t size = recv(connection, packet, sizeof packet, 0);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        const auto question =
            parse_nss_question({packet, static_cast<std::size_t>(std::max<ssize_t>(size, 0))});
        if (size <= 0 || !question) {
            connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(index));
            return;
        }
        if (children_ >= most_children) {
            answer(connection,
                   {.id = question->id, .found = fail(Errc::unavailable, "too many lookups at once")});
            return;
        }
        const pid_t child = fork();
        if (child == 0) {
            alarm(seconds_a_lookup);
            answer(connection, {.id = question->id, .found = ask_nss(question->key)});
            _exit(0);
        }
        if (child < 0) {
            answer(connection, {.id = question->id, .found = fail(Errc::unavailable, std::strerror(errno))});
            return;
        }
        ++children_;
    }

    int listener_;
    int signals_;
    int children_ = 0;
    std::vector<Fd> connections_;
};

int work() {
    if (sd_listen_fds(1) != 1) {
        fmt::print(stderr, "jit-nss: it is started by jit-nss.socket, not by hand\n");
        return 2;
    }
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, nullptr);
    const int signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0) {
        fmt::print(stderr, "jit-nss: signalfd: {}\n", std::strerror(errno));
        return 1;
    }
    Worker(SD_LISTEN_FDS_START, signals).run();
}

} // namespace
} // namespace jit

int main() {
    try {
        return jit::work();
    } catch (const std::exception& error) {
        fmt::print(stderr, "jit-nss: {}\n", error.what());
        return 1;
    }
}
