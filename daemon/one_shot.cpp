// SPDX-License-Identifier: MIT
#include "daemon/one_shot.h"

#include "daemon/connect.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <utility>

namespace jit {

void OneShot::ask(Loop& loop, const std::string& socket, std::string question, Bounds bounds, Done done) {
    done_ = std::move(done);
    question_ = std::move(question);
    sent_ = 0;
    answer_.clear();
    largest_ = bounds.largest;
    auto connected = connect_to(socket, SOCK_STREAM);
    if (!connected) {
        // A timer, and not soon(): finish() sets its time.
        timer_ = loop.after(Millis(0), Millis(0),
                            [this, why = connected.error()] { finish(std::unexpected(why)); });
        return;
    }
    connection_ = std::move(*connected);
    timer_ = loop.after(bounds.patience, std::chrono::seconds(1), [this, socket, bounds] {
        finish(fail(Errc::unavailable,
                    fmt::format("{}: no answer within {}", socket, format_duration(bounds.patience))));
    });
    io_ = loop.on_io(connection_.get(), EPOLLOUT, [this](std::uint32_t) {
        if (sent_ < question_.size()) {
            send();
        } else {
            receive();
        }
    });
}

void OneShot::send() {
    const ssize_t size =
        ::send(connection_.get(), question_.data() + sent_, question_.size() - sent_, MSG_NOSIGNAL);
    if (size < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            finish(fail(Errc::unavailable, fmt::format("no question is taken: {}", std::strerror(errno))));
        }
        return;
    }
    sent_ += static_cast<std::size_t>(size);
    if (sent_ == question_.size()) {
        shutdown(connection_.get(), SHUT_WR);
        io_.set_events(EPOLLIN);
    }
}

void OneShot::receive() {
    char buffer[65536];
    const ssize_t size = recv(connection_.get(), buffer, sizeof buffer, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (size > 0 && answer_.size() < largest_) {
        answer_.append(buffer, static_cast<std::size_t>(size));
        return;
    }
    finish(size == 0 ? Result<std::string>(std::move(answer_))
                     : fail(Errc::unavailable, size > 0 ? "too long an answer" : std::strerror(errno)));
}

// The watch first: once the number is another's, so would be what is taken out of epoll.
void OneShot::finish(Result<std::string> answer) {
    io_ = {};
    connection_.reset();
    question_ = {};
    answer_ = {};
    // The timer may be what calls this, and is not to go before that returns.
    timer_.set_time(BootTime::max());
    std::exchange(done_, {})(std::move(answer));
}

} // namespace jit
