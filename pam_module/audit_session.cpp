// SPDX-License-Identifier: MIT
#include "pam_module/audit_session.h"

#include "core/cgroup.h"
#include "core/fd.h"
#include "core/read.h"

#include <charconv>
#include <fcntl.h>

namespace jit {
namespace {

constexpr std::uint32_t unset = 0xffffffffU;

std::string read_file(const char* path) {
    return read_whole(AT_FDCWD, path, 8192);
}

std::optional<std::uint32_t> read_number(const char* path) {
    const std::string text = read_file(path);
    std::uint32_t value = unset;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && value != unset ? std::optional(value) : std::nullopt;
}

} // namespace

std::optional<std::uint32_t> audit_session() {
    return read_number("/proc/self/sessionid");
}

bool is_parents_audit_session() {
    const auto own = audit_session();
    return own && own == read_number(("/proc/" + std::to_string(getppid()) + "/sessionid").c_str());
}

std::optional<Uid> audit_login_uid() {
    const auto uid = read_number("/proc/self/loginuid");
    return uid ? std::optional(Uid{*uid}) : std::nullopt;
}

bool take_new_audit_session(Uid uid) {
    const auto before = audit_session();
    const std::string login_uid = std::to_string(number(audit_login_uid().value_or(uid)));
    const Fd file(open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC));
    if (!file ||
        write(file.get(), login_uid.data(), login_uid.size()) != static_cast<ssize_t>(login_uid.size())) {
        return false;
    }
    const auto after = audit_session();
    return after && after != before;
}

std::string own_cgroup() {
    return std::string(unified_cgroup(read_file("/proc/self/cgroup")));
}

} // namespace jit
