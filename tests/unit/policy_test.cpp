// SPDX-License-Identifier: MIT
// The form of the policy: what is read, and what is said of what isn't.
#include "tests/unit/policy_kit.h"

#include "core/text.h"

#include <utility>

namespace jit {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Policy, with_every_key_is_read_as_it_is_written) {
    const Policy policy = policy_of(R"(
[site]
help = "Ask in #ops-access"
pending = "12h"
auditors = ["dana", "@audit"]

[person.bob]
accounts   = ["bob", "bob-adm"]
principals = ["bob@example.net"]

[person.carol]

[people.oncall]
members = ["bob", "carol", "@sre-leads"]
signers = "/etc/jit/signers.d/oncall"

[risk.low]
auto_approve = "1h"
[risk.high]
stages = [{ from = "oncall", count = 2 }, { from = "oncall", signed = true }]

[role.web-ops]
title    = "Restart and inspect the web tier"
risk     = "high"
eligible = ["@sre", "alice"]
max      = "1h"
extend   = "4h"
needs    = "1m"
run_as   = ["root", "www-data"]
commands = ["/usr/bin/systemctl restart nginx", ["/usr/bin/tail", "/var/log/my log"]]
groups   = ["systemd-journal"]
memberships = ["www"]
login    = ["sshd"]
ticket   = "INC-[0-9]+"
authenticate = false
)");
    EXPECT_EQ(policy.site.help, "Ask in #ops-access");
    EXPECT_EQ(policy.site.pending, 12h);
    EXPECT_THAT(policy.site.auditors,
                ElementsAre(Subject{Subject::Kind::person, "dana"}, Subject{Subject::Kind::group, "audit"}));
    const Person& bob = policy.persons.at("bob");
    EXPECT_THAT(bob.accounts, ElementsAre("bob", "bob-adm"));
    EXPECT_THAT(bob.principals, ElementsAre("bob@example.net"));
    EXPECT_EQ(bob.where.text(), "p.toml:7");
    EXPECT_THAT(policy.persons.at("carol").accounts, ElementsAre("carol"));
    EXPECT_THAT(policy.persons.at("carol").principals, ElementsAre("carol"));
    const People& people = policy.people.at("oncall");
    EXPECT_EQ(people.members.size(), 3U);
    EXPECT_EQ(people.members[2].text(), "@sre-leads");
    EXPECT_EQ(people.signers, "/etc/jit/signers.d/oncall");
    EXPECT_EQ(policy.risks.at("low").auto_approve, 1h);
    EXPECT_THAT(policy.risks.at("low").stages, IsEmpty());
    EXPECT_EQ(policy.risks.at("high").auto_approve, std::nullopt);
    EXPECT_THAT(policy.risks.at("high").stages,
                ElementsAre(Stage{"oncall", 2, false}, Stage{"oncall", 1, true}));
    const Role& role = policy.roles.at("web-ops");
    EXPECT_EQ(role.name, "web-ops");
    EXPECT_EQ(role.title, "Restart and inspect the web tier");
    EXPECT_EQ(role.risk, "high");
    EXPECT_EQ(role.eligible[0].text(), "@sre");
    EXPECT_EQ(role.max, 1h);
    EXPECT_EQ(role.extend, 4h);
    EXPECT_EQ(role.needs, 1min);
    EXPECT_THAT(role.run_as, ElementsAre("root", "www-data"));
    ASSERT_EQ(role.commands.size(), 2U);
    EXPECT_EQ(role.commands[0].text(), "/usr/bin/systemctl restart nginx");
    EXPECT_EQ(role.commands[1].text(), "/usr/bin/tail /var/log/my\\ log");
    EXPECT_THAT(role.groups, ElementsAre("systemd-journal"));
    EXPECT_THAT(role.memberships, ElementsAre("www"));
    EXPECT_THAT(role.login, ElementsAre("sshd"));
    EXPECT_EQ(role.ticket, "INC-[0-9]+");
    EXPECT_EQ(role.authenticate, false);
    EXPECT_EQ(role.where.text(), "p.toml:22");
}

