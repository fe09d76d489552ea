// SPDX-License-Identifier: MIT
#include "ctl/command_line.h"

#include "core/text.h"
#include "ctl/command_parser.h"
#include "ctl/command_words.h"
#include "ctl/print.h"

#include <fmt/format.h>

#include <memory>
#include <string_view>
#include <vector>

namespace jit {
namespace {

constexpr const char* epilogue = R"(
A request is answered by the people whom the role's policy names, or by a rule at once; then it is a grant until its
time is over. `jitctl VERB --help` tells more of each, jitctl(1) of all, exit codes included.)";

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

// "jitctl request", "jitctl audit verify": whose --help to look at.
std::string path_of(const CLI::App& verb) {
    return verb.get_parent() == nullptr ? verb.get_name()
                                        : path_of(*verb.get_parent()) + ' ' + verb.get_name();
}

} // namespace

CLI::Validator id_validator() {
    return {[](std::string& id) {
                return is_request_id(id)
                           ? std::string()
                           : fmt::format("'{}' is no request id (4 to 16 of 0-9 and a-f, see jitctl list)",
                                         escape(id));
            },
            ""};
}

CommandParser::CommandParser(CommandLine& line)
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

const CLI::App& CommandParser::parsed() const {
    const CLI::App* at = &app_;
    while (!at->get_subcommands().empty()) {
        at = at->get_subcommands().front();
    }
    return *at;
}

Verb CommandParser::parsed_verb() const {
    if (version_) {
        return without_options<print_version>;
    }
    const auto verb = verbs_.find(&parsed());
    return verb == verbs_.end() ? Verb() : verb->second;
}

void CommandParser::add_common(CLI::App& app) {
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

CLI::App& CommandParser::verb(CLI::App& parent, const char* name, const char* description, const char* group,
                              Verb run) {
    CLI::App& app = *parent.add_subcommand(name, description);
    app.group(group);
    if (run) {
        verbs_.emplace(&app, std::move(run));
    }
    return app;
}

void CommandParser::add_id(CLI::App& app, std::string& id, const char* description) {
    app.add_option("ID", id, description)->required()->check(id_validator())->option_text(" ");
}

Outcome<CommandLine> read_command_line(std::span<const char* const> arguments) {
    const SplitWords words = split_words(arguments);
    if (const std::size_t bad = not_text(words.must_be_text); bad != 0) {
        return usage_failure(fmt::format("argument {} is not UTF-8 text", bad));
    }
    CommandLine line;
    CommandParser parser(line);
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
