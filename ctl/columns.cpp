// SPDX-License-Identifier: MIT
#include "ctl/columns.h"

#include <algorithm>

namespace jit {
namespace {

std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string padded(std::string_view text, std::size_t columns) {
    return std::string(text) + std::string(columns - std::min(columns, width(text)), ' ');
}

} // namespace

std::string shortened(std::string_view text, std::size_t longest) {
    if (width(text) <= longest) {
        return std::string(text);
    }
    std::size_t characters = 0;
    const auto end = std::ranges::find_if(text, [&](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U && ++characters == longest;
    });
    return std::string(text.begin(), end) + "…";
}

std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], width(row[i]));
        }
    }
    std::vector<std::string> lines;
    for (const auto& row : rows) {
        std::string& line = lines.emplace_back();
        for (std::size_t i = 0; i + 1 < row.size(); ++i) {
            line += padded(row[i], widths[i] + 2);
        }
        line += row.back();
    }
    return lines;
}

} // namespace jit
