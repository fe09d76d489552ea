// SPDX-License-Identifier: MIT
#include "daemon/search/listening.h"

#include "core/fd.h"
#include "core/read.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <functional>
#include <memory>
#include <set>
#include <unistd.h>

namespace jit {
namespace {

constexpr std::size_t largest_table = 4 * 1024 * 1024;

struct Socket {
    std::string name;
    bool made_by_root = false;
    std::string inode;
};

std::vector<std::vector<std::string_view>> rows(const std::string& text) {
    std::vector<std::vector<std::string_view>> all;
    for (const std::string_view line : split(text, '\n')) {
        std::erase(all.emplace_back(split(line, ' ')), "");
    }
    return all;
}

// proc(5), net/tcp: "sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode …"; state 0A
// listens, and a UDP or raw socket that takes from anybody is in state 07. Where others have a port, a raw
// socket has its protocol.
void of_protocols(const std::string& root, std::vector<Socket>& sockets) {
    struct Table {
        const char* protocol;
        std::string_view state;
        const char* number = "port";
    };
    for (const Table& table :
         std::to_array<Table>({{.protocol = "tcp", .state = "0A"},
                               {.protocol = "tcp6", .state = "0A"},
                               {.protocol = "udp", .state = "07"},
                               {.protocol = "udp6", .state = "07"},
                               {.protocol = "udplite", .state = "07"},
                               {.protocol = "udplite6", .state = "07"},
                               {.protocol = "raw", .state = "07", .number = "protocol"},
                               {.protocol = "raw6", .state = "07", .number = "protocol"}})) {
        const std::string text =
            read_whole(AT_FDCWD, fmt::format("{}/proc/net/{}", root, table.protocol).c_str(), largest_table);
        for (const auto& fields : rows(text)) {
            if (fields.size() < 10 || fields[3] != table.state) {
                continue;
            }
            const auto colon = fields[1].rfind(':');
            const auto number = std::strtoul(std::string(fields[1].substr(colon + 1)).c_str(), nullptr, 16);
            sockets.push_back({.name = fmt::format("{} {} {} ({})", table.protocol, table.number, number,
                                                   fields[1].substr(0, colon)),
                               .made_by_root = fields[7] == "0",
                               .inode = std::string(fields[9])});
        }
    }
}

// proc(5), net/packet: "sk RefCnt Type Proto Iface R Rmem User Inode".
void of_packets(const std::string& root, std::vector<Socket>& sockets) {
    const std::string text = read_whole(AT_FDCWD, (root + "/proc/net/packet").c_str(), largest_table);
    for (const auto& fields : rows(text)) {
        if (fields.size() >= 9 && fields[0] != "sk") {
            sockets.push_back({.name = fmt::format("packet protocol {} (interface {})", fields[3], fields[4]),
                               .made_by_root = fields[7] == "0",
                               .inode = std::string(fields[8])});
        }
    }
}

void each_name(const std::string& path, const std::function<void(const char* name)>& call) {
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(path.c_str()), closedir);
    while (const dirent* entry = entries ? readdir(entries.get()) : nullptr) {
        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') {
            call(static_cast<const char*>(entry->d_name));
        }
    }
}

// Any of the four uids: what is set aside for the moment is taken up again.
bool runs_as_root(const std::string& process) {
    const std::string text = read_whole(AT_FDCWD, (process + "/status").c_str(), largest_table);
    const auto from = text.find("\nUid:");
    const auto uids =
        split(from == std::string::npos ? "" : std::string_view(text).substr(from + 5), '\n')[0];
    const auto each = split(uids, '\t');
    return std::ranges::find(each, "0") != each.end();
}

// The inodes of all sockets that processes of root have open.
std::set<std::string> held_by_root(const std::string& root) {
    constexpr std::string_view prefix = "socket:[";
    std::set<std::string> inodes;
    each_name(root + "/proc", [&](const char* pid) {
        const std::string process = fmt::format("{}/proc/{}", root, pid);
        if (!runs_as_root(process)) {
            return;
        }
        each_name(process + "/fd", [&](const char* number) {
            char target[64];
            const ssize_t size =
                readlink(fmt::format("{}/fd/{}", process, number).c_str(), target, sizeof target);
            const std::string_view link(target, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
            if (link.starts_with(prefix) && link.ends_with(']')) {
                inodes.emplace(link.substr(prefix.size(), link.size() - prefix.size() - 1));
            }
        });
    });
    return inodes;
}

} // namespace

std::vector<std::string> listening_as_root(const std::string& root) {
    std::vector<Socket> sockets;
    of_protocols(root, sockets);
    of_packets(root, sockets);
    // A socket is whose it was when it was made, and root can be anybody for that long.
    const std::set<std::string> held =
        std::ranges::all_of(sockets, &Socket::made_by_root) ? std::set<std::string>() : held_by_root(root);
    std::vector<std::string> names;
    for (Socket& socket : sockets) {
        if (socket.made_by_root || held.contains(socket.inode)) {
            names.push_back(std::move(socket.name));
        }
    }
    return names;
}

} // namespace jit
