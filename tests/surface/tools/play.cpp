// SPDX-License-Identifier: MIT
// play [COMMAND…]: a person at a terminal. Starts COMMAND (bash --norc -i) on a terminal of its own, does
// what its standard input says, a step a line, and prints what the terminal shows, as it comes. Where
// something that is expected doesn't show in time: says so, with what did, and ends with 1.
//
//   run TEXT         when the shell's prompt has shown: TEXT, Enter; what it types back is passed over
//   line TEXT        TEXT, Enter
//   send TEXT        TEXT
//   key LETTER       with Ctrl
//   expect TEXT      after what was expected last, TEXT shows
//   prompt           the shell's prompt shows
//   until FLAGS      the terminal's settings come to be that, as in `until -icanon opost`: see `termios`
//   termios          prints those that matter, "[icanon -echo …]"; of the shell's terminal
//   size ROWS COLS   the window has another size
//   paste FILE       its contents, as fast as they are taken, while what is shown is read on
//   swallow TEXT     as expect, for much: what shows before TEXT is counted and summed, not printed
//   when COMMAND     waits until a shell elsewhere succeeds with COMMAND; meanwhile nothing is read
//   patience SECONDS for what is expected (20)
//   hangup           the terminal is gone
//   end              waits until nobody has the terminal open any more
//   mark NAME        prints "\x1eNAME\n"
//
// TEXT has \r \n \t \e \s (a blank) \\ and \xHH. Nothing here waits for a time to pass: a result never hangs
// on how fast a machine is.
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>

namespace {

using Clock = std::chrono::steady_clock;
constexpr const char* PROMPT = "[play]$ ";
constexpr std::size_t MOST_TOLD = 4000;
constexpr std::size_t MOST_KEPT = std::size_t{64} << 10; // of what only counts

struct Flag {
    const char* name;
    tcflag_t termios::* word;
    tcflag_t bit;
};
constexpr Flag FLAGS[] = {{"icanon", &termios::c_lflag, ICANON}, {"echo", &termios::c_lflag, ECHO},
                          {"isig", &termios::c_lflag, ISIG},     {"opost", &termios::c_oflag, OPOST},
                          {"icrnl", &termios::c_iflag, ICRNL},   {"ixon", &termios::c_iflag, IXON}};

std::string unescaped(const std::string& text) {
    std::string result;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '\\' || at + 1 == text.size()) {
            result += text[at];
            continue;
        }
        switch (text[++at]) {
        case 'r':
            result += '\r';
            break;
        case 'n':
            result += '\n';
            break;
        case 't':
            result += '\t';
            break;
        case 'e':
            result += '\x1b';
            break;
        case 's':
            result += ' ';
            break;
        case 'x':
            result += static_cast<char>(std::stoi(text.substr(at + 1, 2), nullptr, 16));
            at += 2;
            break;
        default:
            result += text[at];
        }
    }
    return result;
}

class Play {
public:
    explicit Play(char** command) {
        winsize size{};
        size.ws_row = 40;
        size.ws_col = 250; // no line that a test types is longer
        // Not forkpty(): the other end stays open here, for its settings, and so that it lives on when the
        // shell hangs it up.
        if (openpty(&master_, &slave_, nullptr, nullptr, &size) != 0) {
            die("openpty");
        }
        fcntl(master_, F_SETFD, FD_CLOEXEC);
        fcntl(slave_, F_SETFD, FD_CLOEXEC);
        child_ = fork();
        if (child_ < 0) {
            die("fork");
        }
        if (child_ == 0) {
            setenv("PS1", PROMPT, 1);
            setenv("TERM", "dumb", 1); // nothing of what the line editor draws is of interest
            login_tty(slave_);
            execvp(command[0], command);
            die(command[0]);
        }
        std::signal(SIGHUP, SIG_IGN); // it is for those at the terminal
        fcntl(master_, F_SETFL, O_NONBLOCK);
    }

    void step(const std::string& verb, const std::string& words) {
        step_ = words.empty() ? verb : verb + ' ' + words;
        const std::string text = unescaped(words);
        if (verb == "run") {
            expect(PROMPT);
            type(text + '\r');
            expect(text + "\r\n");
        } else if (verb == "line") {
            type(text + '\r');
        } else if (verb == "send") {
            type(text);
        } else if (verb == "key") {
            type(std::string(1, static_cast<char>(text.at(0) & 0x1f)));
        } else if (verb == "expect") {
            expect(text);
        } else if (verb == "prompt") {
            expect(PROMPT);
        } else if (verb == "until") {
            until(words);
        } else if (verb == "termios") {
            print(settings() + '\n');
        } else if (verb == "size") {
            resize(words);
        } else if (verb == "paste") {
            paste(words);
        } else if (verb == "swallow") {
            swallow(text);
        } else if (verb == "when") {
            when(words);
        } else if (verb == "patience") {
            patience_ = std::chrono::seconds(std::stoi(words));
        } else if (verb == "hangup") {
            hang_up();
        } else if (verb == "end") {
            end();
        } else if (verb == "mark") {
            show();
            print("\x1e" + words + '\n');
        } else {
            fail("no such step");
        }
    }

private:
    [[noreturn]] static void die(const char* what) {
        std::perror(what);
        _exit(2);
    }

    [[noreturn]] void fail(const std::string& why) {
        show();
        std::printf(
            "\n\x1d"
            "play: %s: %s. Since what was expected last it showed:\n%s\n%s\n",
            step_.c_str(), why.c_str(),
            shown_.substr(std::max(seen_, shown_.size() - std::min(shown_.size(), MOST_TOLD))).c_str(),
            settings().c_str());
        std::fflush(stdout);
        _exit(1);
    }

