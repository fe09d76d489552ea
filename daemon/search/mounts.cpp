// SPDX-License-Identifier: MIT
#include "daemon/search/mounts.h"

#include "core/read.h"
#include "core/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace jit {
namespace {

constexpr std::size_t largest_mountinfo = 64 * 1024 * 1024;

constexpr std::array<std::string_view, 21> nothing_in{
    "proc",       "sysfs",       "cgroup", "cgroup2", "devpts",  "debugfs",  "tracefs",
    "securityfs", "selinuxfs",   "pstore", "bpf",     "mqueue",  "efivarfs", "nsfs",
    "configfs",   "binfmt_misc", "autofs", "fuse",    "fuseblk", "fusectl",  "rpc_pipefs"};
constexpr std::array<std::string_view, 7> remote{"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph"};

} // namespace

std::optional<Place> place_of(int descriptor) {
    struct statx found{};
    if (statx(descriptor, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
              STATX_TYPE | STATX_INO | STATX_MNT_ID, &found) != 0) {
        return std::nullopt;
    }
    if ((found.stx_mask & STATX_MNT_ID) == 0) {
        errno = ENOSYS;
        return std::nullopt;
    }
    return Place{.device = makedev(found.stx_dev_major, found.stx_dev_minor),
                 .inode = found.stx_ino,
                 .mount = found.stx_mnt_id,
                 .directory = S_ISDIR(found.stx_mode)};
}

// proc(5): "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [OPTIONAL…] - TYPE SOURCE SUPER"
const std::string& Mounts::type_of(std::uint64_t mount) {
    if (!types_.contains(mount)) {
        const std::string text = read_whole(AT_FDCWD, "/proc/self/mountinfo", largest_mountinfo);
        for (const std::string_view line : split(text, '\n')) {
            std::uint64_t id = 0;
            const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), id);
            const auto dash = line.find(" - ");
            if (error == std::errc() && dash != std::string_view::npos) {
                const auto rest = line.substr(dash + 3);
                types_[id] = rest.substr(0, rest.find(' '));
            }
        }
    }
    return types_[mount];
}

bool Mounts::passed_over(std::uint64_t mount) {
    const std::string& type = type_of(mount);
    // One without a type isn't mounted any more: what it was can't be told.
    return type.empty() || std::ranges::find(nothing_in, type) != nothing_in.end() ||
           type.starts_with("fuse.");
}

bool Mounts::of_other_hosts(std::uint64_t mount) {
    return std::ranges::find(remote, type_of(mount)) != remote.end();
}

Fd Mounts::open_top(const std::string& path) {
    Fd place(open(path.c_str(), O_PATH | O_CLOEXEC));
    const auto found = place ? place_of(place.get()) : std::nullopt;
    if (found && type_of(found->mount) == "autofs") {
        place.reset(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    return place;
}

// Without O_DIRECTORY, for whose sake the kernel would mount what is mounted on demand.
Fd open_place(int directory, const char* name) {
    Fd place(openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (place) {
        struct statx found{};
        if (statx(place.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &found) == 0 &&
            S_ISLNK(found.stx_mode)) {
            errno = ELOOP;
            return {};
        }
    }
    return place;
}

} // namespace jit
