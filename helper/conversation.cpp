// SPDX-License-Identifier: MIT
#include "helper/conversation.h"

#include "core/fd.h"
#include "core/text.h"
#include "helper/ids.h"
#include "helper/messages.h"
#include "helper/report.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <security/pam_appl.h>
#include <string_view>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

namespace jit {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::minutes patience{5};

// Backslashes and tabs, of which Windows names and columns are made, stay where nothing else needs escaping.
std::string shown_line(std::string_view line) {
    std::string without_tabs(line);
    std::erase(without_tabs, '\t');
    return is_printable(without_tabs) ? std::string(line) : escape(line);
}

// What a module says, made safe line by line; a prompt's last line has no end.
std::string shown(std::string_view text) {
    std::string out;
    for (;;) {
        const auto end = text.find('\n');
        out += shown_line(text.substr(0, end));
        if (end == std::string_view::npos) {
            return out;
        }
        out += '\n';
        text.remove_prefix(end + 1);
    }
}

// Signals that would end or stop us arrive here instead, so that echo can be put back first.
class HeldSignals {
public:
    HeldSignals() {
        sigset_t set;
        sigemptyset(&set);
        for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGALRM, SIGUSR1, SIGUSR2, SIGTSTP}) {
            sigaddset(&set, number);
        }
        sigprocmask(SIG_BLOCK, &set, &before_);
        fd_.reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    }
    ~HeldSignals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
    HeldSignals(const HeldSignals&) = delete;
    HeldSignals& operator=(const HeldSignals&) = delete;

    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] int next() const {
        signalfd_siginfo info{};
        return read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
    }

private:
    sigset_t before_{};
    Fd fd_;
};

class Echo {
public:
    Echo(int tty, bool on) : tty_(tty) {
        if (tcgetattr(tty_, &before_) != 0) {
            return;
        }
        termios wanted = before_;
        wanted.c_lflag |= ICANON | ISIG;
        if (!on) {
            wanted.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL);
        }
        good_ = tcsetattr(tty_, TCSAFLUSH, &wanted) == 0;
    }
    ~Echo() {
        if (good_) {
            tcsetattr(tty_, TCSAFLUSH, &before_);
        }
    }
    Echo(const Echo&) = delete;
    Echo& operator=(const Echo&) = delete;
    [[nodiscard]] bool good() const { return good_; }

private:
    int tty_;
    bool good_ = false;
    termios before_{};
};

class Answer {
public:
    ~Answer() { explicit_bzero(bytes_.data(), bytes_.size()); }
    std::array<char, PAM_MAX_RESP_SIZE + 1> bytes_{};
};

void forget(char* answer) {
    explicit_bzero(answer, std::strlen(answer));
    free(answer);
}

enum class Read { answer, none, too_long, late, interrupted };

// One line. In canonical mode read(2) gives one whole line, or as much of it as fits.
Read read_line(int tty, const HeldSignals& signals, Answer& answer, int& signal) {
    const auto until = Clock::now() + patience;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
        std::array<pollfd, 2> fds{{{signals.fd(), POLLIN, 0}, {tty, POLLIN, 0}}};
        const int ready = left > 0 ? poll(fds.data(), fds.size(), static_cast<int>(left)) : 0;
        if (ready == 0) {
            return Read::late;
        }
        if (ready < 0) {
            if (errno == EINTR) {
                continue;
            }
            return Read::none;
        }
        if (fds[0].revents != 0) {
            signal = signals.next();
            return Read::interrupted;
        }
        const ssize_t got = read(tty, answer.bytes_.data(), answer.bytes_.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return Read::none;
        }
        char* const end =
            static_cast<char*>(std::memchr(answer.bytes_.data(), '\n', static_cast<std::size_t>(got)));
        if (end == nullptr && static_cast<std::size_t>(got) == answer.bytes_.size()) {
            return Read::too_long;
        }
        // Without a newline it was ended by ^D, which counts as one.
        *(end == nullptr ? answer.bytes_.data() + got : end) = '\0';
        return Read::answer;
    }
}

int converse(int count, const pam_message** messages, pam_response** responses, void* data) {
    if (count <= 0 || count > PAM_MAX_NUM_MSG || messages == nullptr || responses == nullptr ||
        data == nullptr) {
        return PAM_CONV_ERR;
    }
    auto& conversation = *static_cast<Conversation*>(data);
    auto* const answers =
        static_cast<pam_response*>(calloc(static_cast<std::size_t>(count), sizeof(pam_response)));
    if (answers == nullptr) {
        return PAM_BUF_ERR;
    }
    bool good = true;
    for (int index = 0; index < count && good; ++index) {
        const pam_message& message = *messages[index];
        switch (message.msg_style) {
        case PAM_PROMPT_ECHO_ON:
        case PAM_PROMPT_ECHO_OFF:
            answers[index].resp = conversation.ask(message.msg, message.msg_style == PAM_PROMPT_ECHO_ON);
            good = answers[index].resp != nullptr;
            break;
        case PAM_TEXT_INFO:
        case PAM_ERROR_MSG:
            conversation.tell(message.msg);
            break;
        default:
            good = false;
        }
    }
    if (good) {
        *responses = answers;
        return PAM_SUCCESS;
    }
    for (int index = 0; index < count; ++index) {
        if (answers[index].resp != nullptr) {
            forget(answers[index].resp);
        }
    }
    free(answers);
    return PAM_CONV_ERR;
}

} // namespace

