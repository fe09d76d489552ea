// SPDX-License-Identifier: MIT
// What somebody who has a grant tries, to get more than it gives.
#include "tests/host/access.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

constexpr const char* ATTACK_POLICY = R"(
[people.oncall]
members = ["bob", "carol"]

[risk.low]
auto_approve = "1h"
[risk.asked]
stages = [{ from = "oncall" }]

[role.as-carol]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
authenticate = false
run_as       = ["carol"]
commands     = ["/usr/bin/sh **"]

[role.open]
risk         = "low"
eligible     = ["alice", "carol"]
max          = "1h"
authenticate = false
commands     = ["/usr/bin/sleep *", "/usr/bin/true"]

[role.guarded]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
authenticate = true
commands     = ["/usr/bin/sleep *"]

[role.big]
risk     = "asked"
eligible = ["alice", "dave"]
max      = "1h"
groups   = ["adm"]
)";

class Attack : public testing::Test {
protected:
    Attack() { host.policy(ATTACK_POLICY); }
    std::string running(const std::string& what) { return host.root("pgrep -fx '" + what + "'").out; }
    Host host;
};

TEST_F(Attack, the_service_manager_of_an_approver_approves_nothing) {
    Session carol = host.begin_as("carol", "sleep 60");
    ASSERT_TRUE(eventually(
        [&] { return host.root("test -S /run/user/$(id -u carol)/systemd/private").status == 0; }));
    const std::string id = ask(host, "alice", "big");
    ask(host, "alice", "as-carol");
    host.as(
        "alice",
        "jit-sudo -n -u carol sh -c 'XDG_RUNTIME_DIR=/run/user/$(id -u) systemd-run --user sh -c \"jitctl "
        "approve " +
            id + " >/tmp/told 2>&1\"'");
    EXPECT_TRUE(eventually([&] { return !host.root("cat /tmp/told").out.empty(); }));
    EXPECT_THAT(host.root("cat /tmp/told").out, HasSubstr("not a login"));
    EXPECT_EQ(state(host, id), "pending");
    EXPECT_EQ(host.as("carol", "jitctl approve " + id).status, 0);
}

TEST_F(Attack, inside_an_elevation_nothing_is_asked_for_or_started) {
    ask(host, "alice", "as-carol");
    ask(host, "carol", "open");
    const Result nested = host.as("alice", "jit-sudo -n -u carol sh -c 'jit-sudo -n sleep 5151'");
    EXPECT_EQ(nested.status, 1) << nested;
    EXPECT_THAT(nested.err, HasSubstr("an elevation already"));
    EXPECT_THAT(running("sleep 5151"), IsEmpty());
    EXPECT_NE(host.as("alice", "jit-sudo -n -u carol sh -c 'jitctl request open --reason x'").status, 0);
}

TEST_F(Attack, a_password_is_not_got_round_by_releasing_the_grant_that_needs_none) {
    host.root("sed -i '0,/^@include common-account/s//account required pam_exec.so \\/bin\\/sleep 3\\n&/' "
              "/etc/pam.d/jit-sudo");
    const std::string open = ask(host, "alice", "open");
    ask(host, "alice", "guarded");
    Session command = host.begin_as("alice", "jit-sudo -n sleep 5151");
    ASSERT_TRUE(eventually([&] { return !running("/bin/sleep 3").empty(); }));
    EXPECT_EQ(host.as("alice", "jitctl release " + open).status, 0);
    const auto ran = command.wait();
    ASSERT_TRUE(ran.has_value());
    EXPECT_EQ(ran->status, 1) << *ran;
    EXPECT_THAT(ran->err, HasSubstr("the grant that allows it has ended meanwhile"));
    EXPECT_THAT(running("sleep 5151"), IsEmpty());
    EXPECT_THAT(host.as("alice", "jit-sudo -n sleep 5151").err, HasSubstr("a password is required"));
}

