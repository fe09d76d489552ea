// SPDX-License-Identifier: MIT
// Logins: what pam_jit has let in by a grant, or given groups of one.
#include "core/record.h"
#include "core/text.h"
#include "daemon/peer.h"
#include "daemon/processes.h"
#include "daemon/uses.h"

#include <fmt/format.h>
#include <sodium.h>
#include <sys/epoll.h>

#include <algorithm>

namespace jit {
namespace {

constexpr std::size_t longest_text = 256;

std::string shown(std::string_view text) {
    return escape(text.substr(0, longest_text));
}

} // namespace

Result<void> Uses::watch_registered() {
    if (auto made = registered_.make(); !made) {
        return made;
    }
    auto folder = registered_.watch();
    if (!folder) {
        return std::unexpected(folder.error());
    }
    folder_ = std::move(*folder);
    folder_watch_ = loop_.on_io(folder_.get(), EPOLLIN, [this](std::uint32_t) {
        if (Registered::folder_is_gone(folder_.get())) {
            folder_watch_ = {};
            folder_.reset();
        }
        take_registered();
    });
    return {};
}

void Uses::take_registered() {
    if (!folder_) {
        if (const auto watched = watch_registered(); !watched) {
            journal_.send(Journal::Level::critical, "nobody can be let in: " + watched.error().message);
            want(clock_.now().boot + longest_retry);
        }
    }
    bool any = false;
    for (const std::uint32_t session : registered_.sessions()) {
        if (!logins_by_session_.contains(session)) {
            begin_login(session);
            any = true;
        }
    }
    record_refusals();
    if (any) {
        if (const auto published = publish_all(); !published) {
            journal_.send(Journal::Level::critical, published.error().message);
        }
    }
}

void Uses::begin_login(std::uint32_t session) {
    const auto take_away = [&] {
        if (const auto killed = kill_sessions({session}, 8); !killed) {
            // Its file stays, and so it is tried again.
            journal_.send(Journal::Level::critical, killed.error().message);
            return want(clock_.now().boot + std::chrono::seconds(1));
        }
        registered_.remove(session);
    };
    const auto refuse = [&](const std::string& why) {
        journal_.send(Journal::Level::critical,
                      fmt::format("the login with audit session {} is ended: {}", session, why));
        take_away();
    };
    const auto file = registered_.read(session);
    if (!file) {
        // Gone again: pam_jit itself has refused.
        return file.error().code == Errc::not_found ? void() : refuse(file.error().message);
    }
    // The last jitd was cut off after it had recorded the end, and before it removed the file.
    const auto earlier = store_.guarded(
        [&]() -> Result<std::optional<Use>> { return store_.use_of_session(session, clock_.boot_id()); });
    if (const Use* use = earlier && *earlier ? &**earlier : nullptr;
        use != nullptr && use->ended && use->login && use->pid == file->pid) {
        return take_away();
    }
    std::string random(4, '\0');
    randombytes_buf(random.data(), random.size());
    const Use use{
        .id = file->grant + "-" + to_hex(random),
        .grant = file->grant,
        .by = {.person = policy_.person_of(file->account), .account = file->account, .uid = file->uid},
        .run_as = file->target,
        .run_as_uid = {},
        .run_as_gid = {},
        .group = {},
        .command = {},
        .login = LoginNeeds{.service = file->service,
                            .gated = file->gated,
                            .groups = file->groups,
                            .cgroup = file->cgroup},
        .cwd = {},
        .tty = shown(file->tty),
        .reason = {},
        .login_uid = file->login_uid,
        .pid = file->pid,
        .session = session,
        .boot_id = clock_.boot_id(),
        .started = clock_.now().time,
        .exited = {},
        .status = {},
        .ended = {}};
    if (const auto room = room_for(use.by.uid); !room) {
        return refuse(room.error().message);
    }
    const std::int64_t before = store_.appended();
    const auto recorded = store_.transact([&]() -> Result<void> {
        if (!store_.find(use.grant)) {
            return fail(Errc::invalid, fmt::format("there is no grant {}", escape(use.grant)));
        }
        store_.insert(use);
        Json fields{{"use", use.id},
                    {"request", use.grant},
                    {"by", to_json(use.by)},
                    {"login", use.login->service},
                    {"gated", use.login->gated},
                    {"run_as", use.run_as},
                    {"groups", use.login->groups},
                    {"tty", use.tty},
                    {"from", shown(file->remote)},
                    {"pid", use.pid},
                    {"session", session},
                    {"until", file->until.time_since_epoch().count()}};
        add_rule(fields, use.grant);
        if (use.login_uid) {
            fields["login_uid"] = number(*use.login_uid);
        }
        store_.append("use.started", use.started, fields);
        return {};
    });
    if (!recorded) {
        return refuse(recorded.error().message);
    }
    share_.take(use.by.uid, clock_.now().boot, cost_of_recording(store_.appended() - before));
    logins_by_session_[session] = use.id;
    keep(use);
    // It may be one that pam_jit let in by what is over by now.
    GrantsOf known;
    judge(use.id, live_.at(use.id), clock_.now(), known);
}

void Uses::watch_leader(Live& live) {
    if (live.use.session) {
        live.events = open_process(static_cast<pid_t>(live.use.pid));
    }
    // Held now; the number may have gone to another since it was written down.
    if (!live.events || session_of_process(live.use.pid) != live.use.session) {
        live.events.reset();
        return counts_as_over_since(live);
    }
    live.watch = loop_.on_io(live.events.get(), EPOLLIN, [this, id = live.use.id](std::uint32_t) {
        if (const auto found = live_.find(id); found != live_.end()) {
            found->second.watch = {}; // it stays readable
            counts_as_over(found->second, clock_.now().boot);
        }
    });
}

bool Uses::may_have_ended(const Live& live) const {
    if (live.use.login) {
        return live.over || has_ended(live.events.get());
    }
    const auto populated = elevations_.populated(live.use.id);
    return populated && !*populated;
}

void Uses::record_refusals() {
    const auto refusals = registered_.take_refusals();
    if (refusals.empty()) {
        return;
    }
    const Now now = clock_.now();
    const auto recorded = store_.transact([&]() -> Result<void> {
        for (const auto& refusal : refusals) {
            if (!refusal) {
                journal_.send(Journal::Level::error, refusal.error().message);
            } else if (const auto left_out = refusals_.take(refusal->uid, now.boot)) {
                Json fields{{"service", shown(refusal->service)}, {"account", shown(refusal->account)}};
                if (refusal->uid != no_uid) {
                    fields["uid"] = number(refusal->uid);
                }
                fields.update({{"run_as", shown(refusal->target)},
                               {"mode", shown(refusal->mode)},
                               {"why", shown(refusal->why)},
                               {"tty", shown(refusal->tty)},
                               {"from", shown(refusal->remote)}});
                if (*left_out > 0) {
                    fields["refusals_not_recorded_before"] = *left_out;
                }
                store_.append("login.refused", now.time, fields);
            }
        }
        return {};
    });
    if (!recorded) {
        journal_.send(Journal::Level::error, "refused logins can't be recorded: " + recorded.error().message);
    }
}

} // namespace jit
