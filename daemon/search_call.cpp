// SPDX-License-Identifier: MIT
#include "daemon/search_call.h"

#include "core/time.h"
#include "daemon/connect.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace jit {
namespace {

constexpr Millis patience = std::chrono::minutes(30);

} // namespace

Result<void> SearchCall::ask(const SearchJob& job, Done done) {
    auto connected = connect_to(socket_, SOCK_STREAM);
    if (!connected) {
        return fail(Errc::unavailable,
                    connected.error().message + "; see systemctl status jit-search.socket");
    }
    to_send_ = search_text(job);
    sent_ = 0;
    received_.clear();
    done_ = std::move(done);
    connection_ = std::move(*connected);
    patience_ = loop_.after(patience, std::chrono::seconds(1), [this] {
        finish(fail(Errc::unavailable, fmt::format("a search took more than {}", format_duration(patience))));
    });
    io_ = loop_.on_io(connection_.get(), EPOLLOUT, [this](std::uint32_t) {
        if (!to_send_.empty()) {
            send();
        } else {
            receive();
        }
    });
    return {};
}

void SearchCall::send() {
    const ssize_t size =
        ::send(connection_.get(), to_send_.data() + sent_, to_send_.size() - sent_, MSG_NOSIGNAL);
    if (size < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            finish(fail(Errc::unavailable,
                        fmt::format("jit-search takes no question: {}", std::strerror(errno))));
        }
        return;
    }
    sent_ += static_cast<std::size_t>(size);
    if (sent_ == to_send_.size()) {
        shutdown(connection_.get(), SHUT_WR);
        to_send_ = {};
        io_.set_events(EPOLLIN);
    }
}

void SearchCall::receive() {
    char buffer[65536];
    const ssize_t size = recv(connection_.get(), buffer, sizeof buffer, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (size > 0 && received_.size() < largest_search) {
        received_.append(buffer, static_cast<std::size_t>(size));
        return;
    }
    auto reply = parse_search_reply(std::exchange(received_, {}));
    finish(reply ? std::move(reply)
                 : fail(Errc::unavailable, "jit-search failed: see journalctl -u 'jit-search@*'"));
}

// The watch goes first: once the number is another's, so would be what is taken out of epoll.
void SearchCall::finish(Result<SearchReply> reply) {
    io_ = {};
    connection_.reset();
    patience_ = {};
    to_send_ = {};
    received_ = {};
    std::exchange(done_, {})(std::move(reply));
}

} // namespace jit