TEST(Policy, leaves_defaults_where_nothing_is_written) {
    const Policy policy = policy_of(role("max = \"1h\"\ncommands = [\"/usr/bin/id\"]"));
    const Role& web = policy.roles.at("web");
    EXPECT_EQ(policy.site.pending, 24h);
    EXPECT_THAT(policy.site.auditors, IsEmpty());
    EXPECT_THAT(policy.site.notices, ElementsAre(15min, 5min, 1min));
    EXPECT_THAT(policy_of("[site]\nnotices = [\"1m\", \"10m\", \"1m\"]\n").site.notices,
                ElementsAre(10min, 1min));
    EXPECT_THAT(policy_of("[site]\nnotices = []\n").site.notices, IsEmpty());
    EXPECT_EQ(web.extend, std::nullopt);
    EXPECT_EQ(web.needs, 0s);
    EXPECT_EQ(web.authenticate, std::nullopt);
    EXPECT_EQ(web.ticket, "");
    EXPECT_THAT(web.run_as, ElementsAre("root"));
    EXPECT_THAT(policy_of(role("max = \"1h\"\nlogin = [\"sshd\"]")).roles.at("web").run_as, IsEmpty());
}

TEST(Policy, that_is_empty_lets_nobody_have_anything) {
    EXPECT_THAT(policy_of("").roles, IsEmpty());
    EXPECT_THAT(policy_of("# nothing\n[role]\n[people]\n").roles, IsEmpty());
    EXPECT_TRUE(parse_policy({}).policy);
}

TEST(Policy, knows_the_person_behind_each_account) {
    const Policy policy = policy_of("[person.bob]\naccounts = [\"bob\", \"bob-adm\"]\n");
    EXPECT_EQ(policy.person_of("bob-adm"), "bob");
    EXPECT_EQ(policy.person_of("bob"), "bob");
    EXPECT_EQ(policy.person_of("alice"), "alice");
}

TEST(Policy, may_have_several_sources_which_are_one_policy) {
    const auto loaded = parse_policy(
        {{"a.toml", "[role.a]\nrisk = \"low\"\neligible = [\"x\"]\nmax = \"1h\"\nlogin = [\"sshd\"]\n"},
         {"b.toml",
          "[risk.low]\nauto_approve = \"1h\"\n[role.b]\nrisk = \"low\"\neligible = [\"@y\"]\nmax = \"1h\"\n"
          "login = [\"sshd\"]\n"}});
    EXPECT_THAT(texts(loaded), IsEmpty());
    ASSERT_TRUE(loaded.policy);
    EXPECT_EQ(loaded.policy->roles.size(), 2U);
    EXPECT_EQ(loaded.policy->roles.at("b").where.text(), "b.toml:3");
    EXPECT_EQ(loaded.sources.size(), 2U);
}

TEST(Policy, that_says_a_table_in_two_sources_is_refused) {
    const auto loaded =
        parse_policy({{"a.toml", "[site]\nhelp = \"a\"\n[person.bob]\n[people.x]\nmembers = "
                                 "[\"bob\"]\n[risk.r]\nauto_approve = \"1h\"\n"},
                      {"b.toml", "\n[site]\npending = \"1h\"\n[person.bob]\n[people.x]\nmembers = "
                                 "[\"eve\"]\n[risk.r]\nauto_approve = "
                                 "\"9h\"\n"}});
    EXPECT_FALSE(loaded.policy);
    EXPECT_THAT(texts(loaded), ElementsAre("b.toml:2: site: already written in a.toml:1",
                                           "b.toml:4: person.bob: already written in a.toml:3",
                                           "b.toml:5: people.x: already written in a.toml:4",
                                           "b.toml:7: risk.r: already written in a.toml:6"));
}

TEST(Policy, shows_all_its_problems_from_top_to_bottom) {
    EXPECT_THAT(
        problems_of("[rule.x]\n[role.web]\nmax = 3600\nriks = \"low\"\n[risk.low]\n"),
        ElementsAre("p.toml:1: rule: unknown key 'rule'; did you mean 'role'?",
                    "p.toml:2: role.web: 'risk' is missing: the [risk] that says who approves",
                    "p.toml:2: role.web: 'eligible' is missing: who may ask, such as eligible = [\"alice\", "
                    "\"@sre\"]",
                    "p.toml:2: role.web: gives nothing: no commands, groups, memberships or login",
                    "p.toml:3: role.web.max: expected a duration in quotes with a unit, such as \"45s\", "
                    "\"30m\" or \"1h\", found the integer 3600",
                    "p.toml:4: role.web.riks: unknown key 'riks'; did you mean 'risk'?",
                    "p.toml:5: risk.low: neither 'auto_approve' nor 'stages': nobody could ever say yes"));
}

