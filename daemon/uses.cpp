// SPDX-License-Identifier: MIT
#include "daemon/uses.h"

#include "core/record.h"
#include "core/text.h"
#include "daemon/processes.h"
#include "daemon/published.h"

#include <fmt/format.h>
#include <sodium.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include <algorithm>

namespace jit {
namespace {

constexpr Millis longest_notice = std::chrono::seconds(2); // TERM comes so long before KILL, or
constexpr int notice_part = 10;                            // a tenth of the grant, if that is less
constexpr int kill_passes = 8;
constexpr Millis longest_retry = std::chrono::seconds(1);
constexpr Millis before_settling = std::chrono::seconds(1);
constexpr std::size_t longest_argv = 4096; // bytes of it in an event
constexpr std::ptrdiff_t most_of_one_uid = 1000;

Json argv_fields(const Use& use) {
    Json words = Json::array();
    if (!use.command) {
        return {{"argv", words}};
    }
    // Escaped, and so exact: core/text.h's escape() can be read back.
    std::size_t size = use.command->path.size();
    words.push_back(escape(use.command->path));
    std::string all = use.command->path;
    for (const std::string& argument : use.command->arguments) {
        all += '\0' + argument;
        size += argument.size() + 1;
        if (size <= longest_argv) {
            words.push_back(escape(argument));
        }
    }
    Hash digest;
    crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(all.data()),
                       all.size(), nullptr, 0);
    return {{"argv", words}, {"argv_bytes", size}, {"argv_blake2b", to_hex(digest)}};
}

Json status_fields(const Use& use) {
    Json fields{{"use", use.id}, {"request", use.grant}, {"by", to_json(use.by)}};
    if (use.status && WIFEXITED(*use.status)) {
        fields["exit"] = WEXITSTATUS(*use.status);
    } else if (use.status && WIFSIGNALED(*use.status)) {
        fields["signal"] = WTERMSIG(*use.status);
    }
    return fields;
}

} // namespace

Uses::Uses(Loop& loop, Store& store, const Clock& clock, const Policy& policy, Journal& journal)
    : loop_(loop), store_(store), clock_(clock), policy_(policy), journal_(journal),
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

