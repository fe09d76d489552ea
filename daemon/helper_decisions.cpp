// SPDX-License-Identifier: MIT
// What is decided about a command: may it run, as whom, and may it begin now.
#include "core/policy_load.h"
#include "core/record.h"
#include "core/text.h"
#include "core/variables.h"
#include "daemon/helper_server.h"
#include "daemon/sudo_line.h"

#include <fmt/format.h>

#include <algorithm>

namespace jit {
namespace {

constexpr std::ptrdiff_t most_of_one_uid = 256;
constexpr std::size_t most_words_of_one_uid = 16 * 1024 * 1024; // bytes of what waits for a password, or runs
constexpr std::size_t longest_kept_argv = 16 * 1024;
constexpr std::size_t longest_refused_argv = 1024;   // bytes of it in an event
constexpr std::size_t longest_place_text = 4096;     // of cwd and tty
constexpr std::size_t longest_refused_place = 256;   // bytes of them in an event
constexpr Millis to_start = std::chrono::minutes(5); // a password is typed meanwhile

Caller caller_of(const Policy& policy, const Account& account) {
    return {.party = party_of(policy, account),
            .account = account,
            .login_person = {},
            .login_known = false,
            .not_attested = {}};
}

std::string wish_of(const Wanted& wanted) {
    return fmt::format("run {} as {}", wanted.command ? shell_word(wanted.command->path) : "a command",
                       wanted.run_as);
}

std::string start_of(const std::string& place) {
    return escape(place.substr(0, longest_refused_place)) + (place.size() > longest_refused_place ? "…" : "");
}

bool is_plain(const HelperAsk& ask) {
    const auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
    return !has_nul(ask.path) && std::ranges::none_of(ask.arguments, has_nul) &&
           (ask.path.starts_with('/') || (ask.path.empty() && ask.what != HelperWhat::command)) &&
           variables_fit(ask.variables) && std::ranges::all_of(ask.variables, is_assignment) &&
           ask.cwd.size() <= longest_place_text && ask.tty.size() <= longest_place_text &&
           ask.reason.size() <= longest_helper_reason;
}

// What run_as says: a name, or "#" and a number.
std::optional<AccountKey> key_of(const std::string& run_as) {
    if (is_account_name(run_as)) {
        return run_as;
    }
    const auto uid = uid_in(run_as);
    return uid ? std::optional<AccountKey>(*uid) : std::nullopt;
}

// Where a shell is asked for that the caller didn't name: as login(1) has it where passwd(5) names none.
std::string shell_of(const Account& account) {
    return in_real_directory(account.shell.starts_with('/') ? account.shell : "/bin/sh");
}

// What of it jit-sudo has to do.
HelperConfinement to_tell(const Confinement& confinement, const std::string& path) {
    return {.bounds_capabilities = confinement.capabilities.has_value(),
            .capabilities = confinement.capabilities.value_or(0),
            .no_new_privileges = confinement.no_new_privileges,
            .bounds_write = confinement.write.has_value(),
            .write = confinement.write.value_or(std::vector<std::string>()),
            .bounds_execute = confinement.execute.has_value(),
            .execute = confinement.execute.value_or(std::vector<std::string>()),
            .pinned = confinement.digests.contains(path),
            .directory = confinement.directory,
            .second_factor = confinement.second_factor};
}

// Of its words, which are the most of it.
std::size_t size_of(const HelperAsk& ask) {
    std::size_t size = ask.path.size() + ask.cwd.size() + ask.reason.size();
    for (const auto* list : {&ask.arguments, &ask.variables}) {
        for (const std::string& word : *list) {
            size += word.size() + sizeof(std::string);
        }
    }
    return size;
}

} // namespace

void HelperServer::asked(std::uint64_t id) {
    Connection& connection = *find(id);
    connection.deadline = {};
    if (connection.ask.what == HelperWhat::forget || connection.ask.what == HelperWhat::forget_all) {
        return forget(id); // whoever it is, and wherever: it only takes away
    }
    const Uid caller = *connection.caller;
    if (!connection.login) {
        return refuse(id, connection.login.error());
    }
    const auto nested = parts_.store.guarded([&]() -> Result<bool> {
        return connection.login->session &&
               parts_.store.is_elevation_session(*connection.login->session, parts_.clock.boot_id());
    });
    if (!nested || *nested) {
        // It would live by another's grant, and on after this one's end.
        return refuse(id, Error{Errc::refused,
                                "this is an elevation already; commands are started from a login, not from "
                                "inside jit-sudo"});
    }
    if (!is_plain(connection.ask)) {
        return refuse(id, Error{Errc::invalid, "the command can't be what was typed"});
    }
    std::ptrdiff_t theirs = 0;
    std::size_t words = 0;
    for (const auto& [number, other] : connections_) {
        if (other.caller == caller) {
            ++theirs;
            words += size_of(other.ask);
        }
    }
    if (theirs > most_of_one_uid || (theirs > 1 && words > most_words_of_one_uid)) {
        return refuse(id, Error{Errc::exhausted, "too many commands at once; try again later"});
    }
    parts_.accounts.look_up_recent(caller, [this, id, caller](const Result<std::optional<Account>>& found) {
        if (find(id) == nullptr) {
            return;
        }
        if (!found) {
            return refuse(id, found.error());
        }
        if (!*found || (*found)->uid != caller || !is_account_name((*found)->name)) {
            return refuse(id, Error{Errc::refused, fmt::format("uid {} has no account that jit works with",
                                                               number(caller))});
        }
        found_caller(id, **found);
    });
}

void HelperServer::found_caller(std::uint64_t id, const Account& account) {
    Connection& connection = *find(id);
    connection.account = account;
    const HelperAsk& ask = connection.ask;
    if (ask.what == HelperWhat::validate) {
        return validate(id);
    }
    const std::string run_as = !ask.run_as.empty() ? ask.run_as : !ask.group.empty() ? account.name : "root";
    const auto key = key_of(run_as);
    if (!key || (!ask.group.empty() && !is_account_name(ask.group))) {
        return refuse(id, Error{Errc::invalid, fmt::format("'{}' is not a user or group",
                                                           escape(key ? ask.group : run_as))});
    }
    parts_.accounts.look_up_recent(*key, [this, id, run_as](const Result<std::optional<Account>>& found) {
        Connection* asking = find(id);
        if (asking == nullptr) {
            return;
        }
        if (!found) {
            return refuse(id, found.error());
        }
        const bool by_number = run_as.starts_with('#');
        if (!*found || !(by_number ? is_account_name((*found)->name) : (*found)->name == run_as)) {
            return refuse(id, Error{Errc::not_found, fmt::format("there is no user '{}'", escape(run_as))});
        }
        found_target(id, **found);
    });
}

void HelperServer::found_target(std::uint64_t id, const Account& target) {
    Connection& connection = *find(id);
    const HelperAsk& ask = connection.ask;
    connection.target = target;
    const std::string path = !ask.path.empty()                     ? ask.path
                             : ask.what == HelperWhat::login_shell ? shell_of(target)
                                                                   : shell_of(connection.account);
    connection.wanted = {.by = party_of(parts_.policy, connection.account),
                         .run_as = target.name,
                         .group = ask.group,
                         .command = Command{.path = path, .arguments = ask.arguments},
                         .variables = {}};
    for (const std::string& variable : ask.variables) {
        connection.wanted.variables.push_back(variable.substr(0, variable.find('=')));
    }
    if (ask.group.empty()) {
        return decide(id);
    }
    parts_.accounts.look_up_group(ask.group, [this, id](const Result<std::optional<Gid>>& gid) {
        Connection* waiting = find(id);
        if (waiting == nullptr) {
            return;
        }
        if (!gid) {
            return refuse(id, gid.error());
        }
        if (!*gid) {
            return refuse(id, Error{Errc::not_found,
                                    fmt::format("there is no group '{}'", escape(waiting->ask.group))});
        }
        waiting->group = *gid;
        // What the user that it runs as has anyway is no more than that user.
        const Account& runs_as = waiting->target;
        const bool theirs = std::ranges::find(runs_as.gids, **gid) != runs_as.gids.end();
        if (theirs && runs_as.uid != waiting->account.uid) {
            waiting->wanted.group.clear();
        }
        decide(id);
    });
}

Result<void> HelperServer::login_is_free(const Connection& connection) {
    return connection.login->uid
               ? parts_.requests.not_locked({.person = {}, .account = {}, .uid = *connection.login->uid}, "")
               : Result<void>();
}

void HelperServer::decide(std::uint64_t id) {
    Connection& connection = *find(id);
    const Uid caller = connection.account.uid;
    if (const auto free = login_is_free(connection); !free) {
        record_refusal(connection, free.error().message);
        return refuse(id, free.error());
    }
    const auto active = parts_.store.guarded([&]() -> Result<std::vector<Request>> {
        return parts_.store.active_of(caller, [&](std::string_view role) {
            return could_carry(parts_.policy, role, connection.wanted);
        });
    });
    if (!active) {
        return refuse(id, active.error());
    }
    const Now now = parts_.clock.now();
    const Request* grant = choose(parts_.policy, *active, connection.wanted, now, parts_.clock.boot_id());
    if (grant == nullptr) {
        auto mine =
            parts_.store.guarded([&]() -> Result<std::vector<Request>> { return parts_.store.pending(); });
        if (!mine) {
            return refuse(id, mine.error());
        }
        std::erase_if(*mine, [&](const Request& request) { return request.beneficiary.uid != caller; });
        mine->insert(mine->end(), active->begin(), active->end());
        const auto locks = parts_.requests.locks();
        if (!locks) {
            return refuse(id, locks.error());
        }
        const Denial denial = deny(parts_.policy, connection.account, connection.wanted, *mine, *locks,
                                   [this](const Role& role) { return parts_.requests.access_of(role); });
        record_refusal(connection, denial.message);
        return refuse(id, denial);
    }
    const Role& role = parts_.policy.roles.at(grant->role);
    const Millis left = grant->not_after->time - now.time;
    if (left < role.needs) {
        const Denial denial =
            deny_too_short(role, *grant, left, parts_.requests.can_be_extended(*grant, role));
        record_refusal(connection, denial.message);
        return refuse(id, denial);
    }
    const Request* carrier = longest(parts_.policy, *active, connection.wanted,
                                     {.held = role.confinement, .grant = grant->id, .chain = grant->chain},
                                     now, parts_.clock.boot_id());
    if (const auto room = parts_.uses.room_for(caller); !room) {
        return refuse(id, room.error());
    }
    if (!starts_.take(caller, now.boot)) {
        return refuse(
            id, Error{Errc::exhausted, "too many commands in a short time; try again in a few seconds"});
    }
    allow(id, *grant, role, *carrier->not_after);
}

void HelperServer::record_refusal(const Connection& connection, const std::string& why,
                                  std::string_view in_log) {
    const Wanted& wanted = connection.wanted;
    const HelperAsk& ask = connection.ask;
    Json fields{{"run_as", wanted.run_as}, {"cwd", start_of(ask.cwd)}, {"tty", start_of(ask.tty)}};
    if (!wanted.group.empty()) {
        fields["group"] = wanted.group;
    }
    if (connection.login && connection.login->uid) {
        fields["login_uid"] = number(*connection.login->uid);
    }
    fields.update(command_fields(*wanted.command, longest_refused_argv));
    if (!parts_.requests.record_refusal(caller_of(parts_.policy, connection.account), wish_of(wanted),
                                        {Errc::refused, why}, fields)) {
        return;
    }
    log(connection, Journal::Level::alert, in_log, {});
}

void HelperServer::log(const Connection& connection, Journal::Level level, std::string_view refusal,
                       Journal::Fields fields) {
    const Wanted& wanted = connection.wanted;
    fields.emplace_back("JIT_PERSON", wanted.by.person);
    parts_.journal.send_command(level,
                                sudo_line({.account = connection.account.name,
                                           .refusal = refusal,
                                           .tty = connection.ask.tty,
                                           .cwd = connection.ask.cwd,
                                           .run_as = wanted.run_as,
                                           .group = wanted.group},
                                          *wanted.command),
                                fields);
}

void HelperServer::allow(std::uint64_t id, const Request& grant, const Role& role, const Deadline& until) {
    Connection& connection = *find(id);
    const Deadline deadline = in_this_boot(until, parts_.clock, parts_.clock.now());
    connection.confinement = role.confinement;
    auto place = parts_.uses.reserve(
        grant, deadline, {.memory = role.confinement.memory, .processes = role.confinement.processes});
    if (!place) {
        return refuse(id, place.error());
    }
    connection.place = place->name;
    const bool wanted = role.authenticate.value_or(connection.account.has_password);
    connection.proven_before = wanted && is_proven(connection, role);
    connection.authenticate = wanted && !connection.proven_before;
    // As login(1) has it where passwd(5) names none.
    const auto path_or = [](const std::string& path, const char* otherwise) {
        return path.starts_with('/') ? path : std::string(otherwise);
    };
    HelperAllowed allowed{.use = place->name,
                          .grant = grant.id,
                          .role = grant.role,
                          .proven = connection.authenticate ? Proven::no : Proven::yes,
                          .caller = connection.account.name,
                          .uid = number(connection.target.uid),
                          .gid = number(connection.target.gid),
                          .groups = {},
                          .user = connection.target.name,
                          .home = path_or(connection.target.home, "/"),
                          .shell = path_or(connection.target.shell, "/bin/sh"),
                          .command = connection.wanted.command->path,
                          .deadline = {.time = deadline.time.time_since_epoch().count(),
                                       .boot = deadline.boot.time_since_epoch().count()},
                          .notices = {},
                          .confinement = to_tell(role.confinement, connection.wanted.command->path)};
    for (const Millis notice : parts_.policy.site.notices) {
        allowed.notices.push_back(static_cast<std::uint32_t>(notice.count()));
    }
    for (const Gid gid : connection.target.gids) {
        allowed.groups.push_back(number(gid));
    }
    if (connection.group) {
        // As with newgrp(1): it becomes the primary group, and the others stay.
        allowed.gid = number(*connection.group);
        if (std::ranges::find(allowed.groups, allowed.gid) == allowed.groups.end()) {
            allowed.groups.push_back(allowed.gid);
        }
    }
    connection.awaits = Awaits::start;
    connection.deadline = parts_.loop.after(to_start, std::chrono::seconds(1), [this, id] { drop(id); });
    if (!send(connection, to_frame(allowed), place->directory.get())) {
        drop(id);
    }
}

bool HelperServer::started(Connection& connection, const HelperStart& start) {
    was_right(connection);
    const auto active = parts_.store.guarded([&]() -> Result<std::vector<Request>> {
        return parts_.store.active_of(connection.account.uid, [&](std::string_view role) {
            return could_carry(parts_.policy, role, connection.wanted);
        });
    });
    const Now now = parts_.clock.now();
    const Request* grant =
        active ? choose(parts_.policy, *active, connection.wanted, now, parts_.clock.boot_id()) : nullptr;
    // Decided anew, all of it: while somebody typed, or was held, the grant may have ended and another taken
    // its place, or the policy may ask for more. A password counts only where it was demanded.
    const auto role = grant != nullptr ? parts_.policy.roles.find(grant->role) : parts_.policy.roles.end();
    const bool authenticated = connection.authenticate && start.proven == Proven::yes;
    Result<void> begun = fail(Errc::refused, "meanwhile the grant has ended, or is used up; try again");
    if (role == parts_.policy.roles.end()) {
        // as it is
    } else if (auto free = login_is_free(connection); !free) {
        begun = std::move(free);
    } else if (!authenticated && (connection.authenticate ||
                                  (role->second.authenticate.value_or(connection.account.has_password) &&
                                   !is_proven(connection, role->second)))) {
        begun = fail(Errc::refused, fmt::format("role {} asks for a password; try again", grant->role));
    } else if (role->second.confinement != connection.confinement) {
        begun = fail(Errc::refused, "what holds the command has changed meanwhile; try again");
    } else if (grant->not_after->time - now.time < role->second.needs) {
        begun = fail(Errc::refused, "too little of the grant is left");
    } else {
        Use use{.id = connection.place,
                .grant = grant->id,
                .by = connection.wanted.by,
                .run_as = connection.wanted.run_as,
                .run_as_uid = connection.target.uid,
                .run_as_gid = connection.group.value_or(connection.target.gid),
                .group = connection.wanted.group,
                .command = connection.wanted.command,
                .login = {},
                .cwd = connection.ask.cwd,
                .tty = connection.ask.tty,
                .reason = connection.ask.reason,
                .variables = connection.wanted.variables,
                .login_uid = connection.login->uid,
                .pid = start.pid,
                .session = start.session != 0xffffffffU ? std::optional(start.session) : std::nullopt,
                .boot_id = parts_.clock.boot_id(),
                .started = now.time,
                .exited = {},
                .status = {},
                .ended = {}};
        std::size_t size = connection.wanted.command->path.size();
        for (const std::string& argument : connection.ask.arguments) {
            size += argument.size() + 1;
        }
        begun = parts_.uses.begin(use, size <= longest_kept_argv);
    }
    if (!begun) {
        record_refusal(connection, begun.error().message);
        send(connection, to_frame(HelperRefused{.message = begun.error().message, .next = {}, .offers = {}}));
        return false;
    }
    if (authenticated || connection.proven_before) {
        remember_proof(connection);
    }
    connection.awaits = Awaits::exit;
    connection.deadline = {};
    const bool sent = send(connection, go_frame());
    // Nobody waits for this any more.
    log(connection, Journal::Level::notice, {}, {{"JIT_REQUEST", grant->id}, {"JIT_USE", connection.place}});
    connection.ask = {};
    connection.wanted = {};
    return sent;
}

} // namespace jit
