// SPDX-License-Identifier: MIT
// Asking, and looking at what was asked.
#include "core/ssh_key.h"
#include "core/text.h"
#include "core/time.h"
#include "ctl/print.h"
#include "ctl/reply.h"
#include "ctl/verbs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace jit {
namespace {

constexpr std::size_t most_keys = 64; // of a file; jitd takes fewer

void set(Json& parameters, const char* key, const std::vector<std::string>& values) {
    if (!values.empty()) {
        parameters[key] = values;
    }
}

// Adds what a request, a grant and an extension have in common, and checks what can be checked here.
Outcome<void> set_common(Json& parameters, const AskOptions& options) {
    if (options.reason.find_first_not_of(' ') == std::string::npos) {
        return usage_failure("--reason is empty: say what it is for; those who approve read it");
    }
    parameters["reason"] = options.reason;
    return set_duration(parameters, options.duration);
}

void say_filed(const Context& context, const reply::Request& filed) {
    const Time now = wall_clock();
    std::string text = summary(filed, now);
    if (filed.state == State::pending) {
        if (filed.answer_by) {
            text += fmt::format(" until {}", until_time(*filed.answer_by, now));
        }
        text += fmt::format(".\n  {:<14}jitctl watch {}\n  {:<14}jitctl cancel {}\n", "follow it", filed.id,
                            "take it back", filed.id);
    } else {
        text += "\n" + (filed.state == State::active ? use_text(filed, now) : std::string());
    }
    context.print_text(text);
}

Outcome<Exit> ask(const Context& context, std::string_view method, Json parameters,
                  const AskOptions& options) {
    if (auto set = set_common(parameters, options); !set) {
        return std::unexpected(set.error());
    }
    const auto reply = call(context, method, parameters);
    if (!reply) {
        return std::unexpected(reply.error());
    }
    if (options.wait) {
        return wait_for_answers(context, *reply, Telling::fully);
    }
    const auto filed = reply::read_request(*reply);
    if (!filed) {
        return std::unexpected(filed.error());
    }
    context.print_json(*reply);
    say_filed(context, *filed);
    return Exit::done;
}

// Of a reply's requests.
void keep_those_of(Json& reply, const std::string& user) {
    const auto requests = reply.find("requests");
    if (requests == reply.end() || !requests->is_array()) {
        return; // read_requests says so
    }
    std::erase_if(requests->get_ref<Json::array_t&>(), [&](const Json& request) {
        const auto is = [&](const char* key) {
            const auto value = request.is_object() ? request.find(key) : request.end();
            return request.is_object() && value != request.end() && *value == user;
        };
        return !is("account") && !is("person");
    });
}

void say_grants(const Context& context, const std::vector<reply::Request>& requests,
                const ListOptions& options) {
    const Time now = wall_clock();
    for (const reply::Request& request : requests) {
        context.print_text(options.in_detail                ? details(request, now) + '\n'
                           : request.state == State::active ? grant_text(request, now)
                                                            : summary(request, now) + '\n');
    }
    if (requests.empty() && options.user) {
        context.print_text(
            fmt::format("{} has no grant that you may know of, and waits for none\n", escape(*options.user)));
    } else if (requests.empty()) {
        context.print_text(
            "you have no grant, and wait for none. What would it take? jitctl explain -- COMMAND\n");
    }
}

// "TYPE BASE64" itself, or a file of them as ssh-keygen(1) and authorized_keys(5) have it.
Outcome<std::vector<std::string>> read_keys(const std::string& from) {
    if (from.find(' ') != std::string::npos) {
        return std::vector{from};
    }
    std::ifstream file(from == "-" ? "/dev/stdin" : from);
    if (!file) {
        return usage_failure(fmt::format("--key {}: {}", shell_word(from), std::strerror(errno)));
    }
    std::vector<std::string> keys;
    for (std::string line; keys.size() <= most_keys && std::getline(file, line);) {
        if (line.find_first_not_of(" \t\r") != std::string::npos && line.front() != '#') {
            keys.push_back(line);
        }
    }
    if (keys.empty()) {
        return usage_failure(fmt::format("--key {}: there is no key in it", shell_word(from)));
    }
    return keys;
}

Outcome<void> set_keys(Json& parameters, const AskOptions& options) {
    std::vector<std::string> all;
    for (const std::string& from : options.keys) {
        const auto keys = read_keys(from);
        if (!keys) {
            return std::unexpected(keys.error());
        }
        for (const std::string& key : *keys) {
            // Before anything is sent: a private key, or what isn't a key at all, stays here.
            if (const auto parsed = parse_ssh_key(key); !parsed) {
                return usage_failure(fmt::format("--key {}: {}", shell_word(from), parsed.error().message));
            }
            all.push_back(key);
        }
    }
    set(parameters, "keys", all);
    return {};
}

Json role_parameters(const AskOptions& options) {
    Json parameters{{"role", options.role}};
    if (options.ticket) {
        parameters["ticket"] = *options.ticket;
    }
    set(parameters, "commands", options.commands);
    set(parameters, "groups", options.groups);
    return parameters;
}

} // namespace

