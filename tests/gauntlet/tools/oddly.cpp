// SPDX-License-Identifier: MIT
// oddly HOW …: starts a command in ways that no shell can, or tries from inside of one what it should not be
// able to. Runs on hosts, of another release too.
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pty.h>
#include <pwd.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace {

[[noreturn]] void die(const char* what) {
    std::perror(what);
    _exit(99);
}

[[noreturn]] void start(char** command) {
    execvp(command[0], command);
    die(command[0]);
}

// The calls that can be made to fail, by name.
const std::map<std::string, unsigned> CALLS = {
    {"setgroups", SYS_setgroups},
    {"setresgid", SYS_setresgid},
    {"setresuid", SYS_setresuid},
    {"getresuid", SYS_getresuid},
    {"getresgid", SYS_getresgid},
    {"getgroups", SYS_getgroups},
    {"setfsuid", SYS_setfsuid},
    {"prctl", SYS_prctl},
    {"setsid", SYS_setsid},
    {"close_range", SYS_close_range},
    {"prlimit64", SYS_prlimit64},
    {"clone3", SYS_clone3},
    {"socketpair", SYS_socketpair},
    {"connect", SYS_connect},
    {"getsockopt", SYS_getsockopt},
    {"setsockopt", SYS_setsockopt},
    {"recvmsg", SYS_recvmsg},
    {"recvfrom", SYS_recvfrom},
    {"sendto", SYS_sendto},
    {"openat", SYS_openat},
    {"fstatfs", SYS_fstatfs},
    {"getcwd", SYS_getcwd},
    {"chdir", SYS_chdir},
    {"rt_sigprocmask", SYS_rt_sigprocmask},
    {"rt_sigaction", SYS_rt_sigaction},
    {"signalfd4", SYS_signalfd4},
    {"timerfd_create", SYS_timerfd_create},
    {"timerfd_settime", SYS_timerfd_settime},
    {"umask", SYS_umask},
    {"setitimer", SYS_setitimer},
    {"keyctl", SYS_keyctl},
    {"ioctl", SYS_ioctl},
    {"fcntl", SYS_fcntl},
    {"getuid", SYS_getuid},
    {"pidfd_send_signal", SYS_pidfd_send_signal},
    {"kill", SYS_kill},
};

// filtered USER CALL[:ARGUMENT=VALUE] ERRNO COMMAND…: as USER, where the kernel answers that call with ERRNO.
// A filter needs no_new_privs, with which no program becomes root, or CAP_SYS_ADMIN: so this starts as root,
// and is USER without any capability when COMMAND begins. An ERRNO of 0: the call "succeeds" and does
// nothing.
void filtered(char** words) {
    const passwd* const user = getpwnam(words[0]);
    const std::string call = words[1];
    const auto number = CALLS.find(call.substr(0, call.find(':')));
    if (user == nullptr || number == CALLS.end()) {
        die("no such user or call");
    }
    std::vector<sock_filter> program = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number->second, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    if (const auto colon = call.find(':'); colon != std::string::npos) {
        const unsigned argument = static_cast<unsigned>(call.at(colon + 1) - '0');
        const auto value = static_cast<unsigned>(std::stoul(call.substr(colon + 3)));
        program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                   static_cast<unsigned>(offsetof(seccomp_data, args)) + argument * 8));
        program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0));
        program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    }
    program.push_back(
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(std::atoi(words[2]))));
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};

    if (initgroups(user->pw_name, user->pw_gid) != 0 ||
        setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 || prctl(PR_SET_KEEPCAPS, 1) != 0 ||
        setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0) {
        die("becoming the user");
    }
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[2] = {};
    sets[0].effective = sets[0].permitted = 1U << CAP_SYS_ADMIN;
    if (syscall(SYS_capset, &header, sets) != 0) {
        die("capset");
    }
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0) {
        die("seccomp");
    }
    start(words + 3);
}

