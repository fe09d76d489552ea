// SPDX-License-Identifier: MIT
#include "ctl/command_line.h"

#include "core/text.h"
#include "ctl/command_words.h"
#include "ctl/print.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

namespace jit {
namespace {

using Verb = decltype(CommandLine::verb);

template <Outcome<Exit> (*verb)(const Context&)>
Outcome<Exit> without_options(const Context& context, const CommandLine&) {
    return verb(context);
}

constexpr const char* epilogue = R"(
A request is answered by the people whom the role's policy names, or by a rule at once; then it is a grant until its
time is over. `jitctl VERB --help` tells more of each, jitctl(1) of all, exit codes included.)";

CLI::Validator id_validator() {
    return {[](std::string& id) {
                return is_request_id(id)
                           ? std::string()
                           : fmt::format("'{}' is no request id (4 to 16 of 0-9 and a-f, see jitctl list)",
                                         escape(id));
            },
            ""};
}

// "Usage: jitctl request ROLE --reason TEXT [OPTIONS]": what must be there, by name.
class HelpFormatter : public CLI::Formatter {
public:
    HelpFormatter() { column_width(24); }

    std::string make_usage(const CLI::App* app, std::string name) const override {
        std::string usage = "\nUsage: " + (name.empty() ? app->get_name() : name);
        for (const CLI::Option* option : app->get_options()) {
            const std::string shown =
                option->get_positional()
                    ? option->get_name(true) + (option->get_items_expected_max() > 1 ? " ..." : "")
                    : "--" + option->get_lnames().front() + " " + option->get_option_text();
            if (option->get_required() || option->get_positional()) {
                usage += option->get_required() ? ' ' + shown : " [" + shown + ']';
            }
        }
        if (!app->get_subcommands(nullptr).empty()) {
            usage += app->get_name() == "audit" ? " [VERB]" : " VERB";
        }
        if (app->get_prefix_command()) {
            return usage + " [OPTIONS] [-- COMMAND [ARGUMENT ...]]\n";
        }
        return usage + " [OPTIONS]\n";
    }
};

class Parser {
public:
    explicit Parser(CommandLine& line)
        : line_(line), app_("Just-in-time privileged access on this host.", "jitctl") {
        app_.formatter(std::make_shared<HelpFormatter>());
        app_.set_help_flag(); // add_common has it
        app_.require_subcommand(0, 1);
        add_asking();
        add_answering();
        add_looking();
        add_host();
        add_hidden();
        app_.footer(epilogue);
        app_.add_flag("--version", version_, "Show the version")->group("Common options");
        add_common(app_);
    }

    CLI::App& app() { return app_; }

    // The verb that was parsed: the innermost one.
    [[nodiscard]] const CLI::App& parsed() const {
        const CLI::App* at = &app_;
        while (!at->get_subcommands().empty()) {
            at = at->get_subcommands().front();
        }
        return *at;
    }
    // What it does; nothing where it only has verbs of its own.
    [[nodiscard]] Verb parsed_verb() const {
        if (version_) {
            return without_options<print_version>;
        }
        const auto verb = verbs_.find(&parsed());
        return verb == verbs_.end() ? Verb() : verb->second;
    }
    // Whether --command stood before a command to explain.
    [[nodiscard]] bool command_flag() const { return command_flag_; }

private:
    // Options that every verb takes. They are declared for each, and not inherited, so that a verb's --help
    // is complete.
    void add_common(CLI::App& app) {
        constexpr const char* group = "Common options";
        app.add_flag("--json", line_.json, "Print replies as JSON, one document a line, and nothing else")
            ->group(group);
        app.add_option("--socket", line_.socket, "Talk to jitd at PATH, not " + std::string(default_socket))
            ->option_text("PATH")
            ->group(group);
        app.set_help_flag("-h,--help", "Show this help")->group(group);
        for (CLI::App* verb : app.get_subcommands(nullptr)) {
            add_common(*verb);
        }
    }

