// SPDX-License-Identifier: MIT
// at_call PID COUNT kill | ERRNO [WHAT]: PID is killed before its COUNTth system call that changes anything
// outside of it (a file, a peer, another process), or that call isn't made and fails. Several writes to the
// same file in succession count as one; with WHAT only those count whose file has that in its name. Says
// "armed", then what call it was. Runs on hosts, of another release too.
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <string>

namespace {

[[noreturn]] void die(const char* what) {
    std::perror(what);
    _exit(99);
}

// What they change is named by a descriptor or by a path.
const std::map<unsigned long long, const char*> BY_DESCRIPTOR = {
    {SYS_write, "write"},
    {SYS_writev, "writev"},
    {SYS_pwrite64, "pwrite64"},
    {SYS_pwritev, "pwritev"},
    {SYS_pwritev2, "pwritev2"},
    {SYS_sendto, "sendto"},
    {SYS_sendmsg, "sendmsg"},
    {SYS_sendmmsg, "sendmmsg"},
    {SYS_connect, "connect"},
    {SYS_fsync, "fsync"},
    {SYS_fdatasync, "fdatasync"},
    {SYS_ftruncate, "ftruncate"},
    {SYS_fchmod, "fchmod"},
    {SYS_fchown, "fchown"},
    {SYS_fallocate, "fallocate"},
    {SYS_close, "close"},
    {SYS_pidfd_send_signal, "pidfd_send_signal"},
};
// The argument that is the path.
struct Path {
    const char* name;
    unsigned argument;
};
const std::map<unsigned long long, Path> BY_PATH = {
    {SYS_openat, {"openat", 1}},       {SYS_open, {"open", 0}},           {SYS_rename, {"rename", 1}},
    {SYS_renameat, {"renameat", 3}},   {SYS_renameat2, {"renameat2", 3}}, {SYS_link, {"link", 1}},
    {SYS_linkat, {"linkat", 3}},       {SYS_unlink, {"unlink", 0}},       {SYS_unlinkat, {"unlinkat", 1}},
    {SYS_mkdir, {"mkdir", 0}},         {SYS_mkdirat, {"mkdirat", 1}},     {SYS_rmdir, {"rmdir", 0}},
    {SYS_symlink, {"symlink", 1}},     {SYS_symlinkat, {"symlinkat", 2}}, {SYS_chmod, {"chmod", 0}},
    {SYS_fchmodat, {"fchmodat", 1}},   {SYS_chown, {"chown", 0}},         {SYS_fchownat, {"fchownat", 1}},
    {SYS_utimensat, {"utimensat", 1}},
};

std::string text_of(pid_t process, unsigned long long address) {
    const std::string memory = "/proc/" + std::to_string(process) + "/mem";
    const int fd = open(memory.c_str(), O_RDONLY | O_CLOEXEC);
    char text[PATH_MAX] = {};
    if (fd < 0 || pread(fd, text, sizeof text - 1, static_cast<off_t>(address)) < 0)
        std::snprintf(text, sizeof text, "?");
    close(fd);
    return text;
}

std::string file_of(pid_t process, unsigned long long descriptor) {
    const std::string link =
        "/proc/" + std::to_string(process) + "/fd/" + std::to_string(static_cast<int>(descriptor));
    char text[PATH_MAX] = {};
    if (readlink(link.c_str(), text, sizeof text - 1) < 0)
        return "?";
    return text;
}

// What the call changes, in words; empty where nobody outside can tell whether it was made.
std::string change(pid_t process, const __ptrace_syscall_info& call) {
    if (call.entry.nr == SYS_kill || call.entry.nr == SYS_tgkill)
        return "kill " + std::to_string(static_cast<long>(call.entry.args[0]));
    if (const auto path = BY_PATH.find(call.entry.nr); path != BY_PATH.end()) {
        if (call.entry.nr == SYS_openat && (call.entry.args[2] & (O_CREAT | O_TRUNC)) == 0)
            return {};
        if (call.entry.nr == SYS_open && (call.entry.args[1] & (O_CREAT | O_TRUNC)) == 0)
            return {};
        return path->second.name + (" " + text_of(process, call.entry.args[path->second.argument]));
    }
    if (const auto descriptor = BY_DESCRIPTOR.find(call.entry.nr); descriptor != BY_DESCRIPTOR.end()) {
        const std::string file = file_of(process, call.entry.args[0]);
        if (file.starts_with("anon_inode:"))
            return {};
        // A peer learns of it; to others a descriptor is nothing.
        if (call.entry.nr == SYS_close && !file.starts_with("socket:"))
            return {};
        return descriptor->second + (" " + file);
    }
    return {};
}

// Until its next stop: what waitpid says of that; nothing when it is gone.
std::optional<int> next_stop(pid_t process, int signal) {
    int status = 0;
    if (ptrace(PTRACE_SYSCALL, process, nullptr, signal) != 0 ||
        waitpid(process, &status, __WALL) != process || !WIFSTOPPED(status))
        return std::nullopt;
    return status;
}

void fail_with(pid_t process, long error) {
    if (ptrace(PTRACE_POKEUSER, process, offsetof(user_regs_struct, orig_rax), -1L) != 0 ||
        !next_stop(process, 0) ||
        ptrace(PTRACE_POKEUSER, process, offsetof(user_regs_struct, rax), -error) != 0)
        die("fail");
}

} // namespace

int main(int count, char** words) {
    if (count != 4 && count != 5)
        return 2;
    const std::string among = count == 5 ? words[4] : "";
    const pid_t process = std::atoi(words[1]);
    const long wanted = std::atol(words[2]);
    if (ptrace(PTRACE_SEIZE, process, nullptr, PTRACE_O_TRACESYSGOOD) != 0 ||
        ptrace(PTRACE_INTERRUPT, process, nullptr, nullptr) != 0)
        die("seize");
    int status = 0;
    if (waitpid(process, &status, __WALL) != process || !WIFSTOPPED(status))
        die("interrupt");
    std::puts("armed");
    std::fflush(stdout);

    const bool killed = std::strcmp(words[3], "kill") == 0;
    long met = 0;
    int signal = 0;
    std::string last;
    while (const auto stop = next_stop(process, signal)) {
        if (WSTOPSIG(*stop) != (SIGTRAP | 0x80)) {
            // Not a call: a signal, which it is to have, or the stop that this began with.
            signal = *stop >> 16 == 0 ? WSTOPSIG(*stop) : 0;
            continue;
        }
        signal = 0;
        __ptrace_syscall_info call{};
        if (ptrace(PTRACE_GET_SYSCALL_INFO, process, sizeof call, &call) <= 0)
            break;
        if (call.op != PTRACE_SYSCALL_INFO_ENTRY)
            continue;
        const std::string what = change(process, call);
        // A close doesn't fail: the descriptor is closed whatever it says.
        if (what.empty() || what == last || what.find(among) == std::string::npos ||
            (!killed && call.entry.nr == SYS_close))
            continue;
        last = what;
        if (++met < wanted)
            continue;
        std::printf("%s\n", what.c_str());
        std::fflush(stdout);
        if (killed) {
            kill(process, SIGKILL);
            waitpid(process, &status, __WALL);
            return 0;
        }
        fail_with(process, std::atol(words[3]));
        ptrace(PTRACE_DETACH, process, nullptr, nullptr);
        return 0;
    }
    return 1;
}
