// SPDX-License-Identifier: MIT
#include "daemon/search/walk.h"

#include "core/fd.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <map>
#include <memory>
#include <sys/vfs.h>

namespace jit {
namespace {

// Not in <linux/magic.h>.
constexpr std::uint32_t autofs_magic = 0x0187;
constexpr std::uint32_t fuse_magic = 0x65735546;
constexpr std::uint32_t cifs_magic = 0xff534d42;
constexpr std::uint32_t mqueue_magic = 0x19800202;
constexpr std::uint32_t configfs_magic = 0x62656570;
constexpr std::uint32_t fusectl_magic = 0x65735543;

// Nobody keeps a program in these, or the kernel executes none of them with other rights (FUSE that a person
// has mounted is nosuid), or they would be mounted by being looked at.
constexpr std::array<std::uint32_t, 19> passed_over{
    PROC_SUPER_MAGIC, SYSFS_MAGIC,    CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, DEVPTS_SUPER_MAGIC,
    DEBUGFS_MAGIC,    TRACEFS_MAGIC,  SECURITYFS_MAGIC,   SELINUX_MAGIC,       PSTOREFS_MAGIC,
    BPF_FS_MAGIC,     EFIVARFS_MAGIC, NSFS_MAGIC,         BINFMTFS_MAGIC,      autofs_magic,
    fuse_magic,       mqueue_magic,   configfs_magic,     fusectl_magic};
constexpr std::array<std::uint32_t, 5> of_other_hosts{NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, SMB2_SUPER_MAGIC,
                                                      cifs_magic, AFS_SUPER_MAGIC};

// A change within a tick of the clock that ctime is taken from doesn't show.
constexpr long tick_ns = 20'000'000;

struct Identity {
    dev_t device;
    ino_t inode;
    auto operator<=>(const Identity&) const = default;
};

bool same(const timespec& a, const timespec& b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

// What was found in a directory, and when.
struct Known {
    timespec changed{};
    bool certain = false; // nothing can have been changed without its showing
    std::vector<std::string> directories;
    int pass = 0; // when it was come by last
};

struct Level {
    Fd directory;
    dev_t device = 0;
    std::string path;
    const std::vector<std::string>* names = nullptr;
    std::size_t next = 0;
};

class Walker {
public:
    explicit Walker(const Walk& how) : how_(how) {}

    Walked run() {
        std::shared_ptr<void> held;
        for (pass_ = 1; pass_ <= how_.passes; ++pass_) {
            if (pass_ > 1) {
                const timespec pause{.tv_sec = 0, .tv_nsec = tick_ns + tick_ns / 2};
                nanosleep(&pause, nullptr);
            }
            if (pass_ == how_.passes && how_.hold) {
                held = how_.hold();
            }
            changed_ = 0;
            for (const std::string& tree : how_.trees) {
                go_through(tree);
            }
            if (changed_ == 0 || held) {
                walked_.settled = true;
                break;
            }
        }
        walked_.directories = known_.size();
        return std::move(walked_);
    }

private:
    void problem(const std::string& path, int error) {
        const std::string text = fmt::format("{}: {}", escape(path), std::strerror(error));
        if (walked_.problems.size() < most_problems &&
            std::ranges::find(walked_.problems, text) == walked_.problems.end()) {
            walked_.problems.push_back(text);
        }
    }

    void go_through(const std::string& tree) {
        // A tree is named by root, and may be behind a link of root's (/home -> /srv/home).
        Fd top(open(tree.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK));
        if (!top) {
            if (errno != ENOENT) {
                problem(tree, errno);
            }
            return;
        }
        std::vector<Level> levels;
        enter(std::move(top), tree == "/" ? "" : tree, levels);
        while (!levels.empty()) {
            Level& level = levels.back();
            if (level.next == level.names->size()) {
                levels.pop_back();
                continue;
            }
            const std::string& name = (*level.names)[level.next++];
            const std::string path = level.path + '/' + name;
            Fd below = open_below(level, name, path);
            if (below) {
                enter(std::move(below), path, levels);
            }
        }
    }

    Fd open_below(const Level& level, const std::string& name, const std::string& path) {
        // Nothing is mounted by being opened so.
        Fd place(openat(level.directory.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        struct stat found{};
        if (!place || fstat(place.get(), &found) != 0) {
            if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP) {
                problem(path, errno);
            }
            return {};
        }
        if (found.st_dev != level.device && !wanted(place.get())) {
            return {};
        }
        Fd below(openat(place.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME));
        if (!below && errno != ENOENT) {
            problem(path, errno);
        }
        return below;
    }

    [[nodiscard]] bool wanted(int directory) const {
        struct statfs of{};
        if (fstatfs(directory, &of) != 0) {
            return false;
        }
        const auto type = static_cast<std::uint32_t>(of.f_type);
        return std::ranges::find(passed_over, type) == passed_over.end() &&
               (how_.remote || std::ranges::find(of_other_hosts, type) == of_other_hosts.end());
    }

    void enter(Fd directory, std::string path, std::vector<Level>& levels) {
        struct stat found{};
        if (fstat(directory.get(), &found) != 0) {
            return problem(path, errno);
        }
        auto [at, fresh] = known_.try_emplace({.device = found.st_dev, .inode = found.st_ino});
        Known& known = at->second;
        if (known.pass == pass_) {
            return; // by another way, or moved below where we are now
        }
        known.pass = pass_;
        if (fresh || !known.certain || !same(known.changed, found.st_ctim)) {
            ++changed_;
            read(directory, path, known, found);
        }
        if (!known.directories.empty()) {
            levels.push_back({.directory = std::move(directory),
                              .device = found.st_dev,
                              .path = std::move(path),
                              .names = &known.directories});
        }
    }

    void read(const Fd& directory, const std::string& path, Known& known, const struct stat& before) {
        timespec now{};
        clock_gettime(CLOCK_REALTIME_COARSE, &now);
        known.changed = before.st_ctim;
        // A clock that was set back makes this uncertain for a while, and the directory is read again.
        known.certain =
            (now.tv_sec - before.st_ctim.tv_sec) * 1'000'000'000L + (now.tv_nsec - before.st_ctim.tv_nsec) >
            tick_ns;
        known.directories.clear();
        Fd copy(fcntl(directory.get(), F_DUPFD_CLOEXEC, 0));
        const std::unique_ptr<DIR, int (*)(DIR*)> entries(copy ? fdopendir(copy.get()) : nullptr, closedir);
        if (!entries) {
            return problem(path, errno);
        }
        static_cast<void>(copy.release());
        rewinddir(entries.get());
        while (true) {
            errno = 0;
            const dirent* entry = readdir(entries.get());
            if (entry == nullptr) {
                if (errno != 0 && errno != ENOENT) {
                    problem(path, errno);
                }
                return;
            }
            look_at(directory.get(), *entry, path, known);
        }
    }

    void look_at(int directory, const dirent& entry, const std::string& path, Known& known) {
        const char* name = entry.d_name;
        if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) {
            return;
        }
        if (entry.d_type == DT_DIR) {
            known.directories.emplace_back(name);
            return;
        }
        if (entry.d_type != DT_REG && entry.d_type != DT_UNKNOWN && !(how_.links && entry.d_type == DT_LNK)) {
            return;
        }
        struct stat found{};
        if (fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
            if (errno != ENOENT) {
                problem(path + '/' + name, errno);
            }
        } else if (S_ISDIR(found.st_mode)) {
            known.directories.emplace_back(name);
        } else if (S_ISREG(found.st_mode) || (how_.links && S_ISLNK(found.st_mode))) {
            how_.look(directory, name, found, path + '/' + name);
        }
    }

    const Walk& how_;
    Walked walked_;
    std::map<Identity, Known> known_;
    int pass_ = 0;
    std::size_t changed_ = 0;
};

} // namespace

Walked walk(const Walk& how) {
    return Walker(how).run();
}

} // namespace jit
