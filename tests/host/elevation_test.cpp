// SPDX-License-Identifier: MIT
// A command run by jit-sudo, and its end.
#include "tests/host/access.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

constexpr const char* ELEVATION_POLICY = R"(
[site]
help = "Ask in #ops-access"

[people.oncall]
members = ["bob", "carol"]

[risk.low]
auto_approve = "1h"
stages = [{ from = "oncall" }]

[role.tools]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
extend       = "2h"
authenticate = false
run_as       = ["root", "carol"]
commands     = ["/usr/bin/id **", "/usr/bin/env", "/usr/bin/sleep *", "/usr/bin/sh **", "/usr/bin/cat **"]
groups       = ["adm"]

[role.other]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
authenticate = false
commands     = ["/usr/bin/sleep *"]

[role.careful]
risk         = "low"
eligible     = ["dave"]
max          = "1h"
extend       = "2h"
needs        = "30s"
commands     = ["/usr/bin/id"]
)";

class Elevation : public testing::Test {
protected:
    Elevation() { host.policy(ELEVATION_POLICY); }

    // Processes that run `what`, by its whole command line.
    std::string running(const std::string& what) { return host.root("pgrep -fx '" + what + "'").out; }
    std::string cgroups() {
        return host.root("cd /sys/fs/cgroup/jit.slice/jit-elevations.service && ls -d *-*/ 2>/dev/null").out;
    }

    Host host;
};

TEST_F(Elevation, without_a_grant_it_is_refused_and_says_what_to_type) {
    const Result refused = host.as("alice", "jit-sudo -n id -u");
    EXPECT_EQ(refused.status, 1) << refused;
    EXPECT_THAT(refused.err, HasSubstr("no grant lets you run /usr/bin/id -u as root"));
    EXPECT_THAT(refused.err, HasSubstr("jitctl request tools --reason"));
    EXPECT_THAT(refused.err, HasSubstr("Ask in #ops-access"));
    EXPECT_THAT(host.root("jitctl audit").out, HasSubstr("run /usr/bin/id as root"));
}

TEST_F(Elevation, with_one_the_command_runs_as_root_and_is_recorded) {
    ask(host, "alice", "tools");
    const Result ran = host.as("alice", "jit-sudo -n id -u");
    EXPECT_EQ(ran.status, 0) << ran;
    EXPECT_EQ(ran.out, "0\n");
    const std::string audit = host.root("jitctl audit").out;
    EXPECT_THAT(audit, HasSubstr("use.started"));
    EXPECT_THAT(audit, HasSubstr("/usr/bin/id"));
    EXPECT_THAT(audit, HasSubstr("use.exited"));
    EXPECT_THAT(host.root("jitctl audit verify").out, HasSubstr("intact"));
    EXPECT_TRUE(eventually([&] { return cgroups().empty(); }));
}

TEST_F(Elevation, what_the_role_does_not_have_is_refused) {
    ask(host, "alice", "tools");
    for (const char* command :
         {"ls /root", "-u bob id", "-g sudo id", "/usr/bin/sleep 1 2", "-u root -g sudo id"}) {
        const Result refused = host.as("alice", std::string("jit-sudo -n ") + command);
        EXPECT_EQ(refused.status, 1) << command << refused;
        EXPECT_THAT(refused.err, HasSubstr("no grant lets you run")) << refused;
    }
    EXPECT_EQ(host.as("bob", "jit-sudo -n id").status, 1);
}

TEST_F(Elevation, the_target_has_exactly_the_targets_ids_and_groups) {
    ask(host, "alice", "tools");
    EXPECT_EQ(host.as("alice", "jit-sudo -n -u carol id").out, host.root("id carol").out);
    EXPECT_EQ(host.as("alice", "jit-sudo -n id").out, host.root("id root").out);
}

TEST_F(Elevation, a_group_alone_is_the_caller_plus_that_group) {
    ask(host, "alice", "tools");
    EXPECT_EQ(host.as("alice", "jit-sudo -n -g adm id -un").out, "alice\n");
    EXPECT_EQ(host.as("alice", "jit-sudo -n -g adm id -gn").out, "adm\n");
    const std::string own = host.as("alice", "id -Gn | tr ' ' '\\n' | sort").out;
    const std::string with =
        host.as("alice", "jit-sudo -n -g adm id -Gn | tr ' ' '\\n' | grep -v adm | sort").out;
    EXPECT_EQ(with, own);
}

