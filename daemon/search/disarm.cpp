// SPDX-License-Identifier: MIT
#include "daemon/search/disarm.h"

#include "core/fd.h"
#include "core/read.h"
#include "core/text.h"
#include "daemon/search/reach.h"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace jit {
namespace {

constexpr std::size_t largest_note = 1024 * 1024;

} // namespace

std::string described(const struct stat& file, const std::string& path) {
    return fmt::format("{} (mode {:o}, owner {}, group {})", path, file.st_mode & 07777U, file.st_uid,
                       file.st_gid);
}

Result<void> disarm(int place) {
    struct stat now{};
    const std::string self = fmt::format("/proc/self/fd/{}", place);
    if (fstat(place, &now) != 0 ||
        ((now.st_mode & set_id_bits) != 0 && chmod(self.c_str(), now.st_mode & 07777U & ~set_id_bits) != 0)) {
        return fail(Errc::unavailable, std::strerror(errno));
    }
    if (removexattr(self.c_str(), "security.capability") != 0 && errno != ENODATA && errno != ENOTSUP &&
        errno != EPERM) {
        return fail(Errc::unavailable, std::strerror(errno));
    }
    return {};
}

void Disarmed::add(int directory, dev_t file_system) {
    if (Fd& kept = file_systems_[file_system]; !kept) {
        kept.reset(fcntl(directory, F_DUPFD_CLOEXEC, 0));
    }
}

Result<void> Disarmed::make_last() {
    Result<void> done;
    for (const auto& [number, directory] : file_systems_) {
        if (!directory || syncfs(directory.get()) != 0) {
            done = fail(Errc::unavailable,
                        fmt::format("what was disarmed may not last: {}", std::strerror(errno)));
        }
    }
    file_systems_.clear();
    return done;
}

// A line each: the uid that it gave, or "-", a tab, and its name, escaped.
DisarmNote::DisarmNote(const RequestId& grant, std::string directory)
    : path_(directory.empty() ? disarmed_note(grant) : directory + "/disarmed-" + grant) {
    const std::string text = read_whole(AT_FDCWD, path_.c_str(), largest_note);
    for (const std::string_view line : split(text, '\n')) {
        const auto tab = line.find('\t');
        if (tab == std::string_view::npos) {
            continue; // the end, or one that wasn't written to its end: nothing was disarmed after it
        }
        Entry entry{.name = unescape(line.substr(tab + 1))};
        std::uint32_t uid = 0;
        if (std::from_chars(line.data(), line.data() + tab, uid).ec == std::errc()) {
            entry.setuid = Uid{uid};
        }
        before_.insert(std::move(entry));
    }
}

Result<void> DisarmNote::add(const Entry& entry) {
    const Fd file(open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
    struct stat status{};
    const std::string line = fmt::format(
        "{}\t{}\n", entry.setuid == no_uid ? "-" : std::to_string(number(entry.setuid)), escape(entry.name));
    if (!file || fstat(file.get(), &status) != 0) {
        return fail(Errc::unavailable, fmt::format("{}: {}", path_, std::strerror(errno)));
    }
    if (static_cast<std::size_t>(status.st_size) + line.size() > largest_note) {
        return fail(Errc::exhausted, fmt::format("{}: it is full", path_));
    }
    if (write(file.get(), line.data(), line.size()) != std::ssize(line)) {
        return fail(Errc::unavailable, fmt::format("{}: {}", path_, std::strerror(errno)));
    }
    return {};
}

} // namespace jit
