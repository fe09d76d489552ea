// SPDX-License-Identifier: MIT
// The verbs by which people ask, answer and take back.
#include "ctl/command_parser.h"

namespace jit {

void CommandParser::add_ask_options(CLI::App& app) {
    app.add_option("--reason", line_.ask.reason, "What it is for; those who approve read it")
        ->required()
        ->option_text("TEXT");
    app.add_option("--for", line_.ask.duration, "For how long: 30m, 1h, 1h30m, 2d")->option_text("DURATION");
    app.add_flag("--wait", line_.ask.wait, "Wait until it is answered; Ctrl-C leaves it pending");
}

void CommandParser::add_role_options(CLI::App& app) {
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

void CommandParser::add_key_option(CLI::App& app) {
    app.add_option("--key", line_.ask.keys,
                   "For a role that makes an account: who may log in to it, a .pub file or a key; may be "
                   "given again")
        ->option_text("FILE")
        ->allow_extra_args(false);
}

CLI::Option* CommandParser::add_ids(CLI::App& app, const char* description) {
    return app.add_option("ID", line_.answer.ids, description)
        ->required()
        ->check(id_validator())
        ->option_text("...");
}

void CommandParser::add_asking() {
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
    CLI::Option* mine =
        all.add_flag("--mine", line_.list.mine, "Only yours, each with what it allows")->excludes("--all");
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
    CLI::App& follow = verb(app_, "watch", "Show what is live and pending as it changes, or follow one",
                            group, [](const Context& c, const CommandLine& l) {
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

void CommandParser::add_answering() {
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
    CLI::App& seen =
        verb(app_, "review", "Show what grants left behind and nobody has looked at, or say that you have",
             group, [](const Context& c, const CommandLine& l) {
                 return l.answer.ids.empty() ? reviews(c) : review(c, l.answer);
             });
    CLI::Option* looked_at = add_ids(seen, "The grants whose things you have looked at")->required(false);
    seen.add_option("--reason", line_.answer.reason, "What you found, or have done")
        ->option_text("TEXT")
        ->needs(looked_at);
    CLI::App& give = verb(app_, "grant", "Ask for a role in another's name and approve it, as far as you may",
                          group, [](const Context& c, const CommandLine& l) { return grant(c, l.ask); });
    give.add_option("USER", line_.ask.user, "The account to have it")->required()->option_text(" ");
    add_role_options(give);
    add_key_option(give);
}

} // namespace jit
