// SPDX-License-Identifier: MIT
// Calls of libc that fail when a test says so. This program's definitions come before libc's, for the module
// too.
#include "tests/pam/kit.h"

#include <cerrno>
#include <cstddef>
#include <ctime>
#include <dlfcn.h>
#include <grp.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

template <class Function>
Function next(const char* name) {
    return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

thread_local int allocations_left = -1;
thread_local int allocations_failed = 0;

} // namespace

namespace jit {

int fail_allocations_after(int count) {
    allocations_left = count;
    return std::exchange(allocations_failed, 0);
}

} // namespace jit

#define EXPORTED __attribute__((visibility("default")))

extern "C" {

EXPORTED int getpwnam_r(const char* name, passwd* entry, char* buffer, std::size_t size, passwd** result) {
    static const auto real = next<decltype(&getpwnam_r)>("getpwnam_r");
    *result = nullptr;
    return jit::interposed.accounts_fail ? EIO : real(name, entry, buffer, size, result);
}

EXPORTED int getpwuid_r(uid_t uid, passwd* entry, char* buffer, std::size_t size, passwd** result) {
    static const auto real = next<decltype(&getpwuid_r)>("getpwuid_r");
    *result = nullptr;
    return jit::interposed.accounts_fail ? EIO : real(uid, entry, buffer, size, result);
}

EXPORTED int getgrnam_r(const char* name, group* entry, char* buffer, std::size_t size, group** result) {
    static const auto real = next<decltype(&getgrnam_r)>("getgrnam_r");
    *result = nullptr;
    return jit::interposed.groups_fail ? EIO : real(name, entry, buffer, size, result);
}

EXPORTED int getgrouplist(const char* name, gid_t gid, gid_t* gids, int* count) {
    static const auto real = next<decltype(&getgrouplist)>("getgrouplist");
    return jit::interposed.lists_fail ? -1 : real(name, gid, gids, count);
}

EXPORTED int clock_gettime(clockid_t id, timespec* time) noexcept {
    if (jit::interposed.clocks_fail) {
        errno = EINVAL;
        return -1;
    }
    return static_cast<int>(syscall(SYS_clock_gettime, id, time));
}

EXPORTED int linkat(int from, const char* old_path, int to, const char* new_path, int flags) noexcept {
    static const auto real = next<decltype(&linkat)>("linkat");
    const int result = real(from, old_path, to, new_path, flags);
    if (jit::interposed.after_link) {
        const int error = errno;
        jit::interposed.after_link();
        errno = error;
    }
    return result;
}

#ifndef __SANITIZE_ADDRESS__ // which has its own
void* __libc_malloc(std::size_t size);

EXPORTED void* malloc(std::size_t size) noexcept {
    if (allocations_left == 0) {
        ++allocations_failed;
        errno = ENOMEM;
        return nullptr;
    }
    allocations_left -= allocations_left > 0 ? 1 : 0;
    return __libc_malloc(size);
}
#endif
}
