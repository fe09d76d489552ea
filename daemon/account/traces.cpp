// SPDX-License-Identifier: MIT
#include "daemon/account/traces.h"

#include "core/fd.h"
#include "core/sync.h"
#include "daemon/account/home.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <linux/keyctl.h>
#include <memory>
#include <sstream>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace jit {
namespace {

void failed(const std::string& what, AccountReply& reply) {
    reply.problems.push_back(fmt::format("{}: {}", what, std::strerror(errno)));
}

// A file whose name is the account's. Somebody else's of that name stays; root's are about the account.
void remove_file(const std::string& path, Uid uid, const char* what, AccountReply& reply) {
    struct stat status{};
    if (lstat(path.c_str(), &status) != 0) {
        return errno == ENOENT || errno == ENOTDIR ? void() : failed(path, reply);
    }
    if (!S_ISREG(status.st_mode) || (status.st_uid != number(uid) && status.st_uid != 0)) {
        return;
    }
    // That the account is over is recorded for good: its crontab mustn't be back after a power cut.
    if (unlink(path.c_str()) != 0 || !sync_directory_of(path)) {
        return failed(path, reply);
    }
    reply.done.emplace_back(what);
}

// All that is its own of what lies in a directory.
void remove_files(const char* directory, Uid uid, const char* what, AccountReply& reply) {
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(directory), closedir);
    if (!entries) {
        return errno == ENOENT ? void() : failed(directory, reply);
    }
    bool any = false;
    while (const dirent* entry = readdir(entries.get())) {
        struct stat status{};
        if (fstatat(dirfd(entries.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            S_ISDIR(status.st_mode) || status.st_uid != number(uid)) {
            continue;
        }
        if (unlinkat(dirfd(entries.get()), entry->d_name, 0) != 0 && errno != ENOENT) {
            failed(fmt::format("{}/{}", directory, entry->d_name), reply);
        }
        any = true;
    }
    if (any) {
        if (!sync_directory(dirfd(entries.get()))) {
            failed(directory, reply);
        }
        reply.done.emplace_back(what);
    }
}

// The numbers of those System V objects that it owns or made (proc(5), /proc/sysvipc): the second field is
// the number, and the columns' names stand in the first line.
std::vector<int> ipc_objects(const char* kind, Uid uid) {
    std::vector<int> found;
    std::ifstream file(fmt::format("/proc/sysvipc/{}", kind));
    std::string line;
    std::getline(file, line);
    std::vector<std::string> names;
    std::istringstream head(line);
    for (std::string name; head >> name;) {
        names.push_back(name);
    }
    while (std::getline(file, line)) {
        std::istringstream row(line);
        int number_of = -1;
        bool own = false;
        std::string value;
        for (std::size_t column = 0; column < names.size() && row >> value; ++column) {
            if (column == 1) {
                number_of = std::atoi(value.c_str());
            }
            own = own || ((names[column] == "uid" || names[column] == "cuid") &&
                          value == std::to_string(number(uid)));
        }
        if (own) {
            found.push_back(number_of);
        }
    }
    return found;
}

void remove_ipc(Uid uid, AccountReply& reply) {
    int removed = 0;
    const auto all_of = [&](const char* kind, auto remove) {
        for (const int id : ipc_objects(kind, uid)) {
            if (remove(id) != 0 && errno != EINVAL && errno != EIDRM) {
                failed(fmt::format("System V {} {}", kind, id), reply);
            }
            ++removed;
        }
    };
    all_of("shm", [](int id) { return shmctl(id, IPC_RMID, nullptr); });
    all_of("sem", [](int id) { return semctl(id, 0, IPC_RMID); });
    all_of("msg", [](int id) { return msgctl(id, IPC_RMID, nullptr); });
    if (removed > 0) {
        reply.done.emplace_back("ipc");
    }
    remove_files("/dev/shm", uid, "shared memory", reply);
    remove_files("/dev/mqueue", uid, "message queues", reply);
}

// The keyrings of a uid outlive its last process. As the account itself: they are nobody else's to clear.
std::string clear_keyrings() {
    const auto clear = [](long ring) {
        // None, or a kernel or a container that has no keyrings.
        return ring < 0 || syscall(SYS_keyctl, KEYCTL_CLEAR, ring) == 0 || errno == ENOKEY ||
               errno == EPERM || errno == ENOSYS || errno == EACCES || errno == EOPNOTSUPP;
    };
    const long persistent = syscall(SYS_keyctl, KEYCTL_GET_PERSISTENT, -1, KEY_SPEC_PROCESS_KEYRING);
    for (const long ring : {persistent, syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 0),
                            syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_SESSION_KEYRING, 0)}) {
        if (!clear(ring)) {
            return fmt::format("its keyrings: {}", std::strerror(errno));
        }
    }
    return "";
}

// logind takes it away itself when the last process is gone, but not at once, and not where it is stopped.
void remove_runtime_directory(Uid uid, AccountReply& reply) {
    const std::string path = fmt::format("/run/user/{}", number(uid));
    struct stat status{};
    if (lstat(path.c_str(), &status) != 0) {
        return;
    }
    while (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
    }
    if (rmdir(path.c_str()) != 0 && errno != ENOENT) {
        return failed(path, reply);
    }
    reply.done.emplace_back("runtime directory");
}

} // namespace

void remove_traces(const AccountJob& job, AccountReply& reply) {
    const Uid uid = job.uid;
    remove_file("/var/lib/systemd/linger/" + job.name, uid, "linger", reply);
    remove_file("/var/spool/cron/crontabs/" + job.name, uid, "crontab", reply);
    remove_file("/var/spool/cron/" + job.name, uid, "crontab", reply);
    for (const char* directory :
         {"/var/spool/cron/atjobs", "/var/spool/cron/atspool", "/var/spool/at", "/var/spool/at/spool"}) {
        remove_files(directory, uid, "at", reply);
    }
    if (job.home != TemporaryAccount::Home::keep) {
        remove_file("/var/mail/" + job.name, uid, "mail", reply);
        remove_file("/var/spool/mail/" + job.name, uid, "mail", reply);
    }
    // What sudo and login remember of who it was.
    remove_file("/run/sudo/ts/" + job.name, uid, "sudo ticket", reply);
    remove_file(fmt::format("/run/sudo/ts/{}", number(uid)), uid, "sudo ticket", reply);
    remove_runtime_directory(uid, reply);
    remove_ipc(uid, reply);
    if (const auto why = as_account(uid, clear_keyrings); !why.empty()) {
        reply.problems.push_back(why);
    }
}

} // namespace jit