TEST(Policy, with_an_unknown_key_is_refused_and_the_near_one_named) {
    const std::vector<std::pair<std::string, std::string>> table = {
        {"[site]\nhlep = \"x\"\n", "p.toml:2: site.hlep: unknown key 'hlep'; did you mean 'help'?"},
        {"[sites]\n", "p.toml:1: sites: unknown key 'sites'; did you mean 'site'?"},
        {"max = \"1h\"\n", "p.toml:1: max: unknown key 'max'"},
        {"[person.bob]\nacounts = [\"bob\"]\n",
         "p.toml:2: person.bob.acounts: unknown key 'acounts'; did you mean 'accounts'?"},
        {"[people.x]\nmembers = [\"bob\"]\nsinger = \"/x\"\n",
         "p.toml:3: people.x.singer: unknown key 'singer'; did you mean 'signers'?"},
        {"[risk.low]\nauto_approve = \"1h\"\nauto-approve = \"1h\"\n",
         "p.toml:3: risk.low.auto-approve: unknown key 'auto-approve'; did you mean 'auto_approve'?"},
        {role("max = \"1h\"\nlogin = [\"sshd\"]\nelligible = [\"x\"]"),
         "p.toml:4: role.web.elligible: unknown key 'elligible'; did you mean 'eligible'?"},
        {role("max = \"1h\"\nlogin = [\"sshd\"]\n\"\" = 1"), "p.toml:4: role.web.: unknown key ''"},
        {role("max = \"1h\"\nlogin = [\"sshd\"]\nlogin.x = 1"), ""}, // a syntax error: see below
        {"[people.oncall]\nmembers = [\"bob\"]\n[risk.x]\nstages = [{ from = \"oncall\", sgined = true }]\n",
         "p.toml:4: risk.x.stages[0].sgined: unknown key 'sgined'; did you mean 'signed'?"},
    };
    for (const auto& [text, expected] : table) {
        const auto problems = problems_of(text);
        ASSERT_EQ(problems.size(), 1U) << text << testing::PrintToString(problems);
        if (!expected.empty()) {
            EXPECT_EQ(problems[0], expected);
        }
    }
}

TEST(Policy, with_a_value_of_another_type_is_refused_with_what_was_expected) {
    const std::string limits = "max = \"1h\"\nlogin = [\"sshd\"]\n";
    const std::vector<std::pair<std::string, std::string>> table = {
        {"site = 1\n", "p.toml:1: site: expected a table [site], found the integer 1"},
        {"[[role]]\n", "p.toml:1: role: expected tables [role.NAME], found an array"},
        {"role.web = 7\n", "p.toml:1: role.web: expected a table [role.web], found the integer 7"},
        {"[site]\nhelp = true\n", "p.toml:2: site.help: expected a string, found true"},
        {"[site]\npending = 86400\n", "p.toml:2: site.pending: expected a duration in quotes with a unit, "
                                      "such as \"45s\", \"30m\" or \"1h\", found "
                                      "the integer 86400"},
        {"[site]\nnotices = \"5m\"\n",
         "p.toml:2: site.notices: expected an array [ … ], found the string '5m'"},
        {"[site]\nnotices = [\"5m\", 7]\n",
         "p.toml:2: site.notices[1]: expected a duration in quotes, such as \"5m\""},
        {"[site]\nnotices = [\"25h\"]\n", "p.toml:2: site.notices[0]: at most 1d"},
        {"[site]\nauditors = \"dana\"\n",
         "p.toml:2: site.auditors: expected an array [ … ], found the string 'dana'"},
        {"[site]\nauditors = [\n  \"dana\",\n  7 ]\n", "p.toml:4: site.auditors[1]: expected a person, or a "
                                                       "Unix group such as \"@sre\", found the integer 7"},
        {"[risk.x]\nauto_approve = 1.5\n", "p.toml:2: risk.x.auto_approve: expected a duration in quotes "
                                           "with a unit, such as \"45s\", \"30m\" or \"1h\", "
                                           "found a number with a fraction"},
        {"[risk.x]\nstages = [\"oncall\"]\n", "p.toml:2: risk.x.stages[0]: expected a stage such as { from = "
                                              "\"oncall\" }, found the string 'oncall'"},
        {"[risk.x]\nstages = [{ from = \"oncall\", count = \"2\" }]\n" + oncall,
         "p.toml:2: risk.x.stages[0].count: expected a whole number, found the string '2'"},
        {"[risk.x]\nstages = [{ from = \"oncall\", signed = 1 }]\n" + oncall,
         "p.toml:2: risk.x.stages[0].signed: expected true or false, found the integer 1"},
        {role(limits + "authenticate = \"no\""),
         "p.toml:4: role.web.authenticate: expected true or false, found the string 'no'"},
        {role(limits + "title = 2026-11-21"),
         "p.toml:4: role.web.title: expected a string, found a date or a time"},
        {role(limits + "title = {}"), "p.toml:4: role.web.title: expected a string, found a table"},
        {role(limits + "ticket = []"), "p.toml:4: role.web.ticket: expected a string, found an array"},
        {role(limits + "commands = [7]"),
         "p.toml:4: role.web.commands[0]: expected a command: a string, or an array of "
         "strings, one a word, found the integer 7"},
        {role(limits + "commands = [[\"/bin/x\", 7]]"),
         "p.toml:4: role.web.commands[0]: expected a command: a string, or "
         "an array of strings, one a word, found the integer 7"},
    };
    for (const auto& [text, expected] : table) {
        EXPECT_THAT(problems_of(text), ElementsAre(expected)) << text;
    }
}

