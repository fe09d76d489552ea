// SPDX-License-Identifier: MIT
#include "helper/monitor.h"

#include "core/frame.h"
#include "helper/deadline.h"
#include "helper/relay.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>
#include <optional>
#include <sys/wait.h>
#include <unistd.h>

namespace jit {
namespace {

using Clock = std::chrono::steady_clock;
constexpr Millis answer_patience{2'000};
constexpr std::int64_t notice_millis = 2'000; // how long before the end jitd sends TERM

class Monitor {
public:
    Monitor(Child& child, const Elevation& elevation, Jitd& jitd, const SignalQueue& signals)
        : child_(child), elevation_(elevation), jitd_(jitd), signals_(signals),
          timer_(elevation.allowed.deadline) {
        if (elevation.timeout) {
            limit_ = Clock::now() + *elevation.timeout;
        }
    }

    Outcome run(const Terminal* terminal, Pty* pty) {
        if (terminal != nullptr && pty != nullptr) {
            relay_.emplace(*terminal, *pty);
        }
        while (!status_) {
            turn();
        }
        child_.reaped();
        hear_what_is_there(); // why it was killed is said before it is
        if (jitd_.connected()) {
            // It may be gone, and then it knows from the cgroup.
            static_cast<void>(jitd_.send(to_frame(HelperExited{*status_})));
        }
        if (relay_) {
            relay_->drain();
            relay_.reset(); // the terminal is as it was
        }
        const int killer = WIFSIGNALED(*status_) ? WTERMSIG(*status_) : 0;
        const bool by_jitd = killer == SIGKILL || killer == SIGTERM || killer == SIGHUP;
        const bool timed_out = killer != 0 && limit_told_;
        return {*status_, !timed_out && by_jitd && (killed_ || timer_.is_over(notice_millis)), timed_out,
                timer_.deadline(), by_jitd ? why_ : std::string()};
    }

private:
    void turn() {
        enum { signal, jitd, utc, boot, terminal, master, count };
        std::array<pollfd, count> fds{};
        fds[signal] = {signals_.fd(), POLLIN, 0};
        fds[jitd] = {jitd_.connected() ? jitd_.fd() : -1, POLLIN, 0};
        fds[utc] = {timer_.fds()[0].get(), POLLIN, 0};
        fds[boot] = {timer_.fds()[1].get(), POLLIN, 0};
        fds[terminal] = relay_ ? relay_->wish(Relay::Slot::terminal) : pollfd{-1, 0, 0};
        fds[master] = relay_ ? relay_->wish(Relay::Slot::master) : pollfd{-1, 0, 0};
        if (poll(fds.data(), fds.size(), patience()) < 0) {
            return; // EINTR: nothing is lost, it is all still there
        }
        if (fds[signal].revents != 0) {
            while (const auto info = signals_.next()) {
                handle(*info);
            }
        }
        if (fds[jitd].revents != 0) {
            hear();
        }
        if (fds[utc].revents != 0 || fds[boot].revents != 0) {
            ask_for_time();
        }
        if (asked_until_ && Clock::now() >= *asked_until_) {
            end_it();
        }
        if (limit_ && Clock::now() >= *limit_) {
            reach_limit();
        }
        if (relay_ && relay_->serve(fds[terminal], fds[master], child_.pid())) {
            child_.signal(SIGSTOP, true); // what follows is as if it had been stopped by anybody
        }
    }

    [[nodiscard]] int patience() const {
        std::int64_t least = std::numeric_limits<int>::max();
        for (const auto& time : {asked_until_, limit_}) {
            if (time) {
                least = std::clamp<std::int64_t>(std::chrono::ceil<Millis>(*time - Clock::now()).count(), 0,
                                                 least);
            }
        }
        return asked_until_ || limit_ ? static_cast<int>(least) : -1;
    }

    // The command may end by itself first. Whatever it left behind in the cgroup then goes with it.
    void reach_limit() {
        if (limit_told_) {
            limit_.reset();
            end_it();
            return;
        }
        limit_told_ = true;
        limit_ = Clock::now() + Millis{notice_millis};
        child_.signal(SIGTERM, true);
        child_.signal(SIGCONT, true);
    }

    void handle(const signalfd_siginfo& info) {
        const int number = static_cast<int>(info.ssi_signo);
        switch (number) {
        case SIGCHLD:
            look_at_child();
            break;
        case SIGWINCH:
            if (relay_) {
                relay_->resize();
            }
            break;
        case SIGCONT:
            if (relay_) {
                relay_->resume();
            }
            break;
        case SIGTSTP:
            child_.signal(SIGSTOP, true);
            break;
        default:
            if (info.ssi_code > 0 || info.ssi_pid == 0 ||
                getpgid(static_cast<pid_t>(info.ssi_pid)) != child_.pid()) {
                child_.signal(number);
            }
        }
    }

    void look_at_child() {
        int status = 0;
        while (!status_ && waitpid(child_.pid(), &status, WNOHANG | WUNTRACED) == child_.pid()) {
            if (WIFSTOPPED(status)) {
                stop_with_it();
            } else {
                status_ = status;
            }
        }
    }

    // The command is stopped, so the shell gets its terminal back, until it lets us go on. Where no shell
    // could do that (an orphaned process group) the kernel doesn't stop us, and the command goes on at once.
    void stop_with_it() {
        if (relay_) {
            relay_->suspend();
        }
        take_signal(SIGTSTP);
        if (relay_) {
            relay_->resume();
        }
        child_.signal(SIGCONT, true);
    }

    void hear() {
        const auto frame = jitd_.receive(Millis{1'000});
        if (const auto ending = frame ? parse_helper_ending(frame->body) : std::nullopt) {
            why_ = ending->why;
            return;
        }
        const auto deadline = frame ? parse_helper_deadline(frame->body) : std::nullopt;
        if (!deadline) {
            jitd_.close(); // restarted, most likely: the deadline that we know stands
            if (asked_until_) {
                end_it();
            }
            return;
        }
        asked_until_.reset();
        timer_.set(*deadline);
        if (timer_.is_over()) {
            end_it();
        }
    }

    void hear_what_is_there() {
        pollfd jitd{jitd_.connected() ? jitd_.fd() : -1, POLLIN, 0};
        while (jitd_.connected() && poll(&jitd, 1, 0) > 0) {
            hear();
        }
    }

    void ask_for_time() {
        timer_.disarm();
        if (!jitd_.connected() || !jitd_.send(deadline_question_frame())) {
            end_it();
            return;
        }
        asked_until_ = Clock::now() + answer_patience;
    }

    void end_it() {
        asked_until_.reset();
        timer_.disarm();
        killed_ = true;
        if (!write_cgroup_file(elevation_.cgroup, "cgroup.kill", "1")) {
            child_.signal(SIGKILL); // jitd has removed the cgroup: then this is all that could be left
        }
    }

    Child& child_;
    const Elevation& elevation_;
    Jitd& jitd_;
    const SignalQueue& signals_;
    DeadlineTimer timer_;
    std::optional<Relay> relay_;
    std::optional<Clock::time_point> asked_until_;
    std::optional<Clock::time_point> limit_; // the caller's own, and then that of its last seconds
    bool limit_told_ = false;
    std::optional<int> status_;
    bool killed_ = false;
    std::string why_; // jitd ends it before its time
};

} // namespace

Outcome monitor(Child& child, const Elevation& elevation, Jitd& jitd, const SignalQueue& signals,
                const Terminal* terminal, Pty* pty) {
    return Monitor(child, elevation, jitd, signals).run(terminal, pty);
}

} // namespace jit
