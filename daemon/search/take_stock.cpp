// SPDX-License-Identifier: MIT
// Takes stock of the host as it is now.
#include "core/audit.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/read.h"
#include "core/text.h"
#include "daemon/search/listening.h"
#include "daemon/search/mounts.h"
#include "daemon/search/own_records.h"
#include "daemon/search/stock.h"
#include "daemon/search/stock_places.h"
#include "daemon/search/walk.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <functional>
#include <iterator>
#include <memory>
#include <set>
#include <span>
#include <sys/stat.h>
#include <sys/xattr.h>

namespace jit {
namespace {

constexpr std::size_t most_content = 4 * 1024 * 1024;
constexpr std::size_t most_items = 20'000; // some 3 MB in the database, for each beginning of a grant
// Of a home so many are told of one by one; of all others it is told that something is otherwise. Whoever
// fills theirs with files hides nothing by it.
constexpr std::size_t most_of_home = 500;
constexpr std::size_t most_in_home = 100'000;
constexpr std::size_t most_bytes_of_homes = 2 * 1024 * 1024;
constexpr std::size_t longest_name = 1000;
constexpr std::array startup_files{".bashrc",      ".bash_profile", ".bash_login", ".bash_aliases",
                                   ".bash_logout", ".profile",      ".zshrc",      ".zshenv",
                                   ".zprofile",    ".zlogin"};
constexpr int most_levels = 20; // of directories: nothing reads what is configured deeper

std::string digest_of(std::string_view bytes) {
    std::array<std::uint8_t, 16> digest{};
    crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                       bytes.size(), nullptr, 0);
    return to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Time changed_at(const struct stat& status) {
    return Time(millis_of(status.st_ctim));
}

class Taker {
public:
    explicit Taker(const std::string& root) : root_(root) {}

    TakenStock take() {
        // A home is where passwd says: accounts of other sources have theirs looked at by nobody.
        const std::set<std::string> homes = accounts();
        lines("/etc/shadow", "password",
              [](std::string_view line) { return std::string(split(line, ':')[0]); });
        lines("/etc/group", "group", [](std::string_view line) { return std::string(split(line, ':')[0]); });
        for (const char* path : {"/usr/bin/jit-sudo", "/usr/bin/jitctl"}) {
            file(path);
        }
        tree(root_ + std::string(userdb_of_host), "/run/userdb", nullptr);
        for (const std::string& path : stocked_trees()) {
            tree(root_ + path, path, nullptr);
        }
        modules();
        for (std::string& name : listening_as_root(root_)) {
            add("listens as root", std::move(name), {});
        }
        home("/root");
        for (const std::string& one : homes) {
            if (one != "/root") {
                home(one);
            }
        }
        run_time_directories();
        return std::move(taken_);
    }

private:
    void problem(const std::string& path, int error) {
        if (taken_.problems.size() < most_problems) {
            taken_.problems.push_back(fmt::format("{}: {}", escape(path), std::strerror(error)));
        }
    }

    void add(const std::string& what, std::string name, Item item) {
        if (name.size() > longest_name) {
            name = name.substr(0, longest_name / 2) + "… " + digest_of(name);
        }
        Stock& items = at_home_ ? *at_home_ : taken_.items;
        if (items.size() >= (at_home_ ? most_in_home : most_items)) {
            return problem(name, ENOBUFS);
        }
        items[{what, std::move(name)}] = std::move(item);
    }

    void home(const std::string& path) { personal(path, trees_at_home(), true); }

    void run_time_directories() {
        const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir((root_ + "/run/user").c_str()), closedir);
        while (const dirent* entry = entries ? readdir(entries.get()) : nullptr) {
            if (entry->d_name[0] != '.') {
                personal(fmt::format("/run/user/{}", entry->d_name), trees_at_run_time(), false);
            }
        }
    }

    // What people have in their home that goes on in their name. Each directory is opened in the one above:
    // it is theirs, and where it is a link, or another's file system, it is left alone.
    void personal(const std::string& path, std::span<const Personal> trees, bool at_home) {
        Stock items;
        at_home_ = &items;
        if (const Fd top = mounts_.open_top(root_ + path); top && is_to_be_read(top)) {
            const Fd opened = open_directory(top);
            struct stat status{};
            owner_ = opened && fstat(opened.get(), &status) == 0 ? status.st_uid : 0;
            group_ = opened ? status.st_gid : 0;
            directory(opened, path);
            if (at_home) {
                const Fd ssh = below(top, path, ".ssh");
                keys(ssh, path + "/.ssh/");
                for (const char* name : {"config", "rc", "environment"}) {
                    entry(ssh, name, fmt::format("{}/.ssh/{}", path, name), "ssh");
                }
                for (const char* name : startup_files) {
                    entry(top, name, fmt::format("{}/{}", path, name), "startup file");
                }
            }
            for (const Personal& one : trees) {
                if (const Fd place = below(top, path, one.path)) {
                    tree(fmt::format("/proc/self/fd/{}", place.get()), fmt::format("{}/{}", path, one.path),
                         one.what);
                }
            }
        }
        at_home_ = nullptr;
        owner_ = group_ = 0;
        const std::string all = stock_text(items);
        const std::size_t room = bytes_of_homes_ < most_bytes_of_homes ? most_of_home : 0;
        if (items.size() > room) {
            taken_.items[{"keys and units", path}] = {.file = "", .digest = digest_of(all), .changed = {}};
            items.erase(std::next(items.begin(), static_cast<std::ptrdiff_t>(room)), items.end());
        }
        bytes_of_homes_ += std::min(all.size(), items.size() * longest_name);
        taken_.items.merge(items);
    }

