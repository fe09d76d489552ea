// SPDX-License-Identifier: MIT
// Which grant carries what runs, until when, and what is told before that.
#include "daemon/requests_text.h"
#include "daemon/uses.h"

#include <algorithm>
#include <utility>

namespace jit {
namespace {

constexpr Millis longest_notice = std::chrono::seconds(2); // TERM comes so long before KILL, or
constexpr int notice_part = 10;                            // a tenth of the grant, if that is less

} // namespace

const Result<std::vector<Request>>& Uses::grants_of(Uid uid, GrantsOf& known) const {
    const auto found = known.find(uid);
    if (found != known.end()) {
        return found->second;
    }
    return known
        .emplace(uid, store_.guarded([&]() -> Result<std::vector<Request>> { return store_.active_of(uid); }))
        .first->second;
}

std::vector<Uses::Running> Uses::running() const {
    std::vector<Running> all;
    for (const auto& [id, live] : live_) {
        if (!live.over && live.carrier) {
            all.push_back(
                {.use = &live.use, .grant = live.carrier->grant, .until = live.carrier->deadline.time});
        }
    }
    return all;
}

std::optional<Deadline> Uses::carried_until(const Use& use) const {
    Live live;
    live.use = use;
    GrantsOf known;
    const auto carrier = carrier_of(live, clock_.now(), known);
    return carrier ? std::optional(carrier->deadline) : std::nullopt;
}

std::optional<Uses::Carrier> Uses::carrier_of(const Live& live, const Now& now, GrantsOf& known) const {
    const Use& use = live.use;
    const auto& active = grants_of(use.by.uid, known);
    if (!active) {
        // The database can't be read: what was judged last holds, and not longer.
        return live.carrier && !live.carrier->deadline.over(now, clock_.boot_id()) ? live.carrier
                                                                                   : std::nullopt;
    }
    const Request* grant = nullptr;
    std::set<RequestId> chains;
    if (use.login) {
        for (const Request* needed :
             all_for_login(policy_, *active, use.by, *use.login, now, clock_.boot_id())) {
            chains.insert(needed->chain);
            if (grant == nullptr || needed->not_after->time < grant->not_after->time) {
                grant = needed;
            }
        }
    } else {
        const Wanted wanted{.by = use.by, .run_as = use.run_as, .group = use.group, .command = use.command};
        grant = longest(policy_, *active, wanted, how_it_began(use, *active), now, clock_.boot_id());
        if (grant == nullptr && !use.command) {
            // Too long to be judged again: it lives as long as its own grant.
            const auto own = std::ranges::find(*active, use.grant, &Request::id);
            grant = own != active->end() && !own->not_after->over(now, clock_.boot_id()) ? &*own : nullptr;
        }
    }
    if (grant == nullptr) {
        return std::nullopt;
    }
    chains.insert(grant->chain);
    return Carrier{.grant = grant->id,
                   .chains = std::move(chains),
                   .deadline = in_this_boot(*grant->not_after, clock_, now),
                   .window = grant->not_after->time - *grant->not_before};
}

Began Uses::how_it_began(const Use& use, const std::vector<Request>& active) const {
    Began began{.held = {}, .grant = use.grant, .chain = {}, .over = use.exited.has_value()};
    const auto own = std::ranges::find(active, use.grant, &Request::id);
    std::string name;
    if (own != active.end()) {
        name = own->role;
        began.chain = own->chain;
    } else if (const auto ended =
                   store_.guarded([&]() -> Result<std::optional<Request>> { return store_.find(use.grant); });
               ended && *ended) {
        name = (*ended)->role;
        began.chain = (*ended)->chain;
    }
    if (const auto role = policy_.roles.find(name); role != policy_.roles.end()) {
        began.held = role->second.confinement;
    }
    return began;
}

void Uses::judge(const std::string& id, Live& live, const Now& now, GrantsOf& known) {
    const auto before = std::exchange(live.carrier, carrier_of(live, now, known));
    if (!live.carrier) {
        live.over = true;
        live.killed = !may_have_ended(live);
        if (!live.use.login && !live.over_at && before && !before->deadline.over(now, clock_.boot_id())) {
            tell_why(id, before->grant); // at its deadline jit-sudo knows by itself
        }
        return want(now.boot);
    }
    record_carriers(live, now);
    const BootTime end = live.carrier->deadline.boot;
    if (live.use.login) {
        notify(live, now);
    }
    const Millis notice = std::min(longest_notice, live.carrier->window / notice_part);
    if (now.boot < end - notice) {
        live.warned = false;
        return want(end - notice);
    }
    if (!live.warned) {
        live.warned = true;
        if (!live.use.login) {
            elevations_.ask_to_end(id);
        } else if (live.use.session) {
            to_warn_.insert(*live.use.session);
            want(now.boot); // all that are to be warned at once: it takes a look through /proc
        }
    }
    want(end);
}

// Who has a terminal in there is told before it is over.
void Uses::notify(Live& live, const Now& now) {
    const Carrier& carrier = *live.carrier;
    const Millis left = std::chrono::duration_cast<Millis>(carrier.deadline.boot - now.boot);
    if (live.planned != carrier.deadline.time) {
        live.planned = carrier.deadline.time;
        live.notices.plan(policy_.site.notices, left);
    }
    const auto wait = live.notices.wait(left);
    if (!wait) {
        return;
    }
    if (*wait > Millis(0)) {
        return want(now.boot + *wait);
    }
    live.notices.given(left);
    if (const auto next = live.notices.wait(left)) {
        want(now.boot + *next);
    }
    const auto grant =
        store_.guarded([&]() -> Result<std::optional<Request>> { return store_.find(carrier.grant); });
    if (grant && *grant && live.use.session) {
        const auto role = policy_.roles.find((*grant)->role);
        const bool extends = role != policy_.roles.end() && role->second.extend;
        to_tell_[*live.use.session] = {.uid = live.use.by.uid,
                                       .line = described_time_left(**grant, left, extends)};
    }
}

void Uses::tell_why(const std::string& id, const RequestId& grant) {
    const auto request =
        store_.guarded([&]() -> Result<std::optional<Request>> { return store_.find(grant); });
    if (ended_early_ && request && *request) {
        ended_early_(id, described_end(**request));
    }
}

} // namespace jit
