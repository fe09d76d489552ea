// SPDX-License-Identifier: MIT
#include "helper/path.h"

#include "core/text.h"
#include "helper/messages.h"
#include "helper/report.h"
#include "helper/sanitise.h"
#include "helper/user_namespace.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <fcntl.h>
#include <linux/limits.h>
#include <sys/stat.h>
#include <vector>

namespace jit {
namespace {

// Those that people type behind sudo, thinking that it would do something.
constexpr std::array<std::string_view, 8> shell_builtins = {"cd",    "export", "source", "ulimit",
                                                            "umask", "alias",  "set",    "history"};
constexpr int most_links = 40; // as the kernel has it

// Follows a path by hand, name by name, and looks at everything it passes.
class Walk {
public:
    enum class Sought { command, of_role };
    Walk(int root, std::string_view asked, Sought sought = Sought::command)
        : root_(root), asked_(asked), sought_(sought) {}

    // Goes on from where it is. Afterwards it is in a directory, or at a file.
    Result<void> follow(std::string_view path) {
        add(path);
        if (auto safe = look_at(root_, "/"); !safe) {
            return std::unexpected(safe.error());
        }
        while (!pending_.empty()) {
            const std::string name = std::move(pending_.front());
            pending_.pop_front();
            if (at_file_) {
                return missing(); // something below a file
            }
            if (name == ".") {
                continue;
            }
            if (name == "..") {
                if (!directories_.empty()) {
                    directories_.pop_back();
                }
                continue;
            }
            if (auto step = enter(name); !step) {
                return step;
            }
        }
        return {};
    }

    [[nodiscard]] std::string directory() const {
        std::string path;
        for (const Directory& directory : directories_) {
            path += '/' + directory.name;
        }
        return path;
    }
    [[nodiscard]] bool at_file() const { return at_file_; }
    // Where it has come to.
    [[nodiscard]] Fd take() { return at_file_ ? std::move(file_) : std::move(directories_.back().fd); }
    [[nodiscard]] bool is_executable() const { return (file_mode_ & 0111) != 0; }

private:
    struct Directory {
        std::string name;
        Fd fd;
    };

    // Names of `path` come before what is pending. A '/' at its end wants a directory: "." stands for that.
    void add(std::string_view path) {
        std::deque<std::string> names;
        while (!path.empty()) {
            const auto slash = path.find('/');
            if (const auto name = path.substr(0, slash); !name.empty()) {
                names.emplace_back(name);
            }
            if (slash == std::string_view::npos) {
                break;
            }
            path.remove_prefix(slash + 1);
            if (path.empty()) {
                names.emplace_back(".");
            }
        }
        pending_.insert(pending_.begin(), names.begin(), names.end());
    }

