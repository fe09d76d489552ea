// SPDX-License-Identifier: MIT
#include "daemon/seat.h"

#include "core/fd.h"
#include "core/read.h"
#include "daemon/processes.h"

#include <fmt/format.h>

#include <charconv>
#include <fcntl.h>

namespace jit {
namespace {

std::optional<ProcessStat> read_stat(pid_t pid) {
    const Fd proc(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
    return parse_process_stat(read_whole(proc.get(), fmt::format("{}/stat", pid).c_str(), 4096));
}

} // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
    // pid (comm) state ppid pgrp session tty_nr … starttime: fields 1 to 7 and 22.
    const auto name_end = text.rfind(')');
    if (name_end == std::string_view::npos || text.substr(name_end + 1, 1) != " ") {
        return std::nullopt;
    }
    std::string_view rest = text.substr(name_end + 2);
    ProcessStat stat;
    for (int field = 3; field <= 22; ++field) {
        const auto end = rest.find_first_of(" \n");
        const std::string_view word = rest.substr(0, end);
        const auto read = [&](auto& value) {
            const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), value);
            return error == std::errc() && stop == word.data() + word.size();
        };
        if (word.empty() || (field == 6 && !read(stat.session)) || (field == 7 && !read(stat.tty)) ||
            (field == 22 && !read(stat.started)) || (end == std::string_view::npos && field < 22)) {
            return std::nullopt;
        }
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    return stat;
}

std::optional<Seat> seat_of(const Peer& peer, const Login& login) {
    if (!peer.pidfd || peer.pid <= 0) {
        return std::nullopt;
    }
    const auto own = read_stat(peer.pid);
    if (!own || own->session <= 0) {
        return std::nullopt; // also: the leader is in another pid namespace
    }
    const auto leader = read_stat(own->session);
    if (!leader || leader->session != own->session || has_ended(peer.pidfd.get())) {
        return std::nullopt;
    }
    return Seat{.uid = peer.uid,
                .audit_session = login.session,
                .tty = own->tty,
                .leader = own->session,
                .started = leader->started};
}

} // namespace jit
