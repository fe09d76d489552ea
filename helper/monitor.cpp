// SPDX-License-Identifier: MIT
#include "helper/monitor.h"

#include "core/frame.h"
#include "core/notices.h"
#include "core/time.h"
#include "helper/deadline.h"
#include "helper/messages.h"
#include "helper/relay.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <sys/wait.h>
#include <unistd.h>

namespace jit {
namespace {

using Clock = std::chrono::steady_clock;
constexpr Millis answer_patience{2'000};
constexpr Millis connect_patience{1'000};
constexpr std::int64_t notice_millis = 2'000; // how long before the end jitd sends TERM
constexpr Millis notice_shown{5'000};         // over a full screen
constexpr Millis notice_retry{100};
constexpr std::int64_t longest_wait = 3'600'000;

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
        plan_notices();
        if (terminal != nullptr && pty != nullptr) {
            terminal_ = terminal;
            relay_.emplace(*terminal, *pty);
            claimed_ = elevation_.foreground || !is_in_pipeline();
            if (elevation_.foreground) {
                relay_->attach();
            }
        }
        while (!status_) {
            turn();
        }
        child_.reaped();
        hear_what_is_there(); // why it was killed is said before it is
        note_exit(elevation_.cgroup, *status_);
        const auto tell_exit = [&] { return jitd_.send(to_frame(HelperExited{*status_})); };
        if (!(jitd_.connected() && tell_exit()) && reconnect()) {
            // It may be gone again, and then the next one knows from the cgroup that this is over.
            static_cast<void>(tell_exit());
        }
        if (relay_) {
            relay_->drain(signals_);
            if (WIFSIGNALED(*status_)) {
                relay_->leave_full_screen();
            }
            relay_.reset(); // the terminal is as it was
        }
        const int killer = WIFSIGNALED(*status_) ? WTERMSIG(*status_) : 0;
        const bool by_jitd = killer == SIGKILL || killer == SIGTERM || killer == SIGHUP;
        const bool timed_out = killer != 0 && limit_told_;
        return {*status_, !timed_out && by_jitd && (killed_ || timer_.left() <= Millis{notice_millis}),
                timed_out, timer_.deadline(), by_jitd ? why_ : std::string()};
    }

private:
    void turn() {
        enum { signal, jitd, utc, boot, child, terminal, master, count };
        std::array<pollfd, count> fds{};
        fds[signal] = {signals_.fd(), POLLIN, 0};
        fds[jitd] = {jitd_.connected() ? jitd_.fd() : -1, POLLIN, 0};
        fds[utc] = {timer_.fds()[0].get(), POLLIN, 0};
        fds[boot] = {timer_.fds()[1].get(), POLLIN, 0};
        fds[child] = {child_.reports(), POLLIN, 0};
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
        if (fds[child].revents != 0) {
            look_at_child();
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
        if (relay_) {
            relay_->serve(fds[terminal], fds[master]);
            warn();
        }
    }

    // Where the person is at a terminal, they are told before it is over.
    void warn() {
        const Millis left = timer_.left();
        if (redraw_at_ && Clock::now() >= *redraw_at_) {
            redraw_at_.reset();
            relay_->redraw();
        }
        if (left <= Millis{0} || notices_.wait(left) != Millis{0} || !relay_->tell(ending_soon(left))) {
            return;
        }
        notices_.given(left);
        if (relay_->over_full_screen()) {
            redraw_at_ = Clock::now() + notice_shown;
        }
    }

    void plan_notices() {
        std::vector<Millis> before;
        for (const std::uint32_t notice : elevation_.allowed.notices) {
            before.emplace_back(notice);
        }
        notices_.plan(before, timer_.left());
    }

    [[nodiscard]] std::string ending_soon(Millis left) const {
        return messages::ending_soon(elevation_.allowed.role, left_in_words(left),
                                     time_of_day(timer_.deadline()), elevation_.allowed.grant);
    }

    [[nodiscard]] int patience() const {
        std::optional<Millis> least;
        const auto consider = [&](Millis wait) { least = std::min(least.value_or(wait), wait); };
        for (const auto& time : {asked_until_, limit_, redraw_at_}) {
            if (time) {
                consider(std::chrono::ceil<Millis>(*time - Clock::now()));
            }
        }
        if (const auto wait = relay_ ? notices_.wait(timer_.left()) : std::nullopt) {
            consider(std::max(*wait, notice_retry)); // the terminal may be slow to take it
        }
        return least ? static_cast<int>(std::clamp<std::int64_t>(least->count(), 0, longest_wait)) : -1;
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
        child_.signal_group(SIGTERM);
        child_.signal_group(SIGCONT);
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
            go_on();
            break;
        case SIGTSTP:
            // Without a keeper its group is an orphaned one, which nothing but SIGSTOP stops.
            child_.signal_group(relay_ ? SIGTSTP : SIGSTOP);
            break;
        default:
            // What the kernel sends is from the caller's keyboard: for all who are in front of it. So is a
            // hang-up of the terminal, which a shell passes on.
            if (info.ssi_code > 0 || (number == SIGHUP && relay_)) {
                child_.signal_group(number);
            } else if (info.ssi_pid == 0 || getpgid(static_cast<pid_t>(info.ssi_pid)) != child_.command()) {
                child_.signal(number);
            }
        }
    }

    void look_at_child() {
        while (const auto status = status_ ? std::nullopt : child_.changed()) {
            if (WIFSTOPPED(*status)) {
                stopped(WSTOPSIG(*status));
            } else {
                status_ = status;
            }
        }
    }

    void stopped(int number) {
        const bool by_terminal = number == SIGTTIN || number == SIGTTOU;
        const bool wants_terminal = relay_ && by_terminal;
        claimed_ = claimed_ || wants_terminal;
        if (wants_terminal && terminal_->in_foreground()) {
            go_on();
            return;
        }
        // So the shell gets its terminal back, until it lets us go on.
        if (relay_) {
            relay_->flush();
            relay_->detach();
        }
        if (stop_job(by_terminal ? number : SIGTSTP)) {
            return; // a SIGCONT has come
        }
        go_on();
        if (wants_terminal) {
            child_.resume(true); // or it would ask again, for ever
        }
    }

    // After the start, when the shell lets us go on, or when the command has asked for the terminal.
    void go_on() {
        const bool foreground = relay_ && claimed_ && terminal_->in_foreground();
        if (foreground) {
            relay_->attach();
        } else if (relay_) {
            relay_->detach();
        }
        child_.resume(foreground);
    }

    void hear() {
        const auto frame = jitd_.receive(Millis{1'000});
        if (const auto ending = frame ? parse_helper_ending(frame->body) : std::nullopt) {
            why_ = ending->why;
            return;
        }
        const auto deadline = frame ? parse_helper_deadline(frame->body) : std::nullopt;
        if (!deadline) {
            // Restarted, or stopped: then a connection would start it again. The deadline that we know
            // stands, until there is something to ask or to tell.
            jitd_.close();
            if (asked_until_ && (resumed_ || !reconnect())) {
                end_it();
            }
            return;
        }
        resumed_ = false;
        asked_until_.reset();
        if (deadline->time <= 0) {
            return end_it(); // it is over, and the deadline that we know is when
        }
        const bool is_another = deadline->time != timer_.deadline().time;
        timer_.set(*deadline);
        if (is_another) {
            plan_notices();
        }
        if (timer_.left() <= Millis{0}) {
            end_it();
        }
    }

    // jitd takes us up again, and answers with the deadline as it is now.
    bool reconnect() {
        jitd_.close();
        auto again = Jitd::connect(helper_socket, connect_patience);
        if (!again || !again->send(to_frame(HelperResume{elevation_.allowed.use}))) {
            return false;
        }
        jitd_ = std::move(*again);
        resumed_ = true;
        return true;
    }

    void hear_what_is_there() {
        pollfd jitd{jitd_.connected() ? jitd_.fd() : -1, POLLIN, 0};
        while (jitd_.connected() && poll(&jitd, 1, 0) > 0) {
            hear();
        }
    }

    void ask_for_time() {
        timer_.disarm();
        // A new connection begins with the answer.
        if (!(jitd_.connected() && jitd_.send(deadline_question_frame())) && !reconnect()) {
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
            child_.signal_group(SIGKILL); // jitd has removed the cgroup: then this is all that could be left
        }
    }

    Child& child_;
    const Elevation& elevation_;
    Jitd& jitd_;
    const SignalQueue& signals_;
    DeadlineTimer timer_;
    Notices notices_;
    const Terminal* terminal_ = nullptr; // both or none
    std::optional<Relay> relay_;
    bool claimed_ = false; // the command may have the terminal when we are in its foreground
    std::optional<Clock::time_point> redraw_at_; // what hides a part of the screen is cleared then
    std::optional<Clock::time_point> asked_until_;
    std::optional<Clock::time_point> limit_; // the caller's own, and then that of its last seconds
    bool limit_told_ = false;
    std::optional<int> status_;
    bool killed_ = false;
    bool resumed_ = false; // and nothing heard since
    std::string why_;      // jitd ends it before its time
};

} // namespace

Outcome monitor(Child& child, const Elevation& elevation, Jitd& jitd, const SignalQueue& signals,
                const Terminal* terminal, Pty* pty) {
    return Monitor(child, elevation, jitd, signals).run(terminal, pty);
}

} // namespace jit
