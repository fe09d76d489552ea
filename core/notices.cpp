// SPDX-License-Identifier: MIT
#include "core/notices.h"

#include <algorithm>

namespace jit {
namespace {

constexpr Millis too_short_to_halve = std::chrono::seconds(30);

} // namespace

void Notices::plan(const std::vector<Millis>& before, Millis left) {
    due_.clear();
    std::ranges::copy_if(before, std::back_inserter(due_), [&](Millis notice) { return left >= 2 * notice; });
    const Millis half = left / 2;
    if (due_.size() < before.size() && left >= too_short_to_halve &&
        (due_.empty() || half >= 2 * due_.front())) {
        due_.insert(due_.begin(), half);
    }
}

std::optional<Millis> Notices::wait(Millis left) const {
    return due_.empty() ? std::nullopt : std::optional(std::max(left - due_.front(), Millis{0}));
}

std::string left_in_words(Millis left) {
    const auto whole = std::chrono::ceil<std::chrono::seconds>(left);
    const bool seconds = whole < std::chrono::minutes(1);
    const std::int64_t count =
        seconds ? whole.count() : std::chrono::ceil<std::chrono::minutes>(whole).count();
    return std::to_string(count) + (seconds ? " second" : " minute") + (count == 1 ? "" : "s");
}

void Notices::given(Millis left) {
    std::erase_if(due_, [&](Millis notice) { return left <= notice; });
}

} // namespace jit
