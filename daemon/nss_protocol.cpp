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
    } else {
        json["name"] = std::get<std::string>(question.key);
    }
    return to_line(json);
}

std::string nss_text(const NssAnswer& answer) {
    Json json{{"id", answer.id}};
    if (!answer.account) {
        json["error"] = answer.account.error().message;
    } else if (!*answer.account) {
        json["missing"] = true;
    } else {
        const Account& account = **answer.account;
        json["account"] = {{"name", account.name},
                           {"uid", number(account.uid)},
                           {"gid", number(account.gid)},
                           {"groups", account.groups}};
    }
    return to_line(json);
}

Result<NssQuestion> parse_nss_question(std::string_view packet) {
    return read_packet<NssQuestion>(packet, [](const Json& json) {
        NssQuestion question{.id = json.at("id").get<std::int64_t>(), .key = no_uid};
        if (json.contains("uid")) {
            question.key = Uid{id_number(json.at("uid"))};
        } else {
            question.key = json.at("name").get<std::string>();
        }
        return question;
    });
}

Result<NssAnswer> parse_nss_answer(std::string_view packet) {
    return read_packet<NssAnswer>(packet, [](const Json& json) {
        NssAnswer answer{.id = json.at("id").get<std::int64_t>(), .account = std::nullopt};
        if (json.contains("error")) {
            answer.account = fail(Errc::unavailable, json.at("error").get<std::string>());
        } else if (!json.contains("missing")) {
            const Json& account = json.at("account");
            answer.account = Account{.name = account.at("name").get<std::string>(),
                                     .uid = Uid{id_number(account.at("uid"))},
                                     .gid = Gid{id_number(account.at("gid"))},
                                     .groups = account.at("groups").get<std::vector<std::string>>()};
        }
        return answer;
    });
}

} // namespace jit
