// SPDX-License-Identifier: MIT
// deaths NAME COUNT [TAG=MS]…: as root: waits until COUNT processes called NAME run, holds each by a pidfd,
// and measures how long after the time of its tag (its first argument; milliseconds of UTC) each dies. +MS:
// so long after its own start, which the kernel tells to 10 ms. Prints the distribution.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <map>
#include <poll.h>
#include <sched.h>
#include <string>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr int patience = 60; // seconds

std::string read_file(const std::string& path) {
    char buffer[4096];
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t size = file >= 0 ? read(file, buffer, sizeof buffer) : -1;
    if (file >= 0) {
        close(file);
    }
    return {buffer, static_cast<std::size_t>(size > 0 ? size : 0)};
}

double now() { // milliseconds
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    return static_cast<double>(time.tv_sec) * 1000 + static_cast<double>(time.tv_nsec) / 1'000'000;
}

// Of a process (proc(5), the 22nd field of stat; comm, before it, ends at the last parenthesis).
double started(const std::string& stat) {
    std::size_t at = stat.rfind(')');
    for (int field = 2; field < 22 && at != std::string::npos; ++field) {
        at = stat.find(' ', at + 1);
    }
    timespec boot{};
    clock_gettime(CLOCK_BOOTTIME, &boot);
    const double booted =
        now() - static_cast<double>(boot.tv_sec) * 1000 - static_cast<double>(boot.tv_nsec) / 1'000'000;
    return booted + std::atof(stat.c_str() + (at == std::string::npos ? 0 : at)) * 1000 /
                        static_cast<double>(sysconf(_SC_CLK_TCK));
}

struct Process {
    std::string tag;
    double started = 0;
    pollfd held{};
    double died = 0;
};

std::vector<Process> find(const std::string& name) {
    std::vector<Process> found;
    DIR* proc = opendir("/proc");
    while (const dirent* entry = proc != nullptr ? readdir(proc) : nullptr) {
        const int pid = std::atoi(entry->d_name);
        const std::string path = std::string("/proc/") + entry->d_name;
        if (pid <= 0 || read_file(path + "/comm") != name + "\n") {
            continue;
        }
        const std::string words = read_file(path + "/cmdline");
        const std::size_t first = words.find('\0') + 1;
        Process process;
        process.started = started(read_file(path + "/stat"));
        process.tag = words.substr(first, words.find('\0', first) - first);
        process.held = {
            .fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0)), .events = POLLIN, .revents = 0};
        if (process.held.fd >= 0) {
            found.push_back(process);
        }
    }
    closedir(proc);
    return found;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr, "usage: deaths NAME COUNT TAG=MS...\n");
        return 2;
    }
    const auto count = static_cast<std::size_t>(std::atoi(argv[2]));
    std::map<std::string, double> ends;
    std::map<std::string, bool> relative;
    for (int index = 3; index < argc; ++index) {
        const std::string word(argv[index]);
        const std::string tag = word.substr(0, word.find('='));
        ends[tag] = std::atof(word.substr(word.find('=') + 1).c_str());
        relative[tag] = word[tag.size() + 1] == '+';
    }
    const rlimit files{.rlim_cur = 4096, .rlim_max = 4096};
    setrlimit(RLIMIT_NOFILE, &files);
    // What dies is seen when it dies, not when the machine has time for us.
    const sched_param first{.sched_priority = 1};
    if (sched_setscheduler(0, SCHED_FIFO, &first) != 0) {
        std::fprintf(stderr,
                     "deaths: no real-time priority: what is measured includes waiting for a processor\n");
    }
    auto processes = find(argv[1]);
    for (int tries = 0; processes.size() != count && tries < patience * 20; ++tries) {
        for (const Process& process : processes) {
            close(process.held.fd);
        }
        usleep(50'000);
        processes = find(argv[1]);
    }
    if (processes.size() != count) {
        std::fprintf(stderr, "deaths: there are %zu processes and not %zu\n", processes.size(), count);
        return 1;
    }
    const auto end_of = [&](const Process& process) {
        return ends[process.tag] + (relative[process.tag] ? process.started : 0);
    };
    double last_end = 0;
    for (const Process& process : processes) {
        last_end = std::max(last_end, end_of(process));
    }
    std::vector<pollfd> held;
    for (const Process& process : processes) {
        held.push_back(process.held);
    }
    for (std::size_t alive = processes.size(); alive > 0;) {
        if (poll(held.data(), held.size(), 1000) <= 0 && now() > last_end + 60'000) {
            std::fprintf(stderr, "deaths: %zu processes live on\n", alive);
            return 1;
        }
        const double time = now();
        for (std::size_t index = 0; index < held.size(); ++index) {
            if (held[index].fd >= 0 && held[index].revents != 0) {
                processes[index].died = time;
                held[index].fd = -1; // poll(2) leaves these out
                --alive;
            }
        }
    }
    std::vector<double> late;
    for (const Process& process : processes) {
        late.push_back(process.died - end_of(process));
    }
    std::ranges::sort(late);
    const auto at = [&](double part) {
        return late[std::min(late.size() - 1,
                             static_cast<std::size_t>(part * static_cast<double>(late.size())))];
    };
    std::printf("first %6.1f ms   median %6.1f ms   p99 %6.1f ms   last %6.1f ms\n", late.front(), at(.5),
                at(.99), late.back());
    return 0;
}
