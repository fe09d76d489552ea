// SPDX-License-Identifier: MIT
#include "helper/landlock.h"

#include "core/text.h"
#include "helper/messages.h"
#include "helper/path.h"
#include "helper/report.h"

#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <link.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>

// Headers that are older than the kernel lack it.
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

namespace jit {
namespace {

constexpr int abi_with_refer = 2;    // Linux 5.19
constexpr int abi_with_truncate = 3; // Linux 6.2

constexpr std::uint64_t write_file = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE;
constexpr std::uint64_t write_below =
    write_file | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER;
// Never: what is reached by a device is no file below these directories.
constexpr std::uint64_t make_devices = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK;
constexpr std::uint64_t of_files = write_file | LANDLOCK_ACCESS_FS_EXECUTE; // what makes sense for one file

// What programs take for granted, and what nothing is kept in.
constexpr const char* always_written[] = {"/dev/null", "/dev/zero", "/dev/full",
                                          "/dev/tty",  "/dev/ptmx", "/dev/pts"};

class Rules {
public:
    explicit Rules(int ruleset) : ruleset_(ruleset) {}

    Result<void> allow(int at, std::uint64_t rights) const {
        struct stat status{};
        if (fstat(at, &status) != 0) {
            return fail_errno("fstat");
        }
        landlock_path_beneath_attr rule{};
        rule.allowed_access = S_ISDIR(status.st_mode) ? rights : rights & of_files;
        rule.parent_fd = at;
        if (syscall(SYS_landlock_add_rule, ruleset_, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
            return fail_errno("landlock_add_rule");
        }
        return {};
    }

    Result<void> allow(const std::vector<std::string>& paths, std::uint64_t rights) const {
        for (const std::string& path : paths) {
            const auto opened = open_of_role(path);
            if (!opened) {
                return std::unexpected(opened.error());
            }
            if (auto allowed = allow(opened->get(), rights); !allowed) {
                return allowed;
            }
        }
        return {};
    }

    // A path of ours. One that isn't there needs no rule.
    Result<void> allow_ours(const char* path, std::uint64_t rights) const {
        const Fd at(open(path, O_PATH | O_CLOEXEC));
        return at ? allow(at.get(), rights) : Result<void>{};
    }

private:
    int ruleset_;
};

// The program that loads programs, as this one names it: the kernel executes it for each of them.
std::string loader() {
    std::string path;
    dl_iterate_phdr(
        [](dl_phdr_info* object, std::size_t, void* found) {
            for (unsigned index = 0; index < object->dlpi_phnum; ++index) {
                const ElfW(Phdr)& part = object->dlpi_phdr[index];
                if (part.p_type == PT_INTERP) {
                    *static_cast<std::string*>(found) =
                        reinterpret_cast<const char*>(object->dlpi_addr + part.p_vaddr);
                }
            }
            return 1; // the first is the program itself
        },
        &path);
    return path;
}

Result<void> check_kernel(const HelperConfinement& confinement) {
    const long abi = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 0) {
        return fail(Errc::refused, std::string(messages::no_landlock));
    }
    if (confinement.bounds_write && abi < abi_with_truncate) {
        return fail(Errc::refused, messages::old_landlock("write", "6.2"));
    }
    if (abi < abi_with_refer) { // it forbids every rename into another directory
        return fail(Errc::refused, messages::old_landlock("execute", "5.19"));
    }
    return {};
}

} // namespace

Result<std::optional<Fd>> make_landlock_ruleset(const HelperConfinement& confinement,
                                                const std::string& command) {
    if (!confinement.bounds_write && !confinement.bounds_execute) {
        return std::nullopt;
    }
    if (auto able = check_kernel(confinement); !able) {
        return std::unexpected(std::move(able.error()));
    }
    landlock_ruleset_attr attributes{};
    attributes.handled_access_fs = LANDLOCK_ACCESS_FS_REFER |
                                   (confinement.bounds_write ? write_below | make_devices : 0) |
                                   (confinement.bounds_execute ? LANDLOCK_ACCESS_FS_EXECUTE : 0);
    Fd ruleset(
        static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0))); // CLOEXEC
    if (!ruleset) {
        return fail_errno("landlock_create_ruleset");
    }
    const Rules rules(ruleset.get());
    Result<void> allowed;
    if (confinement.bounds_write) {
        allowed = rules.allow(confinement.write, write_below);
        for (const char* path : always_written) {
            allowed = allowed ? rules.allow_ours(path, write_file) : allowed;
        }
    } else {
        // Renames into another directory are denied by every ruleset that doesn't allow them.
        allowed = rules.allow_ours("/", LANDLOCK_ACCESS_FS_REFER);
    }
    if (confinement.bounds_execute) {
        allowed = allowed ? rules.allow(confinement.execute, LANDLOCK_ACCESS_FS_EXECUTE) : allowed;
        for (const std::string& path : {command, loader()}) {
            allowed = allowed ? rules.allow_ours(path.c_str(), LANDLOCK_ACCESS_FS_EXECUTE) : allowed;
        }
    }
    if (!allowed) {
        return std::unexpected(std::move(allowed.error()));
    }
    return ruleset;
}

Result<void> restrict_by_landlock(const Fd& ruleset) {
    return syscall(SYS_landlock_restrict_self, ruleset.get(), 0) == 0
               ? Result<void>{}
               : Result<void>(fail_errno("landlock_restrict_self"));
}

} // namespace jit
