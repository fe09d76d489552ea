// SPDX-License-Identifier: MIT
// The policy: who may ask for what, for how long, and who must say yes. Pure data: it asks neither NSS nor
// a clock. docs/policy.md describes the format. Nothing in it is skipped: what isn't understood is an error.
#pragma once

#include "core/command.h"
#include "core/confinement.h"
#include "core/hours.h"
#include "core/time.h"
#include "core/types.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

// Where something was written, for messages: "policy.toml:12".
struct Where {
    std::string file;
    unsigned line = 0;
    [[nodiscard]] std::string text() const;
};

// A name in `eligible`, `members` or `auditors`: a person, or with a leading @ a Unix group.
struct Subject {
    enum class Kind { person, group };
    Kind kind = Kind::person;
    std::string name; // without the @
    [[nodiscard]] std::string text() const;
    bool operator==(const Subject&) const = default;
};

struct UidRange {
    Uid first = no_uid;
    Uid last = no_uid;
    [[nodiscard]] bool holds(Uid uid) const { return uid >= first && uid <= last; }
};

struct Site {
    std::string help;                              // shown with every denial
    Millis pending = std::chrono::hours(24);       // unanswered requests time out after this
    std::vector<Subject> auditors;                 // may read everything
    Millis auth_timeout = std::chrono::minutes(5); // a proof of who one is counts so long; 0: once
    // People are told so long before an end (core/notices.h), the longest first; none: never.
    std::vector<Millis> notices = {std::chrono::minutes(15), std::chrono::minutes(5),
                                   std::chrono::minutes(1)};
    // After a grant's end set-id files that it made possible are looked for here, and disarmed; besides in
    // the homes of those concerned.
    std::vector<std::string> search = {"/home", "/tmp", "/var/tmp", "/dev/shm", "/run/user"};
    // Of accounts that grants make. What systemd leaves free of all its own (UIDS-GIDS.md, 60578 to 61183).
    UidRange account_uids{.first = Uid{60578}, .last = Uid{61183}};
};

// An account that exists only while a grant of the role lives.
struct TemporaryAccount {
    enum class Home { keep, remove, tmpfs }; // what becomes of it at the end; tmpfs: in memory only
    Home home = Home::remove;
    std::string shell = "/bin/bash";
};
// As it is written in the policy, in the database and in the audit.
[[nodiscard]] std::string_view name_of(TemporaryAccount::Home home);
[[nodiscard]] std::optional<TemporaryAccount::Home> home_named(std::string_view name);

// A human: one or more accounts, the person's name among them, and signing principals. A person who isn't in
// the policy is simply their account.
struct Person {
    std::string name;
    std::vector<std::string> accounts;
    std::vector<std::string> principals;
    Where where;
};

struct People {
    std::string name;
    std::vector<Subject> members;
    std::string signers; // path of an OpenSSH allowed_signers file, or empty
    Where where;
};

// Some of `from` must approve. A request is approved when distinct people satisfy all its stages.
struct Stage {
    std::string from; // names a People
    unsigned count = 1;
    bool is_signed = false; // only signed answers count
    bool operator==(const Stage&) const = default;
};

struct Risk {
    std::string name;
    std::optional<Millis> auto_approve; // up to this long no person is asked
    std::vector<Stage> stages;
    Where where;
};

struct Role {
    std::string name;
    std::string title;
    std::string risk;
    std::vector<Subject> eligible;
    Millis max{0};                // the longest one grant may last
    std::optional<Millis> extend; // the longest a chain of extensions may reach; without it no extension
    Millis needs{0};              // no command is started with less than this left
    std::optional<std::uint32_t> uses{}; // so many commands a grant starts; unset: any number
    std::optional<Millis> idle{};        // unused for so long, a grant ends
    bool closes = false;                 // and when its last login or command is over
    std::vector<Hours> hours{};          // when it may be had at all; none: at any time
    std::vector<std::string> run_as;
    std::vector<CommandPattern> commands;
    std::vector<std::string> groups;           // in this login's processes only
    std::vector<std::string> memberships;      // host-wide
    std::vector<std::string> login;            // PAM services
    std::optional<TemporaryAccount> account{}; // made for it; its groups are among the memberships
    std::string ticket;                 // POSIX extended regular expression for the whole ticket, or empty
    std::optional<bool> authenticate;   // unset: where the account has a password
    std::optional<Millis> auth_timeout; // unset: the site's
    std::vector<std::string> env;       // variables that the caller may hand in: "NAME", "PREFIX_*"
    Confinement confinement{};          // what the commands are held to
    Where where;
};

struct Policy {
    Site site;
    std::map<std::string, Person, std::less<>> persons;
    std::map<std::string, People, std::less<>> people;
    std::map<std::string, Risk, std::less<>> risks;
    std::map<std::string, Role, std::less<>> roles;
    std::map<std::string, std::string, std::less<>> person_by_account;

    // The person behind an account: the one the policy names, else the account's own name.
    [[nodiscard]] std::string person_of(std::string_view account) const;
};

// Whether its members are root, or can become root or read everything, without any further help.
[[nodiscard]] bool is_root_group(std::string_view group);

// Whether a ticket matches a role's pattern as a whole. An empty pattern matches anything, also nothing.
[[nodiscard]] bool ticket_matches(const std::string& pattern, const std::string& ticket);

} // namespace jit
