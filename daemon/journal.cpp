// SPDX-License-Identifier: MIT
#include "daemon/journal.h"

#include "core/json.h"
#include "core/text.h"

#include <fmt/format.h>

#include <sys/socket.h>
#include <sys/un.h>

namespace jit {
namespace {

// One id for all audit events (journalctl MESSAGE_ID=…), one for checkpoints; JIT_KIND tells the events
// apart.
constexpr std::string_view event_id = "5d5f6e0a2b8f4c1f9c7e34f1a1b7d0c2";
constexpr std::string_view checkpoint_id = "b0a3a6c7e59d4d0d8a3d0f5f6c2e9b18";
constexpr std::string_view journal_socket = "/run/systemd/journal/socket";

std::string text_in(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string person_in(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_object() ? text_in(*found, "person") : std::string();
}

} // namespace

Journal::Journal() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}

void Journal::send(Level level, std::string_view message, const Fields& fields) {
    send_packet(fmt::format("PRIORITY={}\nSYSLOG_IDENTIFIER=jitd\nMESSAGE={}\n", static_cast<int>(level),
                            escape(message)),
                fields);
}

void Journal::send_command(Level level, std::string_view line, const Fields& fields) {
    constexpr int authpriv = 10; // LOG_FAC(LOG_AUTHPRIV)
    send_packet(fmt::format("PRIORITY={}\nSYSLOG_FACILITY={}\nSYSLOG_IDENTIFIER=jit-sudo\nMESSAGE={}\n",
                            static_cast<int>(level), authpriv, line),
                fields);
}

void Journal::send_packet(std::string packet, const Fields& fields) {
    for (const auto& [name, value] : fields) {
        packet += fmt::format("{}={}\n", name, escape(value));
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    journal_socket.copy(address.sun_path, sizeof address.sun_path - 1);
    sendto(socket_.get(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
           reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

void Journal::send(const Event& event) {
    const auto body = parse_json(event.body);
    if (!body || !body->is_object()) {
        return;
    }
    const std::string kind = text_in(*body, "kind");
    const std::string request = text_in(*body, "request");
    const std::string role = text_in(*body, "role");
    std::string person = person_in(*body, "beneficiary");
    std::string message = kind;
    for (const auto& [label, value] :
         {std::pair("", request), std::pair("role ", role), std::pair("for ", person),
          std::pair("by ", person_in(*body, "by")), std::pair("by ", text_in(*body, "by")),
          std::pair("group ", text_in(*body, "group")), std::pair("wanted: ", text_in(*body, "wanted")),
          std::pair("cause: ", text_in(*body, "cause")), std::pair("reason: ", text_in(*body, "reason")),
          std::pair("why: ", text_in(*body, "why"))}) {
        if (!value.empty()) {
            message += fmt::format("{}{}{}", message == kind ? " " : ", ", label, value);
        }
    }
    const bool bad = kind == "policy.rejected" || kind == "audit.broken";
    const bool remarkable =
        kind == "grant.left_behind" || (kind == "daemon.started" && body->value("cut_off", false));
    Fields fields{{"MESSAGE_ID", std::string(event_id)},
                  {"JIT_KIND", kind},
                  {"JIT_SEQ", std::to_string(event.seq)},
                  {"JIT_HASH", to_hex(event.hash)}};
    for (auto&& [name, value] :
         {std::pair("JIT_REQUEST", request), std::pair("JIT_ROLE", role), std::pair("JIT_PERSON", person)}) {
        if (!value.empty()) {
            fields.emplace_back(name, value);
        }
    }
    send(bad ? Level::error : remarkable ? Level::warning : Level::notice, message, fields);
}

void Journal::send(const Checkpoint& checkpoint) {
    send(Level::info, fmt::format("audit checkpoint at event {}", checkpoint.seq),
         {{"MESSAGE_ID", std::string(checkpoint_id)},
          {"JIT_SEQ", std::to_string(checkpoint.seq)},
          {"JIT_AT", std::to_string(checkpoint.at.time_since_epoch().count())},
          {"JIT_HASH", to_hex(checkpoint.hash)},
          {"JIT_SIGNATURE", to_hex(checkpoint.signature)}});
}

} // namespace jit