TEST(Policy, with_a_bad_value_is_refused_with_what_was_expected) {
    const std::string limits = "max = \"1h\"\nlogin = [\"sshd\"]\n";
    const std::vector<std::pair<std::string, std::string>> table = {
        {role("login = [\"sshd\"]\nmax = \"60\""),
         "p.toml:3: role.web.max: '60': a number without a unit: write 45s, 30m, 1h or 7d"},
        {role("login = [\"sshd\"]\nmax = \"0s\""),
         "p.toml:3: role.web.max: '0s': a duration must be longer than nothing"},
        {role("login = [\"sshd\"]\nmax = \"forever\""),
         "p.toml:3: role.web.max: 'forever': expected a duration such as "
         "45s, 30m, 1h30m or 7d: whole numbers, each with one of the units "
         "d h m s, in this order"},
        {role("login = [\"sshd\"]\nmax = \"9999d\""),
         "p.toml:3: role.web.max: '9999d': longer than the longest duration, 366d"},
        {"[risk.x]\nauto_approve = \"0s\"\n",
         "p.toml:2: risk.x.auto_approve: '0s': a duration must be longer than nothing"},
        {"[risk.x]\nstages = [{ from = \"oncall\", count = 0 }]\n" + oncall,
         "p.toml:2: risk.x.stages[0].count: expected 1 to 16, found 0"},
        {"[risk.x]\nstages = [{ from = \"oncall\", count = -1 }]\n" + oncall,
         "p.toml:2: risk.x.stages[0].count: expected 1 to 16, found -1"},
        {"[risk.x]\nstages = [{ from = \"oncall\", count = 4294967297 }]\n" + oncall,
         "p.toml:2: risk.x.stages[0].count: expected 1 to 16, found 4294967297"},
        {"[risk.x]\nstages = [{ count = 1 }]\n",
         "p.toml:2: risk.x.stages[0]: 'from' is missing: the [people] who approve"},
        {"[risk.x]\nstages = []\n",
         "p.toml:1: risk.x: neither 'auto_approve' nor 'stages': nobody could ever say yes"},
        {"[people.x]\n", "p.toml:1: people.x: 'members' is missing: persons and groups, such as members = "
                         "[\"bob\", \"@sre-leads\"]"},
        {"[people.x]\nmembers = []\n", "p.toml:2: people.x.members: expected at least one person or group"},
        {"[people.x]\nmembers = [\"bob\"]\nsigners = \"oncall\"\n",
         "p.toml:3: people.x.signers: expected the absolute path of an allowed_signers file"},
        {"[people.x]\nmembers = [\"bob\", \"@a\", \"bob\"]\n",
         "p.toml:2: people.x.members[2]: 'bob' is listed twice"},
        {"[people.x]\nmembers = [\"1000\"]\n",
         "p.toml:2: people.x.members[0]: expected a person, or a Unix group such as \"@sre\", found '1000'"},
        {"[people.x]\nmembers = [\"@\"]\n",
         "p.toml:2: people.x.members[0]: expected a person, or a Unix group such as \"@sre\", found '@'"},
        {"[people.x]\nmembers = [\"@@a\"]\n",
         "p.toml:2: people.x.members[0]: expected a person, or a Unix group such as \"@sre\", found '@@a'"},
        {"[person.bob]\naccounts = [\"bob\", \"../x\"]\n",
         "p.toml:2: person.bob.accounts[1]: expected an account name, found '../x'"},
        {"[person.bob]\nprincipals = [\"*@example.net\"]\n",
         "p.toml:2: person.bob.principals[0]: expected a principal, without blanks, commas and wildcards, "
         "found "
         "'*@example.net'"},
        {role(limits + "groups = [\"@adm\"]"),
         "p.toml:4: role.web.groups[0]: expected the name of a Unix group, without @, found '@adm'"},
        {role(limits + "memberships = [\"a:b\"]"),
         "p.toml:4: role.web.memberships[0]: expected the name of a Unix group, without @, found 'a:b'"},
        {role("max = \"1h\"\nlogin = [\"../sshd\"]"),
         "p.toml:3: role.web.login[0]: expected the name of a PAM service: "
         "letters a-z, digits, _ and -, found '../sshd'"},
        {role(limits + "commands = [\"systemctl restart\"]"),
         "p.toml:4: role.web.commands[0]: the first word must be an "
         "absolute path, such as /usr/bin/systemctl"},
        {role(limits + "commands = [\n\"/bin/a\",\n\"/bin/b ** x\"]"),
         "p.toml:6: role.web.commands[1]: ** must be a word of its own, the last one"},
        {role(limits + "commands = [[]]"), "p.toml:4: role.web.commands[0]: an empty command"},
        {role(limits + "commands = [\"/bin/a\"]\nrun_as = [\"#0\"]"),
         "p.toml:5: role.web.run_as[0]: expected an account name, found '#0'"},
        {role(limits + "commands = [\"/bin/a\"]\nrun_as = []"),
         "p.toml:5: role.web.run_as: commands that nobody could run: name an account, or leave it out for "
         "root"},
        {role(limits + "run_as = [\"root\"]"), "p.toml:4: role.web.run_as: of use only with 'commands'"},
        {role("max = \"1h\"\ncommands = []\nlogin = []"),
         "p.toml:1: role.web: gives nothing: no commands, groups, memberships or login"},
        {role("max = \"1h\"\nlogin = [\"su-l\"]"),
         "p.toml:3: role.web.login: write \"su\", which opens su-l as well"},
        {role(limits + "ticket = \"\""),
         "p.toml:4: role.web.ticket: an empty pattern; leave the key out where no ticket is wanted"},
        {role(limits + "ticket = \"INC-[0-9\""),
         "p.toml:4: role.web.ticket: 'INC-[0-9' is not an extended regular "
         "expression: Unmatched [, [^, [:, [., or [="},
        {role(limits + "ticket = \"a)(b\""),
         "p.toml:4: role.web.ticket: 'a)(b' is not an extended regular expression: Unmatched ( or \\\\("},
        {role(limits + "ticket = '(a*)\\1'"),
         "p.toml:4: role.web.ticket: too costly a pattern: at most 256 bytes and 1024 "
         "repetitions, no backreferences"},
        {role(limits + "ticket = '((a{99}){99}){99}'"),
         "p.toml:4: role.web.ticket: too costly a pattern: at most 256 bytes "
         "and 1024 repetitions, no backreferences"},
        {role("login = [\"sshd\"]"),
         "p.toml:1: role.web: 'max' is missing: the longest one grant may last, such as max = "
         "\"1h\"; there is no \"forever\""},
        {"[role.web]\nmax = \"1h\"\nlogin = [\"sshd\"]\nrisk = \"low\"\neligible = []\n" + oncall,
         "p.toml:5: role.web.eligible: expected at least one person or group"},
    };
    for (const auto& [text, expected] : table) {
        EXPECT_THAT(problems_of(text), ElementsAre(expected)) << text;
    }
}

