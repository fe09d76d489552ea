// SPDX-License-Identifier: MIT
// The command line: which verb, with what.
#include "ctl/run.h"

#include "core/text.h"
#include "ctl/verbs.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jit {
namespace {

constexpr const char* epilogue = R"(
A request is answered by the people whom the role's policy names, or by a rule at once; then it is a grant until its
time is over. `jitctl VERB --help` tells more of each, jitctl(1) of all, exit codes included.)";

// Everything that a command line can say, and which verb it said it to.
struct CommandLine {
    bool json = false;
    bool version = false;
    std::string socket;
    AskOptions ask;
    ListOptions list;
    std::string id;
    AnswerOptions answer;
    ExplainOptions explain;
    bool command_flag = false;
    AuditOptions audit;
    VerifyOptions verify;
    std::optional<std::string> policy_path;
    std::function<Outcome<Exit>(const Context&)> verb;
};

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
        app_.footer(epilogue);
        app_.add_flag("--version", line_.version, "Show the version")->group("Common options");
        add_common(app_);
    }

    CLI::App& app() { return app_; }

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

    CLI::App& verb(CLI::App& parent, const char* name, const char* description, const char* group,
                   std::function<Outcome<Exit>(const Context&)> run) {
        CLI::App& app = *parent.add_subcommand(name, description);
        app.group(group);
        if (run) {
            app.callback([this, run = std::move(run)] { line_.verb = run; });
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

    void add_id(CLI::App& app, std::string& id, const char* description) {
        app.add_option("ID", id, description)->required()->check(id_validator())->option_text(" ");
    }

    void add_ids(CLI::App& app, const char* description) {
        app.add_option("ID", line_.answer.ids, description)
            ->required()
            ->check(id_validator())
            ->option_text("...");
    }

    void add_asking() {
        constexpr const char* group = "Asking";
        add_role_options(verb(app_, "request", "Ask for a role", group,
                              [this](const Context& c) { return request(c, line_.ask); }));
        CLI::App& more = verb(app_, "extend", "Ask for more time for a grant, without a gap", group,
                              [this](const Context& c) { return extend(c, line_.ask); });
        add_id(more, line_.ask.id, "The grant");
        add_ask_options(more);

        CLI::App& all = verb(app_, "list", "Show what is pending or active and concerns you", group,
                             [this](const Context& c) { return list(c, line_.list); });
        all.add_flag("--all", line_.list.all, "Those that are over too, newest first");
        all.add_option("--limit", line_.list.limit, "At most so many (1 to 1000)")
            ->option_text("N")
            ->check(CLI::Range(1, 1000));
        add_id(verb(app_, "show", "Show all there is to know of one", group,
                    [this](const Context& c) { return show(c, line_.id); }),
               line_.id, "The request or grant");
        add_id(verb(app_, "watch", "Follow one until it is over", group,
                    [this](const Context& c) { return watch(c, line_.id); }),
               line_.id, "The request or grant");
        add_ids(verb(app_, "cancel", "Take a pending request back", group,
                     [this](const Context& c) { return cancel(c, line_.answer); }),
                "Requests of your own");
        add_ids(verb(app_, "release", "End a grant of your own before its time", group,
                     [this](const Context& c) { return release(c, line_.answer); }),
                "Grants of your own");
    }

    void add_answering() {
        constexpr const char* group = "Answering";
        CLI::App& yes = verb(app_, "approve", "Say yes to requests", group,
                             [this](const Context& c) { return approve(c, line_.answer); });
        add_ids(yes, "The requests");
        yes.add_option("--reason", line_.answer.reason, "Why")->option_text("TEXT");
        CLI::App& no = verb(app_, "deny", "Say no to requests", group,
                            [this](const Context& c) { return deny(c, line_.answer); });
        add_ids(no, "The requests");
        no.add_option("--reason", line_.answer.reason, "Why; the one who asked reads it")
            ->required()
            ->option_text("TEXT");
        CLI::App& end = verb(app_, "revoke", "End somebody's grant now, or refuse their request", group,
                             [this](const Context& c) { return revoke(c, line_.answer); });
        add_ids(end, "The grants");
        end.add_option("--reason", line_.answer.reason, "Why; the one who had it reads it")
            ->required()
            ->option_text("TEXT");
        CLI::App& give =
            verb(app_, "grant", "Ask for a role in another's name and approve it, as far as you may", group,
                 [this](const Context& c) { return grant(c, line_.ask); });
        give.add_option("USER", line_.ask.user, "The account to have it")->required()->option_text(" ");
        add_role_options(give);
    }

    void add_looking() {
        constexpr const char* group = "Looking";
        CLI::App& why =
            verb(app_, "explain", "Would somebody get a command, login or group now, and why (not)", group,
                 [this](const Context& c) { return explain(c, line_.explain); });
        why.prefix_command(); // what isn't an option begins the command
        why.footer("Examples: jitctl explain -- systemctl restart nginx\n"
                   "          jitctl explain --user alice --login sshd");
        why.add_option("--user", line_.explain.user, "For whom (default: you)")->option_text("USER");
        why.add_flag("--command", line_.command_flag, "May stand before COMMAND");
        why.add_option("--run-as", line_.explain.run_as, "Run the command as USER (default: root)")
            ->option_text("USER");
        why.add_option("--login", line_.explain.login, "A login through this PAM service, such as sshd")
            ->option_text("SERVICE");
        why.add_option("--group", line_.explain.group, "A group")->option_text("GROUP");

        CLI::App& trail = verb(app_, "audit", "Show the audit trail, or verify it", group,
                               [this](const Context& c) { return audit(c, line_.audit); });
        trail.add_flag("--follow", line_.audit.follow, "Go on with what happens from now on");
        trail.add_option("--after", line_.audit.after, "Only events after number SEQ")
            ->option_text("SEQ")
            ->check(CLI::Range(std::int64_t{0}, std::numeric_limits<std::int64_t>::max()));
        trail.add_option("--kind", line_.audit.kind, "Only events of this kind, such as request.filed")
            ->option_text("KIND");
        trail.add_option("--request", line_.audit.request, "Only events of this request")
            ->option_text("ID")
            ->check(id_validator());
        CLI::App& proof = verb(trail, "verify", "Find events that were changed, moved, removed or cut off",
                               "", [this](const Context& c) { return audit_verify(c, line_.verify); });
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
        proof.group("Verbs");
        proof.callback(
            [this] { line_.verb = [this](const Context& c) { return audit_verify(c, line_.verify); }; });
    }

    void add_host() {
        constexpr const char* group = "This host";
        CLI::App& rules =
            verb(app_, "policy", "Check the policy, or make a changed one hold", group, nullptr);
        rules.require_subcommand(0, 1);
        CLI::App& check =
            verb(rules, "check", "Say whether a policy is right, and what is wrong where", "Verbs",
                 [this](const Context& c) { return policy_check(c, line_.policy_path); });
        check.add_option("PATH", line_.policy_path, "A file, or a directory like /etc/jit (the default)")
            ->option_text(" ");
        verb(rules, "reload", "Make jitd read the policy anew; a broken one changes nothing", "Verbs",
             policy_reload);
        verb(app_, "status", "Show how jitd is", group, status);
        CLI::App& clock = verb(app_, "clock", "Mend jitd's idea of the time", group, nullptr);
        clock.require_subcommand(0, 1);
        verb(clock, "reset", "Forget the latest time known, after the clock was far ahead by mistake",
             "Verbs", clock_reset);
        verb(app_, "version", "Print the version", group, print_version);
    }

    CommandLine& line_;
    CLI::App app_;
};

// "jitctl request", "jitctl audit verify": the verb that was being read, for "see --help".
std::string verb_path(const CLI::App& app) {
    std::string path = "jitctl";
    for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
        at = at->get_subcommands().front();
        path += ' ' + at->get_name();
    }
    return path;
}

