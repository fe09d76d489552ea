// SPDX-License-Identifier: MIT
#include "helper/confine.h"

#include "core/capabilities.h"
#include "core/text.h"
#include "helper/landlock.h"
#include "helper/messages.h"
#include "helper/report.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace jit {
namespace {

std::unexpected<Error> refused(std::string message) {
    return fail(Errc::refused, std::move(message));
}

bool holds(std::uint64_t capabilities, unsigned number) {
    return (capabilities & capability_bit(number)) != 0;
}

bool is_known_to_kernel(unsigned capability) {
    return prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
}

Result<void> check_capabilities(std::uint64_t wanted) {
    for (unsigned number = 0; number < most_capabilities; ++number) {
        if (holds(wanted, number) && !is_known_to_kernel(number)) {
            const auto names = capability_names();
            return refused(messages::no_such_capability(number < names.size() ? std::string(names[number])
                                                                              : std::to_string(number)));
        }
    }
    return {};
}

// To root every file has all capabilities in its sets, so what is inheritable would come back at execve(2),
// whatever the bounding set says.
Result<void> drop_inheritable() {
    __user_cap_header_struct header{};
    header.version = _LINUX_CAPABILITY_VERSION_3;
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
    if (syscall(SYS_capget, &header, sets.data()) != 0) {
        return fail_errno("capget");
    }
    for (auto& set : sets) {
        set.inheritable = 0;
    }
    if (syscall(SYS_capset, &header, sets.data()) != 0 || syscall(SYS_capget, &header, sets.data()) != 0) {
        return fail_errno("capset");
    }
    for (const auto& set : sets) {
        if (set.inheritable != 0) {
            return refused(std::string(messages::capabilities_not_dropped));
        }
    }
    return {};
}

Result<void> bound_capabilities(std::uint64_t wanted) {
    for (unsigned number = 0; number < most_capabilities && is_known_to_kernel(number); ++number) {
        if (!holds(wanted, number) &&
            (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0 || prctl(PR_CAPBSET_READ, number, 0, 0, 0) != 0)) {
            return refused(std::string(messages::capabilities_not_dropped));
        }
    }
    // Linux clears what is ambient along with it, where it knows of that at all.
    return drop_inheritable();
}

} // namespace

Result<void> Confining::pin(const Program& command) {
    file_.reset(open(command.path.c_str(), O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    std::array<char, 2> begin{};
    if (!file_ || pread(file_.get(), begin.data(), begin.size(), 0) < 0) {
        return fail_errno(escape(command.path));
    }
    is_script_ = begin[0] == '#' && begin[1] == '!';
    return {};
}

Result<Confining> Confining::prepare(const HelperConfinement& confinement, const Program& command) {
    Confining confining(confinement);
    if (confinement.bounds_capabilities) {
        if (auto able = check_capabilities(confinement.capabilities); !able) {
            return std::unexpected(std::move(able.error()));
        }
    }
    auto ruleset = make_landlock_ruleset(confinement, command.path);
    if (!ruleset) {
        return std::unexpected(std::move(ruleset.error()));
    }
    confining.ruleset_ = std::move(*ruleset);
    if (!confinement.directory.empty()) {
        auto directory = open_of_role(confinement.directory);
        if (!directory) {
            return std::unexpected(std::move(directory.error()));
        }
        confining.directory_ = std::move(*directory);
    }
    if (confinement.pinned) {
        if (auto pinned = confining.pin(command); !pinned) {
            return std::unexpected(std::move(pinned.error()));
        }
    }
    return confining;
}

Result<void> Confining::check_directory() const {
    struct stat wanted{};
    struct stat here{};
    if (directory_ && (fstat(directory_.get(), &wanted) != 0 || stat(".", &here) != 0 ||
                       wanted.st_dev != here.st_dev || wanted.st_ino != here.st_ino)) {
        return refused(messages::directory_is_the_roles(escape(confinement_.directory)));
    }
    return {};
}

Result<void> Confining::apply() const {
    if (confinement_.no_new_privileges &&
        (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)) {
        return fail_errno("PR_SET_NO_NEW_PRIVS");
    }
    if (ruleset_) {
        if (auto restricted = restrict_by_landlock(*ruleset_); !restricted) {
            return restricted;
        }
    }
    return confinement_.bounds_capabilities ? bound_capabilities(confinement_.capabilities) : Result<void>{};
}

void Confining::execute(const char* path, char* const* argv, char* const* envp) const {
    if (file_ && !is_script_) {
        execveat(file_.get(), "", argv, envp, AT_EMPTY_PATH);
    } else {
        execve(path, argv, envp);
    }
    if (errno == ENOEXEC) { // a script that doesn't say whose: the shell's, as everywhere
        std::vector<char*> words = {const_cast<char*>("sh"), const_cast<char*>(path)};
        for (char* const* word = argv; *word != nullptr; ++word) {
            words.push_back(word[1]); // with the end
        }
        execve("/bin/sh", words.data(), envp);
        errno = ENOEXEC;
    }
}

} // namespace jit
