// SPDX-License-Identifier: MIT
#include "daemon/memberships.h"

#include "core/record.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace jit {
namespace {

constexpr Millis ask_again = std::chrono::seconds(5);

bool names(const std::vector<std::string>& all, const std::string& name) {
    return std::ranges::find(all, name) != all.end();
}

} // namespace

Memberships::Memberships(Parts parts, std::string directory)
    : parts_(std::move(parts)), drop_ins_(std::move(directory)),
      timer_(parts_.loop.at(BootTime::max(), Millis(1), [this] {
          enforce();
          if (next_) {
              timer_.set_time(*next_);
          }
      })) {}

void Memberships::want(BootTime time) {
    if (!next_ || time < *next_) {
        next_ = time;
        timer_.set_time(time);
    }
}

void Memberships::adopt() {
    adopted_ = true;
    observe();
    enforce();
}

// What is there and isn't known is taken up, and what should be there and isn't is written again.
void Memberships::observe() {
    const auto found = drop_ins_.list();
    if (!found) {
        return parts_.journal.send(Journal::Level::critical, "memberships: " + found.error().message);
    }
    std::set<MembershipName> seen;
    for (const auto& [file, content] : *found) {
        const MembershipName& name = file.name;
        if (!content) {
            // It doesn't say whose processes to look for.
            parts_.journal.send(Journal::Level::error, fmt::format("a damaged drop-in of {} in {} is removed",
                                                                   name.account, name.group));
            if (const auto taken = drop_ins_.take(name); !taken) {
                parts_.journal.send(Journal::Level::critical, taken.error().message);
            }
            drop_ins_.remove_taken(name);
        } else if (file.state == DropInState::given) {
            if (given_.emplace(name, *content).first->second == *content) {
                seen.insert(name);
            }
        } else if (!endings_.contains(name)) {
            endings_.emplace(
                name,
                Ending{.grant = content->grant,
                       .carriers = {.uid = content->uid, .gid = content->gid, .spared = {}, .killed = 0},
                       .looks = 0,
                       .at = BootTime()});
            want(parts_.clock.now().boot);
        }
    }
    for (const auto& [name, drop_in] : given_) {
        if (seen.contains(name) || !wanted_.contains(name)) {
            continue;
        }
        auto put = drop_ins_.prepare(name, drop_in);
        put = put ? drop_ins_.put(name) : put;
        parts_.journal.send(Journal::Level::warning,
                            fmt::format("the drop-in of {} in {} was gone, or changed: {}", name.account,
                                        name.group, put ? "it is given again" : put.error().message));
    }
}

void Memberships::requests_changed(const std::vector<Request>& requests) {
    for (const Request& request : requests) {
        if (!request.scope.memberships.empty()) {
            stale_.insert(request.beneficiary.uid);
        }
    }
    publish();
}

void Memberships::want_of(const Request& request, const Now& now) {
    const auto role = parts_.policy.roles.find(request.role);
    if (role == parts_.policy.roles.end() || request.not_after->over(now, parts_.clock.boot_id())) {
        return;
    }
    for (const std::string& group : request.scope.memberships) {
        if (!names(role->second.memberships, group)) {
            continue;
        }
        const Deadline until = in_this_boot(*request.not_after, parts_.clock, now);
        const auto [place, is_new] =
            wanted_.try_emplace({.account = request.beneficiary.account, .group = group});
        if (is_new || place->second.until.time < until.time) {
            place->second = {.grant = request.id,
                             .role = request.role,
                             .beneficiary = request.beneficiary,
                             .until = until,
                             .step = Step::unasked,
                             .ask_at = {},
                             .said = false};
        }
    }
}

// What is wanted of those for whom something may have changed. False: nothing has.
bool Memberships::refresh(const Now& now) {
    const auto over = [&](const Wanted& wanted) { return wanted.until.over(now, parts_.clock.boot_id()); };
    for (const auto& [name, wanted] : wanted_) {
        if (over(wanted)) {
            stale_.insert(wanted.beneficiary.uid);
        }
    }
    if (!all_stale_ && stale_.empty()) {
        return false;
    }
    auto before = wanted_;
    std::erase_if(wanted_, [&](const auto& entry) {
        return all_stale_ || stale_.contains(entry.second.beneficiary.uid);
    });
    const auto read = parts_.store.guarded([&]() -> Result<void> {
        const auto all =
            all_stale_ ? parts_.store.active_uids() : std::vector<Uid>(stale_.begin(), stale_.end());
        for (const Uid uid : all) {
            for (const Request& request : parts_.store.active_of(uid)) {
                want_of(request, now);
            }
        }
        return {};
    });
    if (!read) {
        // What was wanted before holds, and not longer than it was to.
        wanted_ = std::move(before);
        std::erase_if(wanted_, [&](const auto& entry) { return over(entry.second); });
        parts_.journal.send(Journal::Level::critical, "memberships: " + read.error().message);
        want(now.boot + longest_retry);
        return true;
    }
    for (auto& [name, wanted] : wanted_) {
        if (const auto old = before.find(name); old != before.end()) {
            wanted.step = old->second.step;
            wanted.ask_at = old->second.ask_at;
            wanted.said = old->second.said && old->second.grant == wanted.grant;
        }
    }
    all_stale_ = false;
    stale_.clear();
    return true;
}

