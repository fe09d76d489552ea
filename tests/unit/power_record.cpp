// SPDX-License-Identifier: MIT
#include "power_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

namespace jit::power {
namespace {

namespace fs = std::filesystem;
using What = Change::What;

constexpr int mark_fd = 900;

std::string link_text(const std::string& path) {
    std::error_code error;
    return fs::read_symlink(path, error).string();
}

class Recorder {
public:
    explicit Recorder(const std::string& directory) : directory_(fs::canonical(directory)) {
        for (const auto& entry : fs::recursive_directory_iterator(directory_)) {
            const std::string name = below(entry.path()).value_or("");
            if (entry.is_directory()) {
                add({.what = What::make_directory, .name = name});
                continue;
            }
            std::ifstream file(entry.path(), std::ios::binary);
            create(name, static_cast<std::uint32_t>(entry.status().permissions()));
            std::string bytes(entry.is_regular_file() ? entry.file_size() : 0, '\0');
            file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
            add({.what = What::size, .node = nodes_.at(name), .offset = bytes.size()});
            bytes.resize(bytes.find_last_not_of('\0') + 1); // room that is kept is large
            add({.what = What::write, .node = nodes_.at(name), .data = bytes});
            add({.what = What::sync, .node = nodes_.at(name)});
        }
        for (const auto& entry : fs::recursive_directory_iterator(directory_)) {
            if (entry.is_directory()) {
                add({.what = What::sync, .name = below(entry.path()).value_or("")});
            }
        }
        add({.what = What::sync});
        made_.before = made_.changes.size();
    }

    Recording follow(pid_t first);

private:
    // What a call is about, as it was before it.
    struct Call {
        std::uint64_t number = 0;
        std::uint64_t argument[6] = {};
        std::optional<std::string> name = {}, new_name = {}; // below the directory
        bool existed = false;
    };

    [[nodiscard]] std::optional<std::string> below(const std::string& path) const {
        if (path == directory_) {
            return "";
        }
        return path.starts_with(directory_ + "/") ? std::optional(path.substr(directory_.size() + 1))
                                                  : std::nullopt;
    }
    std::string read_memory(pid_t pid, std::uint64_t address, std::size_t size) {
        std::string bytes(size, '\0');
        iovec here{.iov_base = bytes.data(), .iov_len = size};
        iovec there{.iov_base = reinterpret_cast<void*>(address), .iov_len = size}; // NOLINT: it is its
        if (size > 0 && process_vm_readv(pid, &here, 1, &there, 1, 0) != static_cast<ssize_t>(size)) {
            problem("memory of the work can't be read");
        }
        return bytes;
    }
    std::string read_path(pid_t pid, std::uint64_t address) {
        std::string path;
        for (char letter = 'x'; address != 0 && path.size() < PATH_MAX;) {
            iovec here{.iov_base = &letter, .iov_len = 1};
            iovec there{.iov_base = reinterpret_cast<void*>(address + path.size()), .iov_len = 1}; // NOLINT
            if (process_vm_readv(pid, &here, 1, &there, 1, 0) != 1 || letter == '\0') {
                break;
            }
            path += letter;
        }
        return path;
    }
    [[nodiscard]] std::optional<std::string> name_of_fd(pid_t pid, std::uint64_t fd) const {
        return below(link_text(fmt::format("/proc/{}/fd/{}", pid, static_cast<int>(fd))));
    }
    std::optional<std::string> name_at(pid_t pid, std::uint64_t fd, std::uint64_t address) {
        const std::string path = read_path(pid, address);
        if (path.starts_with("/proc/self/fd/")) {
            return name_of_fd(pid, std::stoul(path.substr(14)));
        }
        const std::string root = link_text(fmt::format("/proc/{}/root", pid));
        const std::string base = path.starts_with('/') ? root
                                 : static_cast<int>(fd) == AT_FDCWD
                                     ? link_text(fmt::format("/proc/{}/cwd", pid))
                                     : link_text(fmt::format("/proc/{}/fd/{}", pid, static_cast<int>(fd)));
        std::string whole = fs::path(base + "/" + path).lexically_normal();
        while (whole.ends_with('/')) {
            whole.pop_back();
        }
        return below(whole);
    }
    [[nodiscard]] bool exists(const std::string& name) const {
        struct stat status{};
        return lstat((directory_ + "/" + name).c_str(), &status) == 0;
    }

