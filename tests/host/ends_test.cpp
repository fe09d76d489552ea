// SPDX-License-Identifier: MIT
// Grants that end before their time by what was done with them, and what is said then.
#include "tests/host/logins.h"

#include <gmock/gmock.h>

#include <csignal>
#include <vector>

namespace jit::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

constexpr const char* ENDS_POLICY = R"(
[people.oncall]
members = ["bob"]

[risk.low]
auto_approve = "1h"
stages = [{ from = "oncall" }]

[role.once]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
extend       = "2h"
uses         = 1
authenticate = false
commands     = ["/usr/bin/sh **", "/usr/bin/su - carol -c *"]

[role.thrice]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
uses         = 3
authenticate = false
commands     = ["/usr/bin/id -u"]

[role.desk]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
idle         = "10m"
login        = ["sshd"]

[role.glance]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
idle         = "570s"
authenticate = false
commands     = ["/usr/bin/sleep 914"]

[role.work]
risk         = "low"
eligible     = ["dave"]
max          = "1h"
idle         = "10m"
authenticate = false
commands     = ["/usr/bin/sleep 911"]

[role.busy]
risk         = "low"
eligible     = ["dave"]
max          = "1h"
idle         = "10m"
authenticate = false
commands     = ["/usr/bin/sleep 912"]

[role.silent]
risk         = "low"
eligible     = ["dave"]
max          = "1h"
idle         = "10m"
authenticate = false
commands     = ["/usr/bin/sleep 913"]

[role.visit]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
closes       = true
login        = ["sshd"]

[role.beside]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
closes       = true
groups       = ["adm"]

[role.errand]
risk         = "low"
eligible     = ["dave"]
max          = "1h"
closes       = true
authenticate = false
commands     = ["/usr/bin/sleep *"]
)";

constexpr const char* STOP = "systemctl stop jitd.socket jitd-helper.socket jitd.service; ";
constexpr const char* START = "systemctl start jitd.socket jitd-helper.socket jitd.service";

class Ends : public GatedHost {
protected:
    Ends() { host.policy(ENDS_POLICY); }

    bool ended(const std::string& id, const std::string& cause, std::chrono::seconds within = 15s) {
        return eventually([&] { return state(host, id) == "ended (" + cause + ")"; }, within);
    }
    std::string ask_more(const std::string& id) {
        return json_of(host.as("alice", "jitctl --json extend " + id + " --for 10m --reason more"))
            .at("request")
            .at("id");
    }
    bool ends(const std::string& what) {
        return eventually([&] { return running(what).empty(); }, 15s);
    }
};

TEST_F(Ends, used_up_with_its_last_command_and_what_that_left_behind) {
    const std::string id = ask(host, "alice", "once");
    EXPECT_THAT(host.as("alice", "jit-sudo -l").out, HasSubstr("1 command\n"));
    Session last = host.begin_as("alice", "jit-sudo sh -c 'sleep 901 & echo begun; sleep 902'");
    ASSERT_TRUE(last.shows("begun"));
    const Result refused = host.as("alice", "jit-sudo -n sh -c true");
    EXPECT_EQ(refused.status, 1) << refused;
    EXPECT_THAT(refused.err, AllOf(HasSubstr("your grant " + id + " of once is used up"),
                                   HasSubstr("jitctl request once --reason")));
    EXPECT_THAT(host.as("alice", "jitctl list").out, HasSubstr("0 commands"));
    EXPECT_EQ(state(host, id), "active") << "its command is running";
    host.root("pkill -fx 'sleep 902'");
    EXPECT_TRUE(ended(id, "used_up")) << state(host, id);
    EXPECT_TRUE(ends("sleep 901"));
    const auto end = last.wait();
    ASSERT_TRUE(end);
    EXPECT_EQ(end->status, 128 + SIGTERM) << *end;
    EXPECT_THAT(end->err, Not(HasSubstr("ended"))) << "the command has ended by itself";
    EXPECT_THAT(audit(), HasSubstr("cause=used_up"));
    EXPECT_THAT(host.as("alice", "jitctl show " + id).out, HasSubstr("its one command is over"));

    // Whose jit-sudo is held up doesn't keep what was left behind.
    const std::string held = ask(host, "alice", "once");
    Session stopped = host.begin_as("alice", "jit-sudo sh -c 'sleep 903 & echo begun; sleep 904'");
    ASSERT_TRUE(stopped.shows("begun"));
    host.root("pkill -STOP -x jit-sudo; pkill -fx 'sleep 904'");
    EXPECT_TRUE(ended(held, "used_up")) << state(host, held);
    EXPECT_TRUE(ends("sleep 903"));
    host.root("pkill -CONT -x jit-sudo");

    // Nor does a jitd that wasn't there when it was over.
    const std::string unseen = ask(host, "alice", "once");
    Session unwatched = host.begin_as("alice", "jit-sudo sh -c 'sleep 905 & echo begun; sleep 906'");
    ASSERT_TRUE(unwatched.shows("begun"));
    host.root(std::string(STOP) + "pkill -KILL -x jit-sudo; pkill -fx 'sleep 906'; " + START);
    EXPECT_TRUE(ended(unseen, "used_up")) << state(host, unseen);
    EXPECT_TRUE(ends("sleep 905"));
}