void Memberships::publish() {
    const Now now = parts_.clock.now();
    if (!adopted_ || (!refresh(now) && !(next_ && now.boot >= *next_))) {
        return;
    }
    std::vector<MembershipName> gone;
    for (const auto& [name, drop_in] : given_) {
        if (!wanted_.contains(name)) {
            gone.push_back(name);
        }
    }
    std::ranges::for_each(gone, [this](const MembershipName& name) { take(name); });
    for (auto& [name, wanted] : wanted_) {
        want(wanted.until.boot);
        const auto given = given_.find(name);
        if (given != given_.end() &&
            (given->second.grant != wanted.grant || given->second.until != wanted.until.time)) {
            give(name, wanted, given->second.uid, given->second.gid);
        }
        if (wanted.step == Step::unanswered && now.boot < wanted.ask_at) {
            want(wanted.ask_at);
        } else if (wanted.step == Step::unasked || wanted.step == Step::unanswered) {
            wanted.step = Step::asking;
            ask(name, Turn::person);
        }
    }
}

void Memberships::look_again() {
    if (!adopted_) {
        return;
    }
    observe();
    for (auto& [name, wanted] : wanted_) {
        if (wanted.step != Step::asking) {
            wanted.step = Step::asking;
            ask(name, Turn::check);
        }
    }
    publish();
}

void Memberships::ask(const MembershipName& name, Turn turn) {
    // The worker's view hides /run/userdb: what it says of the account is what that has by itself.
    parts_.accounts.look_up(
        name.account,
        [this, name, turn](const Found& account) {
            parts_.accounts.look_up_group(
                name.group,
                [this, name, account](const Result<std::optional<Gid>>& gid) {
                    answered(name, account, gid);
                },
                turn);
        },
        turn);
}

void Memberships::answered(const MembershipName& name, const Found& account,
                           const Result<std::optional<Gid>>& gid) {
    const auto found = wanted_.find(name);
    if (found == wanted_.end()) {
        return;
    }
    Wanted& wanted = found->second;
    wanted.step = Step::settled;
    const auto given = given_.find(name);
    const bool is_given = given != given_.end();
    if (!account || !gid) {
        try_later(wanted);
        return is_given ? void() : refuse(name, wanted, (!account ? account.error() : gid.error()).message);
    }
    if (!*account || (*account)->uid != wanted.beneficiary.uid || !is_account_name(name.account)) {
        return is_given ? void() : refuse(name, wanted, "there is no such account, or its name is unusable");
    }
    if (!*gid) {
        return is_given ? void()
                        : refuse(name, wanted, fmt::format("this host knows no group {}", name.group));
    }
    if (std::ranges::find((*account)->gids, **gid) != (*account)->gids.end()) {
        // Where it is given, the account was put into the group since, or the worker doesn't see what it
        // should: the end ends it all the same.
        return;
    }
    if (is_given && given->second.gid == **gid) {
        return;
    }
    if (is_given) {
        take(name); // the group has another number now
    }
    // What still carries it carries it rightly again.
    for (auto ending = endings_.lower_bound(name); ending != endings_.end() && ending->first == name;) {
        ending = ending->second.carriers.gid == **gid ? forget(ending) : std::next(ending);
    }
    give(name, wanted, (*account)->uid, **gid);
}

void Memberships::try_later(Wanted& wanted) {
    wanted.step = Step::unanswered;
    wanted.ask_at = parts_.clock.now().boot + ask_again;
    want(wanted.ask_at);
}

void Memberships::give(const MembershipName& name, Wanted& wanted, Uid uid, Gid gid) {
    const DropIn drop_in{
        .grant = wanted.grant, .uid = uid, .gid = gid, .until = wanted.until.time, .boot = wanted.until.boot};
    if (const auto prepared = drop_ins_.prepare(name, drop_in); !prepared) {
        try_later(wanted); // the disk may be full only now
        return refuse(name, wanted, prepared.error().message);
    }
    const auto recorded = parts_.store.transact([&]() -> Result<void> {
        parts_.store.append("membership.given", parts_.clock.now().time,
                            {{"request", wanted.grant},
                             {"role", wanted.role},
                             {"beneficiary", to_json(wanted.beneficiary)},
                             {"group", name.group},
                             {"gid", number(gid)},
                             {"until", wanted.until.time.time_since_epoch().count()}});
        return {};
    });
    if (!recorded) {
        try_later(wanted);
        return parts_.journal.send(Journal::Level::critical,
                                   "a membership can't be recorded, and isn't given: " +
                                       recorded.error().message);
    }
    if (const auto put = drop_ins_.put(name); !put) {
        try_later(wanted);
        return refuse(name, wanted, put.error().message);
    }
    given_.insert_or_assign(name, drop_in);
}

void Memberships::refuse(const MembershipName& name, Wanted& wanted, const std::string& why) {
    if (std::exchange(wanted.said, true)) {
        return;
    }
    const auto recorded = parts_.store.transact([&]() -> Result<void> {
        parts_.store.append("membership.refused", parts_.clock.now().time,
                            {{"request", wanted.grant},
                             {"role", wanted.role},
                             {"beneficiary", to_json(wanted.beneficiary)},
                             {"group", name.group},
                             {"why", why}});
        return {};
    });
    if (!recorded) {
        parts_.journal.send(Journal::Level::error,
                            fmt::format("{} isn't made a member of {}: {}", name.account, name.group, why));
    }
}

void Memberships::enforce() {
    publish();
    const Now now = parts_.clock.now();
    if (!adopted_ || !next_ || now.boot < *next_) {
        return;
    }
    next_.reset();
    for (auto& [name, wanted] : wanted_) {
        want(wanted.until.boot);
        if (wanted.step == Step::unanswered) {
            want(wanted.ask_at);
        }
    }
    look_at_endings(now);
}

} // namespace jit
