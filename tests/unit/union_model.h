// SPDX-License-Identifier: MIT
// What several grants for the same give together (DESIGN: unions, not merges), as plainly as it can be said,
// and all the stories there are of a few of them. Knows nothing of how jitd does it.
#pragma once

#include "core/time.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jit::model {

enum Thing : unsigned { login = 1, group = 2, member = 4, command = 8 };

struct Role {
    std::string_view name;
    unsigned gives;
};
// Each two of them give one thing both, and others that the other doesn't.
inline constexpr std::array roles{Role{.name = "web", .gives = login | group | member | command},
                                  Role{.name = "ops", .gives = group | command},
                                  Role{.name = "door", .gives = login | member}};

struct Grant {
    std::size_t role;
    std::size_t chain; // the first of those that extend each other
    Time end;
    bool live;
};

// What one person has.
struct Had {
    std::vector<Grant> grants;

    // A thing is given if and only if some live grant gives it, until the last of them ends.
    [[nodiscard]] std::optional<Time> until(Thing thing) const {
        std::optional<Time> latest;
        for (const Grant& grant : grants) {
            if (grant.live && (roles[grant.role].gives & thing) != 0) {
                latest = std::max(latest.value_or(grant.end), grant.end);
            }
        }
        return latest;
    }
    // Of what needs two things: until one of them is gone.
    [[nodiscard]] std::optional<Time> until_both(Thing one, Thing other) const {
        const auto a = until(one);
        const auto b = until(other);
        return a && b ? std::optional(std::min(*a, *b)) : std::nullopt;
    }
    // Whether anything ends by it.
    [[nodiscard]] bool pass(Time now) {
        bool any = false;
        for (Grant& grant : grants) {
            any = any || (grant.live && now >= grant.end);
            grant.live = grant.live && now < grant.end;
        }
        return any;
    }
    // A grant and its extensions end together.
    void take(std::size_t index) {
        for (Grant& grant : grants) {
            grant.live = grant.live && grant.chain != grants[index].chain;
        }
    }
    // Without a role: of any.
    void take_all(std::optional<std::size_t> role) {
        for (Grant& grant : grants) {
            grant.live = grant.live && role && grant.role != *role;
        }
    }
    [[nodiscard]] Time chain_end(std::size_t chain) const {
        Time latest;
        for (const Grant& grant : grants) {
            if (grant.live && grant.chain == chain) {
                latest = std::max(latest, grant.end);
            }
        }
        return latest;
    }
};

struct Step {
    enum What { start, extend, take, expire } what;
    std::size_t grant; // by the order of their starts
};

struct Story {
    std::vector<std::size_t> roles; // of each grant
    std::vector<Step> steps;        // one a minute

    [[nodiscard]] std::size_t place_of(Step::What what, std::size_t grant) const {
        const auto found =
            std::ranges::find_if(steps, [&](const Step& s) { return s.what == what && s.grant == grant; });
        return static_cast<std::size_t>(found - steps.begin());
    }
    // For how many minutes a grant is asked: to be over in the step in which it expires, or for longer than
    // the story lasts, those that begin first the longest.
    [[nodiscard]] std::size_t minutes(std::size_t grant) const {
        const std::size_t begin = place_of(Step::start, grant);
        const std::size_t expires = place_of(Step::expire, grant);
        return expires < steps.size() ? expires - begin
                                      : steps.size() + 1 + 2 * (roles.size() - grant) - begin;
    }
    [[nodiscard]] std::string text() const {
        constexpr std::array words{"start", "extend", "take", "expire"};
        std::string all;
        for (const Step& step : steps) {
            all += std::string(words.at(step.what)) + ' ' +
                   std::string(model::roles[roles[step.grant]].name) + std::to_string(step.grant) + ", ";
        }
        return all;
    }
};

// Every order in which `count` grants start and end, each by its time or taken, of every combination of
// roles. But for those in the middle of which none lives: they are two shorter stories.
[[nodiscard]] inline std::vector<Story> stories(std::size_t count) {
    std::vector<Story> all;
    std::vector<bool> ended(count);
    Story story;
    const auto go_on = [&](const auto& self) -> void {
        if (story.steps.size() == 2 * count) {
            all.push_back(story);
            return;
        }
        const bool none_lives = std::ranges::count(ended, true) == std::ssize(story.roles);
        if (story.roles.size() < count && (story.steps.empty() || !none_lives)) {
            for (std::size_t role = 0; role < roles.size(); ++role) {
                story.steps.push_back({.what = Step::start, .grant = story.roles.size()});
                story.roles.push_back(role);
                self(self);
                story.roles.pop_back();
                story.steps.pop_back();
            }
        }
        for (std::size_t grant = 0; grant < story.roles.size(); ++grant) {
            for (const Step::What end : {Step::take, Step::expire}) {
                if (!ended[grant]) {
                    ended[grant] = true;
                    story.steps.push_back({.what = end, .grant = grant});
                    self(self);
                    story.steps.pop_back();
                    ended[grant] = false;
                }
            }
        }
    };
    go_on(go_on);
    return all;
}

// Each of them with one of its grants extended, at every moment at which it lives.
[[nodiscard]] inline std::vector<Story> extended(const std::vector<Story>& stories) {
    std::vector<Story> all;
    for (const Story& story : stories) {
        for (std::size_t grant = 0; grant < story.roles.size(); ++grant) {
            const std::size_t end =
                std::min(story.place_of(Step::take, grant), story.place_of(Step::expire, grant));
            for (std::size_t at = story.place_of(Step::start, grant) + 1; at <= end; ++at) {
                all.push_back(story);
                auto& steps = all.back().steps;
                steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(at),
                             {.what = Step::extend, .grant = grant});
            }
        }
    }
    return all;
}

} // namespace jit::model
