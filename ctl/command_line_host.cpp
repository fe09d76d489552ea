// SPDX-License-Identifier: MIT
// The verbs by which one looks, and sees to a host.
#include "ctl/command_parser.h"

#include <cstdint>
#include <limits>

namespace jit {

void CommandParser::add_looking() {
    constexpr const char* group = "Looking";
    CLI::App& why = verb(app_, "explain", "Would somebody get a command, login or group now, and why (not)",
                         group, [](const Context& c, const CommandLine& l) { return explain(c, l.explain); });
    why.prefix_command(); // what isn't an option begins the command
    why.footer("Examples: jitctl explain -- systemctl restart nginx\n"
               "          jitctl explain --user alice --login sshd");
    why.add_option("--user", line_.explain.user, "For whom (default: you)")->option_text("USER");
    why.add_flag("--command", command_flag_, "May stand before COMMAND");
    why.add_option("--run-as", line_.explain.run_as, "Run the command as USER (default: root)")
        ->option_text("USER");
    why.add_option("--login", line_.explain.login, "A login through this PAM service, such as sshd")
        ->option_text("SERVICE");
    why.add_option("--group", line_.explain.group, "A group")->option_text("GROUP");

    why.add_flag(
        "--now", line_.explain.now,
        "Only the command where it may be run at once; status 1 where it would have to be asked for");

    CLI::App& trail = verb(app_, "audit", "Show the audit trail, or verify it", group,
                           [](const Context& c, const CommandLine& l) { return audit(c, l.audit); });
    trail.add_flag("--follow", line_.audit.follow, "Go on with what happens from now on");
    trail.add_option("--after", line_.audit.after, "Only events after number SEQ")
        ->option_text("SEQ")
        ->check(CLI::Range(std::int64_t{0}, std::numeric_limits<std::int64_t>::max()));
    trail.add_option("--kind", line_.audit.kind, "Only events of this kind, such as request.filed")
        ->option_text("KIND");
    trail.add_option("--request", line_.audit.request, "Only events of this request")
        ->option_text("ID")
        ->check(id_validator());
    CLI::App& proof =
        verb(trail, "verify", "Find events that were changed, moved, removed or cut off", "Verbs",
             [](const Context& c, const CommandLine& l) { return audit_verify(c, l.verify); });
    proof.add_option("--db", line_.verify.db, "Read this database, and don't ask jitd")->option_text("FILE");
    proof
        .add_option("--public-key", line_.verify.public_key,
                    "The host's public key (default: jitd's, or host.pub beside the database)")
        ->option_text("FILE");
    proof.add_option("--machine-id", line_.verify.machine_id, "The host's machine id (default: this host's)")
        ->option_text("ID");
}

void CommandParser::add_host() {
    constexpr const char* group = "This host";
    CLI::App& rules = verb(app_, "policy", "Check the policy, or make a changed one hold", group, nullptr);
    rules.require_subcommand(0, 1);
    CLI::App& check =
        verb(rules, "check", "Say whether a policy is right, and what is wrong where", "Verbs",
             [](const Context& c, const CommandLine& l) { return policy_check(c, l.policy_path); });
    check.add_option("PATH", line_.policy_path, "A file, or a directory like /etc/jit (the default)")
        ->option_text(" ");
    verb(rules, "reload", "Make jitd read the policy anew; a broken one changes nothing", "Verbs",
         without_options<policy_reload>);
    add_pam(verb(app_, "pam", "Gate a PAM service: who logs in or calls it needs a grant", group, nullptr));
    add_locks();
    verb(app_, "leftovers", "Find what is on this host and belongs to no live grant; status 1 if any is",
         group, without_options<leftovers>);
    verb(app_, "status", "Show how jitd is", group, without_options<status>);
    CLI::App& clock = verb(app_, "clock", "Mend jitd's idea of the time", group, nullptr);
    clock.require_subcommand(0, 1);
    verb(clock, "reset", "Forget the latest time known, after the clock was far ahead by mistake", "Verbs",
         without_options<clock_reset>);
    verb(app_, "version", "Print the version", group, without_options<print_version>);
}

void CommandParser::add_locks() {
    constexpr const char* group = "This host";
    CLI::App& on =
        verb(app_, "lock", "End all there is of a user, a role or this host, and let nothing begin", group,
             nullptr);
    on.require_subcommand(0, 1);
    const auto add = [&](LockKind kind, const char* description) -> CLI::App& {
        CLI::App& app = verb(on, std::string(name_of(kind)).c_str(), description, "Verbs",
                             [kind](const Context& c, const CommandLine& l) {
                                 LockOptions options = l.lock;
                                 options.kind = kind;
                                 return lock(c, options);
                             });
        app.add_option("--reason", line_.lock.reason, "Why; those whom it concerns read it")
            ->required()
            ->option_text("TEXT");
        app.add_option("--for", line_.lock.duration, "For how long: 30m, 1h, 2d; else until it is lifted")
            ->option_text("DURATION");
        return app;
    };
    add(LockKind::user, "Somebody, under all accounts of theirs")
        .add_option("NAME", line_.lock.name, "An account of theirs")
        ->required()
        ->option_text(" ");
    add(LockKind::role, "Whoever has it")
        .add_option("ROLE", line_.lock.name, "A role of the policy")
        ->required()
        ->option_text(" ");
    add(LockKind::host, "Everybody and everything");
    CLI::App& off = verb(app_, "unlock", "Lift a lock; what it ended stays ended", group,
                         [](const Context& c, const CommandLine& l) { return unlock(c, l.unlock); });
    add_id(off, line_.unlock.id, "The lock, see jitctl locks");
    off.add_option("--reason", line_.unlock.reason, "Why, for the audit")->option_text("TEXT");
    verb(app_, "locks", "Show the locks that concern you", group, without_options<locks>);
}

void CommandParser::add_hidden() {
    CLI::App& app =
        verb(app_, "ask", "Ask for one of the roles offered, then run what follows --", "",
             [](const Context& c, const CommandLine& l) { return ask_and_run(c, l.ask_and_run); });
    app.add_option("--offers", line_.ask_and_run.offers, "As jitd sent them")->required();
    app.add_option("--reason", line_.ask_and_run.reason, "What it is for; nothing is asked then");
    app.add_flag("--on-terminal", line_.ask_and_run.on_terminal,
                 "Tell what happens there, not on standard error");
}

void CommandParser::add_pam(CLI::App& pam) {
    pam.require_subcommand(0, 1);
    CLI::App& on = verb(pam, "enable", "Put our lines into the service's file in /etc/pam.d", "Verbs",
                        [](const Context& c, const CommandLine& l) { return pam_enable(c, l.pam); });
    on.add_option("SERVICE", line_.pam.service, "Such as sshd, login, su, sudo")
        ->required()
        ->option_text(" ");
    on.add_option("--mode", line_.pam.mode,
                  "enforce (the default): no grant, no entry; warn: in, with a warning; audit: in, logged")
        ->option_text("MODE")
        ->check(CLI::IsMember({"enforce", "warn", "audit"}));
    on.add_option("--only", line_.pam.only, "Gate only who is in GROUP")->option_text("GROUP");
    on.add_option("--exempt", line_.pam.exempt, "Gate all but these accounts, and root")
        ->option_text("NAME,...")
        ->delimiter(',')
        ->allow_extra_args(false);
    CLI::App& off = verb(pam, "disable", "Take our lines out again", "Verbs",
                         [](const Context& c, const CommandLine& l) { return pam_disable(c, l.pam); });
    CLI::Option* service =
        off.add_option("SERVICE", line_.pam.service, "Such as sshd, login, su, sudo")->option_text(" ");
    CLI::Option* all = off.add_flag("--all", line_.pam.all, "Of every service")->excludes(service);
    off.callback([service, all] {
        if (service->empty() && all->empty()) {
            throw CLI::RequiredError("SERVICE or --all");
        }
    });
    CLI::App& look = verb(pam, "status", "Show which services are gated, how, and what is wrong", "Verbs",
                          [](const Context& c, const CommandLine& l) { return pam_status(c, l.pam); });
    look.add_option("SERVICE", line_.pam.service, "Only this one")->option_text(" ");
}

} // namespace jit
