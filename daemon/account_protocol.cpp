// SPDX-License-Identifier: MIT
#include "daemon/account_protocol.h"

#include "core/json.h"
#include "core/ssh_key.h"
#include "core/text.h"

namespace jit {

std::string account_text(const AccountJob& job) {
    return to_line(Json{{"do", job.what == AccountJob::What::make ? "make" : "remove"},
                        {"name", job.name},
                        {"uid", number(job.uid)},
                        {"home", name_of(job.home)},
                        {"keys", job.keys}}) +
           "\n";
}

std::string account_text(const AccountReply& reply) {
    return to_line(Json{{"done", reply.done}, {"problems", reply.problems}}) + "\n";
}

Result<AccountJob> parse_account_job(std::string_view text) {
    const auto json = parse_json(text);
    if (!json) {
        return std::unexpected(json.error());
    }
    try {
        const auto what = json->at("do").get<std::string>();
        const auto home = home_named(json->at("home").get<std::string>());
        const auto uid = json->at("uid").get<std::int64_t>();
        AccountJob job{.what = what == "make" ? AccountJob::What::make : AccountJob::What::remove,
                       .name = json->at("name").get<std::string>(),
                       .uid = Uid{static_cast<std::uint32_t>(uid)},
                       .home = home.value_or(TemporaryAccount::Home::keep),
                       .keys = json->at("keys").get<std::vector<std::string>>()};
        bool good = home && (what == "make" || what == "remove") && is_account_name(job.name) &&
                    uid >= 1000 && uid <= 0x7fffffff;
        for (const std::string& key : job.keys) {
            const auto parsed = parse_ssh_key(key);
            good = good && parsed && parsed->text() == key;
        }
        return good ? Result<AccountJob>(std::move(job)) : fail(Errc::invalid, "no job that there is");
    } catch (const Json::exception& error) {
        return fail(Errc::invalid, error.what());
    }
}

Result<AccountReply> parse_account_reply(std::string_view text) {
    const auto json = parse_json(text);
    if (!json) {
        return std::unexpected(json.error());
    }
    try {
        return AccountReply{.done = json->at("done").get<std::vector<std::string>>(),
                            .problems = json->at("problems").get<std::vector<std::string>>()};
    } catch (const Json::exception& error) {
        return fail(Errc::invalid, error.what());
    }
}

} // namespace jit
