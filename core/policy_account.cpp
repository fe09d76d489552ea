// SPDX-License-Identifier: MIT
// The keys about accounts that exist only while a grant lives.
#include "core/names.h"
#include "core/policy_table.h"
#include "core/text.h"

#include <charconv>

namespace jit {
namespace {

constexpr std::array<std::string_view, 3> account_keys = {"home", "shell", "groups"};
constexpr std::array homes{std::pair{TemporaryAccount::Home::keep, std::string_view("keep")},
                           std::pair{TemporaryAccount::Home::remove, std::string_view("remove")},
                           std::pair{TemporaryAccount::Home::tmpfs, std::string_view("tmpfs")}};

// Below are those of the host itself, above is what many programs take for negative.
constexpr std::uint32_t least_uid = 1000;
constexpr std::uint32_t most_uid = 0x7fffffff;
// What systemd gives away by itself (its UIDS-GIDS.md), and the two that mean "nobody" and "none".
struct Taken {
    std::uint32_t first, last;
    std::string_view whose;
};
constexpr std::array taken{Taken{60001, 60513, "systemd-homed's"}, Taken{61184, 65519, "DynamicUser='s"},
                           Taken{65534, 65535, "nobody's"}};

std::optional<UidRange> parse_uids(std::string_view text) {
    const auto dash = text.find('-');
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    const auto whole = [](std::string_view digits, std::uint32_t& value) {
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        return error == std::errc() && end == digits.data() + digits.size();
    };
    if (dash == std::string_view::npos || !whole(text.substr(0, dash), first) ||
        !whole(text.substr(dash + 1), last) || first > last || first < least_uid || last > most_uid) {
        return std::nullopt;
    }
    return UidRange{.first = Uid{first}, .last = Uid{last}};
}

} // namespace

std::string_view name_of(TemporaryAccount::Home home) {
    return name_in(homes, home);
}

std::optional<TemporaryAccount::Home> home_named(std::string_view name) {
    return value_in<TemporaryAccount::Home>(homes, name);
}

void read_account_uids(Draft& draft, const Table& in) {
    const auto text = in.text("account_uids");
    if (!text) {
        return;
    }
    const auto range = parse_uids(*text);
    if (!range) {
        return draft.error(in.key_path("account_uids"),
                           fmt::format("expected a range of uids within {} and {}, such as \"60578-61183\"",
                                       least_uid, most_uid));
    }
    for (const Taken& other : taken) {
        if (number(range->first) <= other.last && number(range->last) >= other.first) {
            draft.error(in.key_path("account_uids"),
                        fmt::format("{} to {} are {}: leave them out", other.first, other.last, other.whose));
        }
    }
    draft.policy.site.account_uids = *range;
}

void read_account(Draft& draft, const Table& in, Role& role) {
    in.table("account", account_keys, [&](const Table& fields) {
        TemporaryAccount account;
        fields.require("home",
                       "what becomes of it at the end: \"keep\", \"remove\" or, in memory, \"tmpfs\"");
        if (const auto home = fields.text("home")) {
            const auto known = home_named(*home);
            if (!known) {
                draft.error(fields.key_path("home"),
                            fmt::format("expected \"keep\", \"remove\" or \"tmpfs\", "
                                        "found {}",
                                        in_quotes(*home)));
            }
            account.home = known.value_or(account.home);
        }
        if (const auto shell = fields.text("shell")) {
            // It stands in a passwd(5) line too.
            if (!is_plain_path(*shell) || shell->find_first_of(":\n") != std::string::npos) {
                draft.error(fields.key_path("shell"), fmt::format("expected {}", path_expected));
            }
            account.shell = *shell;
        }
        for (std::string& group :
             fields.strings("groups", is_account_name, "the name of a Unix group, without @")) {
            if (std::ranges::find(role.memberships, group) == role.memberships.end()) {
                role.memberships.push_back(std::move(group));
            }
        }
        role.account = std::move(account);
    });
    if (!role.account) {
        return;
    }
    const std::string path = in.key_path("account");
    if (role.login.empty()) {
        draft.error(path, "an account that nobody could log in to: write login = [\"sshd\"] as well");
    }
    for (const Subject& subject : role.eligible) {
        if (subject.kind == Subject::Kind::group) {
            draft.error(in.key_path("eligible"),
                        fmt::format("{}: an account that isn't there yet is in no group; with 'account' name "
                                    "the people",
                                    subject.text()));
        }
    }
}

} // namespace jit
