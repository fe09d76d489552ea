// SPDX-License-Identifier: MIT
#include "daemon/uses.h"

#include "core/record.h"
#include "daemon/login_scope.h"
#include "daemon/processes.h"
#include "daemon/published.h"
#include "daemon/still.h"

#include <sys/wait.h>

#include <algorithm>

namespace jit {
namespace {

constexpr int kill_passes = 8;
constexpr std::ptrdiff_t most_of_one_uid = 1000;
constexpr Millis between_looks = std::chrono::minutes(1); // at what a login left behind

std::vector<std::string> groups_given(const Use& use) {
    if (use.login) {
        return use.login->groups;
    }
    return use.group.empty() ? std::vector<std::string>() : std::vector{use.group};
}

bool gives(const Use& use, const std::string& group) {
    const auto groups = groups_given(use);
    return std::ranges::find(groups, group) != groups.end();
}

} // namespace

Json status_fields(const Use& use) {
    Json fields{{"use", use.id}, {"request", use.grant}, {"by", to_json(use.by)}};
    if (use.status && WIFEXITED(*use.status)) {
        fields["exit"] = WEXITSTATUS(*use.status);
    } else if (use.status && WIFSIGNALED(*use.status)) {
        fields["signal"] = WTERMSIG(*use.status);
    }
    if (const auto until = use.exited ? use.exited : use.ended) {
        fields["run_time"] = std::max(Millis(0), *until - use.started).count();
    }
    return fields;
}

Uses::Uses(Loop& loop, Store& store, const Clock& clock, const Policy& policy, Journal& journal,
           LoginTable& logins)
    : loop_(loop), store_(store), clock_(clock), policy_(policy), journal_(journal), logins_(logins),
      timer_(loop_.at(BootTime::max(), Millis(1), [this] {
          enforce();
          if (next_) {
              timer_.set_time(*next_);
          }
      })) {}

void Uses::want(BootTime time) {
    if (!next_ || time < *next_) {
        next_ = time;
        timer_.set_time(time);
    }
}

void Uses::keep(const Use& use) {
    Live& live = live_[use.id];
    live.use = use;
    const auto grant =
        store_.guarded([&]() -> Result<std::optional<Request>> { return store_.find(use.grant); });
    live.chain = grant && *grant ? (*grant)->chain : use.grant;
    live.use.chains.insert(live.chain);
    const Now now = clock_.now();
    live.last_use.emplace(now.boot - (now.time - use.started), read_system_clock().realtime, now.boot);
    if (use.login) {
        watch_leader(live);
    } else {
        watch_place(live);
        watch_command(live);
    }
    use_changed_(use.by.uid);
}

void Uses::requests_changed(const std::vector<Request>& requests) {
    changed_ = true;
    logins_.change(requests);
    publish_logins();
}

void Uses::policy_changed() {
    changed_ = true;
    logins_.renew();
}

void Uses::publish_logins() {
    if (const auto published = logins_.publish(); !published) {
        want(clock_.now().boot + longest_retry);
        journal_.send(Journal::Level::critical, "the login table: " + published.error().message);
    }
}

std::set<std::uint32_t> Uses::sessions_given(Uid uid, const std::string& group) {
    take_registered(); // also one of this moment
    std::set<std::uint32_t> sessions;
    for (const auto& [id, live] : live_) {
        if (!live.over && live.use.session && live.use.by.uid == uid && gives(live.use, group)) {
            sessions.insert(*live.use.session);
        }
    }
    return sessions;
}

Result<void> Uses::room_for(Uid uid) {
    if (std::ranges::count_if(live_, [&](const auto& entry) { return entry.second.use.by.uid == uid; }) >=
        most_of_one_uid) {
        return fail(Errc::exhausted, "too much of yours runs by grants; end something, or wait");
    }
    if (!share_.has_left(uid, clock_.now().boot)) {
        return fail(Errc::exhausted, share_is_used_up);
    }
    return store_.room_to_give();
}

void Uses::settle() {
    // Something may be over. Looked at together with what else ends within a second: looking means reading
    // all of /proc, for what has left its cgroup but not its session.
    if (settling_due_) {
        return; // or a command a second would put it off for ever
    }
    settling_due_ = true;
    settling_ = loop_.after(before_settling, Millis(100), [this] {
        settling_due_ = false;
        want(clock_.now().boot);
        enforce();
    });
}

void Uses::enforce() {
    const Now now = clock_.now();
    if (!changed_ && !(next_ && now.boot >= *next_)) {
        return;
    }
    changed_ = false;
    next_.reset();
    // What was taken back opens no door any more before it is looked who came in through it.
    publish_logins();
    take_registered();
    record_over(now);
    std::set<std::uint32_t> sessions;
    bool any_over = false;
    GrantsOf known;
    for (auto& [id, live] : live_) {
        if (!live.over) {
            judge(id, live, now, known);
        }
        if (live.over) {
            any_over = true;
            kill(live);
            if (live.use.session) {
                sessions.insert(*live.use.session);
            }
        }
    }
    // Those that end now need no warning.
    std::erase_if(to_warn_, [&](std::uint32_t session) { return sessions.contains(session); });
    std::erase_if(to_tell_, [&](const auto& entry) { return sessions.contains(entry.first); });
    ask_sessions_to_end(std::exchange(to_warn_, {}));
    // Held still till all is looked through; with it whose logins may have ended by themselves.
    std::optional<Still> still(std::in_place, people_to_look_through(), "jitd");
    bool clean = true;
    if (any_over) {
        if (const auto killed = kill_sessions(sessions, kill_passes); !killed) {
            clean = false;
            if (retry_ == first_retry) {
                journal_.send(Journal::Level::critical,
                              "processes of what is over: " + killed.error().message);
            }
        }
    }
    look_for_ended(now, clean);
    still.reset();
    tell();
    if (std::ranges::any_of(known, [](const auto& person) { return !person.second; })) {
        changed_ = true; // what couldn't be read is judged again, and soon
        want(now.boot + longest_retry);
    }
    take_back_reserved(now);
    remove_leftovers(now); // takes time, and ends nobody's access
    if (const auto done = publish_all(); !done) {
        journal_.send(Journal::Level::critical, done.error().message);
    }
}

std::set<Uid> Uses::people_to_look_through() const {
    std::set<Uid> people;
    for (const auto& [id, live] : live_) {
        if (!live.use.session || !(live.over || may_have_ended(live))) {
            continue;
        }
        // A command's cgroup ends whoever forks in there; this is for who got out, into the service manager
        // of one or the other. Root is held by no slice.
        if (live.use.login || live.over) {
            people.insert(live.use.by.uid);
        }
        if (!live.use.login && live.use.run_as_uid) {
            people.insert(*live.use.run_as_uid);
        }
    }
    people.erase(root_uid);
    return people;
}

void Uses::kill(const Live& live) {
    if (live.use.login) {
        // Fast, and whoever forks meanwhile; what isn't in it any more is found by its session.
        kill_login_scope(live.use, live.events.get());
    } else {
        elevations_.kill(live.use.id);
    }
}

// Of a command that has ended it is about to be told how; not for long, because who tells may be stopped.
bool Uses::still_reports(Live& live, const Now& now) {
    if (!live.reports) {
        return false;
    }
    live.empty_since = live.empty_since.value_or(now.boot);
    if (now.boot - *live.empty_since >= before_settling) {
        return false;
    }
    want(now.boot + first_retry);
    return true;
}

// What was killed, and what ended by itself: nothing in its cgroup, and nothing of its session elsewhere.
// `clean`: of the sessions of what was killed nothing is left.
void Uses::look_for_ended(const Now& now, bool clean) {
    std::set<std::uint32_t> to_look_for;
    std::set<std::string> empty;
    for (auto& [id, live] : live_) {
        if (may_have_ended(live) && !still_reports(live, now)) {
            empty.insert(id);
            if (!live.over && live.use.session) {
                to_look_for.insert(*live.use.session);
            }
        }
    }
    const auto alive = sessions_alive(to_look_for);
    std::set<std::string> ended;
    for (const std::string& id : empty) {
        const Live& live = live_.at(id);
        if (live.over ? clean : alive && !(live.use.session && alive->contains(*live.use.session))) {
            ended.insert(id);
        } else if (live.over_at && !live.over) {
            // Its first process has gone, and something of it lives on: nobody tells us when that ends.
            want(now.boot + between_looks);
        }
    }
    finish(ended, now.time);
    if (std::ranges::none_of(live_, [](const auto& entry) { return entry.second.over; })) {
        retry_ = first_retry;
        return;
    }
    // Something doesn't go: a process that can't die yet (in the kernel, or of a stopped parent). Looked at
    // again, less and less often.
    want(now.boot + retry_);
    retry_ = std::min(retry_ * 2, longest_retry);
}

void Uses::finish(const std::set<std::string>& ended, Time now) {
    if (ended.empty()) {
        return;
    }
    const auto recorded = store_.transact([&]() -> Result<void> {
        for (const std::string& id : ended) {
            const Live& live = live_.at(id);
            Use use = live.use;
            use.ended = now;
            // It was told to a jitd that was killed before it had recorded it.
            const auto noted =
                use.login || use.status ? std::optional<std::int32_t>() : elevations_.noted_exit(id);
            use.status = noted ? noted : use.status;
            store_.update(use);
            if (!use.exited) {
                used(use.chains, now);
            }
            Json fields = status_fields(use);
            if (live.unseen) {
                fields.erase("run_time");
                fields["unseen"] = true;
            }
            if (noted) {
                store_.append("use.exited", now, fields);
            }
            fields["killed"] = live.killed;
            store_.append("use.ended", now, fields);
        }
        return {};
    });
    for (const std::string& id : ended) {
        const Live& live = live_.at(id);
        if (!live.use.login && !elevations_.remove(id)) {
            want(clock_.now().boot + first_retry); // a leftover then
        }
        if (recorded) {
            if (live.use.login && live.use.session) {
                registered_.remove(*live.use.session);
                logins_by_session_.erase(*live.use.session);
            }
            const Uid uid = live.use.by.uid;
            live_.erase(id);
            use_changed_(uid);
        }
    }
    if (!recorded) {
        want(clock_.now().boot + before_settling);
        journal_.send(Journal::Level::critical,
                      "what has ended can't be recorded: " + recorded.error().message);
    }
}

Result<void> Uses::adopt() {
    release_held("jitd", Millis(0));
    if (auto watched = watch_registered(); !watched) {
        return watched;
    }
    const auto uses = store_.guarded([&]() -> Result<std::vector<Use>> { return store_.live_uses(); });
    if (!uses) {
        return std::unexpected(uses.error());
    }
    for (Use use : *uses) {
        if (use.boot_id != clock_.boot_id()) {
            use.session.reset(); // numbers of another boot are other people's now
        } else if (use.login && use.session) {
            logins_by_session_[*use.session] = use.id;
        }
        keep(use);
        // Its jit-sudo, if it lives, comes back to say how it ends.
        live_.at(use.id).reports = !use.login && !use.status && use.boot_id == clock_.boot_id();
    }
    changed_ = true;
    enforce();
    return {};
}

Result<void> Uses::publish_all() {
    std::vector<Published> all;
    for (const auto& [name, place] : reserved_) {
        all.push_back({.name = name,
                       .session = {},
                       .time = place.deadline.time,
                       .boot = place.deadline.boot,
                       .groups = {}});
    }
    for (const auto& [id, live] : live_) {
        // One that is over is published as what it is: over since the beginning of time.
        Published one{.name = id,
                      .session = live.use.session,
                      .time = Time(),
                      .boot = BootTime(),
                      .groups = groups_given(live.use)};
        if (!live.over && live.carrier) {
            one.time = live.carrier->deadline.time;
            one.boot = live.carrier->deadline.boot;
        }
        all.push_back(std::move(one));
    }
    std::string text = published_text(clock_.boot_id(), all);
    if (text == published_) {
        return {};
    }
    auto written = publish(text);
    if (written) {
        published_ = std::move(text);
    }
    return written;
}

} // namespace jit
