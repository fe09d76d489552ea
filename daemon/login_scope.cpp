// SPDX-License-Identifier: MIT
#include "daemon/login_scope.h"

#include "core/cgroup.h"
#include "core/fd.h"
#include "daemon/peer.h"
#include "daemon/processes.h"

#include <fmt/format.h>

#include <fcntl.h>

namespace jit {
namespace {

constexpr std::string_view before_path = "0::";

std::string cgroup_of(std::uint32_t pid) {
    const Fd file(open(fmt::format("/proc/{}/cgroup", pid).c_str(), O_RDONLY | O_CLOEXEC));
    char buffer[8192];
    const ssize_t size = file ? read(file.get(), buffer, sizeof buffer) : -1;
    return std::string(unified_cgroup({buffer, static_cast<std::size_t>(size > 0 ? size : 0)}));
}

} // namespace

void kill_login_scope(const Use& use, int leader) {
    const std::string line = cgroup_of(use.pid);
    // Alive now, so the number was the leader's when it was read.
    if (has_ended(leader) || !use.login || line == use.login->cgroup || !is_login_scope(line, use.by.uid)) {
        return;
    }
    const std::string path = "/sys/fs/cgroup" + line.substr(before_path.size()) + "/cgroup.kill";
    const Fd file(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    if (file) {
        // Where it fails the session's processes are killed one by one all the same.
        static_cast<void>(write(file.get(), "1", 1) == 1);
    }
}

} // namespace jit