TEST_F(Ends, not_used_up_under_a_su_that_has_left_the_cgroup_before_jitd_was_started_anew) {
    const std::string id = ask(host, "alice", "once");
    Session command = host.begin_as("alice", "jit-sudo su - carol -c 'echo begun; sleep 931'");
    ASSERT_TRUE(command.shows("begun"));
    ASSERT_THAT(host.root("cat /proc/$(pgrep -fx 'sleep 931')/cgroup").out, Not(HasSubstr("jit-elevations")));
    host.root(std::string(STOP) + START);
    EXPECT_FALSE(ended(id, "used_up", 4s));
    EXPECT_THAT(running("sleep 931"), Not(IsEmpty()));
    host.root("pkill -fx 'sleep 931'");
    EXPECT_TRUE(ended(id, "used_up")) << state(host, id);
    EXPECT_TRUE(eventually([&] { return !host.root("jitctl audit --kind use.ended").out.empty(); }));
}

TEST_F(Ends, what_was_left_behind_goes_on_by_no_extension_whoever_holds_jit_sudo_up) {
    for (const char* signal : {"STOP", "KILL"}) {
        const std::string id = ask(host, "alice", "once --for 10m");
        Session command =
            host.begin_as("alice", "jit-sudo sh -c 'setsid sleep 932 & echo begun; sleep 933; :'");
        ASSERT_TRUE(command.shows("begun"));
        const std::string longer = ask_more(id);
        // Killed, jit-sudo takes along what it can: the command.
        host.root(std::string("pkill -") + signal + " -x jit-sudo; pkill -fx 'sleep 933'");
        EXPECT_TRUE(ended(id, "used_up")) << state(host, id);
        EXPECT_TRUE(ends("sleep 932")) << signal;
        EXPECT_EQ(state(host, longer), "active");
        host.root("pkill -CONT -x jit-sudo");
        host.as("alice", "jitctl release " + longer);
    }
}

TEST_F(Ends, of_many_that_start_at_once_no_more_than_are_left_do) {
    const std::string id = ask(host, "alice", "thrice");
    const Result many = host.as("alice", "for n in $(seq 12); do jit-sudo -n id -u & done 2>/dev/null; wait");
    EXPECT_EQ(many.out, "0\n0\n0\n") << many;
    EXPECT_TRUE(ended(id, "used_up")) << state(host, id);
    EXPECT_TRUE(eventually([&] { return host.root("jitctl audit --kind use.ended | wc -l").out == "3\n"; }));
    EXPECT_THAT(host.root("jitctl audit --kind use.ended").out, Not(HasSubstr("killed=true")))
        << "they had ended by themselves";
}

// What is on the host now becomes `seconds` older, for all that jitd knows, and terminals by 20 minutes but
// for the one that is spared.
void grow_old(Host& host, int seconds, const std::string& spared) {
    host.root(STOP);
    host.root("for t in /dev/pts/[0-9]*; do [ $t = " + spared + " ] || touch -d '20 minutes ago' $t; done");
    const std::string by = std::to_string(seconds * 1000);
    edit_database(host, "UPDATE requests SET not_before = not_before - " + by + ", last_used = last_used - " +
                            by + "; UPDATE uses SET started = started - " + by + ", exited = exited - " + by);
    host.root(START);
}