TEST_F(Elevation, exit_codes_and_signals_come_back) {
    ask(host, "alice", "tools");
    EXPECT_EQ(host.as("alice", "jit-sudo -n sh -c 'exit 42'").status, 42);
    EXPECT_EQ(host.as("alice", "jit-sudo -n sh -c 'kill -TERM $$'; echo $?").out, "143\n");
    EXPECT_EQ(host.as("alice", "echo in | jit-sudo -n cat").out, "in\n");
    EXPECT_EQ(host.as("alice", "jit-sudo -n cat /nonesuch").status, 1);
}

TEST_F(Elevation, the_environment_is_made_anew) {
    ask(host, "alice", "tools");
    const std::string out = host.as("alice", "export LD_PRELOAD=/x BASH_ENV=/x PERL5LIB=/x TZ=/x FOO=bar "
                                             "SQLITE_TMPDIR=/x PATH=/tmp:$PATH; jit-sudo -n env")
                                .out;
    for (const char* bad : {"LD_PRELOAD", "BASH_ENV", "PERL5LIB", "FOO", "SQLITE", "/tmp", "TZ="}) {
        EXPECT_THAT(out, Not(HasSubstr(bad)));
    }
    for (const char* good :
         {"HOME=/root\n", "USER=root\n", "SUDO_USER=alice\n", "JIT_GRANT=", "JIT_EXPIRES="}) {
        EXPECT_THAT(out, HasSubstr(good));
    }
}

TEST_F(Elevation, it_has_a_terminal_of_its_own_where_there_is_one) {
    ask(host, "alice", "tools");
    const Result ran = host.as("alice", "tty; jit-sudo -n sh -c 'tty; test -t 0 && echo yes'", {.tty = true});
    EXPECT_EQ(ran.status, 0) << ran;
    EXPECT_THAT(ran.out, HasSubstr("yes"));
    const std::size_t first = ran.out.find("/dev/pts/");
    const std::size_t second = ran.out.find("/dev/pts/", first + 1);
    ASSERT_NE(second, std::string::npos) << ran;
    EXPECT_NE(ran.out.substr(first, 11), ran.out.substr(second, 11));
}

TEST_F(Elevation, nothing_of_it_lives_on_after_the_end) {
    ask(host, "alice", "tools --for 6s");
    const Result ran = host.as("alice", "jit-sudo -n sh -c '"
                                        "sleep 1001 & nohup sleep 1002 >/dev/null 2>&1 & "
                                        "setsid sh -c \"trap \\\"\\\" TERM HUP INT; sleep 1003 & wait\" & "
                                        "(setsid sleep 1004 &) & "
                                        "kill -STOP $! ; "
                                        "su - bob -c \"nohup sleep 1005 >/dev/null 2>&1 &\" ; "
                                        "exit 0' >/dev/null 2>&1 </dev/null; true");
    EXPECT_EQ(ran.status, 0) << ran;
    EXPECT_THAT(host.root("pgrep -f 'sleep 100[0-9]' | wc -l").out, Not(testing::StartsWith("0")));
    EXPECT_THAT(running("sleep 1005"), Not(IsEmpty()));
    EXPECT_TRUE(eventually([&] { return host.root("pgrep -f 'sleep 100[0-9]'").out.empty(); }, 10s))
        << host.root("pgrep -af 'sleep 100[0-9]'");
    EXPECT_TRUE(eventually([&] { return cgroups().empty(); }));
    EXPECT_THAT(host.root("jitctl audit").out, HasSubstr("use.ended"));
}

TEST_F(Elevation, release_and_revoke_end_it_at_once) {
    for (const bool revoke : {false, true}) {
        const std::string id = ask(host, "alice", "tools");
        Session running_one = host.begin_as("alice", "jit-sudo -n sleep 1001");
        ASSERT_TRUE(eventually([&] { return !running("sleep 1001").empty(); }));
        EXPECT_EQ(revoke ? host.root("jitctl revoke " + id + " --reason over").status
                         : host.as("alice", "jitctl release " + id).status,
                  0);
        EXPECT_TRUE(eventually([&] { return running("sleep 1001").empty(); }, 2s));
        EXPECT_TRUE(running_one.wait().has_value());
    }
}

