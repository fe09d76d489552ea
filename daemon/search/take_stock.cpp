// SPDX-License-Identifier: MIT
// Takes stock of the host as it is now.
#include "core/audit.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/read.h"
#include "core/text.h"
#include "daemon/search/stock.h"
#include "daemon/search/walk.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <set>
#include <span>
#include <sys/stat.h>

namespace jit {
namespace {

constexpr std::size_t most_content = 4 * 1024 * 1024;
constexpr std::size_t most_items = 20'000; // some 3 MB in the database, for each beginning of a grant

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
    return "unit"; // of somebody's service manager
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
        // Last: whoever fills theirs with files to be counted hides nothing else by it.
        for (const std::string& home : homes) {
            for (const char* file : {"/.ssh/authorized_keys", "/.ssh/authorized_keys2"}) {
                lines(home + file, "authorized key",
                      [&](std::string_view line) { return key_name(home + file, line); });
            }
            if (is_plain_directory(home + "/.config") && is_plain_directory(home + "/.config/systemd") &&
                is_plain_directory(home + "/.config/systemd/user")) {
                tree(home + "/.config/systemd/user");
            }
        }
        return std::move(taken_);
    }

private:
    [[nodiscard]] bool is_plain_directory(const std::string& path) const {
        struct stat status{};
        return lstat((root_ + path).c_str(), &status) == 0 && S_ISDIR(status.st_mode);
    }

    void problem(const std::string& path, int error) {
        if (taken_.problems.size() < most_problems) {
            taken_.problems.push_back(fmt::format("{}: {}", escape(path), std::strerror(error)));
        }
    }

    void add(std::string what, std::string name, Item item) {
        if (taken_.items.size() >= most_items) {
            return problem(name, ENOBUFS);
        }
        taken_.items[{std::move(what), std::move(name)}] = std::move(item);
    }

    // What is one line each. `name_of`: under which it is told of; empty: not at all.
    void lines(const std::string& path, const std::string& what,
               const std::function<std::string(std::string_view)>& name_of) {
        const Fd file(
            open((root_ + path).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
        struct stat status{};
        if (!file || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
            if (file || (errno != ENOENT && errno != ENOTDIR)) {
                problem(path, file ? EINVAL : errno); // a link or a pipe where a file belongs
            }
            return;
        }
        const std::string content = content_of(file.get());
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
        std::set<std::string> homes{"/root"};
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
        // The comment and the end of the key tell keys apart.
        return fmt::format("{}: …{}", path, line.substr(line.size() - std::min(line.size(), shown)));
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
            add_file(AT_FDCWD, (root_ + path).c_str(), status, path);
        }
    }

    void add_file(int directory, const char* name, const struct stat& status, const std::string& path) {
        std::string content;
        if (S_ISREG(status.st_mode)) {
            // Of what is larger (a database of hardware) its size and times are enough.
            const Fd file(
                status.st_size > static_cast<off_t>(most_content)
                    ? -1
                    : openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOATIME));
            content =
                file ? content_of(file.get()) : fmt::format("{} {}", status.st_size, status.st_mtim.tv_sec);
        }
        const std::string about =
            fmt::format("{:o} {} {}\n{}", status.st_mode, status.st_uid, status.st_gid, content);
        add(purpose_of(path), path,
            {.file = "",
             .digest = digest_of(about),
             .changed = changed_at(status),
             .owner = Uid{status.st_uid}});
    }

    void add_link(int directory, const char* name, const std::string& path) {
        char target[4096];
        const ssize_t size = readlinkat(directory, name, target, sizeof target);
        if (size >= 0) {
            add(purpose_of(path), path,
                {.file = "",
                 .digest = digest_of("link " + std::string(target, static_cast<std::size_t>(size))),
                 .changed = {}});
        }
    }

    void tree(const std::string& path) {
        const Walked walked = walk(
            {.trees = {root_ + path},
             .remote = false,
             .passes = 1,
             .look =
                 [&](int directory, const char* name, const struct stat& status, const std::string& where) {
                     const std::string known = where.substr(root_.size());
                     // Made and removed by systemd with each login.
                     if (known.ends_with(".scope")) {
                         return;
                     }
                     if (S_ISLNK(status.st_mode)) {
                         add_link(directory, name, known);
                     } else {
                         add_file(directory, name, status, known);
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
};

} // namespace

TakenStock take_stock(const std::string& root) {
    return Taker(root).take();
}

} // namespace jit