TEST_F(Ends, idle_when_nothing_was_typed_or_shown_on_its_terminals) {
    gate("sshd", "--only sre");
    const std::string desk = let_in("desk --for 1h");
    const std::string work = ask(host, "dave", "work");
    const std::string busy = ask(host, "dave", "busy");
    const std::string silent = ask(host, "dave", "silent");
    Session login = host.begin_as("alice", "echo in; sleep 600", {.tty = true});
    ASSERT_TRUE(login.shows("in"));
    Session idle = host.begin_as("dave", "jit-sudo sleep 911", {.tty = true});
    Session typing = host.begin_as("dave", "tty; jit-sudo sleep 912", {.tty = true});
    Session unattended = host.begin_as("dave", "jit-sudo sleep 913");
    ASSERT_TRUE(typing.shows("/dev/pts/"));
    ASSERT_TRUE(eventually([&] { return host.root("pgrep -fxc 'sleep 91[1-3]'").out == "3\n"; }));
    const std::string terminal = typing.output().substr(0, typing.output().find_first_of("\r\n"));

    grow_old(host, 590, terminal); // of ten minutes
    EXPECT_TRUE(login.shows("desk isn't used and ends in ", 20s)) << login.output();
    EXPECT_TRUE(ended(desk, "idle", 60s))
        << state(host, desk) << ", and what was written there is no use of it";
    EXPECT_TRUE(login.wait());
    EXPECT_TRUE(ended(work, "idle", 60s)) << state(host, work);
    EXPECT_TRUE(idle.wait());
    EXPECT_THAT(host.as("dave", "jitctl show " + work).out, HasSubstr("not used for 10m"));
    EXPECT_THAT(running("sleep 911"), IsEmpty());
    EXPECT_THAT(audit(), HasSubstr("cause=idle"));
    EXPECT_EQ(state(host, busy), "active");
    EXPECT_EQ(state(host, silent), "active");
    EXPECT_THAT(running("sleep 912"), Not(IsEmpty()));
    EXPECT_THAT(running("sleep 913"), Not(IsEmpty()));
}

TEST_F(Ends, idle_whatever_jit_itself_writes_to_the_terminal) {
    const std::string glance = ask(host, "alice", "glance");
    gate("sshd", "--only sre");
    let_in("desk --for 1h");
    Session login = host.begin_as("alice", "echo in; jit-sudo sleep 914; sleep 600", {.tty = true});
    ASSERT_TRUE(login.shows("in"));
    ASSERT_TRUE(eventually([&] { return !running("sleep 914").empty(); }));
    grow_old(host, 560, "none"); // a minute before ten the login's person is told, where the command runs too
    ask(host, "dave", "work --for 1m");
    Session told = host.begin_as("dave", "tty; jit-sudo sleep 911", {.tty = true});
    ASSERT_TRUE(told.shows("/dev/pts/"));
    const std::string terminal = told.output().substr(0, told.output().find_first_of("\r\n"));
    ASSERT_TRUE(eventually([&] { return !running("sleep 911").empty(); }));
    host.root("touch -d '20 minutes ago' " + terminal);

    ASSERT_TRUE(login.shows("desk isn't used and ends in ", 20s)) << login.output();
    EXPECT_TRUE(ended(glance, "idle", 25s)) << state(host, glance);
    ASSERT_TRUE(told.shows("ends in", 40s)) << told.output();
    EXPECT_EQ(host.root("find " + terminal + " -mmin +15").out, terminal + "\n") << "jit-sudo's, too";
}

TEST_F(Ends, idle_since_it_was_over_and_not_since_what_it_left_behind_was) {
    gate("sshd", "--only sre");
    const std::string desk = let_in("desk --for 1h");
    Session login = host.begin_as("alice", "nohup sleep 923 </dev/null >/dev/null 2>&1 & echo in; sleep 600");
    ASSERT_TRUE(login.shows("in"));
    login.end();
    ASSERT_TRUE(eventually(
        [&] { return host.root("jitctl watch --once").out.find("runs on") != std::string::npos; }, 10s));
    grow_old(host, 585, "none"); // of ten minutes
    EXPECT_EQ(host.root("pkill -fx 'sleep 923'").status, 0);
    EXPECT_TRUE(ended(desk, "idle", 60s)) << state(host, desk);
}

