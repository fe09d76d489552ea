// SPDX-License-Identifier: MIT
#include "daemon/search/stock.h"

#include "core/text.h"

#include <fmt/format.h>

#include <charconv>
#include <set>

namespace jit {
namespace {

std::vector<std::string_view> fields_of(std::string_view line) {
    std::vector<std::string_view> fields;
    while (true) {
        const auto tab = line.find('\t');
        fields.push_back(line.substr(0, tab));
        if (tab == std::string_view::npos) {
            return fields;
        }
        line.remove_prefix(tab + 1);
    }
}

} // namespace

std::string stock_text(const Stock& stock) {
    std::string text;
    for (const auto& [key, item] : stock) {
        text += fmt::format("{}\t{}\t{}\t{}\t{}\n", key.first, escape(key.second), escape(item.file),
                            item.digest, item.changed.time_since_epoch().count());
    }
    return text;
}

Result<Stock> parse_stock(std::string_view text) {
    Stock stock;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto fields = fields_of(text.substr(0, end));
        std::int64_t changed = 0;
        if (end == std::string_view::npos || fields.size() != 5 ||
            std::from_chars(fields[4].data(), fields[4].data() + fields[4].size(), changed).ptr !=
                fields[4].data() + fields[4].size()) {
            return fail(Errc::invalid, "the stock that was taken before can't be read");
        }
        stock[{std::string(fields[0]), unescape(fields[1])}] = {
            .file = unescape(fields[2]), .digest = std::string(fields[3]), .changed = Time(Millis(changed))};
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
            say(key, item, "added");
        } else if (was->second.digest != item.digest) {
            say(key, item, "changed");
        }
    }
    for (const auto& [key, item] : before) {
        if (!after.contains(key)) {
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

} // namespace jit
