// SPDX-License-Identifier: MIT
// Elevations: commands that jit-sudo starts, a cgroup each.
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

constexpr std::size_t longest_argv = 4096; // bytes of it in an event
constexpr Millis after_its_word(100);      // jit-sudo's own process in the cgroup is gone by then

} // namespace

Result<Uses::Place> Uses::reserve(const Request& grant, const Deadline& deadline,
                                  const CgroupLimits& limits) {
    std::string random(4, '\0');
    randombytes_buf(random.data(), random.size());
    const std::string name = grant.id + "-" + to_hex(random);
    reserved_.emplace(name, Reserved{.deadline = deadline, .grant = grant.id, .chain = grant.chain});
    // Published before it is there, or the sweep would take it for a leftover.
    if (auto published = publish_all(); !published) {
        reserved_.erase(name);
        return std::unexpected(published.error());
    }
    want(deadline.boot);
    auto directory = elevations_.create(name, limits);
    if (!directory) {
        give_back(name);
        return std::unexpected(directory.error());
    }
    return Place{.name = name, .directory = std::move(*directory)};
}

void Uses::give_back(const std::string& name) {
    reserved_.erase(name);
    elevations_.kill(name);
    if (!elevations_.remove(name)) {
        want(clock_.now().boot + first_retry); // enforce() finds it as a leftover
    }
}

void Uses::add_rule(Json& fields, const RequestId& grant) {
    const auto request = store_.find(grant);
    if (!request) {
        return;
    }
    fields["role"] = request->role;
    if (const auto role = policy_.roles.find(request->role); role != policy_.roles.end()) {
        fields["rule"] = role->second.where.text();
    }
}

Result<void> Uses::may_start(const RequestId& grant) {
    const auto request = store_.find(grant);
    const auto role = request ? policy_.roles.find(request->role) : policy_.roles.end();
    if (role == policy_.roles.end() || uses_left(*request, role->second) == 0U) {
        return fail(Errc::refused, fmt::format("grant {} starts no more commands", grant));
    }
    return {};
}

Result<void> Uses::begin(Use use, bool keep_command) {
    if (!elevations_.holds(use.id, use.pid)) {
        return fail(Errc::refused, "the command is not in the place that was made for it");
    }
    // What is in this session will be killed: it must be the command's own, whatever was said.
    if (use.session && use.session != session_of_process(use.pid)) {
        return fail(Errc::refused, "the command is not in the audit session that was told");
    }
    if (auto room = room_for(use.by.uid); !room) {
        return room;
    }
    const Json argv = command_fields(*use.command, longest_argv);
    if (!keep_command) {
        use.command.reset();
    }
    const std::int64_t before = store_.appended();
    const auto recorded = store_.transact([&]() -> Result<void> {
        if (auto left = may_start(use.grant); !left) {
            return left;
        }
        store_.insert(use);
        Json fields{{"use", use.id},        {"request", use.grant},   {"by", to_json(use.by)},
                    {"run_as", use.run_as}, {"cwd", escape(use.cwd)}, {"tty", escape(use.tty)},
                    {"pid", use.pid}};
        add_rule(fields, use.grant);
        if (use.run_as_uid && use.run_as_gid) {
            fields["run_as_uid"] = number(*use.run_as_uid);
            fields["run_as_gid"] = number(*use.run_as_gid);
        }
        if (!use.group.empty()) {
            fields["group"] = use.group;
        }
        if (!use.reason.empty()) {
            fields["reason"] = escape(use.reason);
        }
        if (!use.variables.empty()) {
            fields["env"] = use.variables;
        }
        if (use.login_uid) {
            fields["login_uid"] = number(*use.login_uid);
        }
        if (use.session) {
            fields["session"] = *use.session;
        }
        if (const auto place = reserved_.find(use.id); place != reserved_.end()) {
            fields["until"] = place->second.deadline.time.time_since_epoch().count();
        }
        fields.update(argv);
        store_.append("use.started", use.started, fields);
        return {};
    });
    if (!recorded) {
        return recorded;
    }
    share_.take(use.by.uid, clock_.now().boot, cost_of_recording(store_.appended() - before));
    reserved_.erase(use.id);
    keep(use);
    live_.at(use.id).reports = true;
    GrantsOf known;
    judge(use.id, live_.at(use.id), clock_.now(), known);
    // With its session now, which the sweep needs too.
    return publish_all();
}