TEST_F(Attack, a_command_a_moment_does_not_put_off_the_look_for_what_has_ended) {
    ask(host, "alice", "open");
    Session busy = host.begin_as("alice", "while :; do jit-sudo -n true; done");
    EXPECT_TRUE(eventually([&] { return host.root("jitctl audit --kind use.ended").out.size() > 1; }, 6s));
}

TEST_F(Attack, a_helper_that_is_stopped_at_the_end_keeps_neither_the_end_nor_jitd_busy) {
    ask(host, "alice", "open --for 4s");
    Session command = host.begin_as("alice", "jit-sudo -n sleep 5151");
    ASSERT_TRUE(eventually([&] { return !running("sleep 5151").empty(); }));
    host.root("pkill -STOP -x jit-sudo"); // it reaps nothing from here on
    EXPECT_TRUE(eventually([&] { return !host.root("jitctl audit --kind use.ended").out.empty(); }, 8s));
    EXPECT_THAT(host.root("journalctl -u jitd -p err --no-pager").out,
                Not(HasSubstr("there are still more")));
    host.root("pkill -CONT -x jit-sudo");
}

TEST_F(Attack, helpers_that_their_caller_freezes_at_any_point_keep_nothing_and_start_nothing_later) {
    ask(host, "alice", "open --for 8s");
    // The first when its command runs, the others at any point before that.
    const Result held = host.as("alice", R"(
        cd /sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service
        for n in $(seq 12); do
            systemd-run --user --scope --quiet --unit=held$n jit-sudo -n sleep 515$n </dev/null >/dev/null 2>&1 &
            until [ -e */held$n.scope/cgroup.freeze ]; do :; done
            until [ $n != 1 ] || pgrep -fx 'sleep 5151' >/dev/null; do :; done
            sleep $(printf 0.%03d $((n * 2)))
            echo 1 >$(echo */held$n.scope/cgroup.freeze)
        done
        cat */held*.scope/cgroup.freeze | tr -d '\n')");
    EXPECT_EQ(held.out, "111111111111") << held;
    const auto nothing_lives = [&] {
        return host.root("pgrep -f '^sleep 515'").out.empty() &&
               host.root("ls -d /sys/fs/cgroup/jit.slice/jit-elevations.service/*-*/").out.empty();
    };
    const auto all_ended = [&] {
        const std::string started = host.root("jitctl audit --kind use.started | wc -l").out;
        return started != "0\n" && started == host.root("jitctl audit --kind use.ended | wc -l").out;
    };
    EXPECT_TRUE(eventually([&] { return nothing_lives() && all_ended(); }, 15s));
    host.root(
        "for f in /sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/*/held*.scope/cgroup.freeze; "
        "do echo 0 >$f; done");
    EXPECT_TRUE(eventually([&] { return host.root("pgrep -x jit-sudo").out.empty(); }, 15s));
    EXPECT_TRUE(nothing_lives());
    EXPECT_TRUE(all_ended());
}

TEST_F(Attack, deep_cgroups_made_inside_are_removed_with_it) {
    host.policy(std::string(ATTACK_POLICY) +
                "[role.root]\nrisk = \"low\"\neligible = [\"alice\"]\nmax = \"1h\"\n"
                "authenticate = false\ncommands = [\"/usr/bin/sh **\"]\n");
    const std::string id = ask(host, "alice", "root");
    host.as("alice",
            "jit-sudo -n sh -c 'd=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup); "
            "for i in $(seq 40); do d=$d/n; mkdir $d; done; echo $$ >$d/cgroup.procs; cd $d; " // and no path
                                                                                               // is so long
            "n=$(printf %060d 0); for i in $(seq 120); do mkdir $n && cd -P $n; done; exec sleep 5151' "
            ">/dev/null 2>&1 </dev/null & sleep 1");
    host.as("alice", "jitctl release " + id);
    EXPECT_TRUE(eventually([&] { return running("sleep 5151").empty(); }));
    EXPECT_TRUE(eventually([&] {
        return host.root("cd /sys/fs/cgroup/jit.slice/jit-elevations.service && ls -d *-*/").out.empty();
    }));
}

} // namespace
} // namespace jit::host