TEST_F(Elevation, who_is_ended_early_is_told_why) {
    for (const auto& [end, said] :
         {std::pair("jitctl revoke {} --reason 'nginx is well again'",
                    "root revoked tools: nginx is well again"),
          std::pair("sed -i 's|\"/usr/bin/sleep \\*\", ||' /etc/jit/policy.toml; jitctl policy reload",
                    "tools no longer gives this")}) {
        const std::string id = ask(host, "alice", "tools");
        Session one = host.begin_as("alice", "jit-sudo -n sleep 1001");
        ASSERT_TRUE(eventually([&] { return !running("sleep 1001").empty(); }));
        std::string command = end;
        if (const auto at = command.find("{}"); at != std::string::npos) {
            command.replace(at, 2, id);
        }
        EXPECT_EQ(host.root(command).status, 0) << command;
        const auto ended = one.wait(5s);
        ASSERT_TRUE(ended);
        EXPECT_NE(ended->status, 0) << *ended;
        EXPECT_THAT(ended->err, HasSubstr(said + std::string("; the command was killed"))) << *ended;
    }
}

TEST_F(Elevation, what_one_has_and_may_run_is_listed) {
    EXPECT_THAT(host.as("alice", "jit-sudo -l").out, HasSubstr("you have no grant"));
    const std::string id = ask(host, "alice", "tools");
    ask(host, "dave", "careful");
    const Result run = host.as("alice", "jit-sudo -l");
    EXPECT_EQ(run.status, 0);
    EXPECT_THAT(run.out,
                AllOf(HasSubstr(id + "  tools until "), HasSubstr("59 min"), HasSubstr("/usr/bin/sleep *"),
                      HasSubstr("as root or carol"), HasSubstr("adm"), Not(HasSubstr("careful"))));
}

TEST_F(Elevation, how_each_command_ended_is_recorded_also_of_many_at_the_end) {
    ask(host, "alice", "tools --for 6s");
    const Result run = host.as("alice", "for i in 1 2 3 4 5 6; do jit-sudo -n sleep 50 & done; wait");
    EXPECT_TRUE(eventually([&] {
        return host.root("jitctl audit --kind use.ended | grep -c signal=").out == "6\n";
    })) << run
        << host.root("jitctl audit").out;
    EXPECT_EQ(host.root("jitctl audit --kind use.exited | grep -c signal=").out, "6\n");
}

TEST_F(Elevation, one_long_word_hides_no_other_from_the_trail) {
    const std::string padding(5000, 'a');
    const Result refused = host.as("alice", "jit-sudo -n tail " + padding + " /etc/shadow");
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.err, HasSubstr("/etc/shadow"));
    EXPECT_THAT(host.root("jitctl audit --kind request.refused").out,
                AllOf(HasSubstr("/etc/shadow"), HasSubstr("argv_blake2b="), HasSubstr("argv_bytes=5026")));
    ask(host, "alice", "tools");
    EXPECT_EQ(host.as("alice", "jit-sudo -n id -u " + padding + " --seen").status, 1) << "id's own";
    EXPECT_THAT(host.root("jitctl audit --kind use.started").out,
                AllOf(HasSubstr("--seen"), HasSubstr("argv_cut=true")));
}

TEST_F(Elevation, where_a_directory_is_a_link_the_policy_is_warned_about_and_explain_knows_it) {
    host.write("/root/linked.toml", "[risk.low]\nauto_approve = \"1h\"\n[role.linked]\nrisk = \"low\"\n"
                                    "eligible = [\"alice\"]\nmax = \"1h\"\ncommands = [\"/bin/id\"]\n");
    const Result checked = host.root("jitctl policy check /root/linked.toml");
    EXPECT_THAT(checked.out + checked.err, HasSubstr("/bin is /usr/bin on this host")) << checked;
    EXPECT_THAT(checked.out + checked.err, HasSubstr("write /usr/bin/id"));
    EXPECT_EQ(host.as("alice", "jitctl explain -- /bin/cat /etc/hostname").out,
              host.as("alice", "jitctl explain -- /usr/bin/cat /etc/hostname").out);
}

