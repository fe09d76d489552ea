// SPDX-License-Identifier: MIT
// Opening a policy's files. What is judged is what is read:
//   1. everything is opened with O_NOFOLLOW, relative to its directory's descriptor, and judged by fstat;
//   2. only regular files are read, and nothing that could block is waited for (O_NONBLOCK: a FIFO);
//   3. whoever may write a file, or the directory it is in, writes the policy, so with Ownership::root_only
//   each must
//      be root's and writable by root alone. An ACL that lets others write shows in the group bits: they are
//      its mask.
#include "core/fd.h"
#include "core/policy_draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>

namespace jit {
namespace {

constexpr std::size_t most_files = 256;

class Reader {
public:
    explicit Reader(Ownership ownership) : ownership_(ownership) {}

    // A directory, below `at` (or AT_FDCWD), or nothing and a problem. With `optional`, absence is none.
    Fd open_directory(int at, const std::string& name, const std::string& shown, bool optional = false) {
        Fd directory(openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!directory) {
            const int error = errno;
            if (!(optional && error == ENOENT)) {
                refuse(shown, is_symlink(at, name) ? "is a symbolic link"
                              : error == ENOTDIR   ? "is not a directory"
                                                   : std::strerror(error));
            }
            return {};
        }
        struct stat status{};
        if (fstat(directory.get(), &status) != 0) {
            refuse(shown, std::strerror(errno));
            return {};
        }
        return may_be_trusted(status, shown) ? std::move(directory) : Fd();
    }

