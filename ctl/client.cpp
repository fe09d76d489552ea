// SPDX-License-Identifier: MIT
#include "ctl/client.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace jit {
namespace {

// jitd accepts no longer message on this socket, and would only hang up.
constexpr std::size_t largest_call = 64U << 10U;

constexpr std::string_view interface_prefix = "io.jitsudo.Access.";
constexpr std::string_view service_prefix = "org.varlink.service.";

std::unexpected<Failure> unreachable_at(const std::string& path, std::string_view why) {
    return unreachable(fmt::format("jitd does not answer at {} ({}): is jitd.socket active? "
                                   "try: systemctl status jitd.socket jitd.service",
                                   escape(path), why));
}

std::unexpected<Failure> not_understood(std::string_view why) {
    return internal_failure(
        fmt::format("jitd's answer makes no sense ({}): is it of another version? try: jitctl status", why));
}

// Rejected by what listens, or dead: EAGAIN is how a socket time-out ends connect(2) and send(2).
std::string connect_problem(int error) {
    return error == EAGAIN || error == EINPROGRESS ? "it takes no connection" : std::strerror(error);
}

std::string string_field(const Json& object, const char* key) {
    const auto field = object.find(key);
    return field != object.end() && field->is_string() ? field->get<std::string>() : std::string();
}

Failure failure_reply(std::string_view name, const Json& parameters) {
    const std::string message = string_field(parameters, "message");
    if (name.starts_with(interface_prefix)) {
        name.remove_prefix(interface_prefix.size());
        struct Known {
            std::string_view name;
            Errc code;
        };
        static constexpr std::array<Known, 7> known{{{"Refused", Errc::refused},
                                                     {"Invalid", Errc::invalid},
                                                     {"NotFound", Errc::not_found},
                                                     {"Conflict", Errc::conflict},
                                                     {"Exhausted", Errc::exhausted},
                                                     {"Unavailable", Errc::unavailable},
                                                     {"Internal", Errc::internal}}};
        for (const Known& error : known) {
            if (error.name == name) {
                return failure_of(
                    {error.code, message.empty() ? fmt::format("jitd says {}", name) : message});
            }
        }
    } else if (name.starts_with(service_prefix)) {
        name.remove_prefix(service_prefix.size());
        if (name == "InvalidParameter") {
            return {
                Exit::usage, "invalid",
                fmt::format("jitd does not accept the value of '{}'", string_field(parameters, "parameter"))};
        }
        if (name == "MethodNotFound" || name == "MethodNotImplemented" || name == "InterfaceNotFound") {
            return {Exit::internal, "internal",
                    "jitd does not know what was asked of it: it is of another version than this jitctl. "
                    "try: systemctl restart jitd.service"};
        }
        if (name == "PermissionDenied") {
            return {Exit::refused, "refused", message.empty() ? "jitd refuses this to you" : message};
        }
    }
    return {Exit::internal, "internal", fmt::format("jitd answered with the error {} {}", name, message)};
}

} // namespace

std::unexpected<Failure> Client::no_answer(std::string_view why) const {
    return unreachable_at(options_.socket, why);
}

Outcome<Client> Client::connect(ClientOptions options) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (options.socket.empty() || options.socket.size() >= sizeof address.sun_path) {
        return usage_failure(fmt::format("a socket's path has 1 to {} bytes", sizeof address.sun_path - 1));
    }
    std::memcpy(address.sun_path, options.socket.data(), options.socket.size());

    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) {
        return internal_failure(fmt::format("cannot make a socket: {}", std::strerror(errno)));
    }
    // Bounds connect(2) too: it waits where the queue of connections not yet accepted is full.
    const timeval bound{.tv_sec = options.timeout.count() / 1000,
                        .tv_usec = options.timeout.count() % 1000 * 1000};
    setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
    int connected = -1;
    do {
        connected = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    } while (connected != 0 && errno == EINTR);
    if (connected != 0) {
        return unreachable_at(options.socket, connect_problem(errno));
    }

    ucred peer{};
    socklen_t length = sizeof peer;
    if (getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
        return unreachable_at(options.socket,
                              fmt::format("its owner can't be told: {}", std::strerror(errno)));
    }
    if (peer.uid != 0 && !(options.own_uid_trusted && peer.uid == geteuid())) {
        return unreachable_at(
            options.socket,
            fmt::format("what listens there is not root's but belongs to uid {}, so it is not jitd",
                        peer.uid));
    }
    return Client(std::move(options), std::move(socket));
}

Outcome<Json> Client::call(std::string_view method, const Json& parameters) {
    if (auto sent = send_call(method, parameters, false); !sent) {
        return std::unexpected(sent.error());
    }
    auto reply = receive({.deadline = soon()});
    if (!reply) {
        return std::unexpected(reply.error());
    }
    if (reply->continues) {
        return not_understood("more replies than were asked for");
    }
    return std::move(reply->parameters);
}