TEST_F(Elevation, what_it_is_for_is_recorded_and_goes_into_the_suggestion) {
    EXPECT_THAT(host.as("alice", "jit-sudo -n -r \"it's stuck\" id").err,
                HasSubstr("jitctl request tools --reason 'it'\\''s stuck'"));
    ask(host, "alice", "tools");
    EXPECT_EQ(host.as("alice", "jit-sudo -n -r $'stuck\\e[2J' id").status, 0);
    const std::string audit = host.root("jitctl audit --kind use.started").out;
    EXPECT_THAT(audit, HasSubstr("stuck\\\\x1b[2J"));
    EXPECT_THAT(audit, Not(HasSubstr("\x1b")));
    EXPECT_EQ(host.as("alice", "jit-sudo -n -r $(printf '%1001s' x | tr ' ' x) id").status, 1);
}

TEST_F(Elevation, who_forks_without_a_pause_in_anothers_service_manager_ends_too) {
    host.copy(JIT_FORK_CHAIN, "/usr/local/bin/fork_chain", "0755");
    host.root("systemctl start user@$(id -u carol)");
    ASSERT_TRUE(eventually(
        [&] { return host.root("test -S /run/user/$(id -u carol)/systemd/private").status == 0; }));
    // What is listed before it takes so long to read that it is another process by then.
    host.root("for i in $(seq 500); do setsid sleep 900 </dev/null >/dev/null 2>&1 & done");
    const std::string id = ask(host, "alice", "tools");
    const auto beats = [&] { return host.root("cat /home/carol/beat 2>/dev/null | wc -c").out; };
    const Result run = host.as("alice", "jit-sudo -n -u carol sh -c 'cd; XDG_RUNTIME_DIR=/run/user/$(id -u) "
                                        "systemd-run --user --scope -q fork_chain ~/beat 30 "
                                        "</dev/null >/dev/null 2>&1; sleep 2'");
    EXPECT_EQ(run.status, 0) << run;
    std::string before = beats();
    ASSERT_TRUE(eventually([&] { return beats() != before; })) << "nothing forks";
    EXPECT_EQ(host.root("jitctl audit --kind use.ended").out, "") << "it was taken for ended";
    EXPECT_EQ(host.root("jitctl revoke " + id + " --reason enough").status, 0);
    EXPECT_TRUE(eventually([&] { return !host.root("jitctl audit --kind use.ended").out.empty(); }));
    before = beats();
    EXPECT_FALSE(eventually([&] { return beats() != before; }, 2s));
}

TEST_F(Elevation, it_goes_on_through_an_extension_and_ends_with_it) {
    const std::string id = ask(host, "alice", "tools --for 8s"); // so that a slow host can extend it in time
    Session running_one = host.begin_as("alice", "jit-sudo -n sleep 1001");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1001").empty(); }));
    EXPECT_EQ(host.as("alice", "jitctl extend " + id + " --for 6s --reason more").status, 0);
    EXPECT_TRUE(eventually([&] { return state(host, id) == "ended (expired)"; }, 12s));
    EXPECT_THAT(running("sleep 1001"), Not(IsEmpty()));
    EXPECT_TRUE(eventually([&] { return running("sleep 1001").empty(); }, 12s));
}

TEST_F(Elevation, what_another_grant_gives_too_is_left) {
    const std::string first = ask(host, "alice", "tools");
    ask(host, "alice", "other");
    Session running_one = host.begin_as("alice", "jit-sudo -n sleep 1001");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1001").empty(); }));
    EXPECT_EQ(host.as("alice", "jitctl release " + first).status, 0);
    EXPECT_FALSE(eventually([&] { return running("sleep 1001").empty(); }, 1s));
}

TEST_F(Elevation, a_role_that_gives_it_no_more_ends_it) {
    ask(host, "alice", "tools");
    Session running_one = host.begin_as("alice", "jit-sudo -n sleep 1001");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1001").empty(); }));
    std::string less = ELEVATION_POLICY;
    less.replace(less.find("\"/usr/bin/sleep *\", "), 20, "");
    host.policy(less);
    EXPECT_TRUE(eventually([&] { return running("sleep 1001").empty(); }, 2s));
}

TEST_F(Elevation, killing_jitd_neither_ends_nor_prolongs_it) {
    ask(host, "alice", "tools --for 6s");
    Session running_one = host.begin_as("alice", "jit-sudo -n sleep 1001");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1001").empty(); }));
    host.root("systemctl kill -s KILL jitd.service");
    EXPECT_TRUE(eventually([&] { return host.root("systemctl is-active jitd").out == "active\n"; }));
    EXPECT_THAT(running("sleep 1001"), Not(IsEmpty()));
    EXPECT_EQ(host.as("alice", "jit-sudo -n id -u").out, "0\n");
    EXPECT_TRUE(eventually([&] { return running("sleep 1001").empty(); }, 10s));
    EXPECT_THAT(host.root("jitctl audit verify").out, HasSubstr("intact"));
}

