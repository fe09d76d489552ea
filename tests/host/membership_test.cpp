// SPDX-License-Identifier: MIT
// Host-wide memberships, and their end.
#include "tests/host/access.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

constexpr const char* MEMBERSHIP_POLICY = R"(
[people.oncall]
members = ["bob"]

[risk.low]
auto_approve = "1h"

[role.member]
risk        = "low"
eligible    = ["alice", "dave"]
max         = "1h"
extend      = "2h"
memberships = ["vault"]

[role.member-too]
risk        = "low"
eligible    = ["alice"]
max         = "1h"
memberships = ["vault"]

[role.groups]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
authenticate = false
groups       = ["vault"]

[role.has-it]
risk        = "low"
eligible    = ["alice"]
max         = "1h"
memberships = ["sre"]

[role.unknown]
risk        = "low"
eligible    = ["alice"]
max         = "1h"
memberships = ["nonesuch"]

[role.for-members]
risk     = "low"
eligible = ["@vault"]
max      = "1h"
groups   = ["adm"]
)";

constexpr const char* DROP_IN = "/run/userdb/alice:vault.membership";

class Membership : public testing::Test {
protected:
    Membership() {
        host.root("groupadd vault");
        host.policy(MEMBERSHIP_POLICY);
    }

    // As a new login sees it.
    bool is_in(const std::string& user = "alice", const std::string& group = "vault") {
        return host.as(user, "id -Gn | tr ' ' '\\n' | grep -Fx " + group).status == 0;
    }
    bool is_there(const std::string& path) { return host.root("test -e '" + path + "'").status == 0; }
    std::string running(const std::string& what) { return host.root("pgrep -fx '" + what + "'").out; }
    std::string ask_for(const std::string& what) {
        std::string id = ask(host, "alice", what);
        EXPECT_TRUE(eventually([&] { return is_there(DROP_IN); }, 1s));
        return id;
    }
    // Processes of alice that carry the group.
    std::string carriers() {
        return host
            .root(
                "gid=$(getent group vault | cut -d: -f3); for p in /proc/[0-9]*; do "
                "grep -qs \"^Uid:.*\\b$(id -u alice)\\b\" $p/status && "
                "grep -Eqs \"^(Groups|Gid):.*\\b$gid\\b\" $p/status && tr '\\0' ' ' <$p/cmdline; done; true")
            .out;
    }
    std::string events(const std::string& kind) {
        return host.root("jitctl audit | grep -F '" + kind + "'; true").out;
    }

    Host host;
};

TEST_F(Membership, everybody_sees_it_while_it_lives_and_everything_that_carries_it_ends_with_it) {
    Session before = host.begin_as("alice", "sleep 1001");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1001").empty(); }));
    // The service manager that the login above started has the groups of before.
    EXPECT_FALSE(is_in());
    host.root("systemctl stop user@$(id -u alice).service");

    const std::string id = ask_for("member");
    EXPECT_THAT(host.root("id alice").out, HasSubstr("(vault)"));
    EXPECT_THAT(host.root("getent initgroups alice").out,
                HasSubstr(" " + host.root("getent group vault | cut -d: -f3 | tr -d '\\n'").out));
    EXPECT_TRUE(is_in());
    Session during = host.begin_as("alice", "exec sleep 1002");
    // A service of hers: systemd-run --user needs a session bus, which a small host doesn't have.
    host.root("systemctl restart user@$(id -u alice).service");
    host.as("alice", "mkdir -p .config/systemd/user && printf '[Service]\\nExecStart=/bin/sleep 1003\\n' "
                     ">.config/systemd/user/one.service && systemctl --user start one.service");
    host.as("alice",
            "setsid nohup sleep 1004 >/dev/null 2>&1 & nohup sleep 1005 >/dev/null 2>&1 & sleep 0.3");
    for (const char* what : {"sleep 1002", "/bin/sleep 1003", "sleep 1004", "sleep 1005"}) {
        EXPECT_TRUE(eventually([&] { return !running(what).empty(); })) << what;
    }
    EXPECT_THAT(carriers(), HasSubstr("systemd --user"));

    EXPECT_EQ(host.root("jitctl revoke " + id + " --reason over").status, 0);
    EXPECT_FALSE(is_there(DROP_IN));
    EXPECT_TRUE(eventually([&] { return carriers().empty(); }, 1s)) << carriers();
    for (const char* what : {"sleep 1002", "/bin/sleep 1003", "sleep 1004", "sleep 1005"}) {
        EXPECT_THAT(running(what), IsEmpty()) << what;
    }
    EXPECT_TRUE(during.wait().has_value());
    EXPECT_THAT(running("sleep 1001"), Not(IsEmpty())) << "it never had the group";
    EXPECT_FALSE(is_in());
    EXPECT_THAT(events("membership.given"), HasSubstr("group=vault"));
    EXPECT_THAT(events("membership.taken"), HasSubstr("killed="));
    EXPECT_THAT(events("membership.taken"), Not(HasSubstr("killed=0")));
    EXPECT_TRUE(eventually([&] { return host.root("ls -A /run/userdb").out.empty(); }, 8s));
    EXPECT_THAT(host.root("jitctl audit verify").out, HasSubstr("intact"));
}

