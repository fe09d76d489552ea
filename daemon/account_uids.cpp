// SPDX-License-Identifier: MIT
#include "daemon/account_uids.h"

#include "core/fd.h"
#include "core/sync.h"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace jit {
namespace {

std::unexpected<Error> failed(const std::string& path) {
    return fail(Errc::unavailable, fmt::format("{}: {}", path, std::strerror(errno)));
}

} // namespace

Result<std::optional<Uid>> read_uid_mark(const std::string& path) {
    const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) {
        return errno == ENOENT ? Result<std::optional<Uid>>(std::nullopt) : failed(path);
    }
    char buffer[32];
    const ssize_t size = read(file.get(), buffer, sizeof buffer);
    if (size < 0) {
        return failed(path);
    }
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(buffer, buffer + size, value);
    if (error != std::errc() || end + 1 != buffer + size || *end != '\n' || Uid{value} == no_uid) {
        return fail(Errc::unavailable,
                    fmt::format("{} is damaged. It holds the highest uid that jit ever gave on this host, as "
                                "a number and a line feed: write one that is high enough",
                                path));
    }
    return Uid{value};
}

Result<void> write_uid_mark(Uid uid, const std::string& path) {
    const std::string beside = path + ".new";
    const std::string text = fmt::format("{}\n", number(uid));
    unlink(beside.c_str()); // of a crash
    const Fd file(open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        fsync(file.get()) != 0 || rename(beside.c_str(), path.c_str()) != 0) {
        return failed(beside);
    }
    return sync_directory_of(path) ? Result<void>() : failed(path);
}

} // namespace jit
