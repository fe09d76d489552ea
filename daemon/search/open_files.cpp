// SPDX-License-Identifier: MIT
#include "daemon/search/open_files.h"

#include "core/fd.h"
#include "daemon/processes.h"
#include "daemon/search/reach.h"

#include <fmt/format.h>

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <memory>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>

namespace jit {
namespace {

// Without asking its file system, which may not answer.
bool is_nameless_set_id(int directory, const char* name) {
    struct statx found{};
    return statx(directory, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_MODE | STATX_NLINK,
                 &found) == 0 &&
           S_ISREG(found.stx_mode) && found.stx_nlink == 0 && (found.stx_mode & set_id_bits) != 0;
}

// Whether a thread has a table of open files of its own, which /proc/PID/fd doesn't show. So it is also where
// nobody can tell, as of a thread that ended before the others.
bool has_own_table(pid_t pid, const std::string& thread) {
    const long same = syscall(SYS_kcmp, pid, std::stol(thread), KCMP_FILES, 0, 0);
    return same != 0;
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
        const auto look_at_open = [&](int directory, const std::string& task, const std::string& shown) {
            look_at(directory, (task + "/exe").c_str(), shown + "/exe");
            const Fd open_ones(openat(directory, (task + "/fd").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
            const std::unique_ptr<DIR, int (*)(DIR*)> entries(
                open_ones ? fdopendir(fcntl(open_ones.get(), F_DUPFD_CLOEXEC, 0)) : nullptr, closedir);
            while (const dirent* entry = entries ? readdir(entries.get()) : nullptr) {
                if (entry->d_name[0] != '.') {
                    look_at(open_ones.get(), entry->d_name, fmt::format("{}/fd/{}", shown, entry->d_name));
                }
            }
        };
        look_at_open(proc, std::to_string(pid), fmt::format("/proc/{}", pid));
        for_each_thread(proc, pid, [&](int tasks, const std::string& thread) {
            if (has_own_table(pid, thread)) {
                look_at_open(tasks, thread, fmt::format("/proc/{}/task/{}", pid, thread));
            }
        });
    });
}

} // namespace jit
