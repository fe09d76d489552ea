// SPDX-License-Identifier: MIT
// Connections of jit-sudo, and the frames that come and go on them.
#include "daemon/helper_server.h"

#include "core/frame.h"
#include "core/json.h"
#include "core/pass_fd.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace jit {
namespace {

constexpr std::size_t longest_failure = 200; // bytes of it that are kept
constexpr std::size_t most_connections = 4096;
// jit-sudo has all of it when it connects; a caller who stops it there keeps others out for so long.
constexpr Millis to_ask = std::chrono::seconds(3);

} // namespace

HelperServer::HelperServer(Parts parts, Fd listener)
    : parts_(parts), listener_(std::move(listener)),
      accepting_(parts_.loop.on_io(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept_some(); })) {
    parts_.uses.on_early_end([this](const std::string& place, const std::string& why) {
        for (auto& [id, connection] : connections_) {
            if (connection.place == place && connection.awaits == Awaits::exit) {
                send(connection, to_frame(HelperEnding{.why = why})); // who doesn't read it isn't waited for
            }
        }
    });
}

HelperServer::Connection* HelperServer::find(std::uint64_t id) {
    const auto found = connections_.find(id);
    return found != connections_.end() ? &found->second : nullptr;
}

void HelperServer::accept_some() {
    for (int count = 0; count < 64; ++count) {
        Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!fd || connections_.size() >= most_connections) {
            return;
        }
        const std::uint64_t id = next_++;
        Connection& connection = connections_[id];
        connection.io = parts_.loop.on_io(fd.get(), EPOLLIN, [this, id](std::uint32_t) { serve(id); });
        connection.fd = std::move(fd);
        connection.deadline = parts_.loop.after(to_ask, std::chrono::seconds(1), [this, id] { drop(id); });
    }
}

void HelperServer::drop(std::uint64_t id) {
    auto node = connections_.extract(id);
    if (!node) {
        return;
    }
    const Connection& gone = node.mapped();
    if (gone.awaits == Awaits::start && gone.tries > 0) { // killed or interrupted: it can't say Failed
        const std::string why = fmt::format("{} incorrect password attempt{}, then given up", gone.tries,
                                            gone.tries == 1 ? "" : "s"); // sudo's words, which are looked for
        record_refusal(gone, why, why);
    }
    if (gone.place.empty()) {
        return;
    }
    if (gone.awaits == Awaits::exit) {
        parts_.uses.abandoned(gone.place);
    } else {
        parts_.uses.give_back(gone.place);
    }
}

bool HelperServer::read_some(Connection& connection) {
    std::array<char, 65536> buffer;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(8 * sizeof(int))> control;
    iovec data{.iov_base = buffer.data(), .iov_len = buffer.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = recvmsg(connection.fd.get(), &message, MSG_CMSG_CLOEXEC);
    if (size < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS &&
            header->cmsg_len == CMSG_LEN(sizeof(ucred)) && !connection.caller) {
            ucred credentials{};
            std::memcpy(&credentials, CMSG_DATA(header), sizeof credentials);
            connection.caller = Uid{credentials.uid};
            // The helper itself; it waits for us, so the number is its own while this is done.
            Peer peer{
                .uid = Uid{credentials.uid}, .pid = credentials.pid, .pidfd = open_process(credentials.pid)};
            connection.login = login_of(peer);
            if (connection.login) {
                connection.seat = seat_of(peer, *connection.login);
            }
        } else if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
            // Those that nobody asked for are closed, or they would stay with us.
            std::vector<Fd> descriptors;
            const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (std::size_t index = 0; index < count; ++index) {
                int descriptor = -1;
                std::memcpy(&descriptor, CMSG_DATA(header) + index * sizeof(int), sizeof descriptor);
                descriptors.emplace_back(descriptor);
            }
            const bool awaited = connection.awaits == Awaits::start && !connection.file &&
                                 connection.confinement.digests.contains(connection.wanted.command->path);
            if (!awaited || descriptors.size() != 1) {
                return false;
            }
            connection.file = std::move(descriptors.front());
        }
    }
    connection.in.append(buffer.data(), static_cast<std::size_t>(size));
    return size > 0;
}

