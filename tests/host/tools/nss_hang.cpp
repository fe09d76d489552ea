// SPDX-License-Identifier: MIT
// A module of NSS that knows nobody, and says so as late as a directory server that is down: not before
// /etc/nss-hangs is 15 seconds old. (What would remove that file asks NSS too, as every shell does.)
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <ctime>

namespace {

nss_status answer(int* error) {
    struct stat status{};
    while (stat("/etc/nss-hangs", &status) == 0 && std::time(nullptr) < status.st_mtime + 15) {
        usleep(100'000);
    }
    *error = ENOENT;
    return NSS_STATUS_NOTFOUND;
}

} // namespace

extern "C" {

nss_status _nss_hang_getpwnam_r(const char*, passwd*, char*, std::size_t, int* error) {
    return answer(error);
}
nss_status _nss_hang_getpwuid_r(uid_t, passwd*, char*, std::size_t, int* error) {
    return answer(error);
}
nss_status _nss_hang_getgrnam_r(const char*, group*, char*, std::size_t, int* error) {
    return answer(error);
}
nss_status _nss_hang_getgrgid_r(gid_t, group*, char*, std::size_t, int* error) {
    return answer(error);
}
}
