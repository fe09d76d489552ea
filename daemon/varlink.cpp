// SPDX-License-Identifier: MIT
#include "daemon/varlink.h"

#include "core/clock.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace jit {
namespace {

constexpr std::size_t largest_call = 64 * 1024;
constexpr std::size_t most_unsent =
    16 * 1024 * 1024; // one reply may be large, a client that doesn't read is dropped
constexpr std::size_t drained_below = 256 * 1024;
constexpr std::size_t most_connections = 512;
constexpr std::size_t kept_for_root = 32;
constexpr int most_of_one_uid = 32;
constexpr Millis patience = std::chrono::seconds(20); // for the rest of a call, or for a reply to be read
constexpr Millis idle = std::chrono::seconds(60);

std::string_view error_name(Errc code) {
    switch (code) {
    case Errc::refused:
        return "Refused";
    case Errc::invalid:
        return "Invalid";
    case Errc::not_found:
        return "NotFound";
    case Errc::conflict:
        return "Conflict";
    case Errc::exhausted:
        return "Exhausted";
    case Errc::unavailable:
        return "Unavailable";
    case Errc::internal:
        break;
    }
    return "Internal";
}

} // namespace

const Peer* Call::peer() const {
    const auto* connection = server_.find(connection_);
    return connection != nullptr ? &connection->peer : nullptr;
}

void Call::reply(const Json& parameters) {
    if (!done_) {
        done_ = true;
        server_.send(connection_, {{"parameters", parameters}}, true);
    }
}

void Call::reply_more(const Json& parameters) {
    if (!done_) {
        server_.send(connection_, {{"parameters", parameters}, {"continues", true}}, false);
    }
}

void Call::fail(const Error& error) {
    if (!done_) {
        done_ = true;
        server_.send(connection_,
                     {{"error", fmt::format("{}.{}", server_.name_, error_name(error.code))},
                      {"parameters", {{"message", error.message}}}},
                     true);
    }
}

void Call::fail_varlink(std::string_view name, const Json& parameters) {
    if (!done_) {
        done_ = true;
        server_.send(connection_,
                     {{"error", fmt::format("org.varlink.service.{}", name)}, {"parameters", parameters}},
                     true);
    }
}

bool Call::open() const {
    return !done_ && server_.find(connection_) != nullptr;
}

bool Call::drained() const {
    const auto* connection = server_.find(connection_);
    return connection != nullptr && connection->out.size() < drained_below;
}

void Call::on_drained(std::function<void()> call) {
    if (auto* connection = server_.find(connection_)) {
        connection->on_drained = std::move(call);
        server_.update(connection_, false);
    }
}

VarlinkServer::VarlinkServer(Loop& loop, Fd listener, std::string name, std::string interface,
                             std::string version, Handler handler)
    : loop_(loop), listener_(std::move(listener)), name_(std::move(name)), interface_(std::move(interface)),
      version_(std::move(version)), handler_(std::move(handler)),
      accepting_(loop_.on_io(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept_some(); })) {}

VarlinkServer::Connection* VarlinkServer::find(std::uint64_t id) {
    const auto found = connections_.find(id);
    return found != connections_.end() ? &found->second : nullptr;
}

void VarlinkServer::accept_some() {
    // A few in a turn: a flood of connections must not keep the loop from its timers.
    for (int count = 0; count < 16; ++count) {
        Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!fd) {
            return;
        }
        auto peer = peer_of(fd.get());
        const std::size_t room =
            peer && peer->uid == root_uid ? most_connections + kept_for_root : most_connections;
        if (!peer || (connections_.size() >= room && !make_room(peer->uid)) ||
            (peer->uid != root_uid && connections_of_[peer->uid] >= most_of_one_uid)) {
            const std::string text =
                to_line({{"error", name_ + ".Exhausted"},
                         {"parameters", {{"message", "too many connections at once; try again later"}}}}) +
                '\0';
            ::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            continue;
        }
        const std::uint64_t id = next_++;
        ++connections_of_[peer->uid];
        Connection& connection = connections_[id];
        connection.peer = std::move(*peer);
        connection.io =
            loop_.on_io(fd.get(), EPOLLIN, [this, id](std::uint32_t events) { serve(id, events); });
        connection.fd = std::move(fd);
        update(id, false);
    }
}

bool VarlinkServer::make_room(Uid uid) {
    const auto has = [this](Uid who) {
        const auto found = connections_of_.find(who);
        return found == connections_of_.end() ? 0 : found->second;
    };
    std::optional<std::uint64_t> victim;
    int most = has(uid);
    for (const auto& [id, connection] : connections_) {
        if (!connection.busy && connection.peer.uid != root_uid && has(connection.peer.uid) > most) {
            most = has(connection.peer.uid);
            victim = id;
        }
    }
    if (victim) {
        drop(*victim);
    }
    return victim.has_value();
}

void VarlinkServer::drop(std::uint64_t id) {
    if (auto node = connections_.extract(id)) {
        const auto count = connections_of_.find(node.mapped().peer.uid);
        if (--count->second == 0) {
            connections_of_.erase(count);
        }
    }
}