    CLI::App& verb(CLI::App& parent, const char* name, const char* description, const char* group, Verb run) {
        CLI::App& app = *parent.add_subcommand(name, description);
        app.group(group);
        if (run) {
            verbs_.emplace(&app, std::move(run));
        }
        return app;
    }

    void add_ask_options(CLI::App& app) {
        app.add_option("--reason", line_.ask.reason, "What it is for; those who approve read it")
            ->required()
            ->option_text("TEXT");
        app.add_option("--for", line_.ask.duration, "For how long: 30m, 1h, 1h30m, 2d")
            ->option_text("DURATION");
        app.add_flag("--wait", line_.ask.wait, "Wait until it is answered; Ctrl-C leaves it pending");
    }

    void add_role_options(CLI::App& app) {
        app.add_option("ROLE", line_.ask.role, "The role to have")->required()->option_text(" ");
        add_ask_options(app);
        app.add_option("--ticket", line_.ask.ticket, "The ticket it belongs to, where the role wants one")
            ->option_text("TICKET");
        app.add_option("--command", line_.ask.commands, "Only this command of the role; may be given again")
            ->option_text("CMD")
            ->allow_extra_args(false);
        app.add_option("--group", line_.ask.groups, "Only this group of the role; may be given again")
            ->option_text("GROUP")
            ->allow_extra_args(false);
    }

    void add_key_option(CLI::App& app) {
        app.add_option("--key", line_.ask.keys,
                       "For a role that makes an account: who may log in to it, a .pub file or a key; may be "
                       "given again")
            ->option_text("FILE")
            ->allow_extra_args(false);
    }

    void add_id(CLI::App& app, std::string& id, const char* description) {
        app.add_option("ID", id, description)->required()->check(id_validator())->option_text(" ");
    }

    CLI::Option* add_ids(CLI::App& app, const char* description) {
        return app.add_option("ID", line_.answer.ids, description)
            ->required()
            ->check(id_validator())
            ->option_text("...");
    }

    void add_asking() {
        constexpr const char* group = "Asking";
        CLI::App& ask = verb(app_, "request", "Ask for a role", group,
                             [](const Context& c, const CommandLine& l) { return request(c, l.ask); });
        add_role_options(ask);
        ask.add_option("--account", line_.ask.account,
                       "For a role that makes an account: which one, of yours in the policy")
            ->option_text("NAME");
        add_key_option(ask);
        CLI::App& more = verb(app_, "extend", "Ask for more time for a grant, without a gap", group,
                              [](const Context& c, const CommandLine& l) { return extend(c, l.ask); });
        add_id(more, line_.ask.id, "The grant");
        add_ask_options(more);

        CLI::App& all = verb(app_, "list", "Show what is pending or active and concerns you", group,
                             [](const Context& c, const CommandLine& l) { return list(c, l.list); });
        all.add_flag("--all", line_.list.all, "Those that are over too, newest first");
        CLI::Option* mine = all.add_flag("--mine", line_.list.mine, "Only yours, each with what it allows")
                                ->excludes("--all");
        all.add_option("--user", line_.list.user, "Only USER's, as far as you may see them")
            ->option_text("USER")
            ->excludes(mine);
        all.add_flag("--now", line_.list.now, "Status 1 where no grant of yours is live")->needs(mine);
        all.add_flag("--brief", line_.list.brief,
                     "Only the roles of your grants and how long they last, for a prompt or a status bar")
            ->needs(mine);
        all.add_flag("--long", line_.list.in_detail, "All there is to know of each");
        all.add_option("--limit", line_.list.limit, "At most so many (1 to 1000)")
            ->option_text("N")
            ->check(CLI::Range(1, 1000));
        add_id(verb(app_, "show", "Show all there is to know of one", group,
                    [](const Context& c, const CommandLine& l) { return show(c, l.id); }),
               line_.id, "The request or grant");
        CLI::App& follow =
            verb(app_, "watch", "Show what is live and pending as it changes, or follow one", group,
                 [](const Context& c, const CommandLine& l) {
                     return l.once ? look_once(c) : l.id.empty() ? watch_all(c) : watch(c, l.id);
                 });
        CLI::Option* one = follow.add_option("ID", line_.id, "Only this request or grant, until it is over")
                               ->check(id_validator())
                               ->option_text(" ");
        follow.add_flag("--once", line_.once, "Show what there is now, and end")->excludes(one);
        add_ids(verb(app_, "cancel", "Take a pending request back", group,
                     [](const Context& c, const CommandLine& l) { return cancel(c, l.answer); }),
                "Requests of your own");
        add_ids(verb(app_, "release", "End a grant of your own before its time", group,
                     [](const Context& c, const CommandLine& l) { return release(c, l.answer); }),
                "Grants of your own");
    }