    void add(Change change) { made_.changes.push_back(std::move(change)); }
    void problem(std::string text) { made_.problems.push_back(std::move(text)); }
    void create(const std::string& name, std::uint32_t mode) {
        nodes_[name] = ++last_node_;
        add({.what = What::create, .node = last_node_, .name = name});
        add({.what = What::mode, .node = last_node_, .offset = mode & 07777U});
    }
    void write_down(const std::string& name, std::uint64_t offset, std::string bytes) {
        if (nodes_.contains(name) && !name.ends_with("-shm")) {
            add({.what = What::write, .node = nodes_[name], .offset = offset, .data = std::move(bytes)});
        }
    }

    Call entered(pid_t pid, const __ptrace_syscall_info& info);
    void done(pid_t pid, const Call& call, std::int64_t result);
    void renamed(const Call& call);

    std::string directory_;
    Recording made_;
    std::map<std::string, std::uint64_t> nodes_; // of files, by their name
    std::uint64_t last_node_ = 0;
};

Recorder::Call Recorder::entered(pid_t pid, const __ptrace_syscall_info& info) {
    Call call{.number = info.entry.nr};
    std::copy_n(info.entry.args, 6, call.argument);
    const auto* argument = call.argument;
    constexpr auto here = static_cast<std::uint64_t>(AT_FDCWD);
    switch (call.number) {
#ifdef SYS_open
    case SYS_open:
        call = {.number = SYS_openat, .argument = {here, argument[0], argument[1], argument[2]}};
        break;
    case SYS_unlink:
    case SYS_rmdir:
        call = {.number = SYS_unlinkat, .argument = {here, argument[0]}};
        break;
    case SYS_rename:
        call = {.number = SYS_renameat2, .argument = {here, argument[0], here, argument[1]}};
        break;
    case SYS_mkdir:
        call = {.number = SYS_mkdirat, .argument = {here, argument[0]}};
        break;
    case SYS_symlink:
        call = {.number = SYS_symlinkat, .argument = {argument[0], here, argument[1]}};
        break;
    case SYS_chmod:
        call = {.number = SYS_fchmodat, .argument = {here, argument[0], argument[1]}};
        break;
    case SYS_link:
    case SYS_creat:
        problem("a call that isn't known here: link or creat");
        break;
#endif
    case SYS_renameat:
        call.number = SYS_renameat2;
        break;
    default:
        break;
    }
    switch (call.number) {
    case SYS_openat:
    case SYS_unlinkat:
    case SYS_mkdirat:
    case SYS_fchmodat:
        call.name = name_at(pid, call.argument[0], call.argument[1]);
        call.existed = call.name && exists(*call.name);
        break;
    case SYS_symlinkat:
        call.name = name_at(pid, call.argument[1], call.argument[2]);
        break;
    case SYS_renameat2:
        call.name = name_at(pid, call.argument[0], call.argument[1]);
        call.new_name = name_at(pid, call.argument[2], call.argument[3]);
        break;
    case SYS_mmap:
        // A file that is written by memory is written without a call.
        call.name = (call.argument[3] & MAP_SHARED) != 0 && (call.argument[2] & PROT_WRITE) != 0
                        ? name_of_fd(pid, call.argument[4])
                        : std::nullopt;
        if (call.name && !call.name->ends_with("-shm")) {
            problem(*call.name + " is mapped to be written");
        }
        break;
    case SYS_openat2:
        std::memcpy(&call.argument[3], read_memory(pid, argument[2], 8).data(), 8); // open_how: its flags
        if ((argument[3] & (O_CREAT | O_TRUNC)) != 0) {
            problem("openat2 that makes a file isn't known here");
        }
        break;
    case SYS_linkat:
    case SYS_copy_file_range:
    case SYS_sendfile:
    case SYS_splice:
    case SYS_io_uring_setup:
    case SYS_pwritev:
    case SYS_pwritev2:
    case SYS_truncate:
        problem(fmt::format("system call {} isn't known here", call.number));
        break;
    default:
        call.name = name_of_fd(pid, call.argument[0]);
    }
    return call;
}

void Recorder::renamed(const Call& call) {
    if (!call.name || !call.new_name) {
        if (call.name || call.new_name) {
            problem("a name went out of the directory, or came into it");
        }
        return;
    }
    add({.what = What::rename, .name = *call.name, .new_name = *call.new_name});
    if (auto node = nodes_.extract(*call.name)) {
        nodes_[*call.new_name] = node.mapped();
    } else if (!fs::is_empty(directory_ + "/" + *call.new_name)) {
        problem("a directory with something in it was renamed");
    }
}

void Recorder::done(pid_t pid, const Call& call, std::int64_t result) {
    const auto* argument = call.argument;
    if (call.number == SYS_write && argument[0] == mark_fd) {
        return add({.what = What::mark, .data = read_memory(pid, argument[1], argument[2])});
    }
    if (call.number == SYS_sync) {
        return add({.what = What::sync_all});
    }
    if (result < 0 || !call.name) {
        return;
    }
    const std::string& name = *call.name;
    const auto file = nodes_.find(name);
    switch (call.number) {
    case SYS_openat:
        if ((argument[2] & O_TMPFILE) == O_TMPFILE) {
            problem("a file without a name isn't known here");
        } else if (!call.existed) {
            struct stat status{};
            lstat((directory_ + "/" + name).c_str(), &status);
            create(name, status.st_mode);
        } else if ((argument[2] & O_TRUNC) != 0 && file != nodes_.end()) {
            add({.what = What::size, .node = file->second});
        }
        break;
    case SYS_write: {
        // It was written to where the descriptor stands now, less what was written.
        std::ifstream info(fmt::format("/proc/{}/fdinfo/{}", pid, argument[0]));
        std::string word;
        std::uint64_t position = 0;
        info >> word >> position;
        const auto size = static_cast<std::uint64_t>(result);
        write_down(name, position - size, read_memory(pid, argument[1], size));
        break;
    }
    case SYS_pwrite64:
        write_down(name, argument[3], read_memory(pid, argument[1], static_cast<std::uint64_t>(result)));
        break;
    case SYS_ftruncate:
        if (file != nodes_.end() && !name.ends_with("-shm")) {
            add({.what = What::size, .node = file->second, .offset = argument[1]});
        }
        break;
    case SYS_fallocate:
        if (file != nodes_.end()) {
            add({.what = What::size, .node = file->second, .offset = argument[2] + argument[3]});
        }
        break;
    case SYS_fchmod:
    case SYS_fchmodat:
        if (file != nodes_.end()) {
            add({.what = What::mode,
                 .node = file->second,
                 .offset = argument[call.number == SYS_fchmod ? 1 : 2] & 07777U});
        }
        break;
    case SYS_fsync:
    case SYS_fdatasync:
        file != nodes_.end() ? add({.what = What::sync, .node = file->second})
                             : add({.what = What::sync, .name = name});
        break;
    case SYS_syncfs:
        add({.what = What::sync_all});
        break;
    case SYS_unlinkat:
        add({.what = What::remove, .name = name});
        nodes_.erase(name);
        break;
    case SYS_mkdirat:
        add({.what = What::make_directory, .name = name});
        break;
    case SYS_symlinkat:
        add({.what = What::link, .name = name, .data = read_path(pid, argument[0])});
        break;
    case SYS_renameat2:
        renamed(call);
        break;
    case SYS_writev:
        problem("writev isn't known here: " + name);
        break;
    default:
        break;
    }
}

Recording Recorder::follow(pid_t first) {
    constexpr long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK |
                             PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
    int status = 0;
    if (waitpid(first, &status, __WALL) != first || !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, first, nullptr, options) != 0 ||
        ptrace(PTRACE_SYSCALL, first, nullptr, nullptr) != 0) {
        problem(fmt::format("the work can't be followed: {}", std::strerror(errno)));
        return std::move(made_);
    }
    std::map<pid_t, Call> inside; // those in a call
    std::set<pid_t> known{first};
    for (pid_t pid = 0; !known.empty() && (pid = waitpid(-1, &status, __WALL)) > 0;) {
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            known.erase(pid);
            if (pid == first && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
                problem(fmt::format("the work ended with status {:#x}", status));
            }
            continue;
        }
        long signal = 0;
        if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
            __ptrace_syscall_info info{};
            ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
            if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
                inside[pid] = entered(pid, info);
            } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && inside.contains(pid)) {
                done(pid, inside[pid], info.exit.rval);
                inside.erase(pid);
            }
        } else if (known.insert(pid).second) {
            // A child's first stop is none of its own.
        } else if (WSTOPSIG(status) != SIGTRAP) {
            signal = WSTOPSIG(status);
        }
        ptrace(PTRACE_SYSCALL, pid, nullptr, signal);
    }
    return std::move(made_);
}

} // namespace

Recording record(const std::string& directory, const std::function<bool()>& work) {
    Recorder recorder(directory);
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        if (dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), mark_fd) != mark_fd ||
            ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) {
            _exit(3);
        }
        raise(SIGSTOP);
        bool good = false;
        try {
            good = work();
        } catch (const std::exception& error) {
            fmt::print(stderr, "{}\n", error.what());
        }
        std::fflush(nullptr);
        _exit(good ? 0 : 1);
    }
    return recorder.follow(child);
}

void mark(std::string_view text) {
    if (write(mark_fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        std::abort();
    }
}

} // namespace jit::power
