// SPDX-License-Identifier: MIT
// Takes stock of the host as it is now.
#include "core/audit.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/read.h"
#include "core/text.h"
#include "daemon/search/mounts.h"
#include "daemon/search/stock.h"
#include "daemon/search/walk.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <iterator>
#include <set>
#include <span>
#include <sys/stat.h>

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

std::string digest_of(std::string_view bytes) {
    std::array<std::uint8_t, 16> digest{};
    crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                       bytes.size(), nullptr, 0);
    return to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Time changed_at(const struct stat& status) {
    return Time(millis_of(status.st_ctim));
}

// What a file is for: the first of these that its path begins with.
struct Purpose {
    std::string_view path;
    std::string_view what;
};
constexpr std::array purposes{
    Purpose{"/etc/sudoers", "sudoers"},
    Purpose{"/etc/doas.conf", "sudoers"},
    Purpose{"/etc/polkit-1", "polkit rule"},
    Purpose{"/etc/pam", "PAM"},
    Purpose{"/etc/security", "PAM"},
    Purpose{"/etc/ssh", "sshd"},
    Purpose{"/etc/cron", "cron"},
    Purpose{"/etc/anacrontab", "cron"},
    Purpose{"/var/spool/cron/atjobs", "at job"},
    Purpose{"/var/spool/cron/a", "at job"},
    Purpose{"/var/spool/at", "at job"},
    Purpose{"/var/spool/cron", "cron"},
    Purpose{"/var/lib/systemd/linger", "linger"},
    Purpose{"/etc/systemd", "unit"},
    Purpose{"/run/systemd", "unit"},
    Purpose{"/usr/local/lib/systemd", "unit"},
    Purpose{"/usr/lib/systemd", "unit"},
    Purpose{"/etc/init.d", "unit"},
    Purpose{"/etc/rc", "unit"},
    Purpose{"/etc/modules", "kernel module"},
    Purpose{"/etc/modprobe.d", "kernel module"},
    Purpose{"/etc/ld.so", "loader"},
    Purpose{"/etc/jit", "jit-sudo"},
    Purpose{"/usr/lib/jit-sudo", "jit-sudo"},
    Purpose{"/usr/bin/jit", "jit-sudo"},
    Purpose{"/etc", "configuration"},
    Purpose{"/root", "configuration"},
};

