// SPDX-License-Identifier: MIT
#include "daemon/peer.h"

#include "core/cgroup.h"
#include "core/read.h"
#include "daemon/processes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD                                                                                         \
    77 // asm-generic/socket.h of Linux 6.5; Debian 12's headers are older than kernels it runs on
#endif

namespace jit {
namespace {

constexpr std::uint32_t unset = 0xffffffffU;

Result<std::uint32_t> read_number(int directory, const char* name) {
    const Fd fd(openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    char buffer[16];
    const ssize_t size = fd ? read(fd.get(), buffer, sizeof buffer) : -1;
    std::uint32_t value = 0;
    if (size > 0) {
        const auto [end, error] = std::from_chars(buffer, buffer + size, value);
        if (error == std::errc() && (end == buffer + size || *end == '\n')) {
            return value;
        }
    }
    return fail(Errc::unavailable, fmt::format("the caller's {} can't be read", name));
}

} // namespace

Fd open_process(pid_t pid) {
    return Fd(pid > 0 ? static_cast<int>(syscall(SYS_pidfd_open, pid, 0)) : -1);
}

bool is_login_scope(std::string_view line, Uid uid) {
    const std::string slice = fmt::format("0::/user.slice/user-{}.slice/session-", number(uid));
    constexpr std::string_view scope = ".scope";
    return line.starts_with(slice) && line.ends_with(scope) && line.size() > slice.size() + scope.size() &&
           line.find('/', slice.size()) == std::string_view::npos;
}

Result<Peer> peer_of(int connection) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0 ||
        size != sizeof credentials || credentials.uid == number(no_uid)) {
        return fail(Errc::refused, "the kernel doesn't say who is calling");
    }
    Peer peer{.uid = Uid{credentials.uid}, .pid = credentials.pid, .pidfd = Fd()};
    int fd = -1;
    size = sizeof fd;
    if (getsockopt(connection, SOL_SOCKET, SO_PEERPIDFD, &fd, &size) == 0) {
        peer.pidfd.reset(fd);
    } else if (errno == ENOPROTOOPT && peer.pid > 0) {
        peer.pidfd = open_process(peer.pid);
    }
    return peer;
}

Result<Login> login_of(const Peer& peer) {
    if (!peer.pidfd || peer.pid <= 0) {
        return fail(Errc::unavailable, "the process that called has gone");
    }
    const Fd directory(open(fmt::format("/proc/{}", peer.pid).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const auto uid = read_number(directory.get(), "loginuid");
    const auto session = read_number(directory.get(), "sessionid");
    const std::string cgroups = read_whole(directory.get(), "cgroup", 8192);
    // The pid was the caller's all the time if the caller is still there now.
    if (has_ended(peer.pidfd.get())) {
        return fail(Errc::unavailable, "the process that called has gone");
    }
    if (!uid) {
        return std::unexpected(uid.error());
    }
    if (!session) {
        return std::unexpected(session.error());
    }
    Login login;
    if (*uid != unset) {
        login.uid = Uid{*uid};
        login.in_login_scope = is_login_scope(unified_cgroup(cgroups), *login.uid);
    }
    if (*session != unset) {
        login.session = *session;
    }
    return login;
}

} // namespace jit
