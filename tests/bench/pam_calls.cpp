// SPDX-License-Identifier: MIT
// pam_calls RUNS SERVICE USER: as root: what sshd asks of PAM for a login by key (start, account, setcred,
// open_session, and setcred again in the process that becomes the shell), timed, each login in a process and
// an audit session of its own. Prints the median of each call and of their sum.
#include <security/pam_appl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::array names{"pam_start (loads the modules)", "account", "setcred", "open_session",
                           "setcred, again"};
using Times = std::array<double, names.size()>; // microseconds

[[noreturn]] void give_up(const char* what, const char* why) {
    std::fprintf(stderr, "pam_calls: %s: %s\n", what, why);
    _exit(1);
}

// Whatever a module says is read and thrown away, as for `ssh host true`.
int converse(int count, const pam_message**, pam_response** answers, void*) {
    *answers = static_cast<pam_response*>(std::calloc(static_cast<std::size_t>(count), sizeof(pam_response)));
    return *answers != nullptr ? PAM_SUCCESS : PAM_BUF_ERR;
}

template <class Call>
double timed(const char* what, Call call) {
    const auto began = std::chrono::steady_clock::now();
    const int result = call();
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
    if (result != PAM_SUCCESS && result != PAM_IGNORE) {
        give_up(what, pam_strerror(nullptr, result));
    }
    return took.count();
}

// pam_loginuid would do this; it isn't what is measured.
void take_audit_session(uid_t uid) {
    const int file = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);
    const std::string text = std::to_string(uid);
    if (file < 0 || write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        give_up("/proc/self/loginuid", "can't be written");
    }
    close(file);
}

void log_in(const char* service, const passwd& user, int report) {
    Times times{};
    take_audit_session(user.pw_uid);
    if (initgroups(user.pw_name, user.pw_gid) != 0) {
        give_up("initgroups", user.pw_name);
    }
    pam_handle_t* handle = nullptr;
    const pam_conv conversation{.conv = converse, .appdata_ptr = nullptr};
    times[0] = timed(names[0], [&] { return pam_start(service, user.pw_name, &conversation, &handle); });
    pam_set_item(handle, PAM_RHOST, "192.0.2.7");
    pam_set_item(handle, PAM_TTY, "ssh");
    times[1] = timed(names[1], [&] { return pam_acct_mgmt(handle, 0); });
    times[2] = timed(names[2], [&] { return pam_setcred(handle, PAM_ESTABLISH_CRED); });
    times[3] = timed(names[3], [&] { return pam_open_session(handle, 0); });
    const pid_t child = fork();
    if (child == 0) {
        times[4] = timed(names[4], [&] { return pam_setcred(handle, PAM_REINITIALIZE_CRED); });
        _exit(write(report, times.data(), sizeof times) == sizeof times ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    pam_close_session(handle, 0);
    pam_end(handle, PAM_SUCCESS);
    _exit(status == 0 ? 0 : 1);
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

} // namespace

int main(int argc, char** argv) {
    const int runs = argc == 4 ? std::atoi(argv[1]) : 0;
    const passwd* user = argc == 4 ? getpwnam(argv[3]) : nullptr;
    if (runs < 1 || user == nullptr) {
        std::fprintf(stderr, "usage: pam_calls RUNS SERVICE USER\n");
        return 2;
    }
    std::vector<Times> all;
    for (int run = -5; run < runs; ++run) {
        int report[2];
        Times times{};
        if (pipe(report) != 0) {
            give_up("pipe", "failed");
        }
        const pid_t child = fork();
        if (child == 0) {
            log_in(argv[2], *user, report[1]);
        }
        close(report[1]);
        int status = -1;
        if (read(report[0], times.data(), sizeof times) != sizeof times ||
            waitpid(child, &status, 0) != child || status != 0) {
            give_up(argv[2], "a login failed");
        }
        close(report[0]);
        if (run >= 0) { // those before warm the caches up
            all.push_back(times);
        }
    }
    const auto median_of = [&](const auto& value) {
        std::vector<double> values;
        for (const Times& times : all) {
            values.push_back(value(times));
        }
        return median(values);
    };
    for (std::size_t call = 0; call < names.size(); ++call) {
        std::printf("  %-30s %7.0f us\n", names[call],
                    median_of([&](const Times& times) { return times[call]; }));
    }
    std::printf("  %-30s %7.0f us\n", "all", median_of([](const Times& times) {
                    double sum = 0;
                    for (const double time : times) {
                        sum += time;
                    }
                    return sum;
                }));
    return 0;
}
