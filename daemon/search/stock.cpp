// SPDX-License-Identifier: MIT
#include "daemon/search/stock.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace jit {
namespace {

template <class Number>
bool take_number(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

} // namespace

std::string stock_text(const Stock& stock) {
    std::string text;
    for (const auto& [key, item] : stock) {
        text += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", key.first, escape(key.second), escape(item.file),
                            item.digest, item.changed.time_since_epoch().count(), number(item.owner));
    }
    return text;
}

Result<Stock> parse_stock(std::string_view text) {
    Stock stock;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto fields = split(text.substr(0, end), '\t');
        std::int64_t changed = 0;
        std::uint32_t owner = 0;
        if (end == std::string_view::npos || fields.size() != 6 || !take_number(fields[4], changed) ||
            !take_number(fields[5], owner)) {
            return fail(Errc::invalid, "the stock that was taken before can't be read");
        }
        stock[{std::string(fields[0]), unescape(fields[1])}] = {.file = unescape(fields[2]),
                                                                .digest = std::string(fields[3]),
                                                                .changed = Time(Millis(changed)),
                                                                .owner = Uid{owner}};
        text.remove_prefix(end + 1);
    }
    return stock;
}

std::vector<Change> differences(const Stock& before, const Stock& after, Time since) {
    std::vector<Change> changes;
    std::set<std::string> told; // files of which something else is said
    const auto say = [&](const auto& key, const Item& item, const char* how) {
        changes.push_back({.what = key.first, .how = how, .name = key.second});
        told.insert(item.file);
    };
    for (const auto& [key, item] : after) {
        const auto was = before.find(key);
        if (was == before.end()) {
            if (key.first != directory_item) {
                say(key, item, "added");
            }
        } else if (was->second.digest != item.digest) {
            say(key, item, "changed");
        }
    }
    for (const auto& [key, item] : before) {
        if (!after.contains(key) && key.first != directory_item) {
            say(key, item, "removed");
        }
    }
    // A file whose lines are told of one by one isn't told of as a whole.
    std::erase_if(changes, [&](const Change& change) { return told.contains(change.name); });
    for (const auto& [key, item] : after) {
        if (item.changed > Time() && item.changed >= since && item.file.empty() &&
            !told.contains(key.second) && before.contains(key) && before.at(key).digest == item.digest) {
            changes.push_back({.what = key.first, .how = "written", .name = key.second});
        }
    }
    return changes;
}

Stock of_accounts(const Stock& stock, const std::map<Uid, std::string>& accounts,
                  const std::set<std::string>& homes) {
    constexpr std::array<std::string_view, 5> kinds{"authorized key", "cron", "at job", "unit", "linger"};
    Stock theirs;
    for (const auto& [key, item] : stock) {
        // A linger flag is root's file, and has the account's name.
        const bool lingers = key.first == "linger" && std::ranges::any_of(accounts, [&](const auto& account) {
                                 return key.second.ends_with("/" + account.second);
                             });
        const bool at_home = std::ranges::any_of(homes, [&](const std::string& home) {
            return key.second == home || key.second.starts_with(home + "/");
        });
        if (lingers || at_home ||
            (accounts.contains(item.owner) && std::ranges::find(kinds, key.first) != kinds.end())) {
            theirs.emplace(key, item);
        }
    }
    return theirs;
}

} // namespace jit
