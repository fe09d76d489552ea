// SPDX-License-Identifier: MIT
#include "daemon/search/open_files.h"

#include "core/fd.h"
#include "daemon/processes.h"
#include "daemon/search/reach.h"

#include <fmt/format.h>

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>

namespace jit {
namespace {

// Without asking its file system, which may not answer.
bool is_nameless_set_id(int directory, const char* name) {
    struct statx found{};
    return statx(directory, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_MODE | STATX_NLINK,
                 &found) == 0 &&
           S_ISREG(found.stx_mode) && found.stx_nlink == 0 && (found.stx_mode & set_id_bits) != 0;
}

} // namespace

Result<void> look_at_nameless(
    const std::function<void(int place, const struct stat& found, const std::string& path)>& look) {
    return for_each_pid([&](int proc, pid_t pid) {
        const auto look_at = [&](int directory, const char* name, const std::string& path) {
            struct stat found{};
            if (is_nameless_set_id(directory, name)) {
                const Fd place(openat(directory, name, O_PATH | O_CLOEXEC));
                if (place && fstat(place.get(), &found) == 0 && S_ISREG(found.st_mode)) {
                    look(place.get(), found, path);
                }
            }
        };
        const std::string exe = fmt::format("{}/exe", pid);
        look_at(proc, exe.c_str(), fmt::format("/proc/{}/exe", pid));
        const Fd open_ones(
            openat(proc, fmt::format("{}/fd", pid).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        const std::unique_ptr<DIR, int (*)(DIR*)> entries(
            open_ones ? fdopendir(fcntl(open_ones.get(), F_DUPFD_CLOEXEC, 0)) : nullptr, closedir);
        while (const dirent* entry = entries ? readdir(entries.get()) : nullptr) {
            if (entry->d_name[0] != '.') {
                look_at(open_ones.get(), entry->d_name, fmt::format("/proc/{}/fd/{}", pid, entry->d_name));
            }
        }
    });
}

} // namespace jit
