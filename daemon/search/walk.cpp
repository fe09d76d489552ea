// SPDX-License-Identifier: MIT
#include "daemon/search/walk.h"

#include "core/fd.h"
#include "core/text.h"
#include "daemon/search/mounts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <unordered_map>

namespace jit {
namespace {

// A change within a tick of the clock that ctime is taken from doesn't show.
constexpr std::int64_t tick_ns = 20'000'000;

// Somebody may make as many directories, as deep below each other and with names as long as the disk takes.
constexpr std::size_t most_path = 16'384;
constexpr std::size_t most_shown = 600;
constexpr std::size_t most_known = 6'000'000; // some 60 bytes each
constexpr std::size_t most_levels = 200'000;  // the kernel keeps each of them, too
constexpr std::size_t most_open = 500;
constexpr std::size_t most_names = 64 * 1024 * 1024; // of all levels together
constexpr std::size_t most_names_of_one = 256 * 1024;

struct Identity {
    dev_t device;
    ino_t inode;
    bool operator==(const Identity&) const = default;
};

struct IdentityHash {
    std::size_t operator()(const Identity& of) const noexcept {
        return (of.inode ^ of.device * 0x9e3779b97f4a7c15U) * 0xff51afd7ed558ccdU;
    }
};

std::int64_t ns_of(const timespec& time) {
    return time.tv_sec * 1'000'000'000L + time.tv_nsec;
}

// What is known of a directory from when it was read.
struct Known {
    std::int64_t changed = 0;
    std::int16_t pass = 0; // when it was come by last
    bool certain = false;  // nothing can have been changed without its showing
};

struct Level {
    Fd directory; // none: closed meanwhile, for there are so many
    Place place;
    std::int64_t changed = 0;
    std::size_t path = 0; // so much of the path is its own
    std::string names;    // of directories in it, each ended by a NUL byte
    std::size_t next = 0;
    long position = 0; // in the directory: what comes after these
    bool whole = false;
    bool look = false; // at its files too
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
            walked_.changed = changed_ > 0;
            if (!walked_.changed || held) {
                walked_.settled = true;
                break;
            }
        }
        walked_.directories = known_.size();
        return std::move(walked_);
    }

private:
    void problem(const std::string& path, const char* what) {
        if (walked_.problems.size() < most_problems) {
            const std::string text = fmt::format("{}: {}", shown_path(path), what);
            if (std::ranges::find(walked_.problems, text) == walked_.problems.end()) {
                walked_.problems.push_back(text);
            }
        }
    }
    void problem(int error) { problem(path_, std::strerror(error)); }

    // Where there is no more room names are left out; that of a file always shows.
    void descend(const char* name) {
        if (path_.size() < most_path) {
            path_ += '/';
            path_ += name;
        } else if (!path_.ends_with("/…")) {
            path_ += "/…";
        }
    }

    void go_through(const std::string& tree) {
        path_ = tree == "/" ? "" : tree;
        Fd top = open_top(tree);
        if (top) {
            enter(std::move(top), path_.size());
        }
        while (!levels_.empty()) {
            Level& level = levels_.back();
            if (level.next < level.names.size()) {
                const char* name = level.names.c_str() + level.next;
                level.next += std::strlen(name) + 1;
                const std::size_t above = level.path;
                path_.resize(above);
                descend(name);
                Fd below = open_below(level, name);
                if (level.next == level.names.size()) {
                    forget_names(level);
                }
                if (below) {
                    enter(std::move(below), path_.size());
                }
            } else if (!level.whole) {
                path_.resize(level.path);
                go_on_reading(level);
            } else {
                leave();
            }
        }
    }

    Fd open_top(const std::string& tree) {
        const Fd place = mounts_.open_top(tree);
        const auto found = place ? place_of(place.get()) : std::nullopt;
        if (!found) {
            if (errno != ENOENT) {
                problem(errno);
            }
            return {};
        }
        return found->directory ? open_directory(place, *found, nullptr) : (problem(ENOTDIR), Fd());
    }

    Fd open_below(const Level& level, const char* name) {
        const Fd place = open_place(level.directory.get(), name);
        const auto found = place ? place_of(place.get()) : std::nullopt;
        if (!found) {
            if (errno != ENOENT && errno != ELOOP) {
                problem(errno);
            }
            return {};
        }
        return found->directory ? open_directory(place, *found, &level) : Fd();
    }

    Fd open_directory(const Fd& place, const Place& found, const Level* above) {
        if ((above == nullptr || found.mount != above->place.mount) &&
            (mounts_.passed_over(found.mount) || (!how_.remote && mounts_.of_other_hosts(found.mount)))) {
            return {};
        }
        Fd opened(openat(place.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME));
        if (!opened && errno != ENOENT) {
            problem(errno);
        }
        return opened;
    }

