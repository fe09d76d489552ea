// SPDX-License-Identifier: MIT
// What jit-sudo becomes when no grant allows a command and roles would: asks for one of them, waits, and then
// executes jit-sudo again, which decides anew about everything. Runs with nothing but its caller's own
// rights.
#include "core/fd.h"
#include "core/policy.h"
#include "core/text.h"
#include "ctl/print.h"
#include "ctl/reply.h"
#include "ctl/verbs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <termios.h>
#include <unistd.h>

namespace jit {
namespace {

struct Offer {
    std::string role;
    std::string how;
    std::string ticket;  // a pattern, or empty
    std::string pending; // an id, or empty
};

Outcome<std::vector<Offer>> read_offers(const std::string& text) {
    const Json json = Json::parse(text, nullptr, false);
    std::vector<Offer> offers;
    if (json.is_array()) {
        for (const Json& item : json) {
            Offer offer;
            for (const auto& [key, field] :
                 {std::pair("role", &Offer::role), std::pair("how", &Offer::how),
                  std::pair("ticket", &Offer::ticket), std::pair("pending", &Offer::pending)}) {
                const auto value = item.is_object() ? item.find(key) : item.end();
                if (item.is_object() && value != item.end() && value->is_string()) {
                    offer.*field = value->get<std::string>();
                }
            }
            if (!is_policy_name(offer.role) || (!offer.pending.empty() && !is_request_id(offer.pending))) {
                offers.clear();
                break;
            }
            offers.push_back(std::move(offer));
        }
    }
    if (offers.empty()) {
        return usage_failure(
            "this is for jit-sudo to call. To ask for a role: jitctl request ROLE --reason TEXT");
    }
    return offers;
}

// On the terminal, whatever standard input is: that is the command's.
class Questions {
public:
    explicit Questions(std::string path) : path_(std::move(path)) {}