Result<Uses::Place> Uses::reserve(const RequestId& grant, const Deadline& deadline) {
    std::string random(4, '\0');
    randombytes_buf(random.data(), random.size());
    const std::string name = grant + "-" + to_hex(random);
    reserved_.emplace(name, deadline);
    // Published before it is there, or the sweep would take it for a leftover.
    if (auto published = publish_all(); !published) {
        reserved_.erase(name);
        return std::unexpected(published.error());
    }
    auto directory = elevations_.create(name);
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

Result<void> Uses::begin(Use use, bool keep_command) {
    if (!elevations_.holds(use.id, use.pid)) {
        return fail(Errc::refused, "the command is not in the place that was made for it");
    }
    // What is in this session will be killed: it must be the command's own, whatever was said.
    if (use.session && use.session != session_of_process(use.pid)) {
        return fail(Errc::refused, "the command is not in the audit session that was told");
    }
    if (std::ranges::count_if(live_, [&](const auto& entry) {
            return entry.second.use.by.uid == use.by.uid;
        }) >= most_of_one_uid) {
        return fail(Errc::exhausted, "too many of your commands run; end some, or wait");
    }
    const Json argv = argv_fields(use);
    if (!keep_command) {
        use.command.reset();
    }
    const auto recorded = store_.transact([&]() -> Result<void> {
        store_.insert(use);
        Json fields{{"use", use.id},        {"request", use.grant},   {"by", to_json(use.by)},
                    {"run_as", use.run_as}, {"cwd", escape(use.cwd)}, {"tty", escape(use.tty)},
                    {"pid", use.pid}};
        if (!use.group.empty()) {
            fields["group"] = use.group;
        }
        if (use.login_uid) {
            fields["login_uid"] = number(*use.login_uid);
        }
        if (use.session) {
            fields["session"] = *use.session;
        }
        if (const auto deadline = reserved_.find(use.id); deadline != reserved_.end()) {
            fields["until"] = deadline->second.time.time_since_epoch().count();
        }
        fields.update(argv);
        store_.append("use.started", use.started, fields);
        return {};
    });
    if (!recorded) {
        return recorded;
    }
    reserved_.erase(use.id);
    keep(use);
    judge(use.id, live_.at(use.id), clock_.now());
    // With its session now, which the sweep needs too.
    return publish_all();
}

void Uses::keep(const Use& use) {
    Live& live = live_[use.id];
    live.use = use;
    watch_place(live);
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

void Uses::exited(const std::string& id, std::int32_t status) {
    const auto found = live_.find(id);
    if (found == live_.end() || found->second.use.exited) {
        return;
    }
    Use& use = found->second.use;
    use.exited = clock_.now().time;
    use.status = status;
    const auto recorded = store_.transact([&]() -> Result<void> {
        store_.update(use);
        store_.append("use.exited", *use.exited, status_fields(use));
        return {};
    });
    if (!recorded) {
        journal_.send(Journal::Level::critical,
                      "the end of a command can't be recorded: " + recorded.error().message);
    }
    settle();
}

void Uses::abandoned(const std::string& id) {
    if (live_.contains(id)) {
        settle();
    }
}

std::optional<Uses::Carrier> Uses::carrier_of(const Live& live, const Now& now) {
    const Use& use = live.use;
    const auto active =
        store_.guarded([&]() -> Result<std::vector<Request>> { return store_.active_of(use.by.uid); });
    if (!active) {
        // The database can't be read: what was judged last holds, and not longer.
        return live.carrier && !live.carrier->deadline.over(now, clock_.boot_id()) ? live.carrier
                                                                                   : std::nullopt;
    }
    const Wanted wanted{.by = use.by, .run_as = use.run_as, .group = use.group, .command = use.command};
    const Request* grant = longest(policy_, *active, wanted, now, clock_.boot_id());
    if (grant == nullptr && !use.command) {
        // Too long to be judged again: it lives as long as its own grant.
        const auto own = std::ranges::find(*active, use.grant, &Request::id);
        grant = own != active->end() && !own->not_after->over(now, clock_.boot_id()) ? &*own : nullptr;
    }
    if (grant == nullptr) {
        return std::nullopt;
    }
    return Carrier{.deadline = in_this_boot(*grant->not_after, clock_, now),
                   .window = grant->not_after->time - *grant->not_before};
}

std::optional<Deadline> Uses::deadline_of(const std::string& id) {
    const auto found = live_.find(id);
    if (found == live_.end() || found->second.over) {
        return std::nullopt;
    }
    found->second.carrier = carrier_of(found->second, clock_.now());
    return found->second.carrier ? std::optional(found->second.carrier->deadline) : std::nullopt;
}

void Uses::judge(const std::string& id, Live& live, const Now& now) {
    live.carrier = carrier_of(live, now);
    if (!live.carrier) {
        live.over = true;
        return want(now.boot);
    }
    const BootTime end = live.carrier->deadline.boot;
    const Millis notice = std::min(longest_notice, live.carrier->window / notice_part);
    if (now.boot < end - notice) {
        live.warned = false;
        return want(end - notice);
    }
    if (!live.warned) {
        live.warned = true;
        elevations_.ask_to_end(id);
    }
    want(end);
}

void Uses::enforce() {
    const Now now = clock_.now();
    if (!changed_ && !(next_ && now.boot >= *next_)) {
        return;
    }
    changed_ = false;
    next_.reset();
    std::set<std::uint32_t> sessions;
    bool any_over = false;
    for (auto& [id, live] : live_) {
        if (!live.over) {
            judge(id, live, now);
        }
        if (live.over) {
            any_over = true;
            elevations_.kill(id);
            if (live.use.session) {
                sessions.insert(*live.use.session);
            }
        }
    }
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
    remove_leftovers(now); // takes time, and ends nobody's access
    if (const auto done = publish_all(); !done) {
        journal_.send(Journal::Level::critical, done.error().message);
    }
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

// What was killed, and what ended by itself: nothing in its cgroup, and nothing of its session elsewhere.
// `clean`: of the sessions of what was killed nothing is left.
void Uses::look_for_ended(const Now& now, bool clean) {
    std::set<std::uint32_t> to_look_for;
    std::set<std::string> empty;
    for (const auto& [id, live] : live_) {
        if (const auto populated = elevations_.populated(id); populated && !*populated) {
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
            store_.update(use);
            Json fields = status_fields(use);
            fields["killed"] = live.over;
            store_.append("use.ended", now, fields);
        }
        return {};
    });
    for (const std::string& id : ended) {
        if (!elevations_.remove(id)) {
            want(clock_.now().boot + first_retry); // a leftover then
        }
        if (recorded) {
            live_.erase(id);
        }
    }
    if (!recorded) {
        want(clock_.now().boot + before_settling);
        journal_.send(Journal::Level::critical,
                      "what has ended can't be recorded: " + recorded.error().message);
    }
}

Result<void> Uses::adopt() {
    const auto uses = store_.guarded([&]() -> Result<std::vector<Use>> { return store_.live_uses(); });
    if (!uses) {
        return std::unexpected(uses.error());
    }
    for (Use use : *uses) {
        if (use.boot_id != clock_.boot_id()) {
            use.session.reset(); // numbers of another boot are other people's now
        }
        keep(use);
    }
    changed_ = true;
    enforce();
    return {};
}

Result<void> Uses::publish_all() {
    std::vector<Published> all;
    for (const auto& [name, deadline] : reserved_) {
        all.push_back({.name = name, .session = {}, .time = deadline.time, .boot = deadline.boot});
    }
    for (const auto& [id, live] : live_) {
        // One that is over is published as what it is: over since the beginning of time.
        Published one{.name = id, .session = live.use.session, .time = Time(), .boot = BootTime()};
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
