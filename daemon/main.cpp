// SPDX-License-Identifier: MIT
// jitd: owns the database, decides, and ends what is over. Started by systemd with its sockets; reads nothing
// else from its environment, and takes no options: there is one way to run it.
#include "core/login_table.h"
#include "core/version.h"
#include "daemon/api.h"
#include "daemon/ends.h"
#include "daemon/helper_server.h"
#include "daemon/interface.h"
#include "daemon/reconcile.h"
#include "daemon/searches.h"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <malloc.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace jit {
namespace {

constexpr const char* config_directory = "/etc/jit";
constexpr const char* state_directory = "/var/lib/jit";
constexpr const char* nss_socket = "/run/jit/nss";

struct Listeners {
    Fd access;
    Fd helper;
};

Result<Listeners> take_listeners() {
    char** names = nullptr;
    const int count = sd_listen_fds_with_names(1, &names);
    Listeners listeners;
    for (int index = 0; index < count; ++index) {
        Fd fd(SD_LISTEN_FDS_START + index);
        const std::string name(names[index]);
        free(names[index]);
        if (sd_is_socket_unix(fd.get(), SOCK_STREAM, 1, nullptr, 0) <= 0) {
            continue;
        }
        // Accepting must never wait: a client may be gone again by then.
        fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
        if (name == "access") {
            listeners.access = std::move(fd);
        } else if (name == "helper") {
            listeners.helper = std::move(fd);
        }
    }
    free(static_cast<void*>(names));
    if (!listeners.access || !listeners.helper) {
        return fail(Errc::unavailable,
                    "its two sockets were not passed; jitd is started by systemd: systemctl start "
                    "jitd.socket jitd-helper.socket");
    }
    return listeners;
}

// Two writers would each have a head of the audit chain.
Result<Fd> lock_state() {
    const std::string path = fmt::format("{}/lock", state_directory);
    Fd lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock || flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        return fail(Errc::unavailable,
                    fmt::format("{}: {}; is another jitd running?", path, std::strerror(errno)));
    }
    return lock;
}

// Those that could be behind it when jitd ends.
Json grants_of_root(Store& store) {
    Json ids = Json::array();
    for (const Request& grant : store.active()) {
        if (gives_root(grant.scope)) {
            ids.push_back(grant.id);
        }
    }
    return ids;
}

// One that was killed, or whose machine was, has told of no end.
bool was_cut_off(Store& store) {
    const auto newest = store.events_after(store.head().seq - 1, 1);
    const auto body = newest.empty() ? Result<Json>(Json()) : parse_json(newest.back().body);
    return !newest.empty() && (!body || body->value("kind", "") != "daemon.stopped");
}

// A slow or busy machine may take its time for each step; TimeoutStartSec= is for the one that doesn't end.
void is_starting() {
    sd_notify(0, "EXTEND_TIMEOUT_USEC=20000000");
}

