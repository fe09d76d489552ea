// SPDX-License-Identifier: MIT
#include "core/policy_draft.h"
#include "core/text.h"

#include <algorithm>
#include <climits>
#include <numeric>

namespace jit {
namespace {

// How many letters must be changed, added, left out or swapped with a neighbour to get from one to the other.
std::size_t edit_distance(std::string_view from, std::string_view to) {
    std::vector<std::size_t> before;
    std::vector<std::size_t> above(to.size() + 1);
    std::vector<std::size_t> row(to.size() + 1);
    std::iota(above.begin(), above.end(), 0U);
    for (std::size_t i = 1; i <= from.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= to.size(); ++j) {
            const bool same = from[i - 1] == to[j - 1];
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
        before = above;
        above = row;
    }
    return above[to.size()];
}

} // namespace

std::string Problem::text() const {
    std::string out = escape(where.text()) + ": ";
    if (severity == Severity::warning) {
        out += "warning: ";
    }
    if (!key.empty()) {
        out += escape(key) + ": ";
    }
    return out + escape(message);
}

void Draft::error(std::string key, std::string message) {
    Where place = where(key);
    error_at(std::move(place), std::move(key), std::move(message));
}

void Draft::error_at(Where where, std::string key, std::string message) {
    problems.push_back({Problem::Severity::error, std::move(where), std::move(key), std::move(message)});
}

void Draft::warn(std::string key, std::string message) {
    Where place = where(key);
    problems.push_back({Problem::Severity::warning, std::move(place), std::move(key), std::move(message)});
}

Where Draft::where(std::string_view key) const {
    for (;;) {
        if (const auto place = places.find(key); place != places.end()) {
            return place->second;
        }
        const std::size_t cut = key.find_last_of(".[");
        if (cut == std::string_view::npos) {
            return {};
        }
        key = key.substr(0, cut);
    }
}

bool is_plain_path(std::string_view path) {
    if (!path.starts_with('/') || path.size() < 2 || path.size() >= PATH_MAX ||
        path.find_first_of("*?[") != std::string_view::npos) {
        return false;
    }
    while (!path.empty()) {
        path.remove_prefix(1); // the slash
        const std::string_view name = path.substr(0, path.find('/'));
        if (name.empty() || name == "." || name == "..") {
            return false;
        }
        path.remove_prefix(name.size());
    }
    return true;
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest = 80;
    if (text.size() <= longest) {
        return '\'' + std::string(text) + '\'';
    }
    std::size_t end = longest;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) { // not within a character
        --end;
    }
    return '\'' + std::string(text.substr(0, end)) + "…'";
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> names) {
    if (name.size() > 64) {
        return "";
    }
    const std::size_t near = name.size() <= 3 ? 1 : 2;
    std::string_view nearest;
    std::size_t least = near + 1;
    for (const std::string_view candidate : names) {
        if (const std::size_t distance = edit_distance(name, candidate); distance < least) {
            least = distance;
            nearest = candidate;
        }
    }
    return nearest.empty() ? "" : "; did you mean " + in_quotes(nearest) + "?";
}

} // namespace jit