void Uses::watch_place(Live& live) {
    live.events = elevations_.open_events(live.use.id);
    if (!live.events) {
        return;
    }
    // Read once, or what it says now counts as a change.
    char now[64];
    const ssize_t size = pread(live.events.get(), now, sizeof now, 0);
    live.watch = loop_.on_io(live.events.get(), EPOLLPRI, [this, id = live.use.id](std::uint32_t) {
        char buffer[64];
        const auto found = live_.find(id);
        if (found != live_.end() && pread(found->second.events.get(), buffer, sizeof buffer, 0) >= 0) {
            settle();
        }
    });
    if (size <= 0 ||
        std::string_view(now, static_cast<std::size_t>(size)).find("populated 1") == std::string_view::npos) {
        settle();
    }
}

// jit-sudo tells how it ended, in a moment or when it is let: a stopped one holds up nothing.
void Uses::watch_command(Live& live) {
    live.command = open_process(static_cast<pid_t>(live.use.pid));
    // Held now; the number may have gone to another since it was written down. su takes itself out of the
    // cgroup (pam_systemd), and stays in its audit session.
    const bool is_there = elevations_.holds(live.use.id, live.use.pid) ||
                          (live.use.session && session_of_process(live.use.pid) == live.use.session);
    if (live.use.exited || !is_there || has_ended(live.command.get())) {
        live.command.reset();
        return counts_as_over_since(live);
    }
    live.command_watch = loop_.on_io(live.command.get(), EPOLLIN, [this, id = live.use.id](std::uint32_t) {
        if (const auto found = live_.find(id); found != live_.end()) {
            found->second.command_watch = {}; // it stays readable
            counts_as_over(found->second, clock_.now().boot + before_settling);
        }
    });
}

void Uses::exited(const std::string& id, std::int32_t status) {
    const auto found = live_.find(id);
    if (found == live_.end() || found->second.use.status) {
        return;
    }
    found->second.reports = false;
    found->second.unseen = false;
    Use& use = found->second.use;
    const bool was_over = use.exited.has_value(); // it was held up
    if (!was_over) {
        use.exited = clock_.now().time;
    }
    use.status = status;
    const auto recorded = store_.transact([&]() -> Result<void> {
        store_.update(use);
        if (!was_over) {
            used(use.chains, *use.exited);
        }
        store_.append("use.exited", *use.exited, status_fields(use));
        return {};
    });
    if (!recorded) {
        journal_.send(Journal::Level::critical,
                      "the end of a command can't be recorded: " + recorded.error().message);
    }
    counts_as_over(found->second, clock_.now().boot + after_its_word);
}

bool Uses::resumed(const std::string& id, Uid caller) {
    const auto found = live_.find(id);
    if (found == live_.end() || found->second.use.login || found->second.use.by.uid != caller) {
        return false;
    }
    found->second.reports = !found->second.use.status;
    return true;
}

void Uses::abandoned(const std::string& id) {
    if (const auto found = live_.find(id); found != live_.end()) {
        found->second.reports = false;
        settle();
    }
}

std::optional<Deadline> Uses::deadline_of(const std::string& id) {
    const auto found = live_.find(id);
    if (found == live_.end() || found->second.over) {
        return std::nullopt;
    }
    GrantsOf known;
    found->second.carrier = carrier_of(found->second, clock_.now(), known);
    return found->second.carrier ? std::optional(found->second.carrier->deadline) : std::nullopt;
}

// A jit-sudo that is held up before it starts anything keeps its place, and what waits in there for the
// start, no longer than its grant lives: then they are leftovers.
void Uses::take_back_reserved(const Now& now) {
    std::erase_if(reserved_, [&](const auto& place) {
        const Deadline& deadline = place.second.deadline;
        const auto grant = store_.guarded(
            [&]() -> Result<std::optional<Request>> { return store_.find(place.second.grant); });
        if (deadline.over(now, clock_.boot_id()) || (grant && (!*grant || (*grant)->over()))) {
            return true;
        }
        want(deadline.boot);
        return false;
    });
}

void Uses::remove_leftovers(const Now& now) {
    for (const std::string& name : elevations_.list()) {
        if (!live_.contains(name) && !reserved_.contains(name)) {
            elevations_.kill(name);
            if (!elevations_.remove(name)) {
                want(now.boot + longest_retry);
            }
        }
    }
}

} // namespace jit