Outcome<Exit> request(const Context& context, const AskOptions& options) {
    Json parameters = role_parameters(options);
    if (!options.account.empty()) {
        parameters["account"] = options.account;
    }
    if (auto keys = set_keys(parameters, options); !keys) {
        return std::unexpected(keys.error());
    }
    return ask(context, "Request", std::move(parameters), options);
}

Outcome<Exit> grant(const Context& context, const AskOptions& options) {
    Json parameters = role_parameters(options);
    parameters["user"] = options.user;
    if (auto keys = set_keys(parameters, options); !keys) {
        return std::unexpected(keys.error());
    }
    return ask(context, "Grant", std::move(parameters), options);
}

Outcome<Exit> extend(const Context& context, const AskOptions& options) {
    return ask(context, "Extend", {{"id", options.id}}, options);
}

Outcome<Exit> list(const Context& context, const ListOptions& options) {
    Json parameters = Json::object();
    if (options.all) {
        parameters["all"] = true;
    }
    if (options.mine) {
        parameters["mine"] = true;
    }
    if (options.limit) {
        parameters["limit"] = *options.limit;
    }
    auto reply = call(context, "List", parameters);
    if (!reply) {
        return no(reply.error(), options.now);
    }
    if (options.user) {
        keep_those_of(*reply, *options.user);
    }
    const auto listed = reply::read_requests(*reply);
    if (!listed) {
        return std::unexpected(listed.error());
    }
    const auto& requests = listed->requests;
    context.print_json(*reply);
    if (options.brief) {
        const std::string text = brief_text(requests, wall_clock());
        context.print_text(text.empty() ? text : text + '\n');
        return Exit::done;
    }
    if (options.mine || options.user || options.in_detail) {
        say_grants(context, requests, options);
        const bool any = std::ranges::any_of(
            requests, [](const reply::Request& request) { return request.state == State::active; });
        return options.now && !any ? Exit::refused : Exit::done;
    }
    if (requests.empty()) {
        context.print_text(options.all ? "no requests that concern you, now or before\n"
                                       : "no requests that concern you\n");
    } else {
        context.print_text(table(requests, wall_clock()));
    }
    std::vector<std::string> to_answer;
    for (const reply::Request& request : requests) {
        if (request.yours_to_answer) {
            to_answer.push_back(request.id);
        }
    }
    if (!to_answer.empty()) {
        context.print_text(fmt::format("waiting for your answer: {} (jitctl show ID, jitctl approve ID, "
                                       "jitctl deny ID --reason TEXT)\n",
                                       fmt::join(to_answer, ", ")));
    }
    context.print_text(to_review_text(listed->to_review));
    return Exit::done;
}

Outcome<Exit> show(const Context& context, const std::string& id) {
    const auto reply = call(context, "Show", {{"id", id}});
    if (!reply) {
        return std::unexpected(reply.error());
    }
    const auto request = reply::read_request(*reply);
    if (!request) {
        return std::unexpected(request.error());
    }
    context.print_json(*reply);
    context.print_text(details(*request, wall_clock()));
    return Exit::done;
}

} // namespace jit
