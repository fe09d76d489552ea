// SPDX-License-Identifier: MIT
#include "daemon/registered.h"

#include "core/text.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <memory>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

namespace jit {

Result<void> Registered::make() const {
    struct stat status{};
    if ((mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) ||
        lstat(directory_.c_str(), &status) != 0) {
        return fail(Errc::unavailable, fmt::format("{}: {}", directory_, std::strerror(errno)));
    }
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 0077) != 0) {
        return fail(Errc::unavailable,
                    fmt::format("{}: must be a directory of root's alone, mode 0700", directory_));
    }
    return {};
}

bool Registered::folder_is_gone(int watch) {
    alignas(inotify_event) char buffer[4096];
    bool gone = false;
    for (ssize_t size = 0; (size = ::read(watch, buffer, sizeof buffer)) > 0;) {
        for (ssize_t at = 0; at < size;) {
            inotify_event event{};
            std::memcpy(&event, buffer + at, sizeof event);
            gone = gone || (event.mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) != 0;
            at += static_cast<ssize_t>(sizeof event + event.len);
        }
    }
    return gone;
}

Result<Fd> Registered::watch() const {
    Fd fd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    // Files are linked into their place whole, so there is nothing to wait for after IN_CREATE.
    constexpr std::uint32_t watched = IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
    if (!fd || inotify_add_watch(fd.get(), directory_.c_str(), watched) < 0) {
        return fail(Errc::unavailable, fmt::format("watching {}: {}", directory_, std::strerror(errno)));
    }
    return fd;
}

std::vector<std::string> Registered::names() const {
    std::vector<std::string> found;
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(directory_.c_str()), closedir);
    while (const dirent* entry = directory ? readdir(directory.get()) : nullptr) {
        found.emplace_back(entry->d_name);
    }
    return found;
}

std::vector<std::uint32_t> Registered::sessions() const {
    std::vector<std::uint32_t> found;
    for (const std::string& name : names()) {
        if (const auto session = session_of_use_file(name)) {
            found.push_back(*session);
        }
    }
    return found;
}

Result<RegisteredUse> Registered::read(std::uint32_t session) const {
    const auto file = get_file(directory_, use_file_name(session));
    if (!file) {
        return fail(errno == ENOENT ? Errc::not_found : Errc::unavailable,
                    fmt::format("{}/{}: {}", directory_, session, std::strerror(errno)));
    }
    auto use = parse_registered_use(*file);
    if (!use || use->session != session) {
        return fail(Errc::invalid, fmt::format("{}/{}: not what pam_jit writes", directory_, session));
    }
    return std::move(*use);
}

void Registered::remove(std::uint32_t session) const {
    unlink((directory_ + "/" + use_file_name(session)).c_str());
}

std::vector<Result<RegisteredRefusal>> Registered::take_refusals() const {
    std::vector<Result<RegisteredRefusal>> taken;
    for (const std::string& name : names()) {
        if (!is_refusal_file(name)) {
            continue;
        }
        const auto file = get_file(directory_, name);
        auto refusal = file ? parse_registered_refusal(*file) : std::nullopt;
        if (refusal) {
            taken.emplace_back(std::move(*refusal));
        } else {
            taken.emplace_back(
                fail(Errc::invalid, fmt::format("{}/{}: not what pam_jit writes", directory_, escape(name))));
        }
        unlink((directory_ + "/" + name).c_str());
    }
    return taken;
}

} // namespace jit