TEST(Policy, with_a_name_that_is_no_name_is_refused) {
    EXPECT_THAT(
        problems_of("[people.\"../x\"]\nmembers = [\"bob\"]\n"),
        ElementsAre(
            "p.toml:1: people.../x: '../x' can't be a name: letters, digits, _ . -, not beginning with a "
            "digit, a dot or a dash, at most 64"));
    EXPECT_THAT(problems_of("[risk.1]\nauto_approve = \"1h\"\n"),
                ElementsAre(HasSubstr("risk.1: '1' can't be a name")));
    EXPECT_THAT(problems_of("[person." + std::string(33, 'a') + "]\n"),
                testing::Contains(HasSubstr("at most 32")));
}

TEST(Policy, with_a_mistake_in_its_TOML_is_refused_with_its_line) {
    for (const auto* text :
         {"\n[role.web\n", "\nx = \n", "\nx = \"unfinished\n", "\nx = 1h\n", "\n= 1\n", "\n[&\n", "\n[]\n",
          "\nx = [1\n", "\nx = { a = 1,\n", "\n\"x\" 1\n", "\nx = \"\\q\"\n", "\nx == 1\n"}) {
        const auto problems = problems_of(text);
        ASSERT_EQ(problems.size(), 1U) << text;
        EXPECT_THAT(problems[0], testing::MatchesRegex("p.toml:[23]: .*")) << text;
    }
    EXPECT_THAT(problems_of("[a]\n[a]\n"), ElementsAre(HasSubstr("p.toml:2: ")));
    EXPECT_THAT(problems_of("[site]\nhelp = \"a\"\nhelp = \"b\"\n"), ElementsAre(HasSubstr("p.toml:3: ")));
}