    bool is_to_be_read(const Fd& place, bool remote = true) {
        const auto found = place_of(place.get());
        return found && found->directory && !mounts_.passed_over(found->mount) &&
               (remote || !mounts_.of_other_hosts(found->mount));
    }

    Fd below(const Fd& top, std::string path, std::string_view parts) {
        Fd place(fcntl(top.get(), F_DUPFD_CLOEXEC, 0));
        for (const std::string_view part : split(parts, '/')) {
            path.append("/").append(part);
            Fd next = open_place(place.get(), std::string(part).c_str());
            if (!next && errno == ELOOP) {
                add_link(place.get(), std::string(part).c_str(), path, "link");
            }
            if (!next || !is_to_be_read(next)) {
                return {};
            }
            place = std::move(next);
            directory(open_directory(place), path);
        }
        return place;
    }

    // A file, or the link in its place. Whether it is a file.
    bool entry(const Fd& directory, const char* name, const std::string& path, const char* what) {
        if (!directory) {
            return false;
        }
        const Fd place = open_place(directory.get(), name);
        if (!place && errno == ELOOP) {
            add_link(directory.get(), name, path, what);
        }
        const auto found = place ? place_of(place.get()) : std::nullopt;
        struct stat status{};
        if (!found || found->directory || mounts_.passed_over(found->mount) ||
            fstat(place.get(), &status) != 0) {
            return false;
        }
        add_file(directory.get(), name, status, path, what);
        return true;
    }

    void keys(const Fd& directory, const std::string& path) {
        for (const char* name : {"authorized_keys", "authorized_keys2"}) {
            // As a whole too: it was written, though its lines are as they were.
            if (entry(directory, name, path + name, "authorized key")) {
                lines(directory.get(), name, path + name, "authorized key",
                      [&](std::string_view line) { return key_name(path + name, line); });
            }
        }
    }

    static Fd open_directory(const Fd& place) {
        return Fd(openat(place.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME));
    }

    // Whoever may write to a directory can put there later what isn't there now.
    void directory(const Fd& opened, const std::string& path) {
        struct stat status{};
        if (!opened || fstat(opened.get(), &status) != 0) {
            return;
        }
        std::string access;
        for (const char* name : {"system.posix_acl_access", "system.posix_acl_default"}) {
            char list[4096];
            const ssize_t size = fgetxattr(opened.get(), name, list, sizeof list);
            if (size > 0 || (size < 0 && errno == ERANGE)) {
                access += fmt::format("{} {}", name, std::string_view(list, size > 0 ? size : 0));
            }
        }
        const mode_t others = status.st_gid == group_ && at_home_ ? S_IWOTH : S_IWGRP | S_IWOTH;
        const bool open = (status.st_uid != 0 && status.st_uid != owner_) || (status.st_mode & others) != 0 ||
                          !access.empty();
        add(open ? open_directory_item : directory_item, path,
            {.file = "",
             .digest = digest_of(
                 fmt::format("{:o} {} {} {}", status.st_mode, status.st_uid, status.st_gid, access)),
             .changed = {},
             .owner = Uid{status.st_uid}});
    }

    void directories(const Fd& opened, const std::string& path, int levels) {
        directory(opened, path);
        const std::unique_ptr<DIR, int (*)(DIR*)> entries(
            opened ? fdopendir(fcntl(opened.get(), F_DUPFD_CLOEXEC, 0)) : nullptr, closedir);
        while (const dirent* entry = entries && levels > 0 ? readdir(entries.get()) : nullptr) {
            const std::string_view name = static_cast<const char*>(entry->d_name);
            if ((entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) || name == "." || name == "..") {
                continue;
            }
            const Fd next = open_place(opened.get(), entry->d_name);
            if (next && is_to_be_read(next, false)) {
                directories(open_directory(next), fmt::format("{}/{}", path, name), levels - 1);
            }
        }
    }

    void lines(const std::string& path, const std::string& what,
               const std::function<std::string(std::string_view)>& name_of) {
        lines(AT_FDCWD, (root_ + path).c_str(), path, what, name_of);
    }