void HelperServer::serve(std::uint64_t id) {
    Connection* connection = find(id);
    if (connection == nullptr) {
        return;
    }
    if (!read_some(*connection)) {
        return drop(id);
    }
    while (connection != nullptr && connection->in.size() >= frame_header) {
        const auto length = frame_length(connection->in, largest_helper_frame);
        if (!length) {
            return drop(id);
        }
        if (connection->in.size() < frame_header + *length) {
            return;
        }
        const std::string body = connection->in.substr(frame_header, *length);
        connection->in =
            connection->in.substr(frame_header + *length); // which erase() would keep the room of
        if (!take_frame(id, body)) {
            return drop(id);
        }
        connection = find(id);
    }
}

bool HelperServer::take_frame(std::uint64_t id, const std::string& body) {
    Connection& connection = *find(id);
    switch (connection.awaits) {
    case Awaits::ask:
        if (auto ask = parse_helper_ask(body); ask && connection.caller) {
            connection.ask = std::move(*ask);
            connection.awaits = Awaits::us;
            asked(id);
            return true;
        }
        if (const auto again = parse_helper_resume(body); again && connection.caller) {
            return resume(id, *again);
        }
        return false;
    case Awaits::start:
        if (const auto start = parse_helper_start(body)) {
            return check_digest(id, *start);
        }
        if (const auto failed = parse_helper_failed(body)) {
            const std::string why = escape(failed->why.substr(0, longest_failure));
            record_refusal(connection, why, why);
            connection.tries = 0;
            return false;
        }
        return is_helper_trying(body) && trying(connection);
    case Awaits::exit:
        if (is_helper_deadline_question(body)) {
            return tell_deadline(connection, parts_.uses.deadline_of(connection.place));
        }
        if (const auto exited = parse_helper_exited(body)) {
            parts_.uses.exited(connection.place, exited->status);
            return true;
        }
        return false;
    case Awaits::proven:
        if (const auto message = parse_helper_proven(body)) {
            proven(id, *message);
            return true;
        }
        return is_helper_trying(body) && trying(connection);
    case Awaits::us:
        break;
    }
    return false;
}

bool HelperServer::resume(std::uint64_t id, const HelperResume& resume) {
    Connection& connection = *find(id);
    if (!parts_.uses.resumed(resume.use, *connection.caller)) {
        tell_deadline(connection, std::nullopt);
        return false;
    }
    // It comes back only when it has given up another connection, whose end may not have been seen yet.
    std::erase_if(connections_, [&](const auto& entry) { return entry.second.place == resume.use; });
    connection.place = resume.use;
    connection.awaits = Awaits::exit;
    connection.deadline = {};
    // Who has told us the exit too may be gone already: then this can't be said, and that is read.
    tell_deadline(connection, parts_.uses.deadline_of(resume.use));
    return true;
}

// One that is over has the beginning of time.
bool HelperServer::tell_deadline(Connection& connection, const std::optional<Deadline>& deadline) {
    return send(connection,
                to_frame(deadline ? HelperDeadline{.time = deadline->time.time_since_epoch().count(),
                                                   .boot = deadline->boot.time_since_epoch().count()}
                                  : HelperDeadline{}));
}

void HelperServer::refuse(std::uint64_t id, const Error& error) {
    refuse(id, Denial{.message = error.message, .next = {}, .offers = {}});
}

void HelperServer::refuse(std::uint64_t id, const Denial& denial) {
    Json offers = Json::array();
    for (const Offer& offer : denial.offers) {
        offers.push_back({{"role", offer.role}, {"how", offer.how}, {"ticket", offer.ticket}});
        if (!offer.pending.empty()) {
            offers.back()["pending"] = offer.pending;
        }
    }
    send(*find(id), to_frame(HelperRefused{.message = denial.message,
                                           .next = denial.next,
                                           .offers = offers.empty() ? std::string() : to_line(offers)}));
    drop(id);
}

bool HelperServer::send(Connection& connection, const std::string& frame, int descriptor) {
    // Our frames are far smaller than a socket's buffer: what doesn't fit means a helper that reads nothing.
    return send_with(connection.fd.get(), frame, descriptor, 0) == static_cast<ssize_t>(frame.size());
}

} // namespace jit