    void add_answering() {
        constexpr const char* group = "Answering";
        CLI::App& yes = verb(app_, "approve", "Say yes to requests", group,
                             [](const Context& c, const CommandLine& l) { return approve(c, l.answer); });
        add_ids(yes, "The requests");
        yes.add_option("--reason", line_.answer.reason, "Why")->option_text("TEXT");
        CLI::App& no = verb(app_, "deny", "Say no to requests", group,
                            [](const Context& c, const CommandLine& l) { return deny(c, l.answer); });
        add_ids(no, "The requests");
        no.add_option("--reason", line_.answer.reason, "Why; the one who asked reads it")
            ->required()
            ->option_text("TEXT");
        CLI::App& end = verb(app_, "revoke", "End somebody's grant now, or refuse their request", group,
                             [](const Context& c, const CommandLine& l) { return revoke(c, l.answer); });
        add_ids(end, "The grants");
        end.add_option("--reason", line_.answer.reason, "Why; the one who had it reads it")
            ->required()
            ->option_text("TEXT");
        CLI::App& seen = verb(app_, "review",
                              "Show what grants left behind and nobody has looked at, or say that you have",
                              group, [](const Context& c, const CommandLine& l) {
                                  return l.answer.ids.empty() ? reviews(c) : review(c, l.answer);
                              });
        CLI::Option* looked_at = add_ids(seen, "The grants whose things you have looked at")->required(false);
        seen.add_option("--reason", line_.answer.reason, "What you found, or have done")
            ->option_text("TEXT")
            ->needs(looked_at);
        CLI::App& give =
            verb(app_, "grant", "Ask for a role in another's name and approve it, as far as you may", group,
                 [](const Context& c, const CommandLine& l) { return grant(c, l.ask); });
        give.add_option("USER", line_.ask.user, "The account to have it")->required()->option_text(" ");
        add_role_options(give);
        add_key_option(give);
    }

    void add_looking() {
        constexpr const char* group = "Looking";
        CLI::App& why =
            verb(app_, "explain", "Would somebody get a command, login or group now, and why (not)", group,
                 [](const Context& c, const CommandLine& l) { return explain(c, l.explain); });
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
        proof.add_option("--db", line_.verify.db, "Read this database, and don't ask jitd")
            ->option_text("FILE");
        proof
            .add_option("--public-key", line_.verify.public_key,
                        "The host's public key (default: jitd's, or host.pub beside the database)")
            ->option_text("FILE");
        proof
            .add_option("--machine-id", line_.verify.machine_id,
                        "The host's machine id (default: this host's)")
            ->option_text("ID");
    }

    void add_host() {
        constexpr const char* group = "This host";
        CLI::App& rules =
            verb(app_, "policy", "Check the policy, or make a changed one hold", group, nullptr);
        rules.require_subcommand(0, 1);
        CLI::App& check =
            verb(rules, "check", "Say whether a policy is right, and what is wrong where", "Verbs",
                 [](const Context& c, const CommandLine& l) { return policy_check(c, l.policy_path); });
        check.add_option("PATH", line_.policy_path, "A file, or a directory like /etc/jit (the default)")
            ->option_text(" ");
        verb(rules, "reload", "Make jitd read the policy anew; a broken one changes nothing", "Verbs",
             without_options<policy_reload>);
        add_pam(
            verb(app_, "pam", "Gate a PAM service: who logs in or calls it needs a grant", group, nullptr));
        add_locks();
        verb(app_, "leftovers", "Find what is on this host and belongs to no live grant; status 1 if any is",
             group, without_options<leftovers>);
        verb(app_, "status", "Show how jitd is", group, without_options<status>);
        CLI::App& clock = verb(app_, "clock", "Mend jitd's idea of the time", group, nullptr);
        clock.require_subcommand(0, 1);
        verb(clock, "reset", "Forget the latest time known, after the clock was far ahead by mistake",
             "Verbs", without_options<clock_reset>);
        verb(app_, "version", "Print the version", group, without_options<print_version>);
    }