Outcome<void> Client::stream(std::string_view method, const Json& parameters, First first,
                             const Interrupt* interrupt, const std::function<bool(const Json&)>& take,
                             const Meanwhile* meanwhile) {
    if (auto sent = send_call(method, parameters, true); !sent) {
        return std::unexpected(sent.error());
    }
    Wait wait{.deadline = first == First::soon ? soon() : Deadline(),
              .interrupt = interrupt,
              .meanwhile = meanwhile};
    for (;;) {
        auto reply = receive(wait);
        if (!reply) {
            return std::unexpected(reply.error());
        }
        if (!take(reply->parameters) || !reply->continues) {
            return {};
        }
        wait.deadline.reset();
    }
}

Outcome<void> Client::send_call(std::string_view method, const Json& parameters, bool more) {
    Json message{{"method", fmt::format("{}{}", interface_prefix, method)}, {"parameters", parameters}};
    if (more) {
        message["more"] = true;
    }
    const std::string text = to_line(message) + '\0';
    if (text.size() > largest_call) {
        return usage_failure(
            fmt::format("all this together is too long: {} bytes, jitd takes {}", text.size(), largest_call));
    }
    for (std::string_view rest = text; !rest.empty();) {
        const ssize_t sent = send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) {
            return {}; // what it said before it hung up tells more: receive() finds that, or nothing
        }
        if (sent < 0) {
            return no_answer(errno == EAGAIN ? "it reads nothing" : std::strerror(errno));
        }
        rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
}

Outcome<Client::Reply> Client::receive(const Wait& wait) {
    const auto text = receive_message(wait);
    if (!text) {
        return std::unexpected(text.error());
    }
    auto message = parse_json(*text);
    if (!message) {
        return not_understood(message.error().message);
    }
    if (!message->is_object()) {
        return not_understood("not an object");
    }
    Json parameters = message->value("parameters", Json::object());
    if (!parameters.is_object()) {
        return not_understood("parameters are not an object");
    }
    if (message->contains("error")) {
        return std::unexpected(failure_reply(string_field(*message, "error"), parameters));
    }
    const auto continues = message->find("continues");
    return Reply{.parameters = std::move(parameters),
                 .continues = continues != message->end() && *continues == true};
}

Outcome<std::string> Client::receive_message(const Wait& wait) {
    std::array<char, 64U << 10U> chunk;
    for (std::size_t searched = 0;;) {
        if (const auto end = received_.find('\0', searched); end != std::string::npos) {
            std::string message = received_.substr(0, end);
            received_.erase(0, end + 1);
            return message;
        }
        searched = received_.size();
        if (searched > largest_reply) {
            return not_understood("longer than 64 MiB");
        }
        if (auto ready = wait_readable(wait); !ready) {
            return std::unexpected(ready.error());
        }
        const ssize_t count = recv(socket_.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (count < 0) {
            return no_answer(std::strerror(errno));
        }
        if (count == 0) {
            return no_answer(received_.empty() ? "it closed the connection"
                                               : "it closed the connection in mid-answer");
        }
        received_.append(chunk.data(), static_cast<std::size_t>(count));
    }
}

Outcome<void> Client::wait_readable(const Wait& wait) const {
    using std::chrono::nanoseconds;
    for (;;) {
        std::optional<nanoseconds> longest;
        if (wait.deadline) {
            longest = *wait.deadline - std::chrono::steady_clock::now();
            if (*longest <= nanoseconds(0)) {
                return no_answer(
                    fmt::format("nothing came within {} s", (options_.timeout.count() + 999) / 1000));
            }
        }
        if (wait.meanwhile != nullptr) {
            longest = std::min<nanoseconds>(longest.value_or(nanoseconds::max()), wait.meanwhile->every);
        }
        const auto count = longest.value_or(nanoseconds(0)).count();
        const timespec left{.tv_sec = count / 1'000'000'000, .tv_nsec = count % 1'000'000'000};
        // The second is asked for nothing; that its reader is gone (`jitctl audit --follow | head`) is told
        // anyway.
        std::array<pollfd, 3> fds{
            {{.fd = socket_.get(), .events = POLLIN, .revents = 0},
             {.fd = options_.output, .events = 0, .revents = 0},
             {.fd = wait.meanwhile != nullptr ? wait.meanwhile->input : -1, .events = POLLIN, .revents = 0}}};
        const int ready = ppoll(fds.data(), fds.size(), longest ? &left : nullptr,
                                wait.interrupt ? &wait.interrupt->mask() : nullptr);
        if (wait.interrupt != nullptr && Interrupt::interrupted()) {
            return interrupted();
        }
        if (ready < 0 && errno != EINTR) {
            return internal_failure(fmt::format("cannot wait for jitd: {}", std::strerror(errno)));
        }
        if (fds[0].revents != 0) {
            return {};
        }
        if (fds[1].revents != 0) {
            return std::unexpected(Failure{Exit::internal, "internal", {}});
        }
        if (wait.meanwhile != nullptr && !wait.meanwhile->call()) {
            return interrupted();
        }
    }
}

} // namespace jit