    // A line without blanks around it; none: there is no terminal, or nobody to answer.
    std::optional<std::string> ask(const std::string& question) {
        if (!tty_) {
            tty_.reset(open(path_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
            if (!tty_) {
                return std::nullopt;
            }
            tcflush(tty_.get(), TCIFLUSH); // what was typed ahead was for the command
        }
        std::string_view rest = question;
        while (!rest.empty()) {
            const ssize_t put = write(tty_.get(), rest.data(), rest.size());
            if (put <= 0 && errno != EINTR) {
                return std::nullopt;
            }
            rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(put, 0)));
        }
        std::string line;
        for (char c = 0;;) {
            const ssize_t got = read(tty_.get(), &c, 1);
            if (got < 0 && errno == EINTR) {
                continue;
            }
            if (got <= 0 || line.size() > longest_line) {
                return std::nullopt;
            }
            if (c == '\n') {
                break;
            }
            line += c;
        }
        const auto first = line.find_first_not_of(" \t");
        return first == std::string::npos ? std::string()
                                          : line.substr(first, line.find_last_not_of(" \t") - first + 1);
    }

private:
    static constexpr std::size_t longest_line = 4096;
    std::string path_;
    Fd tty_;
};

std::unexpected<Failure> nothing_asked(std::string_view why) {
    return std::unexpected(Failure{Exit::refused, "refused", fmt::format("{}: nothing was asked for", why)});
}

std::string line_of(const Offer& offer) {
    return offer.pending.empty() ? fmt::format("{} would ({})", offer.role, escape(offer.how))
                                 : fmt::format("{} would; request {} is pending", offer.role, offer.pending);
}

Outcome<Offer> choose(const Context& context, const std::vector<Offer>& offers, bool may_ask,
                      Questions& questions) {
    // One that waits for its answer already is what they want; the first is the easiest to have.
    if (offers.size() == 1 || !may_ask || !offers.front().pending.empty()) {
        context.print_text(fmt::format("  {}\n", line_of(offers.front())));
        return offers.front();
    }
    for (std::size_t index = 0; index < offers.size(); ++index) {
        context.print_text(fmt::format("  {}  {}\n", index + 1, line_of(offers[index])));
    }
    for (;;) {
        const auto answer = questions.ask("  Which one? [1] ");
        if (!answer) {
            return nothing_asked("no answer");
        }
        std::size_t number = answer->empty() ? 1 : 0;
        std::from_chars(answer->data(), answer->data() + answer->size(), number);
        if (number >= 1 && number <= offers.size()) {
            return offers[number - 1];
        }
        const auto named = std::ranges::find(offers, *answer, &Offer::role);
        if (named != offers.end()) {
            return *named;
        }
    }
}

// People write the ticket into the reason: "nginx stuck, INC-4211".
std::optional<std::string> ticket_in(const std::string& reason, const std::string& pattern) {
    constexpr std::string_view between = " \t,;:()[]'\"";
    for (std::size_t from = 0; from < reason.size();) {
        const auto begin = reason.find_first_not_of(between, from);
        if (begin == std::string::npos) {
            break;
        }
        const auto end = std::min(reason.find_first_of(between, begin), reason.size());
        std::string word = reason.substr(begin, end - begin);
        for (const bool without_dot : {false, true}) {
            if (without_dot && word.ends_with('.')) {
                word.pop_back();
            }
            if (ticket_matches(pattern, word)) {
                return word;
            }
        }
        from = end;
    }
    return std::nullopt;
}

Outcome<std::string> reason_for(const std::optional<std::string>& given, Questions& questions) {
    if (given) {
        return *given;
    }
    auto reason = questions.ask("  Reason: ");
    if (reason && reason->empty()) {
        reason = questions.ask("  Reason (why you need it; Enter again asks for nothing): ");
    }
    if (!reason || reason->empty()) {
        return nothing_asked("no reason given");
    }
    return *reason;
}

// None where the role wants none.
Outcome<std::optional<std::string>> ticket_for(const Offer& offer, const std::string& reason, bool may_ask,
                                               Questions& questions) {
    if (offer.ticket.empty()) {
        return std::nullopt;
    }
    if (auto found = ticket_in(reason, offer.ticket)) {
        return found;
    }
    const bool optional = ticket_matches(offer.ticket, "");
    if (!may_ask || optional) {
        if (optional) {
            return std::nullopt;
        }
        return nothing_asked(
            fmt::format("role {} wants a ticket like {} in the reason", offer.role, escape(offer.ticket)));
    }
    for (;;) {
        const auto ticket = questions.ask(fmt::format("  Ticket ({}): ", escape(offer.ticket)));
        if (!ticket || ticket->empty()) {
            return nothing_asked("no ticket given");
        }
        if (ticket_matches(offer.ticket, *ticket)) {
            return ticket;
        }
    }
}

Outcome<Json> file(const Context& context, const Offer& offer, const std::optional<std::string>& given,
                   Questions& questions) {
    const auto reason = reason_for(given, questions);
    if (!reason) {
        return std::unexpected(reason.error());
    }
    const auto ticket = ticket_for(offer, *reason, !given, questions);
    if (!ticket) {
        return std::unexpected(ticket.error());
    }
    Json parameters{{"role", offer.role}, {"reason", *reason}};
    if (*ticket) {
        parameters["ticket"] = **ticket;
    }
    return call(context, "Request", parameters);
}

// Until the grant is there; anything but Exit::done: it isn't.
Outcome<Exit> ask_and_wait(const Context& told, const AskAndRunOptions& options) {
    const auto offers = read_offers(options.offers);
    if (!offers) {
        return std::unexpected(offers.error());
    }
    Questions questions(options.terminal);
    const auto offer = choose(told, *offers, !options.reason, questions);
    if (!offer) {
        return std::unexpected(offer.error());
    }
    const auto filed = offer->pending.empty() ? file(told, *offer, options.reason, questions)
                                              : call(told, "Show", {{"id", offer->pending}});
    if (!filed) {
        return std::unexpected(filed.error());
    }
    return wait_for_answers(told, *filed, Telling::briefly);
}

} // namespace

Outcome<Exit> ask_and_run(const Context& context, const AskAndRunOptions& options) {
    // Standard output is the command's.
    std::ofstream terminal;
    if (options.on_terminal) {
        terminal.open(options.terminal);
    }
    std::ostream& people = options.on_terminal ? terminal : context.err;
    const Context told{
        .out = people, .err = people, .json = false, .client = context.client, .name = context.name};
    auto answered = ask_and_wait(told, options);
    if (!answered) {
        if (answered.error().exit != Exit::interrupted) {
            return no(answered.error(), true);
        }
        answered.error().message += "; the same command goes on with it";
        return answered;
    }
    if (*answered != Exit::done) {
        return Exit::refused;
    }
    std::vector<std::string> words = options.words;
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    setenv("JIT_ASKED", "1", 1); // helper/unprivileged.h
    execv(argv.front(), argv.data());
    return std::unexpected(Failure{Exit::refused, "refused",
                                   fmt::format("{}: {}", escape(words.front()), strerrordesc_np(errno))});
}

} // namespace jit
