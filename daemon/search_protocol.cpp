// SPDX-License-Identifier: MIT
#include "daemon/search_protocol.h"

#include "core/json.h"
#include "core/text.h"

#include <algorithm>

namespace jit {
namespace {

Result<Json> object_in(std::string_view text) {
    auto json = parse_json(text);
    if (json && !json->is_object()) {
        return fail(Errc::invalid, "not an object");
    }
    return json;
}

// What these return false or throw for ends in one error: both ends are ours, and of one version.
template <class Parse>
auto parsed(std::string_view text, Parse&& parse) -> Result<decltype(parse(Json()))> {
    const auto json = object_in(text);
    if (!json) {
        return std::unexpected(json.error());
    }
    try {
        return parse(*json);
    } catch (const Json::exception&) {
        return fail(Errc::invalid, "a field is missing, or not of its kind");
    }
}

RequestId id_in(const Json& json) {
    auto id = json.at("grant").get<std::string>();
    if (!is_request_id(id)) {
        throw Json::other_error::create(501, "not the id of a grant", nullptr);
    }
    return id;
}

Json to_json(const SearchFor& one) {
    Json json{{"grant", one.grant},     {"account", one.account},
              {"uid", number(one.uid)}, {"since", one.since.time_since_epoch().count()},
              {"ago", one.ago.count()}, {"groups", one.groups},
              {"run_as", one.run_as},   {"root", one.root},
              {"made", one.made}};
    if (one.stock) {
        json["stock"] = *one.stock;
    }
    return json;
}

SearchFor search_for(const Json& json) {
    SearchFor one{.grant = id_in(json),
                  .account = json.at("account").get<std::string>(),
                  .uid = Uid{json.at("uid").get<std::uint32_t>()},
                  .since = Time(Millis(json.at("since").get<std::int64_t>())),
                  .ago = Millis(json.at("ago").get<std::int64_t>()),
                  .groups = json.at("groups").get<std::vector<std::string>>(),
                  .run_as = json.at("run_as").get<std::vector<std::string>>(),
                  .root = json.at("root").get<bool>(),
                  .made = json.at("made").get<bool>(),
                  .stock = {}};
    if (json.contains("stock")) {
        one.stock = json.at("stock").get<std::int64_t>();
    }
    return one;
}

Json to_json(const Searched& one) {
    Json left = Json::array();
    for (const Change& change : one.left) {
        left.push_back({{"what", change.what}, {"how", change.how}, {"name", change.name}});
    }
    return {{"grant", one.grant},
            {"left", left},
            {"count", one.count},
            {"problems", one.problems},
            {"again", one.again}};
}

Searched searched(const Json& json) {
    Searched one{.grant = id_in(json),
                 .left = {},
                 .count = json.at("count").get<std::uint64_t>(),
                 .problems = json.at("problems").get<std::vector<std::string>>(),
                 .again = json.at("again").get<bool>()};
    for (const Json& change : json.at("left")) {
        one.left.push_back({.what = change.at("what").get<std::string>(),
                            .how = change.at("how").get<std::string>(),
                            .name = change.at("name").get<std::string>()});
    }
    return one;
}

} // namespace

void Searched::add(Change change) {
    ++count;
    if (left.size() < most_left) {
        left.push_back(std::move(change));
    }
}

void Searched::problem(std::string text) {
    if (problems.size() < most_told && std::ranges::find(problems, text) == problems.end()) {
        problems.push_back(std::move(text));
    }
}

void Searched::problem_for_now(std::string text) {
    again = true;
    problem(std::move(text));
}

void Searched::problem(const Error& error) {
    again = again || error.code != Errc::not_found;
    problem(error.message);
}

std::string disarmed_note(const RequestId& grant) {
    return "/run/jit/disarmed-" + grant;
}

std::string search_text(const SearchJob& job) {
    Json json{{"take_stock", job.take_stock}, {"trees", job.trees}, {"stocks", Json::object()}};
    for (const auto& [id, stock] : job.stocks) {
        json["stocks"][std::to_string(id)] = stock;
    }
    json["grants"] = Json::array();
    for (const SearchFor& one : job.grants) {
        json["grants"].push_back(to_json(one));
    }
    return to_line(json);
}

std::string search_text(const SearchReply& reply) {
    Json json = Json::object();
    if (reply.stock) {
        json["stock"] = *reply.stock;
    }
    json["grants"] = Json::array();
    for (const Searched& one : reply.grants) {
        json["grants"].push_back(to_json(one));
    }
    return to_line(json);
}

Result<SearchJob> parse_search_job(std::string_view text) {
    return parsed(text, [](const Json& json) {
        SearchJob job{.take_stock = json.at("take_stock").get<bool>(),
                      .trees = json.at("trees").get<std::vector<std::string>>(),
                      .stocks = {},
                      .grants = {}};
        for (const Json& grant : json.at("grants")) {
            const SearchFor& one = job.grants.emplace_back(search_for(grant));
            if (one.stock) {
                job.stocks[*one.stock] = json.at("stocks").at(std::to_string(*one.stock)).get<std::string>();
            }
        }
        return job;
    });
}

Result<SearchReply> parse_search_reply(std::string_view text) {
    return parsed(text, [](const Json& json) {
        SearchReply reply;
        if (json.contains("stock")) {
            reply.stock = json.at("stock").get<std::string>();
        }
        for (const Json& grant : json.at("grants")) {
            reply.grants.push_back(searched(grant));
        }
        return reply;
    });
}

} // namespace jit
