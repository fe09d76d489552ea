// SPDX-License-Identifier: MIT
// side_by_side [--pty] RUNS COMMAND… [-- COMMAND…]…: runs the commands in turn, each RUNS times, and prints
// the median and the 99th percentile of each, the ratio of its median to that of the first, and the median of
// what it took longer than the first in the same turn. In turn, so that whatever else the machine does meets
// all alike. --pty: each on a terminal of its own, whose output is read.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <pty.h>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

struct Command {
    std::vector<char*> argv;
    std::string text;
    std::vector<double> milliseconds;
};

double run_on_terminal(const Command& command) {
    const auto began = std::chrono::steady_clock::now();
    int master = -1;
    const pid_t pid = forkpty(&master, nullptr, nullptr, nullptr);
    if (pid == 0) {
        execvp(command.argv[0], command.argv.data());
        _exit(127);
    }
    std::vector<char> output(1 << 16);
    while (read(master, output.data(), output.size()) > 0) {
    }
    int status = -1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        std::fprintf(stderr, "side_by_side: %s: failed (%d)\n", command.text.c_str(), status);
        std::exit(1);
    }
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
    close(master);
    return took.count();
}

double run_once(const Command& command) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (const int fd : {0, 1, 2}) {
        posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    }
    const auto began = std::chrono::steady_clock::now();
    pid_t pid = 0;
    int status = -1;
    if (posix_spawnp(&pid, command.argv[0], &actions, nullptr, command.argv.data(), environ) != 0 ||
        waitpid(pid, &status, 0) != pid || status != 0) {
        std::fprintf(stderr, "side_by_side: %s: failed (%d)\n", command.text.c_str(), status);
        std::exit(1);
    }
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
    posix_spawn_file_actions_destroy(&actions);
    return took.count();
}

double percentile(std::vector<double> values, std::size_t percent) {
    std::ranges::sort(values);
    return values[values.size() * percent / 100];
}

} // namespace

int main(int argc, char** argv) {
    const bool on_terminal = argc > 1 && std::string(argv[1]) == "--pty";
    argv += on_terminal ? 1 : 0;
    argc -= on_terminal ? 1 : 0;
    const auto once = on_terminal ? run_on_terminal : run_once;
    const int runs = argc > 2 ? std::atoi(argv[1]) : 0;
    if (runs < 1) {
        std::fprintf(stderr, "usage: side_by_side [--pty] RUNS COMMAND... [-- COMMAND...]...\n");
        return 2;
    }
    std::vector<Command> commands(1);
    for (int index = 2; index < argc; ++index) {
        if (std::string(argv[index]) == "--") {
            commands.emplace_back();
        } else {
            commands.back().argv.push_back(argv[index]);
            commands.back().text += (commands.back().text.empty() ? "" : " ") + std::string(argv[index]);
        }
    }
    for (Command& command : commands) {
        command.argv.push_back(nullptr);
        once(command); // the first run finds cold caches
    }
    for (int run = 0; run < runs; ++run) {
        for (std::size_t index = 0; index < commands.size(); ++index) {
            // Every other turn backwards: what one leaves to be cleared up slows the next, whichever that is.
            Command& command = commands[run % 2 == 0 ? index : commands.size() - 1 - index];
            command.milliseconds.push_back(once(command));
        }
    }
    const std::vector<double> of_first = commands.front().milliseconds;
    const double first = percentile(of_first, 50);
    for (const Command& command : commands) {
        std::vector<double> longer = command.milliseconds;
        std::ranges::transform(longer, of_first, longer.begin(), std::minus<>());
        const double median = percentile(command.milliseconds, 50);
        std::printf("%-28s median %6.2f ms   p99 %6.2f ms   ratio %.3f   longer by %+.2f ms\n",
                    command.text.c_str(), median, percentile(command.milliseconds, 99), median / first,
                    percentile(longer, 50));
    }
    return 0;
}
