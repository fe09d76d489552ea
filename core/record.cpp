// SPDX-License-Identifier: MIT
#include "core/record.h"

#include "core/audit.h"
#include "core/ssh_key.h"
#include "core/text.h"

#include <sodium.h>

namespace jit {
namespace {

// nlohmann's from_json does the type checks and throws; at() throws for what is missing, and the number of
// fields shows what is too many.
template <class T, class Read>
Result<T> read_strictly(std::string_view text, Read read) {
    auto json = parse_json(text);
    if (!json) {
        return std::unexpected(json.error());
    }
    try {
        return read(*json);
    } catch (const Json::exception& error) {
        return fail(Errc::invalid, error.what());
    }
}

void expect_fields(const Json& json, std::size_t count) {
    if (!json.is_object() || json.size() != count) {
        throw Json::other_error::create(599, "not the fields that belong there", &json);
    }
}

// get<unsigned>() would wrap a negative or large number.
template <class Number>
Number whole(const Json& json) {
    const auto value = json.is_number_integer() ? json.get<std::int64_t>() : -1;
    if (!json.is_number_integer() || !std::in_range<Number>(value)) {
        throw Json::other_error::create(599, "not a whole number in range", &json);
    }
    return static_cast<Number>(value);
}

} // namespace

Json to_json(const Scope& scope) {
    return {{"run_as", scope.run_as},
            {"commands", scope.commands},
            {"groups", scope.groups},
            {"memberships", scope.memberships},
            {"login", scope.login}};
}

Json to_json(const AccountWish& wish) {
    return {{"home", name_of(wish.home)}, {"shell", wish.shell}, {"keys", wish.keys}};
}

Json describe(const AccountWish& wish) {
    Json keys = Json::array();
    for (const std::string& text : wish.keys) {
        const auto key = parse_ssh_key(text);
        keys.push_back(key ? key->fingerprint() : "damaged");
    }
    return {{"home", name_of(wish.home)}, {"shell", wish.shell}, {"keys", keys}};
}

Json to_json(const std::vector<Stage>& stages) {
    Json list = Json::array();
    for (const Stage& stage : stages) {
        list.push_back({{"from", stage.from}, {"count", stage.count}, {"is_signed", stage.is_signed}});
    }
    return list;
}

Json to_json(const Party& party) {
    return {{"person", party.person}, {"account", party.account}, {"uid", number(party.uid)}};
}

Json to_json(const ClockMark& mark) {
    return {{"time", mark.time.time_since_epoch().count()},
            {"boot", mark.boot.time_since_epoch().count()},
            {"boot_id", mark.boot_id}};
}

Result<Scope> scope_from_json(std::string_view text) {
    return read_strictly<Scope>(text, [](const Json& json) {
        expect_fields(json, 5);
        const auto list = [&](const char* key) { return json.at(key).get<std::vector<std::string>>(); };
        return Scope{.run_as = list("run_as"),
                     .commands = list("commands"),
                     .groups = list("groups"),
                     .memberships = list("memberships"),
                     .login = list("login")};
    });
}

Result<AccountWish> account_wish_from_json(std::string_view text) {
    return read_strictly<AccountWish>(text, [](const Json& json) {
        expect_fields(json, 3);
        const auto home = home_named(json.at("home").get<std::string>());
        if (!home) {
            throw Json::other_error::create(599, "not what becomes of a home", &json);
        }
        return AccountWish{.home = *home,
                           .shell = json.at("shell").get<std::string>(),
                           .keys = json.at("keys").get<std::vector<std::string>>()};
    });
}

Result<std::vector<Stage>> stages_from_json(std::string_view text) {
    return read_strictly<std::vector<Stage>>(text, [](const Json& json) {
        std::vector<Stage> stages;
        if (!json.is_array()) {
            throw Json::other_error::create(599, "not a list", &json);
        }
        for (const Json& stage : json) {
            expect_fields(stage, 3);
            stages.push_back({.from = stage.at("from").get<std::string>(),
                              .count = whole<unsigned>(stage.at("count")),
                              .is_signed = stage.at("is_signed").get<bool>()});
        }
        return stages;
    });
}

Result<std::vector<unsigned>> numbers_from_json(std::string_view text) {
    return read_strictly<std::vector<unsigned>>(text, [](const Json& json) {
        std::vector<unsigned> numbers;
        if (!json.is_array()) {
            throw Json::other_error::create(599, "not a list", &json);
        }
        for (const Json& value : json) {
            numbers.push_back(whole<unsigned>(value));
        }
        return numbers;
    });
}

Result<std::vector<std::string>> texts_from_json(std::string_view text) {
    return read_strictly<std::vector<std::string>>(
        text, [](const Json& json) { return json.get<std::vector<std::string>>(); });
}

Result<ClockMark> clock_mark_from_json(std::string_view text) {
    return read_strictly<ClockMark>(text, [](const Json& json) {
        expect_fields(json, 3);
        return ClockMark{.time = Time(Millis(whole<std::int64_t>(json.at("time")))),
                         .boot = BootTime(Millis(whole<std::int64_t>(json.at("boot")))),
                         .boot_id = json.at("boot_id").get<std::string>()};
    });
}

Json command_fields(const Command& command, std::size_t most) {
    std::string all = command.path;
    for (const std::string& argument : command.arguments) {
        all += '\0' + argument;
    }
    const bool cut = all.size() > most;
    const std::size_t longest_word = cut ? most / 16 : most;
    Json words = Json::array();
    std::size_t size = 0;
    const auto add = [&](std::string_view word) {
        size += std::min(word.size(), longest_word) + 1;
        if (size <= most + 1) {
            words.push_back(escape(word.substr(0, longest_word)) + (word.size() > longest_word ? "…" : ""));
        }
    };
    add(command.path);
    for (const std::string& argument : command.arguments) {
        add(argument);
    }
    Hash digest;
    crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(all.data()),
                       all.size(), nullptr, 0);
    Json fields{{"argv", words}, {"argv_bytes", all.size()}, {"argv_blake2b", to_hex(digest)}};
    if (cut) {
        fields["argv_cut"] = true;
    }
    return fields;
}

} // namespace jit