pam_conv Conversation::functions() {
    return {converse, this};
}

void Conversation::tell(const char* text) const {
    if (text != nullptr && *text != '\0') {
        write_all(STDERR_FILENO, shown(text) + '\n');
    }
}

std::string prompt_text(const std::string& form, const std::string& caller, const std::string& target,
                        const std::string& host) {
    std::string text;
    for (std::size_t i = 0; i < form.size(); ++i) {
        const char escaped = form[i] == '%' && i + 1 < form.size() ? form[i + 1] : '\0';
        const std::string_view value = escaped == 'U'                     ? std::string_view(target)
                                       : escaped == 'u' || escaped == 'p' ? std::string_view(caller)
                                       : escaped == 'H'                   ? std::string_view(host)
                                       : escaped == 'h' ? std::string_view(host).substr(0, host.find('.'))
                                       : escaped == '%' ? std::string_view("%")
                                                        : std::string_view();
        if (value.data() == nullptr) {
            text += form[i];
        } else {
            text += value;
            ++i;
        }
    }
    return text;
}

std::string Conversation::prompt_for(const char* question) const {
    const std::string_view asked = question == nullptr ? "" : question;
    if (asked != "Password: " && asked != "Password:") {
        return shown(asked); // a module's own question, which the person must see
    }
    if (!asking_.prompt) {
        return messages::password_prompt(caller_);
    }
    std::array<char, 256> host{};
    static_cast<void>(gethostname(host.data(), host.size() - 1));
    return shown(prompt_text(*asking_.prompt, caller_, target_, host.data()));
}

char* Conversation::ask(const char* question, bool echo) {
    failure_.clear();
    if (!asking_.allowed) {
        failure_ = messages::password_required;
        return nullptr;
    }
    const std::string prompt = prompt_for(question);
    char* const answer = [&] {
        const Reachable reachable(asking_.caller);
        // A terminal would show what is typed.
        return asking_.on_stdin && isatty(STDIN_FILENO) == 0 ? ask_on_stdin(prompt)
                                                             : ask_on_terminal(prompt, echo);
    }();
    if (answer != nullptr && asking_.may_try) {
        if (const auto may = asking_.may_try(); !may) {
            failure_ = may.error().message;
            forget(answer);
            return nullptr;
        }
    }
    return answer;
}

char* Conversation::ask_on_stdin(const std::string& prompt) {
    write_all(STDERR_FILENO, prompt);
    const auto until = Clock::now() + patience;
    Answer answer;
    std::size_t have = 0;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
        pollfd input{STDIN_FILENO, POLLIN, 0};
        const int ready = left > 0 ? poll(&input, 1, static_cast<int>(left)) : 0;
        if (ready == 0) {
            failure_ = messages::password_late;
            return nullptr;
        }
        const ssize_t got = ready < 0 ? -1 : read(STDIN_FILENO, &answer.bytes_[have], 1);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (got < 0 || (got == 0 && have == 0)) {
            write_all(STDERR_FILENO, prompt.empty() ? "" : "\n");
            failure_ = messages::no_password;
            return nullptr;
        }
        if (got == 0 || answer.bytes_[have] == '\n') {
            if (have > 0 && answer.bytes_[have - 1] == '\r') {
                --have; // from where lines end so
            }
            answer.bytes_[have] = '\0';
            asked_ = true;
            return strdup(answer.bytes_.data());
        }
        if (++have == answer.bytes_.size()) {
            failure_ = messages::password_too_long;
            return nullptr;
        }
    }
}

char* Conversation::ask_on_terminal(const std::string& prompt, bool echo) {
    for (;;) {
        const Fd tty(open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
        if (!tty) {
            failure_ = messages::terminal_required;
            return nullptr;
        }
        int signal = 0;
        Answer answer;
        Read read = Read::none;
        {
            const HeldSignals signals;
            const Echo setting(tty.get(), echo);
            if (!setting.good()) {
                failure_ = messages::terminal_required;
                return nullptr;
            }
            write_all(tty.get(), prompt);
            read = read_line(tty.get(), signals, answer, signal);
            if (!echo || read != Read::answer) {
                write_all(tty.get(), "\n");
            }
        } // echo is back, and a signal has its effect again
        switch (read) {
        case Read::answer:
            asked_ = true;
            return strdup(answer.bytes_.data());
        case Read::interrupted:
            if (signal > 0) {
                static_cast<void>(raise(signal));
            }
            continue; // it was one that stops, and we are back: ask again
        case Read::too_long:
            failure_ = messages::password_too_long;
            return nullptr;
        case Read::late:
            failure_ = messages::password_late;
            return nullptr;
        case Read::none:
            failure_ = messages::no_password;
            return nullptr;
        }
    }
}

} // namespace jit