    static void print(const std::string& text) {
        std::fwrite(text.data(), 1, text.size(), stdout);
        std::fflush(stdout);
    }

    // Reads what there is. False where the terminal has no more to say.
    bool read_some(bool printing = true) {
        char buffer[65536];
        const ssize_t got = master_ < 0 ? 0 : read(master_, buffer, sizeof buffer);
        if (got > 0) {
            shown_.append(buffer, static_cast<std::size_t>(got));
            if (printing) {
                print(std::string(buffer, static_cast<std::size_t>(got)));
            }
        }
        return got > 0;
    }

    void show() {
        while (read_some()) {
        }
    }

    template <class Done>
    void wait(const char* what, short events, Done done, bool printing = true) {
        const auto deadline = Clock::now() + patience_;
        while (!done()) {
            if (Clock::now() > deadline) {
                fail(what);
            }
            pollfd master{master_, static_cast<short>(POLLIN | events), 0};
            poll(&master, 1, 20);
            if ((master.revents & (POLLIN | POLLHUP)) != 0 && !read_some(printing) && slave_ < 0) {
                usleep(5000); // it is hung up, and poll() doesn't wait any more
            }
        }
    }

    void expect(const std::string& text) {
        wait("it didn't show", 0, [&] {
            const auto at = shown_.find(text, seen_);
            if (at != std::string::npos) {
                seen_ = at + text.size();
            }
            return at != std::string::npos;
        });
    }

    void swallow(const std::string& text) {
        std::uint64_t bytes = 0;
        std::uint64_t sum = 14695981039346656037U; // FNV-1a
        const auto pass = [&](std::size_t end) {
            for (; seen_ < end; ++seen_, ++bytes) {
                sum = (sum ^ static_cast<unsigned char>(shown_[seen_])) * 1099511628211U;
            }
        };
        wait(
            "it didn't show", 0,
            [&] {
                const auto at = shown_.find(text, seen_);
                if (at != std::string::npos) {
                    pass(at);
                    seen_ += text.size();
                    return true;
                }
                if (shown_.size() > seen_ + text.size()) {
                    pass(shown_.size() - text.size());
                }
                if (seen_ > MOST_KEPT) {
                    shown_.erase(0, seen_);
                    seen_ = 0;
                }
                return false;
            },
            false);
        print('[' + std::to_string(bytes) + " bytes, sum " + std::to_string(sum) + "]" + text);
    }

    void when(const std::string& command) {
        const auto deadline = Clock::now() + patience_;
        while (std::system(command.c_str()) != 0) {
            if (Clock::now() > deadline) {
                fail("it didn't come true");
            }
            usleep(50'000);
        }
    }

    void type(const std::string& text) {
        std::size_t done = 0;
        wait("it takes no more", POLLOUT, [&] {
            const ssize_t put = write(master_, text.data() + done, text.size() - done);
            if (put > 0) {
                done += static_cast<std::size_t>(put);
            } else if (put < 0 && errno != EAGAIN) {
                fail(std::strerror(errno));
            }
            return done == text.size();
        });
    }

    void paste(const std::string& name) {
        std::ifstream file(name, std::ios::binary);
        type({std::istreambuf_iterator<char>(file), {}});
    }

    std::string settings() const {
        termios now{};
        if (tcgetattr(slave_, &now) != 0) {
            return "[no terminal]";
        }
        std::string text;
        for (const Flag& flag : FLAGS) {
            text += text.empty() ? "[" : " ";
            text += (now.*flag.word & flag.bit) != 0 ? "" : "-";
            text += flag.name;
        }
        return text + ']';
    }

    void until(const std::string& words) {
        wait("the settings are others", 0, [&] {
            const std::string now = ' ' + settings().substr(1);
            std::istringstream wanted(words);
            for (std::string flag; wanted >> flag;) {
                if (now.find(' ' + flag + ' ') == std::string::npos &&
                    now.find(' ' + flag + ']') == std::string::npos) {
                    return false;
                }
            }
            return true;
        });
    }

    void resize(const std::string& words) const {
        winsize size{};
        std::istringstream(words) >> size.ws_row >> size.ws_col;
        ioctl(master_, TIOCSWINSZ, &size);
    }

    void hang_up() {
        show();
        close(slave_);
        close(master_);
        slave_ = master_ = -1;
    }

    void end() {
        if (slave_ >= 0) {
            close(slave_);
            slave_ = -1;
        }
        wait("somebody has it open still", 0, [&] {
            char byte = 0;
            const ssize_t got = master_ < 0 ? 0 : read(master_, &byte, 1);
            if (got == 1) {
                shown_ += byte;
                print(std::string(1, byte));
            }
            return got == 0 || (got < 0 && errno == EIO);
        });
        if (waitpid(child_, nullptr, 0) != child_) {
            fail("waitpid");
        }
    }

    int master_ = -1;
    int slave_ = -1;
    pid_t child_ = -1;
    std::string shown_;    // all of it
    std::size_t seen_ = 0; // where what was expected last ended
    std::string step_;
    std::chrono::seconds patience_{20};
};

} // namespace

int main(int argc, char** argv) {
    char bash[] = "bash", norc[] = "--norc", interactive[] = "-i";
    char* shell[] = {bash, norc, interactive, nullptr};
    Play play(argc > 1 ? argv + 1 : shell);
    for (std::string line; std::getline(std::cin, line);) {
        const auto begin = line.find_first_not_of(' ');
        if (begin == std::string::npos || line[begin] == '#') {
            continue;
        }
        const auto blank = line.find(' ', begin);
        play.step(line.substr(begin, blank - begin),
                  blank == std::string::npos ? "" : line.substr(blank + 1));
    }
    return 0;
}