    // What is one line each. `name_of`: under which it is told of; empty: not at all.
    void lines(int directory, const char* name_there, const std::string& path, const std::string& what,
               const std::function<std::string(std::string_view)>& name_of) {
        const Fd file(
            openat(directory, name_there, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
        struct stat status{};
        if (!file || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
            if (file || (errno != ENOENT && errno != ENOTDIR)) {
                problem(path, file ? EINVAL : errno); // a link or a pipe where a file belongs
            }
            return;
        }
        const std::string content = content_of(file.get());
        if (content.size() >= most_content) {
            problem(path, EFBIG); // and then only what comes first is looked at line by line
        }
        for (const std::string_view line : split(content, '\n')) {
            if (!line.empty() && line[0] != '#') {
                if (std::string name = name_of(line); !name.empty()) {
                    add(what, std::move(name),
                        {.file = path,
                         .digest = digest_of(line),
                         .changed = changed_at(status),
                         .owner = Uid{status.st_uid}});
                }
            }
        }
    }

    std::set<std::string> accounts() {
        std::set<std::string> homes;
        lines("/etc/passwd", "account", [&](std::string_view line) {
            const auto fields = split(line, ':');
            // Homes that aren't anybody's own: "/", "/nonexistent", "/usr/sbin".
            if (fields.size() == 7 && fields[5].starts_with('/') && fields[5].size() > 1 &&
                !fields[5].starts_with("/usr/") && fields[5] != "/bin" && fields[5] != "/dev") {
                homes.emplace(fields[5]);
            }
            return std::string(fields[0]);
        });
        return homes;
    }

    static std::string key_name(const std::string& path, std::string_view line) {
        constexpr std::size_t shown = 60;
        // The comment and the end of the key tell people what it is, and the digest tells keys apart.
        return line.size() <= shown
                   ? fmt::format("{}: …{}", path, line)
                   : fmt::format("{}: …{} ({})", path, line.substr(line.size() - shown), digest_of(line));
    }

    static std::string content_of(int file) {
        std::string content;
        char buffer[65536];
        ssize_t size = 0;
        while (content.size() < most_content && (size = read(file, buffer, sizeof buffer)) > 0) {
            content.append(buffer, static_cast<std::size_t>(size));
        }
        return content;
    }

    void file(const std::string& path) {
        struct stat status{};
        if (lstat((root_ + path).c_str(), &status) == 0) {
            add_file(AT_FDCWD, (root_ + path).c_str(), status, path, purpose_of(path));
        }
    }

    void add_file(int directory, const char* name, const struct stat& status, const std::string& path,
                  const std::string& what) {
        std::string content;
        if (S_ISREG(status.st_mode)) {
            // Of what is larger (a database of hardware) its size and times are enough; nobody sets a ctime.
            const Fd file(
                status.st_size > static_cast<off_t>(most_content) || goes_by_status(what)
                    ? -1
                    : openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOATIME));
            content =
                file ? content_of(file.get())
                     : fmt::format("{} {}", status.st_size, changed_at(status).time_since_epoch().count());
        }
        const std::string about =
            fmt::format("{:o} {} {}\n{}", status.st_mode, status.st_uid, status.st_gid, content);
        add(what, path,
            {.file = "",
             .digest = digest_of(about),
             .changed = changed_at(status),
             .owner = Uid{status.st_uid}});
    }

    void add_link(int directory, const char* name, const std::string& path, const std::string& what) {
        char target[4096];
        struct stat status{};
        const ssize_t size = readlinkat(directory, name, target, sizeof target);
        if (size >= 0 && fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0) {
            add(what, path,
                {.file = "",
                 .digest = digest_of("link " + std::string(target, static_cast<std::size_t>(size))),
                 .changed = {},
                 .owner = Uid{status.st_uid}});
        }
    }

    // `what_for`: all that is in there; null: by its path.
    void tree(const std::string& path, const std::string& called, const char* what_for) {
        if (const Fd top = mounts_.open_top(path); top && is_to_be_read(top, false)) {
            directories(open_directory(top), called, most_levels);
        }
        const Walked walked = walk(
            {.trees = {path},
             .remote = false,
             .passes = 1,
             .look =
                 [&](int directory, const char* name, const struct stat& status, const std::string& where) {
                     const std::string known = called + where.substr(path.size());
                     if (!is_stocked(known) || (called == "/run/userdb" && is_own_record(directory, name))) {
                         return;
                     }
                     const std::string what = what_for != nullptr ? what_for : purpose_of(known);
                     if (S_ISLNK(status.st_mode)) {
                         add_link(directory, name, known, what);
                     } else {
                         add_file(directory, name, status, known, what);
                     }
                 },
             .links = true});
        for (const std::string& problem : walked.problems) {
            if (taken_.problems.size() < most_problems) {
                taken_.problems.push_back(problem);
            }
        }
    }

    void modules() {
        const std::string text = read_whole(AT_FDCWD, (root_ + "/proc/modules").c_str(), most_content);
        for (const std::string_view line : split(text, '\n')) {
            if (const auto name = line.substr(0, line.find(' ')); !name.empty()) {
                add("kernel module", std::string(name), {});
            }
        }
    }

    const std::string& root_;
    TakenStock taken_;
    Mounts mounts_;
    Stock* at_home_ = nullptr; // where what is met in a home goes
    uid_t owner_ = 0;          // whose home that is
    gid_t group_ = 0;
    std::size_t bytes_of_homes_ = 0;
};

} // namespace

TakenStock take_stock(const std::string& root) {
    return Taker(root).take();
}

} // namespace jit