TEST_F(Elevation, its_jit_sudo_comes_back_to_a_jitd_that_was_started_anew) {
    const std::string id = ask(host, "alice", "tools --for 20s");
    Session session = host.begin_as("alice", "jit-sudo -n sh -c 'echo in; sleep 22; exit 7'");
    ASSERT_TRUE(session.shows("in"));
    for (int time = 0; time < 2; ++time) {
        host.root("pkill -9 -x jitd; sleep 1");
    }
    // It hears of more time, and says how it ended.
    EXPECT_EQ(host.as("alice", "jitctl extend " + id + " --for 1m --reason more").status, 0);
    const auto ended = session.wait(40s);
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->status, 7) << *ended;
    EXPECT_TRUE(eventually(
        [&] { return host.root("jitctl audit --kind use.exited").out.find("exit=7") != std::string::npos; }));
}

TEST_F(Elevation, what_ended_while_jitd_was_down_is_killed) {
    ask(host, "alice", "tools");
    Session session = host.begin_as("alice", "jit-sudo sh -c 'echo in; sleep 600'", {.tty = true});
    ASSERT_TRUE(session.shows("in"));
    host.root("systemctl stop jitd.socket jitd-helper.socket jitd.service");
    host.write("/etc/jit/policy.toml", "[risk.low]\nauto_approve = \"1h\"\n", "0600");
    host.root("systemctl start jitd.socket jitd-helper.socket jitd.service");
    EXPECT_TRUE(session.wait(5s));
    EXPECT_EQ(running("sleep 600"), "");
}

TEST_F(Elevation, how_it_ended_is_recorded_also_where_jitd_was_down_then) {
    host.root(
        "mkdir -p /run/systemd/system/jitd.service.d && printf '[Service]\\nExecStartPre=/bin/sleep 4\\n' "
        ">/run/systemd/system/jitd.service.d/slow.conf && systemctl daemon-reload");
    ask(host, "alice", "tools");
    Session session = host.begin_as("alice", "jit-sudo -n sh -c 'echo in; sleep 2; exit 7'");
    ASSERT_TRUE(session.shows("in"));
    host.root("pkill -9 -x jitd");
    const auto ended = session.wait(4s);
    ASSERT_TRUE(ended) << "it waits for nobody";
    EXPECT_EQ(ended->status, 7) << *ended;
    EXPECT_TRUE(eventually(
        [&] { return host.root("jitctl audit --kind use.exited").out.find("exit=7") != std::string::npos; },
        15s));
}

TEST_F(Elevation, the_sweep_ends_it_when_jitd_and_the_helper_are_stopped) {
    ask(host, "alice", "tools --for 3s");
    Session running_one = host.begin_as("alice", "jit-sudo -n sleep 1001");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1001").empty(); }));
    host.root("systemctl kill -s STOP jitd.service; pkill -STOP -x jit-sudo");
    EXPECT_FALSE(eventually([&] { return running("sleep 1001").empty(); }, 5s)) << "who ended it?";
    host.root("systemctl start jit-sweep.service"); // as its timer does twice a minute
    EXPECT_TRUE(eventually([&] { return running("sleep 1001").empty(); }, 2s));
    host.root("systemctl kill -s CONT jitd.service");
}

TEST_F(Elevation, the_sweep_leaves_what_lives_and_its_timer_runs) {
    ask(host, "alice", "tools");
    Session running_one = host.begin_as("alice", "jit-sudo -n sleep 1001");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1001").empty(); }));
    EXPECT_EQ(host.root("systemctl start jit-sweep.service").status, 0);
    EXPECT_THAT(running("sleep 1001"), Not(IsEmpty()));
    EXPECT_EQ(host.root("systemctl is-active jit-sweep.timer").out, "active\n");
    // With nothing to go by, everything goes.
    host.root("rm /run/jit/live; systemctl start jit-sweep.service");
    EXPECT_TRUE(eventually([&] { return running("sleep 1001").empty(); }, 2s));
}