Result<void> run() {
    umask(0077);
    // What is large and passes (a login table as it is written) goes back to the system. By itself malloc(3)
    // would learn from the first to keep room for the next.
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    auto listeners = take_listeners();
    if (!listeners) {
        return std::unexpected(listeners.error());
    }
    const auto lock = lock_state();
    if (!lock) {
        return std::unexpected(lock.error());
    }
    const std::string machine_id = read_machine_id();
    const auto host_key = HostKey::load_or_create(state_directory, machine_id);
    if (!host_key) {
        return std::unexpected(host_key.error());
    }
    auto store = Store::open(fmt::format("{}/jit.db", state_directory), Store::Mode::owner);
    if (!store) {
        return std::unexpected(store.error());
    }
    auto loop = Loop::make();
    if (!loop) {
        return std::unexpected(loop.error());
    }
    Clock clock(read_boot_id());
    if (clock.boot_id().empty()) {
        return fail(Errc::unavailable,
                    "/proc/sys/kernel/random/boot_id can't be read: without it no deadline holds");
    }
    auto mark =
        (*store)->guarded([&]() -> Result<std::optional<ClockMark>> { return (*store)->clock_mark(); });
    if (!mark) {
        return std::unexpected(mark.error());
    }
    clock.set_mark(*mark);

    Journal journal;
    auto started = (*store)->transact([&]() -> Result<void> {
        const Time now = clock.now().time;
        if (const auto problem = (*store)->head_problem()) {
            (*store)->append("audit.broken", now, {{"why", *problem}});
        }
        (*store)->append("daemon.started", now,
                         {{"version", version},
                          {"boot_id", clock.boot_id()},
                          {"cut_off", was_cut_off(**store)},
                          {"gave_root", grants_of_root(**store)}});
        return {};
    });
    if (!started) {
        return started;
    }

    is_starting();
    PolicyKeeper policy(**store, clock, config_directory);
    Accounts accounts(*loop, nss_socket);
    LoginTable logins(**store, clock, policy.policy(), login_table_file);
    Uses uses(*loop, **store, clock, policy.policy(), journal, logins);
    Memberships memberships(
        {.loop = *loop,
         .store = **store,
         .clock = clock,
         .policy = policy.policy(),
         .journal = journal,
         .accounts = accounts,
         .sessions_given = [&uses](Uid uid, const std::string& g) { return uses.sessions_given(uid, g); }});
    Requests* ending = nullptr; // set below
    TemporaryAccounts temporary(
        {.loop = *loop,
         .store = **store,
         .clock = clock,
         .policy = policy.policy(),
         .journal = journal,
         .accounts = accounts,
         .lost = [&ending](Uid uid) { static_cast<void>(ending->apply_account(uid, nullptr)); }});
    if (auto loaded = temporary.load(); !loaded) {
        return loaded;
    }
    accounts.set_made([&temporary](const AccountKey& key) { return temporary.find(key); });
    Searches searches(
        {.loop = *loop, .store = **store, .clock = clock, .policy = policy.policy(), .journal = journal});
    Api* told = nullptr;       // set below: the API needs the requests, whose changes it tells
    Ends* ends_seen = nullptr; // likewise
    Requests requests(**store, clock, policy.policy(), [&](const std::vector<Request>& changed) {
        uses.requests_changed(changed); // before anybody is told: what is said to hold, holds
        memberships.requests_changed(changed);
        temporary.requests_changed(changed);
        for (const Request& request : changed) {
            ends_seen->look_at(request.beneficiary.uid);
            told->request_changed(request);
        }
    });
    ending = &requests;
    if (auto taken = requests.take_over(); !taken) {
        return taken;
    }
    Ends ends({.loop = *loop,
               .store = **store,
               .clock = clock,
               .policy = policy.policy(),
               .requests = requests,
               .uses = uses,
               .journal = journal});
    ends_seen = &ends;
    uses.on_change([&ends](Uid uid) { ends.look_at(uid); });
    Reconciler reconciler(*loop, **store, clock, policy, requests, uses, memberships, temporary, ends,
                          accounts, *host_key, journal);
    Api api({.loop = *loop,
             .store = **store,
             .clock = clock,
             .policy = policy,
             .requests = requests,
             .uses = uses,
             .accounts = accounts,
             .temporary = temporary,
             .host_key = *host_key,
             .machine_id = machine_id,
             .version = version,
             .reload_policy = [&reconciler] { return reconciler.reload_policy(); },
             .leftovers =
                 [&] {
                     uses.take_registered(); // or a login of this moment would be one
                     return find_leftovers({.store = **store,
                                            .clock = clock,
                                            .policy = policy.policy(),
                                            .uses = uses,
                                            .login_table = login_table_file});
                 }});
    told = &api;
    is_starting();
    if (auto loaded = reconciler.reload_policy(); !loaded) {
        return loaded;
    }
    is_starting();
    if (auto adopted = uses.adopt(); !adopted) {
        return adopted;
    }
    is_starting();
    ends.look_at_all(); // whatever there is of a policy
    memberships.adopt();
    temporary.adopt();
    is_starting();
    reconciler.reconcile();
    searches.look();

    HelperServer helpers({.loop = *loop,
                          .store = **store,
                          .clock = clock,
                          .policy = policy.policy(),
                          .accounts = accounts,
                          .requests = requests,
                          .uses = uses,
                          .journal = journal},
                         std::move(listeners->helper));
    VarlinkServer server(*loop, std::move(listeners->access), "io.jitsudo.Access", access_interface, version,
                         [&api](const CallPtr& call) { api.handle(call); });
    const auto turn = loop->after_each_turn([&] {
        // What was committed in this turn is told, and may make more due.
        bool any = false;
        for (auto events = (*store)->take_committed(); !events.empty(); events = (*store)->take_committed()) {
            any = true;
            for (const Event& event : events) {
                journal.send(event);
            }
            api.events_appended();
            reconciler.reconcile();
            searches.look();
        }
        if (any) {
            api.overview_changed(); // as it is after what was made due
        }
    });
    const auto hangup = loop->on_signal(SIGHUP, [&] {
        if (auto loaded = reconciler.reload_policy(); !loaded) {
            journal.send(Journal::Level::error, "the policy was not reloaded: " + loaded.error().message);
        }
    });
    const auto terminate = loop->on_signal(SIGTERM, [&] { loop->stop(); });
    const auto interrupt = loop->on_signal(SIGINT, [&] { loop->stop(); });

    sd_notify(0, "READY=1");
    auto ended = loop->run();
    const auto stopped = (*store)->transact([&]() -> Result<void> {
        (*store)->append("daemon.stopped", clock.now().time, {{"gave_root", grants_of_root(**store)}});
        return {};
    });
    reconciler.checkpoint();
    return ended ? stopped : ended;
}

} // namespace
} // namespace jit

int main(int argc, char**) {
    try {
        if (argc > 1) {
            fmt::print(stderr, "jitd {}: takes no arguments; it is started by systemd (jitd.socket)\n",
                       jit::version);
            return 2;
        }
        if (const auto ran = jit::run(); !ran) {
            fmt::print(stderr, "jitd: {}\n", ran.error().message);
            return 1;
        }
        return 0;
    } catch (const std::exception& error) {
        fmt::print(stderr, "jitd: {}\n", error.what());
        return 1;
    }
}