    void read_file(int at, const std::string& name, const std::string& shown, bool optional = false) {
        const Fd file(openat(at, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
        if (!file) {
            const int error = errno;
            if (!(optional && error == ENOENT)) {
                refuse(shown, error == ELOOP   ? "is a symbolic link"
                              : error == ENXIO ? "is not a regular file"
                                               : std::strerror(error));
            }
            return;
        }
        struct stat status{};
        if (fstat(file.get(), &status) != 0) {
            refuse(shown, std::strerror(errno));
        } else if (!S_ISREG(status.st_mode)) {
            refuse(shown, S_ISDIR(status.st_mode) ? "is a directory" : "is not a regular file");
        } else if (may_be_trusted(status, shown)) {
            read_all(file, shown);
        }
    }

    // The names in policy.d that are read, in byte order; the others are warned about.
    std::vector<std::string> list(Fd directory, const std::string& shown) {
        std::vector<std::string> names;
        const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(directory.get()), closedir);
        if (!stream) {
            refuse(shown, std::strerror(errno));
            return names;
        }
        static_cast<void>(directory.release()); // now the stream's
        for (;;) {
            errno = 0;
            const dirent* entry = readdir(stream.get());
            if (entry == nullptr) {
                if (errno != 0) {
                    refuse(shown, std::strerror(errno));
                }
                break;
            }
            const std::string name = entry->d_name;
            if (name == "." || name == "..") {
                continue;
            }
            if (name.ends_with(".toml") && !name.starts_with('.')) {
                names.push_back(name);
            } else {
                warn(fmt::format("{}/{}", shown, name),
                     "ignored: only names that end in .toml are read, and none that "
                     "begin with a dot");
            }
        }
        if (names.size() > most_files) {
            refuse(shown, fmt::format("{} files; at most {} are read", names.size(), most_files));
            names.clear();
        }
        std::sort(names.begin(), names.end());
        return names;
    }

    void warn(const std::string& shown, std::string message) {
        problems_.push_back({Problem::Severity::warning, {shown, 0}, "", std::move(message)});
    }

    [[nodiscard]] bool found_nothing() const { return sources_.empty() && !refused_; }

    // What was read, as a policy; what was found on the way comes first.
    LoadedPolicy finish() {
        LoadedPolicy loaded = parse_policy(sources_);
        if (refused_) {
            loaded.policy.reset();
        }
        loaded.problems.insert(loaded.problems.begin(), problems_.begin(), problems_.end());
        if (loaded.policy) {
            warn_of_links(*loaded.policy, loaded.problems);
        }
        return loaded;
    }

private:
    // jit-sudo follows links to the directory of a command, and judges where it arrives: a command in /bin is
    // never run where that is a link to /usr/bin.
    static void warn_of_links(const Policy& policy, std::vector<Problem>& problems) {
        for (const auto& [name, role] : policy.roles) {
            for (std::size_t index = 0; index < role.commands.size(); ++index) {
                const std::string& path = role.commands[index].path();
                const std::string real = in_real_directory(path);
                if (real != path) {
                    problems.push_back(
                        {Problem::Severity::warning, role.where,
                         fmt::format("role.{}.commands[{}]", name, index),
                         fmt::format("{} is {} on this host, and jit-sudo goes by that: write {}",
                                     path.substr(0, path.rfind('/')), real.substr(0, real.rfind('/')),
                                     real)});
                }
            }
        }
    }

    void refuse(const std::string& shown, std::string message) {
        problems_.push_back({Problem::Severity::error, {shown, 0}, "", std::move(message)});
        refused_ = true;
    }

    // For the message only: what was opened has been judged already.
    static bool is_symlink(int at, const std::string& name) {
        struct stat status{};
        return fstatat(at, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
    }

    bool may_be_trusted(const struct stat& status, const std::string& shown) {
        if (ownership_ == Ownership::anyone) {
            return true;
        }
        const auto mode = status.st_mode & 07777U;
        if (status.st_uid != 0) {
            refuse(shown, fmt::format("belongs to uid {}, not to root", status.st_uid));
        } else if ((mode & 022U) != 0) {
            refuse(shown, fmt::format("is writable by others than root (mode {:04o})", mode));
        } else {
            return true;
        }
        return false;
    }

    void read_all(const Fd& file, const std::string& shown) {
        std::string text(largest_source + 1, '\0'); // one more, so that scan_policy sees what is too large
        std::size_t length = 0;
        while (length < text.size()) {
            const ssize_t count = read(file.get(), text.data() + length, text.size() - length);
            if (count < 0 && errno == EINTR) {
                continue;
            }
            if (count < 0) {
                refuse(shown, std::strerror(errno));
                return;
            }
            if (count == 0) {
                break;
            }
            length += static_cast<std::size_t>(count);
        }
        text.resize(length);
        text.shrink_to_fit();
        sources_.push_back({shown, std::move(text)});
    }

    Ownership ownership_;
    bool refused_ = false;
    std::vector<Problem> problems_;
    std::vector<PolicySource> sources_;
};

// Without the slashes at its end: O_NOFOLLOW would follow "link/".
std::string without_slashes(std::string path) {
    while (path.size() > 1 && path.ends_with('/')) {
        path.pop_back();
    }
    return path;
}

} // namespace

std::string in_real_directory(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == 0 || slash == std::string::npos) {
        return path;
    }
    const std::unique_ptr<char, void (*)(void*)> real(realpath(path.substr(0, slash).c_str(), nullptr),
                                                      std::free);
    return real ? real.get() + path.substr(slash) : path;
}

LoadedPolicy load_policy(const std::string& directory, Ownership ownership) {
    Reader reader(ownership);
    const std::string path = without_slashes(directory);
    if (const Fd top = reader.open_directory(AT_FDCWD, path, path)) {
        reader.read_file(top.get(), "policy.toml", path + "/policy.toml", true);
        const std::string drop_ins = path + "/policy.d";
        if (Fd below = reader.open_directory(top.get(), "policy.d", drop_ins, true)) {
            const int at = below.get();
            // The stream that lists takes a descriptor of its own along.
            for (const std::string& name : reader.list(Fd(fcntl(at, F_DUPFD_CLOEXEC, 3)), drop_ins)) {
                reader.read_file(at, name, fmt::format("{}/{}", drop_ins, name));
            }
        }
        if (reader.found_nothing()) {
            reader.warn(
                path, "no policy.toml and nothing in policy.d: an empty policy, nobody may ask for anything");
        }
    }
    return reader.finish();
}

LoadedPolicy load_policy_file(const std::string& path, Ownership ownership) {
    Reader reader(ownership);
    const std::size_t slash = path.rfind('/');
    const std::string directory =
        slash == std::string::npos ? "." : without_slashes(path.substr(0, slash + 1));
    if (const Fd in = reader.open_directory(AT_FDCWD, directory, directory)) {
        reader.read_file(in.get(), path.substr(slash + 1), path);
    }
    return reader.finish();
}

} // namespace jit