TEST(Policy, of_which_a_source_cannot_be_read_is_not_judged_as_a_whole) {
    const auto loaded =
        parse_policy({{"a.toml", "[role.a]\nrisk = \"low\"\neligible = [\"x\"]\nmax = \"1h\"\n"
                                 "login = [\"sshd\"]\n"},
                      {"b.toml", "[risk.low\n"}});
    EXPECT_FALSE(loaded.policy);
    EXPECT_THAT(texts(loaded), ElementsAre(HasSubstr("b.toml:1: ")));
}

TEST(Policy, that_a_reviewer_could_not_see_as_it_is_is_refused) {
    const std::vector<std::pair<std::string, std::string>> table = {
        {"# fine\n# \xFF\n", "p.toml:2: not UTF-8 text, or a NUL byte"},
        {std::string("# a\0b\n", 6), "p.toml:1: not UTF-8 text, or a NUL byte"},
        {"# \xC0\xAF\n", "p.toml:1: not UTF-8 text, or a NUL byte"},
        {"#\n# \u202Eevil\n", "p.toml:2: a control or an invisible character: '# \\u{202e}evil'"},
        {"# a\x1B[2J\n", "p.toml:1: a control or an invisible character: '# a\\x1b[2J'"},
        {"\uFEFF[site]\n", "p.toml:1: a control or an invisible character: '\\u{feff}[site]'"},
        {"# a\rb\n", "p.toml:1: a control or an invisible character: '# a\\rb'"},
        {"[site]\nhélp = \"x\"\n",
         "p.toml:2: a character beyond ASCII stands only within quotes or in a comment: 'hélp = \"x\"'"},
        {"[site]\nhelp = \"\"\"\nx\"\"\"\n", "p.toml:2: multi-line strings are not used in a policy"},
        {"x = 2\"\u02D6\"\n", "p.toml:1: a quote within a word: 'x = 2\"\u02D6\"'"},
        {"[site]\nhelp = '''x'''\n", "p.toml:2: multi-line strings are not used in a policy"},
        {"[site]\nhelp = \"a\\u202Eb\"\n",
         "p.toml:2: site.help: a control or an invisible character in 'a\\u{202e}b'"},
        {"[site]\nhelp = \"a\\u0000b\"\n",
         "p.toml:2: site.help: a control or an invisible character in 'a\\x00b'"},
        {"[site]\nhelp = \"a\\nb\"\n", "p.toml:2: site.help: a control or an invisible character in 'a\\nb'"},
    };
    for (const auto& [text, expected] : table) {
        const auto problems = problems_of(text);
        ASSERT_FALSE(problems.empty()) << escape(text);
        EXPECT_EQ(problems[0], expected);
    }
    EXPECT_EQ(policy_of("# Grüße\r\n[site]\r\n\thelp = \"Frag in #über\" # ✓\r\n").site.help,
              "Frag in #über");
}

