// SPDX-License-Identifier: MIT
// sd-event(3) with C++ ownership: a Source is removed from the loop when it goes.
#pragma once

#include "core/error.h"
#include "core/time.h"

#include <systemd/sd-event.h>

#include <cstdint>
#include <functional>
#include <memory>

namespace jit {

class Loop {
public:
    class Source {
    public:
        Source() = default;
        void set_events(std::uint32_t events);
        // A timer fires once; this arms it again.
        void set_time(BootTime time);

    private:
        friend class Loop;
        struct State {
            std::function<void(std::uint32_t)> call;
            sd_event_source* source = nullptr;
            ~State() { sd_event_source_disable_unref(source); }
        };
        std::unique_ptr<State> state_;
    };

    static Result<Loop> make();

    // An error here is one of memory or of a programming mistake; both end the daemon, so there is nothing to
    // return.
    [[nodiscard]] Source on_io(int fd, std::uint32_t events, std::function<void(std::uint32_t)> call);
    // CLOCK_BOOTTIME, so that suspend counts. `accuracy`: how late it may be.
    [[nodiscard]] Source at(BootTime time, Millis accuracy, std::function<void()> call);
    [[nodiscard]] Source after(Millis delay, Millis accuracy, std::function<void()> call);
    // In the next turn, after what else is waiting.
    [[nodiscard]] Source soon(std::function<void()> call);
    [[nodiscard]] Source on_signal(int signal, std::function<void()> call);
    // At the end of each turn in which anything else was called.
    [[nodiscard]] Source after_each_turn(std::function<void()> call);

    [[nodiscard]] Result<void> run(); // until stop(); pings systemd's watchdog
    void stop();

private:
    struct Unref {
        void operator()(sd_event* event) const { sd_event_unref(event); }
    };
    std::unique_ptr<sd_event, Unref> event_;
};

} // namespace jit
