// SPDX-License-Identifier: MIT
// crowd COUNT USERS COMMAND…: COUNT processes of the accounts user1 to userUSERS, each with a login uid of
// its own, execute the command at the same moment. Prints how many failed, and how long the others took, the
// median and the 99th percentile. Wants root.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <grp.h>
#include <map>
#include <pwd.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

[[noreturn]] void run(int user, int start, char** command) {
    const std::string name = "user" + std::to_string(user);
    const passwd* account = getpwnam(name.c_str());
    const int login = open("/proc/self/loginuid", O_WRONLY);
    const std::string uid = account == nullptr ? "" : std::to_string(account->pw_uid);
    const int nothing = open("/dev/null", O_RDWR);
    char go = 0;
    if (account == nullptr || write(login, uid.data(), uid.size()) < 0 ||
        initgroups(name.c_str(), account->pw_gid) != 0 || setgid(account->pw_gid) != 0 ||
        setuid(account->pw_uid) != 0 || dup2(nothing, 0) < 0 || dup2(nothing, 1) < 0 ||
        read(start, &go, 1) != 0) {
        std::perror(name.c_str());
        _exit(99);
    }
    execvp(command[0], command);
    _exit(98);
}

} // namespace

int main(int argc, char** argv) {
    const int count = argc > 3 ? std::atoi(argv[1]) : 0;
    const int users = argc > 3 ? std::atoi(argv[2]) : 0;
    int start[2];
    if (count < 1 || users < 1 || pipe(start) != 0) {
        std::fprintf(stderr, "usage: crowd COUNT USERS COMMAND...\n");
        return 2;
    }
    for (int i = 0; i < count; ++i) {
        if (fork() == 0) {
            close(start[1]);
            run(i % users + 1, start[0], argv + 3);
        }
    }
    sleep(1); // until all of them wait; were one late, it would only begin later
    const auto began = std::chrono::steady_clock::now();
    close(start[1]); // the end of what they read
    std::vector<double> milliseconds;
    std::map<int, int> failed;
    int status = 0;
    while (wait(&status) > 0) {
        const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
        status == 0 ? milliseconds.push_back(took.count()) : void(++failed[status]);
    }
    std::ranges::sort(milliseconds);
    std::printf("%-20s %3zu done", argv[3], milliseconds.size());
    for (const auto& [how, many] : failed) {
        std::printf(", %d FAILED with status %x", many, static_cast<unsigned>(how));
    }
    if (!milliseconds.empty()) {
        std::printf("   median %7.1f ms   p99 %7.1f ms", milliseconds[milliseconds.size() / 2],
                    milliseconds[milliseconds.size() * 99 / 100]);
    }
    std::printf("\n");
    return 0;
}