    void add_locks() {
        constexpr const char* group = "This host";
        CLI::App& on =
            verb(app_, "lock", "End all there is of a user, a role or this host, and let nothing begin",
                 group, nullptr);
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

    // What jit-sudo calls, and nobody else.
    void add_hidden() {
        CLI::App& app =
            verb(app_, "ask", "Ask for one of the roles offered, then run what follows --", "",
                 [](const Context& c, const CommandLine& l) { return ask_and_run(c, l.ask_and_run); });
        app.add_option("--offers", line_.ask_and_run.offers, "As jitd sent them")->required();
        app.add_option("--reason", line_.ask_and_run.reason, "What it is for; nothing is asked then");
        app.add_flag("--on-terminal", line_.ask_and_run.on_terminal,
                     "Tell what happens there, not on standard error");
    }

    void add_pam(CLI::App& pam) {
        pam.require_subcommand(0, 1);
        CLI::App& on = verb(pam, "enable", "Put our lines into the service's file in /etc/pam.d", "Verbs",
                            [](const Context& c, const CommandLine& l) { return pam_enable(c, l.pam); });
        on.add_option("SERVICE", line_.pam.service, "Such as sshd, login, su, sudo")
            ->required()
            ->option_text(" ");
        on.add_option(
              "--mode", line_.pam.mode,
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

    CommandLine& line_;
    CLI::App app_;
    bool version_ = false;
    bool command_flag_ = false;
    std::map<const CLI::App*, Verb> verbs_;
};

// "jitctl request", "jitctl audit verify": whose --help to look at.
std::string path_of(const CLI::App& verb) {
    return verb.get_parent() == nullptr ? verb.get_name()
                                        : path_of(*verb.get_parent()) + ' ' + verb.get_name();
}

} // namespace

Outcome<CommandLine> read_command_line(std::span<const char* const> arguments) {
    const SplitWords words = split_words(arguments);
    if (const std::size_t bad = not_text(words.must_be_text); bad != 0) {
        return usage_failure(fmt::format("argument {} is not UTF-8 text", bad));
    }
    CommandLine line;
    Parser parser(line);
    CLI::App& app = parser.app();
    try { // it takes them from the back
        app.parse(std::vector<std::string>(words.options.rbegin(), words.options.rend()));
    } catch (const CLI::CallForHelp&) {
        line.help = app.help();
        return line;
    } catch (const CLI::ParseError& error) {
        const std::string_view first = words.options.empty() ? "" : words.options.front();
        if (!parser.parsed_verb() && !first.empty() && first.front() != '-') {
            return usage_failure(fmt::format("there is no verb {}; see jitctl --help", shell_word(first)));
        }
        return usage_failure(
            fmt::format("{}; see {} --help", sentence(error.what()), path_of(parser.parsed())));
    }
    line.verb = parser.parsed_verb();
    if (!line.verb) {
        return usage_failure(fmt::format("say what to do; see {} --help", path_of(parser.parsed())));
    }
    if (app.got_subcommand("explain")) {
        auto command = explained_command(app.get_subcommand("explain")->remaining(), words);
        if (auto good = check_explained(line.explain, std::move(command), parser.command_flag()); !good) {
            return std::unexpected(good.error());
        }
    }
    if (app.got_subcommand("ask")) {
        line.ask_and_run.words.assign(words.rest.begin(), words.rest.end());
        if (line.ask_and_run.words.empty()) {
            return usage_failure("jitctl ask is for jit-sudo to call");
        }
    }
    return line;
}

} // namespace jit