    Result<void> enter(const std::string& name) {
        Fd fd(openat(here(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        if (!fd) {
            return missing();
        }
        const auto mode = look_at(fd.get(), directory() + '/' + name);
        if (!mode) {
            return std::unexpected(mode.error());
        }
        if (S_ISLNK(*mode)) {
            return link(fd.get());
        }
        if (S_ISDIR(*mode)) {
            directories_.push_back({name, std::move(fd)});
            return {};
        }
        if (!S_ISREG(*mode) && sought_ == Sought::command) {
            return fail(Errc::refused, messages::not_a_command(escape(asked_)));
        }
        at_file_ = true;
        file_mode_ = *mode;
        file_ = std::move(fd);
        return {};
    }

    Result<void> link(int fd) {
        std::array<char, PATH_MAX> target{};
        const ssize_t length = readlinkat(fd, "", target.data(), target.size());
        if (++links_ > most_links || length <= 0 || static_cast<std::size_t>(length) >= target.size()) {
            return missing();
        }
        const std::string_view path(target.data(), static_cast<std::size_t>(length));
        if (path.front() == '/') {
            directories_.clear();
        }
        add(path);
        return {};
    }

    // Its mode, if only root can change what is there. The mode of a link means nothing; who may replace it
    // is said by its directory.
    Result<mode_t> look_at(int fd, const std::string& path) {
        struct stat status{};
        if (fstat(fd, &status) != 0) {
            return fail_errno("fstat");
        }
        if (is_unmapped(status.st_uid)) {
            return fail(Errc::refused, std::string(messages::user_namespace));
        }
        if (sought_ == Sought::of_role && pending_.empty() && !S_ISLNK(status.st_mode)) {
            return status.st_mode;
        }
        if (status.st_uid != 0) {
            return unsafe(path, "does not belong to root");
        }
        if (!S_ISLNK(status.st_mode) && (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
            return unsafe(path, "can be changed by others than root");
        }
        return status.st_mode;
    }

    [[nodiscard]] std::unexpected<Error> unsafe(const std::string& path, std::string_view why) const {
        return fail(Errc::refused, sought_ == Sought::command
                                       ? messages::unsafe_path(escape(asked_), escape(path), why)
                                       : messages::unsafe_path_of_role(escape(asked_), escape(path), why));
    }

    [[nodiscard]] int here() const { return directories_.empty() ? root_ : directories_.back().fd.get(); }
    [[nodiscard]] std::unexpected<Error> missing() const {
        return sought_ == Sought::command ? fail(Errc::not_found, messages::command_not_found(escape(asked_)))
                                          : fail(Errc::refused, messages::no_path_of_role(escape(asked_)));
    }

    int root_;
    std::string_view asked_;
    Sought sought_;
    std::deque<std::string> pending_;
    std::vector<Directory> directories_; // from the root to here; no link among them
    int links_ = 0;
    bool at_file_ = false;
    Fd file_;
    mode_t file_mode_ = 0;
};

// `path` is absolute.
Result<std::string> find_file(std::string_view path, std::string_view asked, int root) {
    const auto slash = path.rfind('/');
    const std::string_view name = path.substr(slash + 1);
    Walk walk(root, asked);
    if (auto directory = walk.follow(std::string(path.substr(0, slash)) + '/'); !directory) {
        return std::unexpected(directory.error());
    }
    std::string canonical = walk.directory() + '/' + std::string(name);
    if (auto file = walk.follow(name); !file) {
        return std::unexpected(file.error());
    }
    if (!walk.at_file() || !walk.is_executable()) {
        return fail(Errc::refused, messages::not_a_command(escape(asked)));
    }
    return canonical;
}

} // namespace

Result<Program> find_command(std::string_view word, std::string_view cwd, std::string_view search_path,
                             int root) {
    if (word.find('/') != std::string_view::npos) {
        std::string path(word);
        if (path.front() != '/') {
            if (cwd.empty()) {
                return fail(Errc::not_found, messages::command_not_found(escape(word)));
            }
            path = std::string(cwd) + '/' + path;
        }
        struct stat status{};
        const bool there = fstatat(root, path.c_str() + 1, &status, AT_EMPTY_PATH) == 0 ||
                           (errno != ENOENT && errno != ENOTDIR);
        auto found = find_file(path, word, root);
        if (!found) {
            // Of a file that isn't there nobody wants to know whose its directory is.
            return there ? std::unexpected(std::move(found.error()))
                         : fail(Errc::not_found, messages::command_not_found(escape(word)));
        }
        return Program{*found, *found};
    }
    while (!search_path.empty() && word != "." && word != "..") {
        const auto colon = search_path.find(':');
        const std::string path = std::string(search_path.substr(0, colon)) + '/' + std::string(word);
        auto found = find_file(path, word, root);
        if (found) {
            return Program{*found, std::string(word)};
        }
        if (found.error().code != Errc::not_found) {
            return std::unexpected(std::move(found.error()));
        }
        search_path.remove_prefix(colon == std::string_view::npos ? search_path.size() : colon + 1);
    }
    const bool of_shells = std::ranges::find(shell_builtins, word) != shell_builtins.end();
    return fail(Errc::not_found,
                of_shells ? messages::shell_builtin(word) : messages::command_not_found(escape(word)));
}

Result<Program> find_command(std::string_view word, std::string_view cwd) {
    const Fd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) {
        return fail_errno("open /");
    }
    return find_command(word, cwd, secure_path, root.get());
}

Result<Fd> open_of_role(std::string_view path, int root) {
    Walk walk(root, path, Walk::Sought::of_role);
    if (auto found = walk.follow(path); !found) {
        return std::unexpected(std::move(found.error()));
    }
    return walk.take();
}

Result<Fd> open_of_role(std::string_view path) {
    const Fd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) {
        return fail_errno("open /");
    }
    return open_of_role(path, root.get());
}

} // namespace jit