TEST(Policy, that_is_nested_or_sized_beyond_reason_is_refused) {
    std::string dotted = "a";
    for (int i = 0; i < 100'000; ++i) {
        dotted += ".a";
    }
    EXPECT_THAT(problems_of(dotted + " = 1\n"), ElementsAre("p.toml:1: nested too deeply"));
    EXPECT_THAT(problems_of("[" + dotted + "]\n"), ElementsAre("p.toml:1: nested too deeply"));
    EXPECT_THAT(problems_of("a = " + std::string(100'000, '[')), ElementsAre("p.toml:1: nested too deeply"));
    EXPECT_THAT(problems_of(std::string(1024 * 1024 + 1, '\n')), ElementsAre("p.toml: larger than 1024 KiB"));
    EXPECT_THAT(problems_of(std::string(1024 * 1024, '\n')), IsEmpty());
    std::string many;
    for (int i = 0; i < 1025; ++i) {
        many += "\"u" + std::to_string(i) + "\",";
    }
    EXPECT_THAT(problems_of("[people.x]\nmembers = [" + many + "]\n"),
                ElementsAre("p.toml:2: people.x.members: more than 1024 elements"));
    EXPECT_THAT(problems_of("[site]\nhelp = \"" + std::string(4097, 'x') + "\"\n"),
                ElementsAre("p.toml:2: site.help: longer than 4096 bytes"));
}

TEST(Problem, is_one_line_and_escapes_what_came_from_the_file) {
    const Problem problem{.severity = Problem::Severity::warning,
                          .where = {"a\nb.toml", 3},
                          .key = "role.\x1B[2J",
                          .message = "found 'x\ny\u202E'"};
    EXPECT_EQ(problem.text(), "a\\nb.toml:3: warning: role.\\x1b[2J: found 'x\\ny\\u{202e}'");
    EXPECT_THAT(problems_of("[site]\n\"a\\u001B\\n\" = 1\n"),
                ElementsAre("p.toml:2: site.a\\x1b\\n: unknown key 'a\\x1b\\n'"));
    EXPECT_THAT(problems_of("[role.x]\nmax = \"" + std::string(300, 'x') + "\"\n"),
                testing::Contains(HasSubstr("'" + std::string(80, 'x') + "…': expected")));
}

TEST(Ticket, matches_as_a_whole_or_not_at_all) {
    EXPECT_TRUE(ticket_matches("INC-[0-9]+", "INC-4211"));
    EXPECT_FALSE(ticket_matches("INC-[0-9]+", "xINC-4211"));
    EXPECT_FALSE(ticket_matches("INC-[0-9]+", "INC-4211 "));
    EXPECT_FALSE(ticket_matches("INC-[0-9]+", "INC-4211\nx"));
    EXPECT_FALSE(ticket_matches("INC-[0-9]+", std::string("INC-4211\0x", 10)));
    EXPECT_FALSE(ticket_matches("INC-[0-9]+", ""));
    EXPECT_FALSE(ticket_matches("INC-[0-9]+", "inc-4211"));
    EXPECT_TRUE(ticket_matches("INC|CHG", "CHG"));
    EXPECT_FALSE(ticket_matches("INC|CHG", "INCx"));
    EXPECT_FALSE(ticket_matches("INC|CHG", "xCHG"));
    EXPECT_TRUE(ticket_matches("a|ab", "ab"));
    EXPECT_TRUE(ticket_matches("^INC-[0-9]+$", "INC-1"));
    EXPECT_TRUE(ticket_matches("a)|b", "a)"));
    EXPECT_FALSE(ticket_matches("a)|b", "a and anything"));
    EXPECT_TRUE(ticket_matches("", ""));
    EXPECT_TRUE(ticket_matches("", "anything"));
    EXPECT_FALSE(ticket_matches("(", "("));
}

} // namespace
} // namespace jit