TEST_F(Elevation, a_killed_helper_leaves_its_command_to_the_end_of_the_grant_and_no_longer) {
    ask(host, "alice", "tools --for 6s");
    Session running_one = host.begin_as("alice", "jit-sudo -n sleep 1001");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1001").empty(); }));
    host.root("pkill -KILL -x jit-sudo");
    EXPECT_TRUE(eventually([&] { return running("sleep 1001").empty(); }, 10s));
    EXPECT_TRUE(eventually([&] { return cgroups().empty(); }));
}

TEST_F(Elevation, nobody_approves_from_inside_one) {
    ask(host, "alice", "tools");
    host.policy(std::string(ELEVATION_POLICY) +
                "[role.asked]\nrisk = \"asked\"\neligible = [\"dave\"]\nmax = \"1h\"\n"
                "groups = [\"adm\"]\n[risk.asked]\n"
                "stages = [{ from = \"oncall\" }]\n");
    const std::string id = ask(host, "dave", "asked");
    const Result refused = host.as("alice", "jit-sudo -n -u carol sh -c 'jitctl approve " + id + "'");
    EXPECT_NE(refused.status, 0) << refused;
    EXPECT_EQ(state(host, id), "pending");
}

TEST_F(Elevation, a_command_with_too_little_time_left_is_not_started) {
    const std::string id = ask(host, "dave", "careful --for 20s");
    const Result refused = host.as("dave", "jit-sudo -n id");
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.err, HasSubstr("starts no command with less than 30s"));
    EXPECT_THAT(refused.err, HasSubstr("jitctl extend " + id + " --reason"));
    EXPECT_EQ(host.as("dave", "jitctl extend " + id + " --for 5m --reason more").status, 0);
    EXPECT_THAT(host.as("dave", "jit-sudo -n id").err, HasSubstr("password")) << "time is no matter now";
}

TEST_F(Elevation, a_password_is_asked_for_where_the_role_does_not_say_otherwise) {
    ask(host, "dave", "careful");
    const Result refused = host.as("dave", "jit-sudo -n id -u");
    EXPECT_EQ(refused.status, 1);
    Session dave = host.begin_as("dave", "jit-sudo id", {.tty = true});
    ASSERT_TRUE(dave.shows("assword"));
    dave.type("pw-dave\n");
    const auto ran = dave.wait();
    ASSERT_TRUE(ran.has_value());
    EXPECT_EQ(ran->status, 0) << *ran;
    EXPECT_THAT(ran->out, HasSubstr("uid=0(root)"));
    EXPECT_THAT(ran->out, Not(HasSubstr("pw-dave")));
}

TEST_F(Elevation, an_upgrade_ends_nothing) {
    ask(host, "alice", "tools");
    Session running_one = host.begin_as("alice", "jit-sudo -n sleep 1001");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1001").empty(); }));
    EXPECT_EQ(host.root("dpkg -i /root/package.deb").status, 0);
    EXPECT_THAT(running("sleep 1001"), Not(IsEmpty()));
    EXPECT_EQ(host.as("alice", "jit-sudo -n id -u").out, "0\n");
}

TEST_F(Elevation, stopping_the_unit_is_the_panic_button) {
    ask(host, "alice", "tools");
    Session running_one = host.begin_as("alice", "jit-sudo -n sleep 1001");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1001").empty(); }));
    host.root("systemctl stop jit-elevations.service");
    EXPECT_THAT(running("sleep 1001"), IsEmpty());
    const Result refused = host.as("alice", "jit-sudo -n id");
    EXPECT_EQ(refused.status, 1) << refused;
    EXPECT_THAT(refused.err, HasSubstr("jit-elevations.service"));
}

TEST_F(Elevation, many_at_once_all_end_in_the_same_second) {
    ask(host, "alice", "tools --for 12s");
    Session many = host.begin_as("alice", "for i in $(seq 40); do jit-sudo -n sleep 1001 & done; wait");
    ASSERT_TRUE(eventually([&] { return host.root("pgrep -cfx 'sleep 1001'").out == "40\n"; }, 10s));
    EXPECT_TRUE(eventually([&] { return running("sleep 1001").empty(); }, 15s));
    EXPECT_TRUE(eventually([&] { return cgroups().empty(); }));
}

} // namespace
} // namespace jit::host
