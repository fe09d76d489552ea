// SPDX-License-Identifier: MIT
#include "helper/jitd.h"

#include "core/frame.h"
#include "core/pass_fd.h"
#include "helper/messages.h"
#include "helper/report.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <vector>

namespace jit {
namespace {

using Clock = std::chrono::steady_clock;

std::unexpected<Error> unreachable(std::string_view why) {
    return fail(Errc::unavailable, messages::no_answer(why));
}
std::unexpected<Error> unreachable_errno() {
    return unreachable(strerrordesc_np(errno));
}
std::unexpected<Error> strange() {
    return fail(Errc::unavailable, std::string(messages::strange_answer));
}

Result<void> wait_for(int fd, short what, Clock::time_point until) {
    for (;;) {
        const auto left = std::chrono::ceil<Millis>(until - Clock::now()).count();
        pollfd one{fd, what, 0};
        const int ready = left > 0 ? poll(&one, 1, static_cast<int>(left)) : 0;
        if (ready > 0) {
            return {};
        }
        if (ready == 0) {
            return unreachable(messages::too_late);
        }
        if (errno != EINTR) {
            return unreachable_errno();
        }
    }
}

// The descriptors of one message.
void take_descriptors(msghdr& message, std::vector<Fd>& descriptors) {
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t index = 0; index < count; ++index) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + index * sizeof fd, sizeof fd);
            descriptors.emplace_back(fd);
        }
    }
}

// Exactly `size` bytes.
Result<std::string> read_exactly(int socket, std::size_t size, std::vector<Fd>& descriptors,
                                 Clock::time_point until) {
    std::string bytes(size, '\0');
    std::size_t have = 0;
    while (have < size) {
        if (auto ready = wait_for(socket, POLLIN, until); !ready) {
            return std::unexpected(ready.error());
        }
        alignas(cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))];
        iovec part{bytes.data() + have, size - have};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        const ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (got < 0) {
            return unreachable_errno();
        }
        if (got == 0) {
            return unreachable(messages::connection_closed);
        }
        take_descriptors(message, descriptors);
        if ((message.msg_flags & MSG_CTRUNC) != 0) {
            return strange();
        }
        have += static_cast<std::size_t>(got);
    }
    return bytes;
}

} // namespace

Result<Jitd> Jitd::connect(const char* path, Millis patience) {
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) {
        return unreachable_errno();
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    const timeval bound{std::chrono::duration_cast<std::chrono::seconds>(patience).count(), 0};
    if (setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound) != 0 || // bounds connect(2)
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return unreachable_errno();
    }
    ucred peer{};
    socklen_t size = sizeof peer;
    if (getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof peer ||
        peer.uid != 0) {
        return unreachable(messages::not_roots_socket);
    }
    return Jitd(std::move(socket));
}

Result<void> Jitd::send(std::string_view frame, int descriptor) {
    const auto until = Clock::now() + jitd_patience;
    while (!frame.empty()) {
        if (auto ready = wait_for(socket_.get(), POLLOUT, until); !ready) {
            return ready;
        }
        const ssize_t sent = send_with(socket_.get(), frame, descriptor, MSG_DONTWAIT);
        if (sent < 0 && errno != EINTR && errno != EAGAIN) {
            return unreachable_errno();
        }
        if (sent > 0) {
            descriptor = -1; // it went with the first bytes
            frame.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    return {};
}

Result<Jitd::Frame> Jitd::receive(Millis patience) {
    const auto until = Clock::now() + patience;
    std::vector<Fd> descriptors;
    const auto header = read_exactly(socket_.get(), frame_header, descriptors, until);
    if (!header) {
        return std::unexpected(header.error());
    }
    const auto length = frame_length(*header, largest_helper_frame);
    if (!length) {
        return strange();
    }
    auto body = read_exactly(socket_.get(), *length, descriptors, until);
    if (!body) {
        return std::unexpected(body.error());
    }
    const bool may_carry = helper_message_type(*body) == HelperMessage::allowed;
    if (descriptors.size() != (may_carry ? 1U : 0U)) {
        return strange();
    }
    return Frame{std::move(*body), may_carry ? std::move(descriptors.front()) : Fd()};
}

} // namespace jit