TEST_F(Membership, it_ends_by_itself_on_time) {
    const std::string id = ask_for("member --for 5s");
    Session during = host.begin_as("alice", "exec sleep 1002");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1002").empty(); }));
    // 300 ms before the end, and 300 ms after.
    EXPECT_EQ(host.root("until=$(grep -o 'until\":[0-9]*' " + std::string(DROP_IN) +
                        " | cut -d: -f2); ms=$((until - $(date +%s%3N) - 300)); "
                        "sleep $((ms / 1000)).$(printf %03d $((ms % 1000))); test -e " +
                        DROP_IN + " && pgrep -fx 'sleep 1002' && sleep 0.6 && ! test -e " + DROP_IN +
                        " && ! pgrep -fx 'sleep 1002'")
                  .status,
              0);
    EXPECT_EQ(state(host, id), "ended (expired)");
}

TEST_F(Membership, revoke_takes_it_back_before_it_is_answered) {
    const std::string id = ask_for("member");
    Session during = host.begin_as("alice", "exec sleep 1002");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1002").empty(); }));
    EXPECT_EQ(host.root("jitctl revoke " + id + " --reason over && ! test -e " + DROP_IN).status, 0);
    EXPECT_TRUE(eventually([&] { return running("sleep 1002").empty(); }, 1s));
}

TEST_F(Membership, of_two_grants_the_end_of_one_takes_nothing_that_the_other_gives) {
    const std::string longer = ask_for("member --for 1h");
    const std::string shorter = ask(host, "alice", "member-too --for 10m");
    Session during = host.begin_as("alice", "exec sleep 1002");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1002").empty(); }));
    EXPECT_THAT(host.root(std::string("cat ") + DROP_IN).out, HasSubstr(longer));
    EXPECT_EQ(host.root("jitctl revoke " + longer + " --reason over").status, 0);
    EXPECT_THAT(host.root(std::string("cat ") + DROP_IN).out, HasSubstr(shorter));
    EXPECT_FALSE(eventually([&] { return running("sleep 1002").empty(); }, 1s));
    EXPECT_EQ(host.root("jitctl revoke " + shorter + " --reason over").status, 0);
    EXPECT_TRUE(eventually([&] { return running("sleep 1002").empty(); }, 1s));
    EXPECT_FALSE(is_there(DROP_IN));
}

TEST_F(Membership, what_has_the_group_by_another_grant_is_spared) {
    const std::string id = ask_for("member");
    ask(host, "alice", "groups");
    Session elevation = host.begin_as("alice", "jit-sudo -n -g vault sleep 1006");
    Session during = host.begin_as("alice", "exec sleep 1002");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1006").empty() && !running("sleep 1002").empty(); }));
    EXPECT_EQ(host.root("jitctl revoke " + id + " --reason over").status, 0);
    EXPECT_TRUE(eventually([&] { return running("sleep 1002").empty(); }, 1s));
    EXPECT_FALSE(eventually([&] { return running("sleep 1006").empty(); }, 7s));
}

TEST_F(Membership, a_role_that_gives_it_no_more_and_a_person_no_longer_eligible_lose_it) {
    ask_for("member");
    Session during = host.begin_as("alice", "exec sleep 1002");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1002").empty(); }));
    std::string less = MEMBERSHIP_POLICY;
    less.replace(less.find("memberships = [\"vault\"]"), 23, "groups = [\"adm\"]");
    host.policy(less);
    EXPECT_FALSE(is_there(DROP_IN));
    EXPECT_TRUE(eventually([&] { return running("sleep 1002").empty(); }, 1s));
    host.policy(MEMBERSHIP_POLICY);
    EXPECT_TRUE(eventually([&] { return is_there(DROP_IN); }, 1s));
    less = MEMBERSHIP_POLICY;
    less.replace(less.find("[\"alice\", \"dave\"]"), 17, "[\"dave\"]");
    host.policy(less);
    EXPECT_TRUE(eventually([&] { return !is_there(DROP_IN); }, 1s));
}

