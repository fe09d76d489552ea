// SPDX-License-Identifier: MIT
#include "daemon/view.h"

#include "core/record.h"
#include "core/text.h"

#include <fmt/format.h>

namespace jit {
namespace {

constexpr std::size_t longest_argv = 1024; // a thousand of them are one reply

std::int64_t count_of(Time time) {
    return time.time_since_epoch().count();
}

Json stages_view(const Policy& policy, const Request& request) {
    const auto open = missing(request.stages, request.answers);
    Json list = Json::array();
    for (std::size_t position = 0; position < request.stages.size(); ++position) {
        const Stage& stage = request.stages[position];
        Json members = Json::array();
        if (const auto people = policy.people.find(stage.from); people != policy.people.end()) {
            for (const Subject& member : people->second.members) {
                members.push_back(member.text());
            }
        }
        list.push_back({{"from", stage.from},
                        {"members", members},
                        {"count", stage.count},
                        {"is_signed", stage.is_signed},
                        {"missing", open[position]}});
    }
    return list;
}

Json answers_view(const Request& request) {
    Json list = Json::array();
    for (const Answer& answer : request.answers) {
        Json item{{"person", answer.by.person},
                  {"account", answer.by.account},
                  {"approves", answer.approves},
                  {"at", count_of(answer.at)}};
        if (!answer.reason.empty()) {
            item["reason"] = answer.reason;
        }
        list.push_back(std::move(item));
    }
    return list;
}

Json ends_when(const Role& role) {
    Json list = Json::array();
    if (role.idle) {
        list.push_back(fmt::format("not used for {}", format_duration(*role.idle)));
    }
    if (role.closes) {
        list.push_back("its last login or command is over");
    }
    return list;
}

} // namespace

Json view_of(const Policy& policy, const Request& request, const Caller& caller) {
    const auto role = policy.roles.find(request.role);
    Json json{{"id", request.id},
              {"state", name_of(request.state)},
              {"role", request.role},
              {"title", role != policy.roles.end() ? role->second.title : ""},
              {"person", request.beneficiary.person},
              {"account", request.beneficiary.account},
              {"uid", number(request.beneficiary.uid)},
              {"requester", request.requester.person},
              {"scope", to_json(request.scope)},
              {"reason", request.reason},
              {"duration", request.duration.count()},
              {"filed", count_of(request.filed)},
              {"stages", stages_view(policy, request)},
              {"answers", answers_view(request)},
              {"yours_to_answer",
               request.state == State::pending && answerable(policy, request, caller).has_value()}};
    const auto set_text = [&](const char* key, std::string_view text) {
        if (!text.empty()) {
            json[key] = text;
        }
    };
    const auto set_time = [&](const char* key, const std::optional<Time>& time) {
        if (time) {
            json[key] = count_of(*time);
        }
    };
    if (request.account) {
        json["made"] = describe(*request.account);
    }
    if (request.cause) {
        json["cause"] = name_of(*request.cause);
    }
    if (request.state == State::pending) {
        json["answer_by"] = count_of(request.answer_by);
    }
    set_text("ticket", request.ticket);
    set_time("not_before", request.not_before);
    if (request.not_after) {
        json["not_after"] = count_of(request.not_after->time);
    }
    set_time("ended", request.ended);
    set_text("ended_by", request.ended_by);
    set_text("ended_reason", request.ended_reason);
    set_text("extends", request.extends);
    if (const auto left = role != policy.roles.end() ? uses_left(request, role->second) : std::nullopt) {
        json["uses_left"] = *left;
    }
    if (role != policy.roles.end() && (role->second.idle || role->second.closes)) {
        json["ends_when"] = ends_when(role->second);
    }
    if (role != policy.roles.end() && !request.scope.commands.empty() && !role->second.confinement.empty()) {
        json["confined"] = describe(role->second.confinement);
    }
    return json;
}

Json view_of(const Use& use, const RequestId& grant, Time until) {
    Json json{{"id", use.id},
              {"grant", grant},
              {"person", use.by.person},
              {"account", use.by.account},
              {"run_as", use.run_as},
              {"groups", use.login           ? use.login->groups
                         : use.group.empty() ? std::vector<std::string>()
                                             : std::vector{use.group}},
              {"pid", use.pid},
              {"since", count_of(use.started)},
              {"until", count_of(until)}};
    if (!use.tty.empty()) {
        json["tty"] = use.login ? use.tty : escape(use.tty); // of a login it is already
    }
    if (use.login) {
        json["login"] = use.login->service;
    }
    if (use.command) {
        const Json command = command_fields(*use.command, longest_argv);
        json["argv"] = command["argv"];
        if (command.contains("argv_cut")) {
            json["argv_cut"] = true;
        }
    }
    if (use.exited) {
        json["exited"] = count_of(*use.exited);
    }
    return json;
}

Json view_of(const std::vector<Problem>& problems) {
    Json list = Json::array();
    for (const Problem& problem : problems) {
        list.push_back({{"severity", problem.severity == Problem::Severity::error ? "error" : "warning"},
                        {"file", problem.where.file},
                        {"line", problem.where.line},
                        {"key", problem.key},
                        {"message", problem.message}});
    }
    return list;
}

Json view_of(const Lock& lock) {
    Json json{{"id", lock.id},
              {"kind", name_of(lock.kind)},
              {"reason", lock.reason},
              {"by", lock.by.person},
              {"since", count_of(lock.since)}};
    if (lock.kind != LockKind::host) {
        json["name"] = lock.name;
    }
    if (lock.until) {
        json["until"] = count_of(lock.until->time);
    }
    return json;
}

Json view_of(const Review& review, bool yours) {
    Json json{{"due", count_of(review.due)}, {"yours", yours && !review.at}};
    if (review.at) {
        json["at"] = count_of(*review.at);
        json["by"] = review.by;
    }
    if (!review.reason.empty()) {
        json["reason"] = review.reason;
    }
    return json;
}

Json view_of(const Event& event) {
    return {{"seq", event.seq}, {"body", event.body}, {"hash", to_hex(event.hash)}};
}

Json view_of(const Checkpoint& checkpoint) {
    return {{"seq", checkpoint.seq},
            {"at", count_of(checkpoint.at)},
            {"hash", to_hex(checkpoint.hash)},
            {"signature", to_hex(checkpoint.signature)}};
}

} // namespace jit
