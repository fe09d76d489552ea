// SPDX-License-Identifier: MIT
#include "core/registration.h"

#include "core/fd.h"
#include "core/frame.h"
#include "core/text.h"

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <sys/stat.h>

namespace jit {
namespace {

// Also the version of the format: another one gets other numbers.
enum class Kind : std::uint8_t { use = 0x11, refusal = 0x21 };

constexpr std::uint32_t unset = 0xffffffffU;
constexpr std::string_view refusal_prefix = "refused-";

// The frame's body, where the file is one frame of this kind.
std::optional<FrameReader> open_frame(std::string_view file, Kind kind) {
    const auto length = frame_length(file.substr(0, frame_header), largest_registration);
    if (!length || file.size() != *length + frame_header) {
        return std::nullopt;
    }
    FrameReader reader(file.substr(frame_header));
    return reader.u8() == static_cast<std::uint8_t>(kind) ? std::optional(reader) : std::nullopt;
}

bool in_range(std::int64_t millis) {
    // Far more than any deadline, and far from where adding to it would overflow.
    return millis >= 0 && millis <= std::int64_t{1} << 50;
}

} // namespace

std::string to_frame(const RegisteredUse& use) {
    FrameWriter frame(static_cast<std::uint8_t>(Kind::use));
    frame.bytes(use.service);
    frame.bytes(use.account);
    frame.u32(number(use.uid));
    frame.bytes(use.target);
    frame.u8(use.gated ? 1 : 0);
    frame.bytes(use.grant);
    frame.list(use.groups);
    frame.i64(use.until.time_since_epoch().count());
    frame.i64(use.boot_until.time_since_epoch().count());
    frame.u32(use.pid);
    frame.u32(use.session);
    frame.u32(use.login_uid ? number(*use.login_uid) : unset);
    frame.bytes(use.cgroup);
    frame.bytes(use.tty);
    frame.bytes(use.remote);
    return frame.frame();
}

std::string to_frame(const RegisteredRefusal& refusal) {
    FrameWriter frame(static_cast<std::uint8_t>(Kind::refusal));
    frame.bytes(refusal.service);
    frame.bytes(refusal.account);
    frame.u32(number(refusal.uid));
    frame.bytes(refusal.target);
    frame.bytes(refusal.mode);
    frame.bytes(refusal.why);
    frame.bytes(refusal.tty);
    frame.bytes(refusal.remote);
    return frame.frame();
}

std::optional<RegisteredUse> parse_registered_use(std::string_view file) {
    auto reader = open_frame(file, Kind::use);
    if (!reader) {
        return std::nullopt;
    }
    RegisteredUse use;
    use.service = reader->bytes();
    use.account = reader->bytes();
    use.uid = Uid{reader->u32()};
    use.target = reader->bytes();
    const std::uint8_t gated = reader->u8();
    use.gated = gated == 1;
    use.grant = reader->bytes();
    use.groups = reader->byte_list();
    const std::int64_t until = reader->i64();
    const std::int64_t boot_until = reader->i64();
    use.pid = reader->u32();
    use.session = reader->u32();
    if (const std::uint32_t uid = reader->u32(); uid != unset) {
        use.login_uid = Uid{uid};
    }
    use.cgroup = reader->bytes();
    use.tty = reader->bytes();
    use.remote = reader->bytes();
    bool good = reader->ok() && gated <= 1 && is_account_name(use.service) && is_account_name(use.account) &&
                use.uid != no_uid && is_account_name(use.target) && is_request_id(use.grant) && use.pid > 1 &&
                use.session != unset && in_range(until) && in_range(boot_until) &&
                (use.gated || !use.groups.empty());
    for (const std::string& group : use.groups) {
        good = good && is_account_name(group);
    }
    if (!good) {
        return std::nullopt;
    }
    use.until = Time(Millis(until));
    use.boot_until = BootTime(Millis(boot_until));
    return use;
}

std::optional<RegisteredRefusal> parse_registered_refusal(std::string_view file) {
    auto reader = open_frame(file, Kind::refusal);
    if (!reader) {
        return std::nullopt;
    }
    RegisteredRefusal refusal;
    refusal.service = reader->bytes();
    refusal.account = reader->bytes();
    refusal.uid = Uid{reader->u32()};
    refusal.target = reader->bytes();
    refusal.mode = reader->bytes();
    refusal.why = reader->bytes();
    refusal.tty = reader->bytes();
    refusal.remote = reader->bytes();
    return reader->ok() ? std::optional(std::move(refusal)) : std::nullopt;
}

std::string use_file_name(std::uint32_t session) {
    return std::to_string(session);
}

std::optional<std::uint32_t> session_of_use_file(std::string_view name) {
    std::uint32_t session = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), session);
    // Only the one way to write it: "7", never "07".
    return error == std::errc() && end == name.data() + name.size() && session != unset &&
                   use_file_name(session) == name
               ? std::optional(session)
               : std::nullopt;
}

std::string refusal_file_name(Uid uid, int slot) {
    return std::string(refusal_prefix) + std::to_string(number(uid)) + "-" + std::to_string(slot);
}

bool is_refusal_file(std::string_view name) {
    return name.starts_with(refusal_prefix);
}

bool put_file(const std::string& directory, const std::string& name, std::string_view content) {
    const Fd file(open(directory.c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600));
    if (!file) {
        return false;
    }
    const ssize_t written = write(file.get(), content.data(), content.size());
    if (written != static_cast<ssize_t>(content.size())) {
        errno = written < 0 ? errno : ENOSPC;
        return false;
    }
    // The way that takes no capability (open(2), O_TMPFILE).
    const std::string self = "/proc/self/fd/" + std::to_string(file.get());
    return linkat(AT_FDCWD, self.c_str(), AT_FDCWD, (directory + "/" + name).c_str(), AT_SYMLINK_FOLLOW) == 0;
}

std::optional<std::string> get_file(const std::string& directory, const std::string& name) {
    const Fd file(open((directory + "/" + name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat status{};
    if (!file || fstat(file.get(), &status) != 0) {
        return std::nullopt;
    }
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 0077) != 0) {
        errno = EPERM;
        return std::nullopt;
    }
    std::string content(largest_registration + frame_header + 1, '\0');
    const ssize_t size = read(file.get(), content.data(), content.size());
    if (size < 0) {
        return std::nullopt;
    }
    if (static_cast<std::size_t>(size) == content.size()) {
        errno = EFBIG;
        return std::nullopt;
    }
    content.resize(static_cast<std::size_t>(size));
    return content;
}

} // namespace jit