    void enter(Fd directory, std::size_t path) {
        struct stat found{};
        const auto place = place_of(directory.get());
        if (!place || fstat(directory.get(), &found) != 0) {
            return problem(errno);
        }
        const Identity identity{.device = found.st_dev, .inode = found.st_ino};
        if (levels_.size() >= most_levels || (known_.size() >= most_known && !known_.contains(identity))) {
            ++changed_;
            return problem(path_, "there are too many directories: this one wasn't looked into");
        }
        auto [at, fresh] = known_.try_emplace(identity);
        Known& known = at->second;
        if (known.pass == pass_) {
            return; // by another way, or moved below where we are now
        }
        known.pass = static_cast<std::int16_t>(pass_);
        const std::int64_t changed = ns_of(found.st_ctim);
        const bool look = fresh || !known.certain || known.changed != changed;
        if (look) {
            ++changed_;
            timespec now{};
            clock_gettime(CLOCK_REALTIME_COARSE, &now);
            // A clock that was set back makes this uncertain for a while, and the directory is read again.
            known = {.changed = changed, .pass = known.pass, .certain = ns_of(now) - changed > tick_ns};
        }
        if (levels_.size() >= most_open) {
            levels_[levels_.size() - most_open].directory.reset();
        }
        levels_.push_back({.directory = std::move(directory),
                           .place = *place,
                           .changed = changed,
                           .path = path,
                           .names = {},
                           .look = look});
        read(levels_.back());
    }

    // Back to the one above, which is open still, or is the parent of the one that is left.
    void leave() {
        const Fd left = std::move(levels_.back().directory);
        levels_.pop_back(); // its names are used up
        if (levels_.empty() || levels_.back().directory) {
            return;
        }
        Level& level = levels_.back();
        level.directory.reset(openat(left.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME));
        const auto place = level.directory ? place_of(level.directory.get()) : std::nullopt;
        if (!place || *place != level.place) {
            path_.resize(level.path);
            problem(path_, "it was moved while it was looked through");
            ++changed_;
            levels_.clear();
            names_ = 0;
        }
    }

    void go_on_reading(Level& level) {
        struct stat found{};
        if (fstat(level.directory.get(), &found) == 0 && ns_of(found.st_ctim) != level.changed) {
            ++changed_;
        }
        read(level);
    }

    // Names of directories as long as there is room for them; at least one.
    void read(Level& level) {
        level.whole = true;
        const Fd& directory = level.directory;
        Fd copy(fcntl(directory.get(), F_DUPFD_CLOEXEC, 0));
        const std::unique_ptr<DIR, int (*)(DIR*)> entries(copy ? fdopendir(copy.get()) : nullptr, closedir);
        if (!entries) {
            return problem(errno);
        }
        static_cast<void>(copy.release());
        seekdir(entries.get(), level.position);
        const std::size_t room = names_ < most_names ? most_names_of_one : 0;
        while (true) {
            errno = 0;
            const dirent* entry = readdir(entries.get());
            if (entry == nullptr) {
                if (errno != 0 && errno != ENOENT) {
                    problem(errno);
                }
                break;
            }
            look_at(*entry, level);
            if (level.names.size() > room) {
                level.position = telldir(entries.get());
                level.whole = false;
                break;
            }
        }
        level.names.shrink_to_fit();
        names_ += level.names.size();
    }

    void forget_names(Level& level) {
        names_ -= level.names.size();
        level.names = {};
        level.next = 0;
    }

    void look_at(const dirent& entry, Level& level) {
        const char* name = entry.d_name;
        const auto add_directory = [&] { level.names.append(name, std::strlen(name) + 1); };
        if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) {
            return;
        }
        if (entry.d_type == DT_DIR) {
            return add_directory();
        }
        if (entry.d_type != DT_UNKNOWN &&
            (!level.look || (entry.d_type != DT_REG && !(how_.links && entry.d_type == DT_LNK)))) {
            return;
        }
        struct stat found{};
        if (fstatat(level.directory.get(), name, &found, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
            if (errno != ENOENT) {
                problem(path_ + '/' + name, std::strerror(errno));
            }
        } else if (S_ISDIR(found.st_mode)) {
            add_directory();
        } else if (level.look && (S_ISREG(found.st_mode) || (how_.links && S_ISLNK(found.st_mode)))) {
            path_ += '/';
            path_ += name;
            how_.look(level.directory.get(), name, found, path_);
            path_.resize(level.path);
        }
    }

    const Walk& how_;
    Walked walked_;
    Mounts mounts_;
    std::unordered_map<Identity, Known, IdentityHash> known_;
    std::vector<Level> levels_;
    std::string path_;
    std::size_t names_ = 0; // bytes of all levels
    int pass_ = 0;
    std::size_t changed_ = 0;
};

} // namespace

Walked walk(const Walk& how) {
    return Walker(how).run();
}

std::string shown_path(const std::string& path) {
    return path.size() <= most_shown ? escape(path)
                                     : escape(path.substr(0, most_shown / 2)) + "…" +
                                           escape(path.substr(path.size() - most_shown / 2));
}

} // namespace jit
