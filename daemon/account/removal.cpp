// SPDX-License-Identifier: MIT
#include "daemon/account/removal.h"

#include "core/fd.h"
#include "core/read.h"
#include "core/text.h"
#include "daemon/search/mounts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <memory>
#include <string_view>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace jit {
namespace {

constexpr int most_rounds = 20;
constexpr std::size_t largest_mountinfo = 64 * 1024 * 1024;

std::string failed(std::string_view what) {
    return fmt::format("{}: {}", what, std::strerror(errno));
}

Fd open_below(int directory, const char* path, std::uint64_t flags, std::uint64_t resolve) {
    open_how how{};
    how.flags = flags | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | resolve;
    return Fd(static_cast<int>(syscall(SYS_openat2, directory, path, &how, sizeof how)));
}

// In mountinfo (proc(5)) a blank and the like are written as three octal digits.
std::string unescaped(std::string_view written) {
    std::string text;
    for (std::size_t at = 0; at < written.size(); ++at) {
        if (written[at] == '\\' && at + 3 < written.size()) {
            text += static_cast<char>((written[at + 1] - '0') * 64 + (written[at + 2] - '0') * 8 +
                                      (written[at + 3] - '0'));
            at += 3;
        } else {
            text += written[at];
        }
    }
    return text;
}

struct Mounted {
    std::uint64_t id = 0;
    std::string point;
};

// Of mountinfo's fields the first and the fifth. The last first: it may hide others.
std::vector<Mounted> mounted_below(const std::string& path) {
    std::vector<Mounted> found;
    const std::string text = read_whole(AT_FDCWD, "/proc/self/mountinfo", largest_mountinfo);
    for (const std::string_view line : split(text, '\n')) {
        const auto fields = split(line, ' ');
        Mounted one;
        if (fields.size() > 4 &&
            std::from_chars(fields[0].data(), fields[0].data() + fields[0].size(), one.id).ec ==
                std::errc()) {
            one.point = unescaped(fields[4]);
            if (one.point.starts_with(path + '/')) {
                found.push_back(std::move(one));
            }
        }
    }
    std::ranges::reverse(found);
    return found;
}

} // namespace

std::string unmount_below(int parent, const std::string& path) {
    const std::size_t above = path.rfind('/') + 1;
    std::string why;
    for (int round = 0; round < most_rounds; ++round) {
        const auto mounted = mounted_below(path);
        if (mounted.empty()) {
            return "";
        }
        for (const Mounted& one : mounted) {
            const Fd place = open_below(parent, one.point.c_str() + above, O_PATH, 0);
            const auto found = place ? place_of(place.get()) : std::nullopt;
            // FORCE: a file system in user space that doesn't answer lets go of those who wait for it.
            const auto unmount = [&] {
                return umount2(fmt::format("/proc/self/fd/{}", place.get()).c_str(), MNT_FORCE | MNT_DETACH);
            };
            if (!found) {
                why = failed(one.point);
            } else if (found->mount != one.id) {
                why = one.point + " was exchanged"; // or another mount hides it, which goes first
            } else if (unmount() != 0) {
                why = failed("unmounting " + one.point);
            }
        }
    }
    return why;
}

// Each directory that isn't empty is brought up to the top, and emptied there: two are open at a time.
std::string empty_directory(int directory) {
    std::string why;
    std::uint64_t next = 0;
    for (bool any = true; any;) {
        any = false;
        why.clear();
        const Fd again(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        const std::unique_ptr<DIR, int (*)(DIR*)> top(
            again ? fdopendir(fcntl(again.get(), F_DUPFD_CLOEXEC, 0)) : nullptr, closedir);
        if (!top) {
            return failed("a directory");
        }
        while (const dirent* entry = readdir(top.get())) {
            const std::string name = entry->d_name;
            if (name == "." || name == "..") {
                continue;
            }
            if (unlinkat(directory, name.c_str(), 0) == 0 ||
                unlinkat(directory, name.c_str(), AT_REMOVEDIR) == 0) {
                any = true;
                continue;
            }
            const Fd below = open_below(directory, name.c_str(), O_RDONLY | O_DIRECTORY, RESOLVE_NO_XDEV);
            const std::unique_ptr<DIR, int (*)(DIR*)> entries(
                below ? fdopendir(fcntl(below.get(), F_DUPFD_CLOEXEC, 0)) : nullptr, closedir);
            // Whoever has it open makes nothing new in it.
            if (!entries || fchmod(below.get(), 0700) != 0) {
                why = failed(name);
                continue;
            }
            while (const dirent* inner = readdir(entries.get())) {
                const std::string_view inner_name = inner->d_name;
                if (inner_name == "." || inner_name == ".." || unlinkat(below.get(), inner->d_name, 0) == 0 ||
                    unlinkat(below.get(), inner->d_name, AT_REMOVEDIR) == 0) {
                    continue;
                }
                while (renameat2(below.get(), inner->d_name, directory,
                                 fmt::format(".jit-{}", next++).c_str(), RENAME_NOREPLACE) != 0) {
                    if (errno != EEXIST) {
                        why = failed(fmt::format("{}/{}", name, inner_name));
                        break;
                    }
                }
            }
            if (unlinkat(directory, name.c_str(), AT_REMOVEDIR) == 0) {
                any = true;
            } else if (why.empty()) {
                why = failed(name);
            }
        }
    }
    return why;
}

} // namespace jit
