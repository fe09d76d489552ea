// SPDX-License-Identifier: MIT
#include "daemon/loop.h"

#include "core/clock.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <cstring>

namespace jit {
namespace {

// Out of memory, or a bad descriptor of our own: nothing sensible can go on, and systemd starts us again.
void demand(int result) {
    if (result < 0) {
        std::abort();
    }
}

// BootTime::max() is "never", as UINT64_MAX is to sd-event.
std::uint64_t microseconds(BootTime time) {
    return time == BootTime::max()
               ? UINT64_MAX
               : static_cast<std::uint64_t>(std::max(time.time_since_epoch(), Millis(0)).count()) * 1000;
}

} // namespace

void Loop::Source::set_events(std::uint32_t events) {
    demand(sd_event_source_set_io_events(state_->source, events));
}

void Loop::Source::set_time(BootTime time) {
    demand(sd_event_source_set_time(state_->source, microseconds(time)));
    demand(sd_event_source_set_enabled(state_->source, SD_EVENT_ONESHOT));
}

Result<Loop> Loop::make() {
    sd_event* event = nullptr;
    if (const int result = sd_event_new(&event); result < 0) {
        return fail(Errc::internal, fmt::format("no event loop: {}", std::strerror(-result)));
    }
    Loop loop;
    loop.event_.reset(event);
    demand(sd_event_set_watchdog(event, 1));
    return loop;
}

Loop::Source Loop::on_io(int fd, std::uint32_t events, std::function<void(std::uint32_t)> call) {
    Source source;
    source.state_ = std::make_unique<Source::State>();
    source.state_->call = std::move(call);
    demand(sd_event_add_io(
        event_.get(), &source.state_->source, fd, events,
        [](sd_event_source*, int, std::uint32_t revents, void* data) {
            // The call may remove its own source, and with it the function that is running.
            const auto function = static_cast<Source::State*>(data)->call;
            function(revents);
            return 0;
        },
        source.state_.get()));
    return source;
}

Loop::Source Loop::at(BootTime time, Millis accuracy, std::function<void()> call) {
    Source source;
    source.state_ = std::make_unique<Source::State>();
    source.state_->call = [call = std::move(call)](std::uint32_t) { call(); };
    demand(sd_event_add_time(
        event_.get(), &source.state_->source, CLOCK_BOOTTIME, microseconds(time),
        static_cast<std::uint64_t>(accuracy.count()) * 1000,
        [](sd_event_source*, std::uint64_t, void* data) {
            const auto function = static_cast<Source::State*>(data)->call;
            function(0);
            return 0;
        },
        source.state_.get()));
    return source;
}

Loop::Source Loop::after(Millis delay, Millis accuracy, std::function<void()> call) {
    return at(read_system_clock().boot + delay, accuracy, std::move(call));
}

Loop::Source Loop::soon(std::function<void()> call) {
    Source source;
    source.state_ = std::make_unique<Source::State>();
    source.state_->call = [call = std::move(call)](std::uint32_t) { call(); };
    demand(sd_event_add_defer(
        event_.get(), &source.state_->source,
        [](sd_event_source*, void* data) {
            const auto function = static_cast<Source::State*>(data)->call;
            function(0);
            return 0;
        },
        source.state_.get()));
    return source;
}

Loop::Source Loop::on_signal(int signal, std::function<void()> call) {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, signal);
    demand(-pthread_sigmask(SIG_BLOCK, &mask, nullptr));
    Source source;
    source.state_ = std::make_unique<Source::State>();
    source.state_->call = [call = std::move(call)](std::uint32_t) { call(); };
    demand(sd_event_add_signal(
        event_.get(), &source.state_->source, signal,
        [](sd_event_source*, const signalfd_siginfo*, void* data) {
            const auto function = static_cast<Source::State*>(data)->call;
            function(0);
            return 0;
        },
        source.state_.get()));
    return source;
}

Loop::Source Loop::after_each_turn(std::function<void()> call) {
    Source source;
    source.state_ = std::make_unique<Source::State>();
    source.state_->call = [call = std::move(call)](std::uint32_t) { call(); };
    demand(sd_event_add_post(
        event_.get(), &source.state_->source,
        [](sd_event_source*, void* data) {
            static_cast<Source::State*>(data)->call(0);
            return 0;
        },
        source.state_.get()));
    return source;
}

Result<void> Loop::run() {
    if (const int result = sd_event_loop(event_.get()); result < 0) {
        return fail(Errc::internal, fmt::format("the event loop ended: {}", std::strerror(-result)));
    }
    return {};
}

void Loop::stop() {
    demand(sd_event_exit(event_.get(), 0));
}

} // namespace jit
