// SPDX-License-Identifier: MIT
// Following one request while people answer it.
#include "ctl/print.h"
#include "ctl/reply.h"
#include "ctl/verbs.h"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <optional>

namespace jit {
namespace {

enum class Until { answered, over };

// What is new since the last time it was seen, one line each.
std::string changes(const reply::Request& before, const reply::Request& after, Time now, Telling telling) {
    std::string text;
    for (std::size_t i = before.answers.size(); i < after.answers.size(); ++i) {
        text += answer_text(after, after.answers[i]) + "\n";
    }
    if (after.state == State::pending) {
        if (after.answers.size() > before.answers.size()) {
            text += fmt::format("still waiting: {}\n", missing_text(after));
        }
    } else if (after.state != before.state && !(after.state == State::denied && !text.empty())) {
        text += summary(after, now) + "\n" +
                (after.state == State::active && telling == Telling::fully ? use_text(after, now)
                                                                           : std::string());
    }
    return text;
}

// Tells of one request as it changes.
class Follower {
public:
    Follower(const Context& context, Until until, Telling telling)
        : context_(context), until_(until), telling_(telling) {}

    // False: nothing more is wanted.
    bool take(const Json& parameters) {
        auto request = reply::read_request(parameters);
        if (!request) {
            failure_ = request.error();
            return false;
        }
        if (parameters != last_reply_) { // on a new connection it is told again
            context_.print_json(parameters);
            tell(*request);
            last_reply_ = parameters;
            seen_ = std::move(*request);
        }
        return !finished() && context_.out.good();
    }

    [[nodiscard]] bool finished() const {
        return seen_ && (seen_->over() || (until_ == Until::answered && seen_->state == State::active));
    }
    [[nodiscard]] bool pending() const { return seen_ && seen_->state == State::pending; }
    [[nodiscard]] const std::optional<reply::Request>& seen() const { return seen_; }
    [[nodiscard]] const std::optional<Failure>& failure() const { return failure_; }

    // How it went for the one who waits.
    [[nodiscard]] Exit result() const {
        switch (seen_->state) {
        case State::denied:
            return Exit::refused;
        case State::cancelled:
        case State::timed_out:
            return Exit::undecided;
        case State::ended: // granted, and over before it could be used
            return until_ == Until::answered ? Exit::refused : Exit::done;
        default:
            return Exit::done;
        }
    }

private:
    void tell(const reply::Request& request) const {
        if (seen_) {
            context_.print_text(changes(*seen_, request, wall_clock(), telling_));
            return;
        }
        std::string text = summary(request, wall_clock());
        if (request.state == State::pending) {
            text += ". Waiting, Ctrl-C leaves it pending …";
        }
        text += "\n";
        if (request.state == State::active && telling_ == Telling::fully) {
            text += use_text(request, wall_clock());
        }
        context_.print_text(text);
    }

    const Context& context_;
    Until until_;
    Telling telling_;
    std::optional<reply::Request> seen_;
    std::optional<Failure> failure_;
    Json last_reply_;
};

std::string stays_pending(const std::string& id) {
    return fmt::format(
        "request {0} stays pending: jitctl watch {0} follows it, jitctl cancel {0} takes it back", id);
}

// Where jitd goes away in the middle it is being restarted (an upgrade): what was filed is in its database,
// so it is asked again for a while.
Outcome<Exit> follow(const Context& context, Follower& follower, const Interrupt& interrupt,
                     const std::string& id) {
    constexpr int most_attempts = 20;
    constexpr auto pause = std::chrono::milliseconds(500);
    const auto stopped = [&](Failure failure) -> Outcome<Exit> {
        if (follower.pending()) {
            failure.message += (failure.message.empty() ? "" : "; ") + stays_pending(id);
        }
        return std::unexpected(std::move(failure));
    };
    for (int attempt = 0;;) {
        Outcome<void> streamed;
        if (auto client = Client::connect(context.client); client) {
            const auto take = [&](const Json& parameters) {
                attempt = 0;
                return follower.take(parameters);
            };
            streamed = client->stream("Watch", {{"id", id}}, Client::First::soon, &interrupt, take);
        } else {
            streamed = std::unexpected(client.error());
        }
        if (follower.failure()) {
            return std::unexpected(*follower.failure());
        }
        if (follower.finished()) {
            return follower.result();
        }
        if (!context.out) {
            return Exit::internal;
        }
        // An end of the stream before the end of the request is a jitd that is shutting down.
        const bool lost = streamed || streamed.error().exit == Exit::unreachable;
        if (!lost || !follower.seen()) {
            return streamed ? stopped(unreachable("jitd told nothing").error()) : stopped(streamed.error());
        }
        if (++attempt > most_attempts) {
            return stopped(streamed ? unreachable("jitd keeps hanging up").error() : streamed.error());
        }
        if (!interrupt.sleep(pause)) {
            return stopped({Exit::interrupted, "interrupted", {}});
        }
    }
}

} // namespace

Outcome<Exit> watch(const Context& context, const std::string& id) {
    const Interrupt interrupt;
    Follower follower(context, Until::over, Telling::fully);
    return follow(context, follower, interrupt, id);
}

Outcome<Exit> wait_for_answers(const Context& context, const Json& filed, Telling telling) {
    const Interrupt interrupt; // before the first line, which says what Ctrl-C does
    Follower follower(context, Until::answered, telling);
    if (!follower.take(filed)) {
        if (follower.failure()) {
            return std::unexpected(*follower.failure());
        }
        return follower.finished() ? follower.result() : Exit::internal;
    }
    return follow(context, follower, interrupt, follower.seen()->id);
}

} // namespace jit