Outcome<void> check_explained(CommandLine& line, bool without_dashes) {
    ExplainOptions& options = line.explain;
    const int questions =
        (options.command.empty() ? 0 : 1) + (options.login ? 1 : 0) + (options.group ? 1 : 0);
    if (questions != 1 || (line.command_flag && options.command.empty())) {
        return usage_failure(
            "say one thing to explain: -- COMMAND [ARGUMENT ...], --login SERVICE or --group GROUP");
    }
    if (without_dashes && options.command.front().starts_with('-')) {
        return usage_failure(
            fmt::format("there is no option {}; see jitctl explain --help", escape(options.command.front())));
    }
    if (options.run_as && options.command.empty()) {
        return usage_failure("--run-as belongs to a command");
    }
    // A whole command in quotes, as one writes it in a policy.
    if (line.command_flag && options.command.size() == 1 &&
        options.command.front().find(' ') != std::string::npos) {
        const std::string whole = options.command.front();
        options.command.clear();
        for (std::size_t from = 0; from < whole.size();) {
            const std::size_t to = std::min(whole.find(' ', from), whole.size());
            if (to > from) {
                options.command.push_back(whole.substr(from, to - from));
            }
            from = to + 1;
        }
    }
    return {};
}

// The first argument that isn't text, counted from 1; 0 where all are. JSON can't carry anything else.
std::size_t not_text(std::span<const char* const> arguments) {
    const auto bad = std::ranges::find_if(arguments, [](const char* argument) { return !is_text(argument); });
    return bad == arguments.end() ? 0 : static_cast<std::size_t>(bad - arguments.begin()) + 1;
}

