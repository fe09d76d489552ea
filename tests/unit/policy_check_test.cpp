// SPDX-License-Identifier: MIT
// The sense of the policy: what is said of names that lead nowhere, limits that contradict and approvals that
// can't be.
#include "tests/unit/policy_kit.h"

#include <utility>

namespace jit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Limits, that_contradict_each_other_are_refused) {
    const std::string login = "login = [\"sshd\"]\nmax = \"1h\"\n";
    const std::vector<std::pair<std::string, std::string>> table = {
        {"extend = \"30m\"",
         "p.toml:4: role.web.extend: 30m is less than max, 1h: it is the longest a chain of extensions "
         "may reach, the first grant included"},
        {"needs = \"1h\"",
         "p.toml:4: role.web.needs: 1h is not less than max, 1h: no command could ever start"},
        {"needs = \"2h\"",
         "p.toml:4: role.web.needs: 2h is not less than max, 1h: no command could ever start"},
    };
    for (const auto& [line, expected] : table) {
        EXPECT_THAT(problems_of(role(login + line)), ElementsAre(expected));
    }
    EXPECT_THAT(problems_of(role(login + "extend = \"1h\"\nneeds = \"59m59s\"")), IsEmpty());
}

TEST(Uses, count_commands_and_nothing_else) {
    const std::string commands = "max = \"1h\"\ncommands = [\"/usr/bin/id\"]\n";
    EXPECT_EQ(policy_of(role(commands + "uses = 1")).roles.at("web").uses, 1U);
    EXPECT_EQ(policy_of(role(commands + "uses = 10000")).roles.at("web").uses, 10'000U);
    EXPECT_EQ(policy_of(role(commands)).roles.at("web").uses, std::nullopt);
    for (const char* number : {"0", "-1", "10001"}) {
        EXPECT_THAT(problems_of(role(commands + "uses = " + number)),
                    ElementsAre(std::string("p.toml:4: role.web.uses: expected 1 to 10000 commands, found ") +
                                number));
    }
    EXPECT_THAT(problems_of(role(commands + "uses = \"1\"")),
                ElementsAre("p.toml:4: role.web.uses: expected a whole number, found the string '1'"));
    for (const std::string key : {"login", "groups", "memberships"}) {
        EXPECT_THAT(problems_of(role(commands + key + " = [\"sshd\"]\nuses = 1")),
                    ElementsAre("p.toml:5: role.web.uses: counts commands only, and the role has '" + key +
                                "' as well: write that into a role of its own"));
    }
}

TEST(UnusedGrants, end_where_all_that_a_role_gives_can_be_seen_in_use) {
    const std::string login = "max = \"1h\"\nlogin = [\"sshd\"]\n";
    const Role web = policy_of(role(login + "idle = \"1m\"\ncloses = true")).roles.at("web");
    EXPECT_EQ(web.idle, std::chrono::minutes(1));
    EXPECT_TRUE(web.closes);
    EXPECT_FALSE(policy_of(role(login)).roles.at("web").idle);
    EXPECT_FALSE(policy_of(role(login + "closes = false")).roles.at("web").closes);
    const std::vector<std::pair<std::string, std::string>> table = {
        {"idle = \"59s\"", "idle: at least 1m"},
        {"idle = 60",
         "idle: expected a duration in quotes with a unit, such as \"45s\", \"30m\" or \"1h\", found the "
         "integer 60"},
        {"idle = \"1h\"", "idle: 1h is not less than max, 1h: it would never be reached"},
        {"closes = \"yes\"", "closes: expected true or false, found the string 'yes'"},
    };
    for (const auto& [line, expected] : table) {
        EXPECT_THAT(problems_of(role(login + line)), ElementsAre("p.toml:4: role.web." + expected));
    }
    EXPECT_THAT(problems_of(role(login + "idle = \"1h\"\nextend = \"2h\"")), IsEmpty());
    EXPECT_THAT(
        problems_of(role(login + "idle = \"2h\"\nextend = \"2h\"")),
        ElementsAre("p.toml:4: role.web.idle: 2h is not less than extend, 2h: it would never be reached"));
    const std::string unseen =
        "nobody sees whether a membership is used: write 'memberships' into a role of their own";
    for (const std::string key : {"idle = \"5m\"", "closes = true"}) {
        EXPECT_THAT(problems_of(role(login + "memberships = [\"www\"]\n" + key)),
                    ElementsAre("p.toml:5: role.web." + key.substr(0, key.find(' ')) + ": " + unseen));
    }
}

TEST(Role, of_an_unknown_risk_is_refused) {
    const std::string web = "[role.web]\nmax = \"1h\"\nlogin = [\"sshd\"]\neligible = [\"alice\"]\n";
    EXPECT_THAT(problems_of(web + "risk = \"meduim\"\n" + oncall),
                ElementsAre("p.toml:5: role.web.risk: there is no [risk.meduim]; did you mean 'medium'?"));
    EXPECT_THAT(problems_of(web + "risk = \"x\"\n"),
                ElementsAre("p.toml:5: role.web.risk: there is no [risk.x]"));
}

TEST(Stage, of_unknown_people_is_refused) {
    EXPECT_THAT(
        problems_of("[risk.x]\nstages = [\n{ from = \"oncall\" },\n{ from = \"on-call\" }]\n" + oncall),
        ElementsAre("p.toml:4: risk.x.stages[1].from: there is no [people.on-call]; did you mean 'oncall'?"));
}

TEST(Stage, that_wants_signatures_of_people_without_signers_is_refused) {
    EXPECT_THAT(
        problems_of("[risk.x]\nstages = [{ from = \"oncall\", signed = true }]\n" + oncall),
        ElementsAre(
            "p.toml:2: risk.x.stages[0].signed: [people.oncall] (p.toml:4) has no signers, so nobody's "
            "signature counts"));
}

TEST(Stage, that_wants_more_approvals_than_there_are_people_is_refused) {
    EXPECT_THAT(
        problems_of("[risk.x]\nstages = [{ from = \"oncall\", count = 3 }]\n" + oncall),
        ElementsAre(
            "p.toml:2: risk.x.stages[0].count: 3 approvals are wanted of [people.oncall], which has 2 "
            "members"));
    EXPECT_THAT(problems_of("[risk.x]\nstages = [{ from = \"oncall\", count = 2 }]\n" + oncall), IsEmpty());
    EXPECT_THAT(problems_of("[people.all]\nmembers = [\"bob\", \"@sre\"]\n"
                            "[risk.x]\nstages = [{ from = \"all\", count = 16 }]\n"),
                IsEmpty()); // who is in @sre is not known here
}

TEST(Stages, that_distinct_people_could_not_satisfy_together_are_refused) {
    const std::string message =
        "can't be satisfied together: each stage needs people of its own, and there are too few";
    EXPECT_THAT(problems_of("[people.a]\nmembers = [\"bob\"]\n[people.b]\nmembers = [\"bob\"]\n"
                            "[risk.x]\nstages = [{ from = \"a\" }, { from = \"b\" }]\n"),
                ElementsAre("p.toml:6: risk.x.stages: " + message));
    EXPECT_THAT(problems_of("[risk.x]\nstages = [{ from = \"oncall\", count = 2 }, { from = \"oncall\" }]\n" +
                            oncall),
                ElementsAre("p.toml:2: risk.x.stages: " + message));
    // bob is wanted by the first stage too, but carol can take that place.
    EXPECT_THAT(problems_of("[people.b]\nmembers = [\"bob\"]\n"
                            "[risk.x]\nstages = [{ from = \"oncall\" }, { from = \"b\" }]\n" +
                            oncall),
                IsEmpty());
}

TEST(Role, that_only_the_one_who_asks_could_approve_is_warned_of) {
    EXPECT_THAT(
        problems_of(
            "[role.web]\nmax = \"1h\"\nlogin = [\"sshd\"]\nrisk = \"x\"\neligible = [\"alice\", \"bob\"]\n"
            "[people.a]\nmembers = [\"bob\"]\n[risk.x]\nstages = [{ from = \"a\" }]\n"),
        ElementsAre(
            "p.toml:5: warning: role.web.eligible: the stages of risk x can't be satisfied without bob, and "
            "nobody approves a request of their own"));
    EXPECT_TRUE(parse_policy({{"p.toml", role("max = \"1h\"\nlogin = [\"sshd\"]")}}).policy);
}

TEST(Role, that_outlasts_what_its_risk_could_ever_approve_is_warned_of) {
    EXPECT_THAT(
        problems_of("[role.web]\nmax = \"8h\"\nlogin = [\"sshd\"]\nrisk = \"low\"\neligible = [\"alice\"]\n" +
                    oncall),
        ElementsAre(
            "p.toml:2: warning: role.web.max: risk low approves 4h at most and has no stages: longer is "
            "always refused"));
}

TEST(Person, is_called_by_one_of_their_accounts) {
    EXPECT_THAT(
        problems_of("[person.bob]\naccounts = [\"bob-adm\"]\n"),
        ElementsAre(
            "p.toml:2: person.bob.accounts: must contain 'bob' itself: a person is called by the name of "
            "one of their accounts"));
}

TEST(Account, of_two_persons_is_refused) {
    EXPECT_THAT(
        problems_of(
            "[person.bob]\naccounts = [\"bob\", \"ops\"]\n[person.eve]\naccounts = [\"eve\", \"ops\"]\n"),
        ElementsAre("p.toml:4: person.eve.accounts: 'ops' is an account of person bob already (p.toml:1)"));
    EXPECT_THAT(
        problems_of("[person.bob]\n[person.eve]\naccounts = [\"eve\", \"bob\"]\n"),
        ElementsAre("p.toml:3: person.eve.accounts: 'bob' is an account of person bob already (p.toml:1)"));
}

TEST(Account, of_a_person_is_refused_where_a_person_is_meant) {
    const std::string bob = "\n[person.bob]\naccounts = [\"bob\", \"bob-adm\"]\n";
    const std::string message = "'bob-adm' is an account of person bob: write \"bob\"";
    EXPECT_THAT(problems_of("[people.x]\nmembers = [\"bob-adm\"]" + bob),
                ElementsAre("p.toml:2: people.x.members: " + message));
    EXPECT_THAT(problems_of("[site]\nauditors = [\"bob-adm\"]" + bob),
                ElementsAre("p.toml:2: site.auditors: " + message));
    EXPECT_THAT(
        problems_of(
            "[role.web]\nmax = \"1h\"\nlogin = [\"sshd\"]\nrisk = \"medium\"\neligible = [\"bob-adm\"]" +
            bob + oncall),
        ElementsAre("p.toml:5: role.web.eligible: " + message));
    EXPECT_THAT(problems_of("[people.x]\nmembers = [\"@bob-adm\"]" + bob), IsEmpty()); // a group of that name
}

TEST(Principal, is_one_persons_only) {
    EXPECT_THAT(problems_of("[person.bob]\nprincipals = [\"a@b\"]\n[person.eve]\nprincipals = [\"a@b\"]\n"),
                ElementsAre("p.toml:4: person.eve.principals: 'a@b' is a principal of person bob already"));
    EXPECT_THAT(
        problems_of("[person.eve]\nprincipals = [\"bob\"]\n[people.x]\nmembers = [\"bob\"]\n"),
        ElementsAre(
            "p.toml:2: person.eve.principals: 'bob' is also the account of person bob, whose principal it "
            "is by default"));
    EXPECT_THAT(
        problems_of("[person.bob]\naccounts = [\"bob\", \"ops\"]\nprincipals = [\"x\"]\n"
                    "[person.eve]\nprincipals = [\"ops\"]\n"),
        ElementsAre(HasSubstr("p.toml:5: person.eve.principals: 'ops' is also the account of person bob")));
}

TEST(Command, that_allows_more_than_it_seems_to_is_warned_of) {
    EXPECT_THAT(
        problems_of(
            role("max = \"1h\"\nrun_as = [\"www-data\"]\ncommands = [\n\"/bin/a **\",\n\"/bin/b --c=*\"]")),
        ElementsAre(
            "p.toml:5: warning: role.web.commands[0]: ** allows any arguments, options included",
            "p.toml:6: warning: role.web.commands[1]: a wildcard in an option allows any value, and with "
            "it perhaps other options"));
}

TEST(Command, that_is_a_shell_in_disguise_is_warned_of) {
    const auto warned = [](const std::string& command) {
        const auto problems =
            problems_of(role("max = \"1h\"\nrun_as = [\"www-data\"]\ncommands = [\"" + command + "\"]"));
        return std::ranges::any_of(problems, [](const std::string& line) {
            return line.find("a shell in disguise") != std::string::npos;
        });
    };
    for (const char* command : {"/usr/bin/vim /etc/motd",
                                "/usr/bin/vim.tiny",
                                "/usr/bin/nano",
                                "/usr/bin/less /var/log/syslog",
                                "/usr/bin/man",
                                "/usr/bin/python3",
                                "/usr/bin/python3.11 *",
                                "/usr/bin/perl -e *",
                                "/usr/bin/find /srv *",
                                "/usr/bin/find **",
                                "/usr/bin/tar -xf *",
                                "/usr/bin/env **",
                                "/usr/bin/git pull *",
                                "/usr/bin/tee *",
                                "/usr/bin/cp * /srv/",
                                "/usr/bin/systemctl **",
                                "/usr/bin/systemctl * nginx",
                                "/usr/bin/systemctl edit *",
                                "/usr/bin/apt-get install *",
                                "/usr/bin/docker run *",
                                "/usr/sbin/visudo",
                                "/usr/bin/gdb",
                                "/usr/sbin/tcpdump -i *",
                                "/usr/bin/mysql",
                                "/usr/bin/crontab -u *",
                                "/usr/bin/screen"}) {
        EXPECT_TRUE(warned(command)) << command;
    }
    for (const char* command :
         {"/usr/bin/systemctl restart nginx", "/usr/bin/systemctl restart *",
          "/usr/bin/journalctl -u nginx -n *", "/usr/bin/tar -czf /backup.tgz /etc",
          "/usr/bin/python3 /opt/reindex.py", "/usr/bin/find /srv -newer /x", "/usr/bin/id **",
          "/usr/bin/cat /var/log/*", "/usr/bin/awk -f /opt/report.awk", "/usr/sbin/reboot", "/opt/viewer",
          "/opt/lessons *"}) {
        EXPECT_FALSE(warned(command)) << command;
    }
    EXPECT_THAT(
        problems_of(role("max = \"1h\"\ncommands = [\"/usr/bin/vi /etc/motd\"]")),
        testing::Contains("p.toml:3: warning: role.web.commands[0]: '/usr/bin/vi /etc/motd' is a shell in "
                          "disguise: an editor starts a shell, and writes any file"));
}

TEST(Role, that_gives_root_without_a_signature_is_warned_of) {
    const auto warning = [](const std::string& what) {
        return "p.toml:1: warning: role.web: gives root (" + what +
               "), and risk medium has no signed stage: whoever is root here can forge a local approval";
    };
    const std::string max = "max = \"1h\"\n";
    EXPECT_THAT(problems_of(role(max + "commands = [\"/usr/bin/bash\"]")),
                ElementsAre(warning("'/usr/bin/bash' as root")));
    EXPECT_THAT(problems_of(role(max + "commands = [\"/usr/bin/vim\"]")),
                testing::Contains(warning("'/usr/bin/vim' as root")));
    EXPECT_THAT(problems_of(role(max + "commands = [\"/usr/bin/apt **\"]")),
                testing::Contains(warning("'/usr/bin/apt **' as root")));
    for (const auto* group : {"docker", "lxd", "libvirt", "disk", "shadow", "adm", "wheel", "sudo", "kmem"}) {
        EXPECT_THAT(problems_of(role(max + "groups = [\"" + group + "\"]")),
                    ElementsAre(warning(std::string("group ") + group)));
        EXPECT_THAT(problems_of(role(max + "memberships = [\"" + group + "\"]")),
                    ElementsAre(warning(std::string("group ") + group)));
    }
    EXPECT_THAT(problems_of(role(max + "run_as = [\"www-data\"]\ncommands = [\"/usr/bin/bash\"]")),
                IsEmpty());
    EXPECT_THAT(problems_of(role(max + "commands = [\"/usr/bin/systemctl restart nginx\"]")), IsEmpty());
    EXPECT_THAT(
        problems_of(
            "[role.web]\nmax = \"1h\"\ngroups = [\"docker\"]\nrisk = \"high\"\neligible = [\"alice\"]\n"
            "[people.sec]\nmembers = [\"dana\"]\nsigners = \"/etc/jit/signers.d/sec\"\n"
            "[risk.high]\nstages = [{ from = \"sec\", signed = true }]\n"),
        IsEmpty());
}

} // namespace
} // namespace jit
