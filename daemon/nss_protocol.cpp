// SPDX-License-Identifier: MIT
#include "daemon/nss_protocol.h"

#include <utility>

namespace jit {
namespace {

std::uint32_t id_number(const Json& json) {
    const auto value = json.get<std::int64_t>();
    if (!json.is_number_integer() || value < 0 || value >= number(no_uid)) {
        throw Json::other_error::create(599, "not a uid or gid", &json);
    }
    return static_cast<std::uint32_t>(value);
}

template <class T, class Read>
Result<T> read_packet(std::string_view packet, Read read) {
    const auto json = parse_json(packet);
    if (!json) {
        return std::unexpected(json.error());
    }
    try {
        return read(*json);
    } catch (const Json::exception& error) {
        return fail(Errc::invalid, error.what());
    }
}

} // namespace

std::string nss_text(const NssQuestion& question) {
    Json json{{"id", question.id}};
    if (const auto* uid = std::get_if<Uid>(&question.key)) {
        json["uid"] = number(*uid);
    } else if (const auto* group = std::get_if<GroupName>(&question.key)) {
        json["group"] = group->name;
    } else if (const auto* gid = std::get_if<Gid>(&question.key)) {
        json["gid"] = number(*gid);
    } else {
        json["name"] = std::get<std::string>(question.key);
    }
    return to_line(json);
}

std::string nss_text(const NssAnswer& answer) {
    Json json{{"id", answer.id}};
    if (!answer.found) {
        json["error"] = answer.found.error().message;
    } else if (const auto& account = answer.found->account) {
        Json gids = Json::array();
        for (const Gid gid : account->gids) {
            gids.push_back(number(gid));
        }
        json["account"] = {{"name", account->name},
                           {"uid", number(account->uid)},
                           {"gid", number(account->gid)},
                           {"groups", account->groups},
                           {"gids", gids},
                           {"home", account->home},
                           {"shell", account->shell},
                           {"has_password", account->has_password}};
    } else if (answer.found->group) {
        json["gid"] = number(*answer.found->group);
    } else {
        json["missing"] = true;
    }
    return to_line(json);
}

Result<NssQuestion> parse_nss_question(std::string_view packet) {
    return read_packet<NssQuestion>(packet, [](const Json& json) {
        NssQuestion question{.id = json.at("id").get<std::int64_t>(), .key = no_uid};
        if (json.contains("uid")) {
            question.key = Uid{id_number(json.at("uid"))};
        } else if (json.contains("group")) {
            question.key = GroupName{json.at("group").get<std::string>()};
        } else if (json.contains("gid")) {
            question.key = Gid{id_number(json.at("gid"))};
        } else {
            question.key = json.at("name").get<std::string>();
        }
        return question;
    });
}

Result<NssAnswer> parse_nss_answer(std::string_view packet) {
    return read_packet<NssAnswer>(packet, [](const Json& json) {
        NssAnswer answer{.id = json.at("id").get<std::int64_t>(), .found = NssFound{}};
        if (json.contains("error")) {
            answer.found = fail(Errc::unavailable, json.at("error").get<std::string>());
        } else if (json.contains("gid")) {
            answer.found->group = Gid{id_number(json.at("gid"))};
        } else if (!json.contains("missing")) {
            const Json& fields = json.at("account");
            Account account{.name = fields.at("name").get<std::string>(),
                            .uid = Uid{id_number(fields.at("uid"))},
                            .gid = Gid{id_number(fields.at("gid"))},
                            .groups = fields.at("groups").get<std::vector<std::string>>(),
                            .gids = {},
                            .home = fields.at("home").get<std::string>(),
                            .shell = fields.at("shell").get<std::string>(),
                            .has_password = fields.at("has_password").get<bool>()};
            for (const Json& gid : fields.at("gids")) {
                account.gids.push_back(Gid{id_number(gid)});
            }
            answer.found->account = std::move(account);
        }
        return answer;
    });
}

} // namespace jit