// holding FILE COMMAND…: with FILE open as every descriptor from 3 on.
void holding(char** words) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    const int file = open(words[0], O_RDWR);
    if (file < 0) {
        die(words[0]);
    }
    for (int fd = 3; fd < 1024; ++fd) {
        if (fd != file && dup2(file, fd) != fd) {
            die("dup2");
        }
    }
    start(words + 1);
}

// deaf COMMAND…: with every signal blocked, ignored, and an alarm in 300 ms.
void deaf(char** words) {
    for (int number = 1; number < NSIG; ++number) {
        std::signal(number, SIG_IGN);
    }
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
    start(words);
}

void alarmed(char** words) {
    const itimerval soon{{}, {0, 300'000}};
    setitimer(ITIMER_REAL, &soon, nullptr);
    start(words);
}

// twice NAME=A NAME=B COMMAND…: with both in the environment.
void twice(char** words) {
    std::vector<char*> variables = {words[0], words[1]};
    for (char** at = environ; *at != nullptr; ++at) {
        variables.push_back(*at);
    }
    variables.push_back(nullptr);
    execve(words[2], words + 2, variables.data());
    die(words[2]);
}

// type TEXT: into whatever terminal there is, as if a person had.
void type(char** words) {
    for (const int fd : {0, 1, 2, open("/dev/tty", O_RDWR)}) {
        for (const char* at = words[0]; *at != '\0'; ++at) {
            ioctl(fd, TIOCSTI, at);
        }
        ioctl(fd, TIOCSTI, "\n");
    }
}

// terminal PROMPT FILE COMMAND…: on a terminal of its own. What is in FILE is typed where PROMPT shows,
// however long it takes; where it shows again, ^C. (sshd can't do that: nobody tells it that a terminal takes
// more again which was full of what makes no line.)
void terminal(char** words) {
    std::string input;
    const int file = open(words[1], O_RDONLY);
    char buffer[4096];
    for (ssize_t got = 0; (got = read(file, buffer, sizeof buffer)) > 0;) {
        input.append(buffer, static_cast<std::size_t>(got));
    }
    int master = -1;
    const pid_t child = forkpty(&master, nullptr, nullptr, nullptr);
    if (child < 0) {
        die("forkpty");
    }
    if (child == 0) {
        start(words + 2);
    }
    fcntl(master, F_SETFL, O_NONBLOCK);
    const std::string prompt = words[0];
    std::string shown;
    std::size_t typed = 0, asked = std::string::npos;
    bool interrupted = false;
    for (int turn = 0; turn < 6000; ++turn) {
        const ssize_t got = read(master, buffer, sizeof buffer);
        if (got > 0) {
            shown.append(buffer, static_cast<std::size_t>(got));
            continue;
        }
        if (got == 0 || errno != EAGAIN) {
            break;
        }
        asked = asked == std::string::npos ? shown.find(prompt) : asked;
        if (asked != std::string::npos && typed < input.size()) {
            const ssize_t put = write(master, input.data() + typed, input.size() - typed);
            typed += put > 0 ? static_cast<std::size_t>(put) : 0;
        } else if (asked != std::string::npos && !interrupted) {
            interrupted = shown.find(prompt, asked + 1) != std::string::npos && write(master, "\x03", 1) == 1;
        }
        usleep(5000);
    }
    std::fputs(shown.c_str(), stdout);
    close(master);
    int status = 0;
    if (waitpid(child, &status, 0) != child) {
        die("waitpid");
    }
    std::fflush(stdout);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

// touch PID: what a tracer, or whoever stops and kills, would do first. One line for what could be done.
void touch(char** words) {
    const pid_t pid = std::atoi(words[0]);
    const std::string proc = "/proc/" + std::string(words[0]) + "/";
    for (const char* file : {"mem", "environ", "maps", "auxv", "syscall", "stack", "io"}) {
        char byte = 0;
        const int fd = open((proc + file).c_str(), O_RDONLY);
        if (fd >= 0 && (std::strcmp(file, "mem") == 0 || read(fd, &byte, 1) >= 0)) {
            std::printf("read %s\n", file);
        }
    }
    if (ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) == 0) {
        std::puts("traced");
    }
    for (const int number : {0, SIGSTOP, SIGUSR1, SIGKILL}) {
        if (kill(pid, number) == 0) {
            std::printf("sent %d\n", number);
        }
    }
}

// traced NUMBER: what a tracer would be told of it, its parent is told; and that it was stopped by a signal
// of its own choice.
void traced(char** words) {
    const int number = std::atoi(words[0]);
    std::signal(number, SIG_IGN);
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    std::raise(number);
    std::puts("went on");
}

void put(const char* file, const std::string& text) {
    const int fd = open(file, O_WRONLY);
    if (fd < 0 || write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        die(file);
    }
    close(fd);
}

// mounted COMMAND…: on the first terminal of a devpts that the caller has mounted, whose number another's
// terminal has.
void mounted(char** command) {
    int told[2];
    if (pipe(told) != 0) {
        die("pipe");
    }
    const std::string uid = std::to_string(getuid());
    const std::string gid = std::to_string(getgid());
    const auto maker =
        static_cast<pid_t>(syscall(SYS_clone, CLONE_FILES | SIGCHLD, nullptr, nullptr, nullptr, 0));
    if (maker == 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
            die("unshare");
        }
        put("/proc/self/setgroups", "deny");
        put("/proc/self/uid_map", "0 " + uid + " 1");
        put("/proc/self/gid_map", "0 " + gid + " 1");
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
        if (mount("none", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666") != 0) {
            die("mount");
        }
        const int unlock = 0;
        int ends[2] = {open("/dev/pts/ptmx", O_RDWR | O_NOCTTY), -1};
        ioctl(ends[0], TIOCSPTLCK, &unlock);
        ends[1] = ioctl(ends[0], TIOCGPTPEER, O_RDWR | O_NOCTTY);
        if (write(told[1], ends, sizeof ends) != sizeof ends) {
            die("write");
        }
        pause();
    }
    int ends[2]; // of the table that both have
    if (maker < 0 || read(told[0], ends, sizeof ends) != sizeof ends || ends[1] < 0) {
        die("a terminal");
    }
    const pid_t child = fork();
    if (child == 0) {
        setsid();
        ioctl(ends[1], TIOCSCTTY, 0);
        for (int fd = 0; fd < 3; ++fd) {
            dup2(ends[1], fd);
        }
        start(command);
    }
    close(ends[1]);
    char buffer[4096];
    for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;) {
        static_cast<void>(!write(1, buffer, static_cast<std::size_t>(got)));
    }
    kill(maker, SIGKILL);
}

} // namespace

int main(int argc, char** argv) {
    const std::string how = argc > 2 ? argv[1] : "";
    if (how == "bare") { // bare PATH: with no arguments, not even a name, and no environment
        char* nothing[] = {nullptr};
        execve(argv[2], nothing, nothing);
        die(argv[2]);
    } else if (how == "filtered" && argc > 5) {
        filtered(argv + 2);
    } else if (how == "holding" && argc > 3) {
        holding(argv + 2);
    } else if (how == "twice" && argc > 4) {
        twice(argv + 2);
    } else if (how == "deaf") {
        deaf(argv + 2);
    } else if (how == "alarmed") {
        alarmed(argv + 2);
    } else if (how == "type") {
        type(argv + 2);
    } else if (how == "terminal" && argc > 4) {
        terminal(argv + 2);
    } else if (how == "mounted") {
        mounted(argv + 2);
    } else if (how == "traced") {
        traced(argv + 2);
    } else if (how == "touch") {
        touch(argv + 2);
    } else {
        std::fputs("usage: oddly HOW …\n", stderr);
        return 99;
    }
    return 0;
}