void VarlinkServer::serve(std::uint64_t id, std::uint32_t events) {
    Connection* connection = find(id);
    // Closed at the other end: nobody waits for what we might still do for it.
    if (connection == nullptr || (events & (EPOLLHUP | EPOLLERR)) != 0) {
        return drop(id);
    }
    if ((events & EPOLLOUT) != 0 && !write_some(*connection)) {
        return drop(id);
    }
    if ((events & EPOLLIN) != 0 && !read_some(*connection)) {
        return drop(id);
    }
    update(id, (events & EPOLLOUT) != 0);
    if (connection->on_drained && connection->out.size() < drained_below) {
        std::exchange(connection->on_drained, nullptr)();
    }
    next_call(id);
}

bool VarlinkServer::read_some(Connection& connection) {
    std::array<char, 16384> buffer;
    const ssize_t size = recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
    if (size < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    if (size == 0) {
        connection.last_call = true; // shut down for writing; what it has asked is still answered
        return true;
    }
    connection.in.append(buffer.data(), static_cast<std::size_t>(size));
    return connection.in.size() <= largest_call || connection.in.find('\0') <= largest_call;
}

bool VarlinkServer::write_some(Connection& connection) {
    const ssize_t size =
        ::send(connection.fd.get(), connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
    if (size < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    connection.out.erase(0, static_cast<std::size_t>(size));
    return true;
}

void VarlinkServer::update(std::uint64_t id, bool progress) {
    Connection& connection = *find(id);
    // While a call is being answered, or its answer isn't read, the next ones wait, most of them in the
    // kernel's buffer.
    const bool others_wait = connection.busy || connection.out.size() >= drained_below;
    const bool reading = !connection.last_call && (!others_wait || connection.in.size() < largest_call);
    const bool writing = !connection.out.empty() || connection.on_drained;
    connection.io.set_events((reading ? EPOLLIN : 0U) | (writing ? EPOLLOUT : 0U));

    const Wait wait = !connection.out.empty() ? Wait::reader
                      : connection.busy       ? Wait::us
                      : connection.in.empty() ? Wait::next_call
                                              : Wait::rest_of_call;
    // A byte now and then buys no more time for the rest of a call; reading some of a long reply does.
    if (wait != connection.wait || (wait == Wait::reader && progress)) {
        connection.wait = wait;
        connection.deadline = {};
        if (wait != Wait::us) {
            connection.deadline = loop_.after(wait == Wait::next_call ? idle : patience,
                                              std::chrono::seconds(1), [this, id] { drop(id); });
        }
    }
}

void VarlinkServer::next_call(std::uint64_t id) {
    // Who asks on and on and reads no answers is not answered on and on.
    for (Connection* connection = find(id);
         connection != nullptr && !connection->busy && connection->out.size() < drained_below;
         connection = find(id)) {
        const std::size_t end = connection->in.find('\0');
        if (end == std::string::npos) {
            return connection->last_call && connection->out.empty() ? drop(id) : update(id, false);
        }
        const auto message = parse_json(std::string_view(connection->in).substr(0, end));
        connection->in.erase(0, end + 1);
        if (!message || !message->is_object() || !message->contains("method") ||
            !(*message)["method"].is_string()) {
            return drop(id); // not Varlink: there is no reply to what isn't a call
        }
        const auto flag = [&](const char* key) { return message->contains(key) && (*message)[key] == true; };
        connection->busy = true;
        connection->oneway = flag("oneway");
        dispatch(std::make_shared<Call>(
            *this, id, (*message)["method"].get<std::string>(),
            message->contains("parameters") ? (*message)["parameters"] : Json::object(), flag("more")));
    }
    if (find(id) != nullptr) {
        update(id, false);
    }
}

void VarlinkServer::dispatch(const CallPtr& call) {
    const std::string& method = call->method();
    const std::size_t dot = method.rfind('.');
    const std::string interface = method.substr(0, dot == std::string::npos ? 0 : dot);
    if (!call->parameters().is_object()) {
        call->fail_varlink("InvalidParameter", {{"parameter", "parameters"}});
    } else if (interface == name_) {
        handler_(call);
    } else if (method == "org.varlink.service.GetInfo") {
        call->reply({{"vendor", "jit-sudo"},
                     {"product", "jitd"},
                     {"version", version_},
                     {"url", ""},
                     {"interfaces", {"org.varlink.service", name_}}});
    } else if (method == "org.varlink.service.GetInterfaceDescription") {
        const Json& parameters = call->parameters();
        if (parameters.contains("interface") && parameters["interface"] == name_) {
            call->reply({{"description", interface_}});
        } else {
            call->fail_varlink("InterfaceNotFound", {{"interface", parameters.value("interface", Json(""))}});
        }
    } else if (interface == "org.varlink.service") {
        call->fail_varlink("MethodNotFound", {{"method", method}});
    } else {
        call->fail_varlink("InterfaceNotFound", {{"interface", interface}});
    }
}

void VarlinkServer::send(std::uint64_t id, const Json& message, bool last) {
    Connection* connection = find(id);
    if (connection == nullptr) {
        return;
    }
    if (!connection->oneway) {
        connection->out += to_line(message);
        connection->out += '\0';
    }
    if (last) {
        connection->busy = false;
        connection->on_drained = nullptr;
    }
    if (connection->out.size() > most_unsent || !write_some(*connection)) {
        return drop(id);
    }
    update(id, true);
    if (last && !connection->in.empty()) {
        // Calls that came meanwhile; from the loop, because this may be running inside one.
        connection->wait = Wait::nothing;
        connection->deadline = loop_.after(Millis(0), Millis(0), [this, id] { next_call(id); });
    }
}

} // namespace jit
