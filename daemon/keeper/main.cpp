// SPDX-License-Identifier: MIT
// jit-keeper: holds open the unit jit-elevations.service, below which jitd makes a cgroup for each elevation.
// It goes into a leaf of its own, because a cgroup with children should hold no processes itself, says that
// it is ready, and sleeps.
#include "core/fd.h"

#include <systemd/sd-daemon.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace {

// "0::/jit.slice/jit-elevations.service" → that path below the mount of cgroup v2 (cgroups(7)).
std::string own_cgroup() {
    const jit::Fd file(open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC));
    char buffer[4096];
    const ssize_t size = file ? read(file.get(), buffer, sizeof buffer) : -1;
    const std::string text(buffer, static_cast<std::size_t>(size > 0 ? size : 0));
    const std::size_t begin = text.find("0::/");
    if (begin == std::string::npos) {
        return {};
    }
    return "/sys/fs/cgroup" + text.substr(begin + 3, text.find('\n', begin) - begin - 3);
}

} // namespace

int main() {
    const std::string leaf = own_cgroup() + "/keeper";
    if (leaf.find("/jit-elevations.service/") == std::string::npos) {
        static_cast<void>(std::fprintf(
            stderr, "jit-keeper: it runs as jit-elevations.service, under cgroup v2, and not otherwise\n"));
        return 1;
    }
    if (mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) {
        static_cast<void>(std::fprintf(stderr, "jit-keeper: %s: %s\n", leaf.c_str(), std::strerror(errno)));
        return 1;
    }
    const jit::Fd procs(open((leaf + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    if (!procs || write(procs.get(), "0", 1) != 1) {
        static_cast<void>(
            std::fprintf(stderr, "jit-keeper: %s/cgroup.procs: %s\n", leaf.c_str(), std::strerror(errno)));
        return 1;
    }
    sd_notify(0, "READY=1");
    for (;;) {
        pause();
    }
}
