// SPDX-License-Identifier: MIT
#include "helper/audit_record.h"

#include "core/fd.h"

#include <algorithm>
#include <array>
#include <linux/limits.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

namespace jit {
namespace {

// The kernel takes AUDIT_MESSAGE_TEXT_MAX, 8560 bytes, of a text; in digits a byte is two.
constexpr std::size_t longest_place = 512;
constexpr std::size_t longest_command = 3072;
constexpr std::string_view cut = " [...]";

std::string limited(std::string_view value, std::size_t most) {
    return value.size() <= most ? std::string(value) : std::string(value.substr(0, most)) + std::string(cut);
}

// As it is in quotes where that is safe, else its bytes in hexadecimal.
std::string encoded(std::string_view value) {
    const bool plain = std::all_of(value.begin(), value.end(),
                                   [](char c) { return c > ' ' && c <= '~' && c != '"' && c != '\''; });
    if (plain) {
        return '"' + std::string(value) + '"';
    }
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string text;
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

// Bare, as its readers expect it: so only what looks like the name of a terminal.
std::string terminal_name(std::string_view terminal) {
    constexpr std::string_view devices = "/dev/";
    if (terminal.starts_with(devices)) {
        terminal.remove_prefix(devices.size());
    }
    const bool good = !terminal.empty() && terminal.size() <= 64 &&
                      std::all_of(terminal.begin(), terminal.end(), [](char c) {
                          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                 c == '/' || c == '_' || c == '-' || c == '.';
                      });
    return good ? std::string(terminal) : "?";
}

std::string this_program() {
    std::array<char, PATH_MAX> name{};
    const ssize_t length = readlink("/proc/self/exe", name.data(), name.size());
    return length > 0 ? std::string(name.data(), static_cast<std::size_t>(length)) : "?";
}

void send_record(const std::string& frame) {
    const Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT));
    if (!socket) {
        return;
    }
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    // Without NLM_F_ACK there is an answer only where the kernel refuses, and nothing to do about that.
    sendto(socket.get(), frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
}

} // namespace

std::string audit_text(const UserCommand& command, bool success) {
    return "cwd=" + encoded(command.cwd.empty() ? "?" : limited(command.cwd, longest_place)) +
           " cmd=" + encoded(limited(command.words, longest_command)) +
           " exe=" + encoded(limited(command.exe, longest_place)) +
           " terminal=" + terminal_name(command.terminal) + " res=" + (success ? "success" : "failed");
}

std::string audit_frame(std::string_view text) {
    nlmsghdr header{};
    header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_LENGTH(text.size() + 1)); // and the NUL that ends it
    header.nlmsg_type = audit_user_cmd;
    header.nlmsg_flags = NLM_F_REQUEST;
    header.nlmsg_seq = 1;
    std::string frame(reinterpret_cast<const char*>(&header), sizeof header);
    frame += text;
    frame.resize(NLMSG_ALIGN(header.nlmsg_len), '\0');
    return frame;
}

AuditRecord::AuditRecord(const Program& program, const std::vector<std::string>& arguments,
                         const std::string& cwd, const std::string& terminal)
    : command_{cwd, {}, this_program(), terminal} {
    settled(program, arguments);
}

void AuditRecord::settled(const Program& program, const std::vector<std::string>& arguments) {
    command_.words = program.path;
    for (const std::string& argument : arguments) {
        if (command_.words.size() > longest_command) {
            break;
        }
        command_.words += ' ' + argument;
    }
}

AuditRecord::~AuditRecord() {
    refused();
}

void AuditRecord::refused() {
    if (!sent_) {
        send_record(audit_frame(audit_text(command_, false)));
        sent_ = true;
    }
}

void AuditRecord::started() {
    send_record(audit_frame(audit_text(command_, true)));
    sent_ = true;
}

} // namespace jit