std::string purpose_of(std::string_view path) {
    if (path.ends_with("/pam_jit.so")) {
        return "jit-sudo";
    }
    if (path.ends_with(".so")) {
        return "PAM";
    }
    for (const Purpose& purpose : purposes) {
        if (path.starts_with(purpose.path)) {
            return std::string(purpose.what);
        }
    }
    return "configuration";
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
        for (const char* path :
             {"/root/.bashrc", "/root/.profile", "/root/.bash_profile", "/root/.bash_login", "/root/.ssh/rc",
              "/root/.ssh/environment", "/usr/bin/jit-sudo", "/usr/bin/jitctl"}) {
            file(path);
        }
        for (const char* path : {"/etc", "/var/spool/cron", "/var/spool/at", "/var/lib/systemd/linger",
                                 "/run/systemd/system", "/run/systemd/transient", "/run/systemd/generator",
                                 "/usr/local/lib/systemd", "/usr/lib/systemd/system", "/usr/lib/systemd/user",
                                 "/usr/lib/systemd/system-generators", "/usr/lib/jit-sudo"}) {
            tree(path);
        }
        pam_modules();
        modules();
        listening();
        home("/root");
        for (const std::string& one : homes) {
            if (one != "/root") {
                home(one);
            }
        }
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

    // What people have in their home that goes on in their name. Each directory is opened in the one above:
    // it is theirs, and where it is a link, or another's file system, it is left alone.
    void home(const std::string& path) {
        Stock items;
        at_home_ = &items;
        if (const Fd top = mounts_.open_top(root_ + path); top && is_to_be_read(top)) {
            keys(below(top, path, {".ssh"}, "authorized key"), path + "/.ssh/");
            for (const std::vector<const char*>& parts :
                 {std::vector{".config", "systemd", "user"}, {".local", "share", "systemd", "user"}}) {
                std::string where = path;
                for (const char* part : parts) {
                    where += '/';
                    where += part;
                }
                if (const Fd units = below(top, path, parts, "unit")) {
                    tree(fmt::format("/proc/self/fd/{}", units.get()), where);
                }
            }
        }
        at_home_ = nullptr;
        const std::string all = stock_text(items);
        const std::size_t room = bytes_of_homes_ < most_bytes_of_homes ? most_of_home : 0;
        if (items.size() > room) {
            taken_.items[{"keys and units", path}] = {.file = "", .digest = digest_of(all), .changed = {}};
            items.erase(std::next(items.begin(), static_cast<std::ptrdiff_t>(room)), items.end());
        }
        bytes_of_homes_ += std::min(all.size(), items.size() * longest_name);
        taken_.items.merge(items);
    }

    bool is_to_be_read(const Fd& place) {
        const auto found = place_of(place.get());
        return found && found->directory && !mounts_.passed_over(found->mount);
    }

    Fd below(const Fd& top, std::string path, const std::vector<const char*>& parts, const char* what) {
        Fd place(fcntl(top.get(), F_DUPFD_CLOEXEC, 0));
        for (const char* part : parts) {
            path += '/';
            path += part;
            Fd next = open_place(place.get(), part);
            if (!next && errno == ELOOP) {
                add_link(place.get(), part, path, what);
            }
            if (!next || !is_to_be_read(next)) {
                return {};
            }
            place = std::move(next);
        }
        return place;
    }

    void keys(const Fd& directory, const std::string& path) {
        for (const char* name : {"authorized_keys", "authorized_keys2"}) {
            struct stat status{};
            if (!directory ||
                fstatat(directory.get(), name, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
                continue;
            }
            if (S_ISLNK(status.st_mode)) {
                add_link(directory.get(), name, path + name, "authorized key");
                continue;
            }
            // As a whole too: it was written, though its lines are as they were.
            add_file(directory.get(), name, status, path + name, "authorized key");
            lines(directory.get(), name, path + name, "authorized key",
                  [&](std::string_view line) { return key_name(path + name, line); });
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
                status.st_size > static_cast<off_t>(most_content)
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

    void tree(const std::string& path) { tree(root_ + path, path); }

    void tree(const std::string& path, const std::string& called) {
        const Walked walked = walk(
            {.trees = {path},
             .remote = false,
             .passes = 1,
             .look =
                 [&](int directory, const char* name, const struct stat& status, const std::string& where) {
                     const std::string known = called + where.substr(path.size());
                     // Made and removed by systemd with each login.
                     if (known.ends_with(".scope")) {
                         return;
                     }
                     const std::string what = at_home_ ? "unit" : purpose_of(known);
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

    void pam_modules() {
        for (const char* path : {"/usr/lib/x86_64-linux-gnu/security", "/usr/lib/aarch64-linux-gnu/security",
                                 "/usr/lib64/security", "/usr/lib/security"}) {
            tree(path);
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

    // proc(5), net/tcp: "sl local_address rem_address st tx:rx tr:tm retrnsmt uid …"; state 0A listens, and a
    // UDP socket that takes from anybody is in state 07. The addresses as the kernel writes them, but for the
    // port.
    void listening() {
        struct Table {
            const char* path;
            const char* protocol;
            std::string_view state;
        };
        for (const Table& table :
             {Table{"/proc/net/tcp", "tcp", "0A"}, Table{"/proc/net/tcp6", "tcp6", "0A"},
              Table{"/proc/net/udp", "udp", "07"}, Table{"/proc/net/udp6", "udp6", "07"}}) {
            const std::string text = read_whole(AT_FDCWD, (root_ + table.path).c_str(), most_content);
            for (const std::string_view line : split(text, '\n')) {
                std::vector<std::string_view> fields = split(line, ' ');
                std::erase(fields, "");
                if (fields.size() < 8 || fields[3] != table.state || fields[7] != "0") {
                    continue;
                }
                const auto colon = fields[1].rfind(':');
                const auto port = std::strtoul(std::string(fields[1].substr(colon + 1)).c_str(), nullptr, 16);
                add("listens as root",
                    fmt::format("{} port {} ({})", table.protocol, port, fields[1].substr(0, colon)), {});
            }
        }
    }

    const std::string& root_;
    TakenStock taken_;
    Mounts mounts_;
    Stock* at_home_ = nullptr; // where what is met in a home goes
    std::size_t bytes_of_homes_ = 0;
};

} // namespace

TakenStock take_stock(const std::string& root) {
    return Taker(root).take();
}

} // namespace jit
