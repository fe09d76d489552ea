// SPDX-License-Identifier: MIT
#include "daemon/login_scope.h"

#include "core/cgroup.h"
#include "core/fd.h"
#include "core/read.h"
#include "daemon/peer.h"
#include "daemon/processes.h"

#include <fmt/format.h>

#include <fcntl.h>

namespace jit {
namespace {

constexpr std::string_view before_path = "0::";

std::string cgroup_of(std::uint32_t pid) {
    const std::string path = fmt::format("/proc/{}/cgroup", pid);
    return std::string(unified_cgroup(read_whole(AT_FDCWD, path.c_str(), 8192)));
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