TEST_F(Ends, idle_also_where_jitd_starts_with_a_policy_that_it_cannot_read) {
    const std::string busy = ask(host, "dave", "busy");
    host.write("/etc/jit/policy.toml", "[role.busy\n");
    grow_old(host, 590, "none");
    EXPECT_TRUE(ended(busy, "idle", 60s)) << state(host, busy);
}

TEST_F(Ends, closed_is_also_what_was_had_beside_the_grant_that_let_in) {
    gate("sshd", "--only sre");
    const std::string desk = let_in("desk --for 1h");
    const std::string beside = ask(host, "alice", "beside");
    EXPECT_THAT(host.as("alice", "id -Gn").out, HasSubstr("adm"));
    EXPECT_TRUE(ended(beside, "closed", 30s)) << state(host, beside);
    EXPECT_EQ(state(host, desk), "active");
}

TEST_F(Ends, closed_when_its_last_login_or_command_is_over) {
    gate("sshd", "--only sre");
    const std::string visit = let_in("visit --for 1h");
    // One after the other, as scp in a script.
    EXPECT_EQ(host.as("alice", "echo one").out, "one\n");
    Session open = host.begin_as("alice", "echo two; nohup sleep 921 </dev/null >/dev/null 2>&1 & sleep 600");
    ASSERT_TRUE(open.shows("two"));
    const std::string errand = ask(host, "dave", "errand");
    const std::string unused = ask(host, "dave", "errand --for 50m");
    Session command = host.begin_as("dave", "jit-sudo sleep 922");
    ASSERT_TRUE(eventually([&] { return !running("sleep 922").empty(); }));
    EXPECT_EQ(state(host, visit), "active");

    // One is over before jitd's eyes, one while it is away.
    host.root("pkill -fx 'sleep 922'");
    ASSERT_TRUE(command.wait());
    host.root(STOP);
    open.end();
    host.root(START);
    EXPECT_TRUE(ended(visit, "closed", 60s)) << state(host, visit);
    EXPECT_TRUE(ended(errand, "closed", 60s)) << state(host, errand);
    EXPECT_TRUE(ends("sleep 921"));
    EXPECT_NE(host.as("alice", "true").status, 0);
    EXPECT_THAT(audit(), HasSubstr("cause=closed"));
    EXPECT_EQ(state(host, unused), "active") << "nothing was begun under it";
}

TEST_F(Ends, what_is_had_at_some_hours_only_ends_with_them) {
    const auto open = [&](const std::string& hours) {
        host.policy(std::string(ENDS_POLICY) + R"(
[role.shift]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
authenticate = false
commands     = ["/usr/bin/sleep 916"]
hours        = [")" +
                    hours + "\"]\n");
    };
    open("00:00..24:00 Europe/Zurich");
    const std::string id = ask(host, "alice", "shift --for 30m");
    Session command = host.begin_as("alice", "jit-sudo -n sleep 916");
    ASSERT_TRUE(eventually([&] { return !running("sleep 916").empty(); }));
    // An hour of the night before: whatever the time is, it isn't now.
    const std::string past = host.root("date -ud '-3 hours' +%H:00..").out.substr(0, 7) +
                             host.root("date -ud '-2 hours' +%H:00").out.substr(0, 5) + " UTC";
    open(past);
    EXPECT_TRUE(eventually([&] { return running("sleep 916").empty(); }));
    EXPECT_TRUE(command.wait());
    EXPECT_EQ(state(host, id), "ended (outside_hours)");
    EXPECT_THAT(host.root("jitctl audit --kind grant.ended").out,
                HasSubstr("role shift is to be had " + past + " only, next from "));
    const Result again = host.as("alice", "jitctl request shift --reason more");
    EXPECT_EQ(again.status, 1);
    EXPECT_THAT(again.err, HasSubstr("role shift is to be had " + past + " only, next from "));
    EXPECT_EQ(host.root("jitctl leftovers").out, "0 leftovers\n");
}

} // namespace
} // namespace jit::host