// Whether errors are to be JSON, known before the command line is.
bool wants_json(std::span<const char* const> arguments) {
    const auto end = std::ranges::find(arguments, std::string_view("--"));
    return std::find(arguments.begin(), end, std::string_view("--json")) != end;
}

bool is_explain(std::span<const char* const> arguments) {
    for (auto at = arguments.begin(); at != arguments.end(); ++at) {
        const std::string_view argument = *at;
        if (argument == "--socket" && at + 1 != arguments.end()) {
            ++at;
        } else if (!argument.starts_with('-')) {
            return argument == "explain";
        }
    }
    return false;
}

// Where the command that `explain` is asked about begins with "--", it is kept from CLI11, which would read
// on in it.
std::size_t options_before_command(std::span<const char* const> arguments) {
    const auto end =
        is_explain(arguments) ? std::ranges::find(arguments, std::string_view("--")) : arguments.end();
    return static_cast<std::size_t>(end - arguments.begin());
}

Outcome<Exit> parse_and_run(std::span<const char* const> arguments, Context& context) {
    if (const std::size_t bad = not_text(arguments); bad != 0) {
        return usage_failure(fmt::format("argument {} is not UTF-8 text", bad));
    }
    CommandLine line;
    Parser parser(line);
    CLI::App& app = parser.app();
    const auto options = arguments.first(options_before_command(arguments));
    try {
        app.parse(std::vector<std::string>(options.rbegin(), options.rend())); // it takes them from the back
    } catch (const CLI::CallForHelp&) {
        context.out << app.help() << std::flush;
        return Exit::done;
    } catch (const CLI::ParseError& error) {
        return usage_failure(fmt::format("{}; see {} --help", escape(error.what()), verb_path(app)));
    }
    context.json = line.json;
    if (line.version) {
        return print_version(context);
    }
    if (!line.verb) {
        return usage_failure(fmt::format("say what to do; see {} --help", verb_path(app)));
    }
    if (app.got_subcommand("explain")) {
        line.explain.command = app.get_subcommand("explain")->remaining();
        const bool begun = !line.explain.command.empty();
        // What follows "--" is the command; where it had begun before, the "--" is its own.
        const auto rest = arguments.subspan(std::min(options.size() + (begun ? 0 : 1), arguments.size()));
        line.explain.command.insert(line.explain.command.end(), rest.begin(), rest.end());
        if (auto good = check_explained(line, begun); !good) {
            return std::unexpected(good.error());
        }
    }
    context.client.own_uid_trusted = !line.socket.empty();
    context.client.socket = line.socket.empty() ? std::string(default_socket) : line.socket;
    return line.verb(context);
}

} // namespace

int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
    const std::span arguments(argv + std::min(argc, 1), static_cast<std::size_t>(std::max(argc - 1, 0)));
    Context context{.out = out, .err = err, .json = wants_json(arguments), .client = {}};
    const Outcome<Exit> result = parse_and_run(arguments, context);
    if (!result) {
        context.print_failure(result.error());
    }
    out.flush();
    return static_cast<int>(!out ? Exit::internal : result ? *result : result.error().exit);
}

} // namespace jit