TEST_F(Membership, a_group_that_nobody_knows_is_not_given_and_said_once) {
    ask(host, "alice", "unknown");
    EXPECT_TRUE(eventually([&] { return !events("membership.refused").empty(); }, 2s));
    EXPECT_THAT(events("membership.refused"), HasSubstr("this host knows no group nonesuch"));
    EXPECT_EQ(host.root("jitctl policy reload && jitctl policy reload").status, 0);
    EXPECT_EQ(host.root("jitctl audit | grep -c membership.refused").out, "1\n");
    EXPECT_THAT(host.root("journalctl -t jitd").out, HasSubstr("this host knows no group nonesuch"));
    host.root("groupadd nonesuch; jitctl policy reload");
    EXPECT_TRUE(eventually([&] { return is_there("/run/userdb/alice:nonesuch.membership"); }, 2s));
}

TEST_F(Membership, what_the_account_has_by_itself_is_neither_given_nor_ended) {
    const std::string id = ask(host, "alice", "has-it");
    Session during = host.begin_as("alice", "exec sleep 1002");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1002").empty(); }));
    EXPECT_FALSE(is_there("/run/userdb/alice:sre.membership"));
    EXPECT_EQ(host.root("jitctl revoke " + id + " --reason over").status, 0);
    EXPECT_FALSE(eventually([&] { return running("sleep 1002").empty(); }, 2s));
}

TEST_F(Membership, somebody_elses_drop_in_is_left_alone_and_said) {
    host.write(DROP_IN, "{}");
    const std::string id = ask(host, "alice", "member");
    EXPECT_TRUE(eventually([&] { return !events("membership.refused").empty(); }, 2s));
    EXPECT_THAT(events("membership.refused"), HasSubstr("somebody else's"));
    EXPECT_EQ(host.root("jitctl revoke " + id + " --reason over").status, 0);
    EXPECT_EQ(host.root("systemctl restart jitd && rm /run/jit/live && systemctl start jit-sweep").status, 0);
    EXPECT_EQ(host.root(std::string("cat ") + DROP_IN).out, "{}");
}

TEST_F(Membership, after_a_crash_what_is_left_over_goes_and_what_is_missing_comes_back) {
    ask_for("member");
    // But for the boot time, which is reckoned anew and may be a millisecond off.
    const std::string all_but_boot = std::string("sed 's/,\"boot.*//' ") + DROP_IN;
    const std::string good = host.root(all_but_boot).out;
    const std::string dave = host.root("id -u dave | tr -d '\\n'").out;
    const std::string gid = host.root("getent group vault | cut -d: -f3 | tr -d '\\n'").out;
    // As if jitd had died between a grant's end and the end of what carries it.
    const std::string left = R"({"io.jitsudo":{"grant":"0bad","uid":)" + dave + R"(,"gid":)" + gid +
                             R"(,"until":1,"boot":1}})" + "\n";
    host.write("/run/userdb/dave:vault.membership", left);
    Session with = host.begin_as("dave", "exec sleep 1002");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1002").empty(); }));
    host.root("mv /run/userdb/dave:vault.membership /run/userdb/dave:vault.jit-ending");
    host.write("/run/userdb/dave:sre.membership", left);
    host.root(std::string("rm ") + DROP_IN + "; systemctl kill -s KILL jitd.service");
    EXPECT_TRUE(eventually([&] { return is_there(DROP_IN); }));
    EXPECT_EQ(host.root(all_but_boot).out, good);
    EXPECT_FALSE(is_there("/run/userdb/dave:sre.membership"));
    EXPECT_TRUE(eventually([&] { return running("sleep 1002").empty(); }, 1s));
    EXPECT_TRUE(
        eventually([&] { return host.root("ls -A /run/userdb").out == "alice:vault.membership\n"; }, 8s));
    host.reboot();
    EXPECT_TRUE(eventually([&] { return is_there(DROP_IN); }));
    EXPECT_TRUE(is_in());
}

TEST_F(Membership, with_jitd_dead_the_sweep_takes_it_back_and_ends_what_carries_it) {
    ask_for("member --for 8s");
    ask(host, "alice", "groups");
    Session elevation = host.begin_as("alice", "jit-sudo -n -g vault sleep 1006");
    Session during = host.begin_as("alice", "exec sleep 1002");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1006").empty() && !running("sleep 1002").empty(); }));
    host.stop_sweep();
    host.root("systemctl kill -s STOP jitd.service; systemctl start jit-sweep");
    EXPECT_TRUE(is_there(DROP_IN)) << "it lives";
    EXPECT_FALSE(eventually([&] { return running("sleep 1002").empty(); }, 9s)) << "who ended it?";
    EXPECT_TRUE(is_there(DROP_IN));
    EXPECT_EQ(host.root("systemctl start jit-sweep").status, 0);
    EXPECT_FALSE(is_there(DROP_IN));
    EXPECT_THAT(running("sleep 1002"), IsEmpty());
    EXPECT_THAT(running("sleep 1006"), Not(IsEmpty())) << "it has the group by another grant";
    host.root("systemctl start jit-sweep"); // half a minute later
    EXPECT_THAT(host.root("ls -A /run/userdb").out, IsEmpty());
    host.root("systemctl kill -s CONT jitd.service");
    // With nothing to go by, everything goes.
    ask_for("member");
    host.root("systemctl kill -s STOP jitd.service; rm /run/jit/live; systemctl start jit-sweep");
    EXPECT_FALSE(is_there(DROP_IN));
    EXPECT_THAT(running("sleep 1006"), IsEmpty());
    host.root("systemctl kill -s CONT jitd.service");
    host.root("systemctl start jit-sweep"); // its timer is stopped here: half a minute later
}

