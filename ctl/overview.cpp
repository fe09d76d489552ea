// SPDX-License-Identifier: MIT
// jitctl watch without an id: what is live, as it changes. A page on a terminal, else a table at each change.
#include "core/text.h"
#include "ctl/following.h"
#include "ctl/print.h"
#include "ctl/reply.h"
#include "ctl/screen.h"
#include "ctl/verbs.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <unistd.h>

namespace jit {
namespace {

std::string name_of_host() {
    char name[256]{};
    return gethostname(name, sizeof name - 1) == 0 ? escape(name) : "this host";
}

class Display {
public:
    explicit Display(const Context& context) : context_(context) {
        if (!context.json && Screen::is_one(context.client.output)) {
            screen_.emplace(context.out, context.client.output);
        }
    }

    [[nodiscard]] bool is_page() const { return screen_.has_value(); }
    [[nodiscard]] const std::optional<Failure>& failure() const { return failure_; }

    // False: nothing more is wanted.
    bool take(const Json& parameters) {
        auto overview = reply::read_overview(parameters);
        if (!overview) {
            failure_ = overview.error();
            return false;
        }
        seen_ = std::move(*overview);
        taken_ = std::chrono::steady_clock::now();
        lost_ = false;
        context_.print_json(parameters);
        if (!screen_) {
            context_.print_text(
                fmt::format("-- {}\n{}", format_utc(seen_.now), overview_text(seen_, seen_.now)));
        } else {
            draw();
        }
        return context_.out.good();
    }

    void lost() {
        lost_ = true;
        if (screen_) {
            draw();
        } else if (!context_.json) {
            context_.err << context_.name << ": jitd does not answer; asking it again …\n" << std::flush;
        }
    }

    // How it waits: the time that is left counts down, and q ends it.
    [[nodiscard]] Meanwhile meanwhile() {
        return {.every = std::chrono::seconds(1), .input = screen_->keys(), .call = [this] {
                    if (screen_->quits()) {
                        return false;
                    }
                    draw();
                    return context_.out.good();
                }};
    }

private:
    void draw() {
        if (seen_.now == Time()) {
            return; // it is still being asked
        }
        // By jitd's clock, which may be another than this one.
        const Time now =
            seen_.now + std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - taken_);
        std::string text = fmt::format("{}  {}  {}\n\n", host_, format_utc(now),
                                       lost_ ? "jitd does not answer; asking it again …" : "q ends this");
        screen_->draw(text + overview_text(seen_, now));
    }

    const Context& context_;
    std::string host_ = name_of_host();
    std::optional<Screen> screen_;
    reply::Overview seen_;
    std::chrono::steady_clock::time_point taken_;
    bool lost_ = false;
    std::optional<Failure> failure_;
};

} // namespace

Outcome<Exit> look_once(const Context& context) {
    const auto reply = call(context, "Overview", Json::object());
    if (!reply) {
        return std::unexpected(reply.error());
    }
    const auto overview = reply::read_overview(*reply);
    if (!overview) {
        return std::unexpected(overview.error());
    }
    context.print_json(*reply);
    context.print_text(overview_text(*overview, overview->now));
    return Exit::done;
}

Outcome<Exit> watch_all(const Context& context) {
    const Interrupt interrupt;
    Display display(context);
    Following following{.method = "Overview",
                        .take = [&](const Json& parameters) { return display.take(parameters); },
                        .lost = [&] { display.lost(); },
                        .patient = display.is_page()};
    Meanwhile meanwhile;
    if (display.is_page()) {
        meanwhile = display.meanwhile();
        following.meanwhile = &meanwhile;
    }
    const auto followed = follow(context, interrupt, following);
    if (display.failure()) {
        return std::unexpected(*display.failure());
    }
    if (!followed && followed.error().exit == Exit::interrupted && display.is_page()) {
        return Exit::done; // there is no other end
    }
    return followed ? Outcome<Exit>(Exit::internal) : std::unexpected(followed.error());
}

} // namespace jit
