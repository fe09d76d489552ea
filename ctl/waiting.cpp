// SPDX-License-Identifier: MIT
// Following one request while people answer it.
#include "ctl/following.h"
#include "ctl/print.h"
#include "ctl/reply.h"
#include "ctl/verbs.h"

#include <fmt/format.h>

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

Outcome<Exit> follow_request(const Context& context, Follower& follower, const Interrupt& interrupt,
                             const std::string& id) {
    auto followed =
        follow(context, interrupt,
               {.method = "Watch", .parameters = {{"id", id}}, .take = [&](const Json& parameters) {
                    return follower.take(parameters);
                }});
    if (follower.failure()) {
        return std::unexpected(*follower.failure());
    }
    if (follower.finished()) {
        return follower.result();
    }
    if (followed || !context.out) {
        return Exit::internal; // it can't be told
    }
    Failure failure = std::move(followed.error());
    if (follower.pending()) {
        failure.message += (failure.message.empty() ? "" : "; ") + stays_pending(id);
    }
    return std::unexpected(std::move(failure));
}

} // namespace

Outcome<Exit> watch(const Context& context, const std::string& id) {
    const Interrupt interrupt;
    Follower follower(context, Until::over, Telling::fully);
    return follow_request(context, follower, interrupt, id);
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
    return follow_request(context, follower, interrupt, follower.seen()->id);
}

} // namespace jit