TEST_F(Membership, makes_nobody_eligible_for_more) {
    ask_for("member");
    EXPECT_TRUE(is_in());
    const Result refused = host.as("alice", "jitctl request for-members --reason x");
    EXPECT_EQ(refused.status, 1) << refused;
    EXPECT_THAT(refused.err, HasSubstr("eligible"));
}

TEST_F(Membership, makes_nobody_eligible_where_systemd_userdbd_tells_of_it) {
    // What that is for nss-systemd: a service that tells of drop-ins.
    host.write("/root/userdbd", R"(use IO::Socket::UNIX;
mkdir "/run/systemd/userdb";
my $path = "/run/systemd/userdb/io.systemd.DropIn";
my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 9) or die;
chmod 0666, $path;
$/ = "\0";
while (my $client = $listener->accept) {
    while (my $call = <$client>) {
        print $client $call =~ /GetMemberships/
            ? "{\"parameters\":{\"userName\":\"dave\",\"groupName\":\"vault\"}}\0"
            : "{\"error\":\"io.systemd.UserDatabase.NoRecordFound\"}\0";
        $client->flush;
    }
}
)");
    host.root("systemd-run -q perl /root/userdbd");
    EXPECT_TRUE(eventually([&] { return host.root("id -Gn dave").out == "dave vault\n"; }));
    const Result refused = host.as("dave", "jitctl request for-members --reason x");
    EXPECT_EQ(refused.status, 1) << refused;
    EXPECT_THAT(refused.err, HasSubstr("eligible"));
}

TEST_F(Membership, no_uid_of_a_namespace_of_theirs_hides_a_process) {
    const std::string id = ask_for("member");
    // As newuidmap would: the uids in it are subordinate ones, and none of the process's four is alice's.
    Session inside = host.begin_as("alice", "unshare --user sh -c 'echo ready; read go; "
                                            "exec setpriv --reuid 5 --keep-groups sleep 1007'");
    ASSERT_TRUE(inside.shows("ready"));
    const Result mapped =
        host.root("pid=$(pgrep -u alice -fx 'sh -c echo ready.*'); "
                  "/usr/bin/printf '0 %s 1\\n1 200000 1000\\n' $(id -u alice) >/proc/$pid/uid_map");
    ASSERT_EQ(mapped.status, 0) << mapped;
    inside.type("go\n");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1007").empty(); })) << inside.output();
    EXPECT_EQ(host.root("grep Uid: /proc/$(pgrep -fx 'sleep 1007')/status").out,
              "Uid:\t200004\t200004\t200004\t200004\n");
    EXPECT_EQ(host.root("jitctl revoke " + id + " --reason over").status, 0);
    EXPECT_TRUE(eventually([&] { return running("sleep 1007").empty(); }, 1s));
}

TEST_F(Membership, it_goes_with_the_package) {
    ask_for("member");
    Session during = host.begin_as("alice", "exec sleep 1002");
    ASSERT_TRUE(eventually([&] { return !running("sleep 1002").empty(); }));
    EXPECT_EQ(host.root("dpkg -i /root/package.deb").status, 0);
    EXPECT_TRUE(is_there(DROP_IN)) << "an upgrade ends nothing";
    EXPECT_THAT(running("sleep 1002"), Not(IsEmpty()));
    EXPECT_EQ(host.root("dpkg -r jit-sudo").status, 0);
    EXPECT_FALSE(is_there(DROP_IN));
    EXPECT_THAT(running("sleep 1002"), IsEmpty());
}

TEST_F(Membership, jitctl_says_until_when_and_what_the_end_does) {
    const Result asked = host.as("alice", "jitctl request member --for 10m --reason test");
    EXPECT_THAT(asked.out, HasSubstr("vault: host-wide until"));
    EXPECT_THAT(asked.out, HasSubstr("your processes that carry the group are killed"));
}

} // namespace
} // namespace jit::host
