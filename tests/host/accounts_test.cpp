// SPDX-License-Identifier: MIT
// Accounts that exist only while a grant lives.
#include "tests/host/access.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

constexpr const char* ACCOUNTS_POLICY = R"(
[person.alice]
accounts = ["alice", "alice-tmp"]

[people.oncall]
members = ["bob", "guest"]

[risk.low]
auto_approve = "1h"
[risk.medium]
stages = [{ from = "oncall" }]

[role.guest]
risk     = "medium"
eligible = ["guest", "alice", "dave"]
max      = "1h"
extend   = "2h"
login    = ["sshd"]
account  = { home = "remove", groups = ["vault"] }

[role.in-memory]
risk     = "medium"
eligible = ["guest"]
max      = "1h"
login    = ["sshd"]
account  = { home = "tmpfs" }

[role.kept]
risk     = "medium"
eligible = ["guest"]
max      = "1h"
login    = ["sshd"]
account  = { home = "keep", shell = "/bin/sh" }

[role.adm]
risk         = "low"
eligible     = ["guest"]
max          = "1h"
authenticate = false
groups       = ["adm"]
)";

class Accounts : public testing::Test {
protected:
    Accounts() {
        host.root("groupadd vault");
        host.policy(ACCOUNTS_POLICY);
    }

    // By bob, with the key that the tests log in with; its id.
    std::string give(const std::string& what = "guest guest --for 10m") {
        const Result given =
            host.as("bob", "jitctl --json grant " + what + " --reason test --key ~/.ssh/authorized_keys");
        EXPECT_EQ(given.status, 0) << given;
        return given.status == 0 ? json_of(given).at("request").at("id").get<std::string>() : "";
    }
    void end(const std::string& id) {
        EXPECT_EQ(host.root("jitctl revoke " + id + " --reason enough").status, 0);
    }
    bool is_gone() {
        return eventually([&] { return host.root("jitctl leftovers").status == 0; }, 30s) &&
               host.root("getent passwd guest; getent group guest").out.empty();
    }
    bool is_there(const std::string& path) { return host.root("test -e '" + path + "'").status == 0; }
    std::string audit(const std::string& kind) { return host.root("jitctl audit --kind " + kind).out; }
    std::string uid() { return host.root("id -u guest").out; }

    Host host;
};

TEST_F(Accounts, who_has_no_account_logs_in_at_once_and_at_the_end_nothing_is_left) {
    EXPECT_NE(host.as("guest", "true").status, 0);
    const std::string id = give();
    // At once: no waiting between the grant and the login.
    const Result in = host.as("guest", "id; pwd; ls -A; getent passwd guest; getent group guest");
    ASSERT_EQ(in.status, 0) << in << audit("account.refused");
    EXPECT_THAT(in.out, AllOf(HasSubstr("(guest)"), HasSubstr("(vault)"), HasSubstr("/home/guest\n"),
                              HasSubstr(".bashrc"), HasSubstr("/home/guest:/bin/bash")));
    EXPECT_EQ(host.root("stat -c '%a %U' /home/guest /home/guest/.ssh/authorized_keys").out,
              "700 guest\n600 guest\n");
    const std::string number = uid();
    // All that it can lay down for later.
    const Result laid = host.as(
        "guest", "echo '* * * * * touch /tmp/again' | crontab - && loginctl enable-linger; "
                 "echo 'touch /tmp/again' | at now + 2 minutes; ipcmk -M 4096 -S 1 -Q; "
                 "echo x >/dev/shm/guests; mkdir -p ~/deep/er; chmod 0 ~/deep; ln -s / ~/all; "
                 "nohup setsid sleep 901 >/dev/null 2>&1 </dev/null & "
                 "systemd-run --user --quiet sleep 902; keyctl add user k v @u; echo x >/tmp/guests; true");
    host.root("echo mail >/var/mail/guest; chown guest /var/mail/guest");
    ASSERT_TRUE(is_there("/var/spool/cron/crontabs/guest")) << laid;
    Session open = host.begin_as("guest", "sleep 903");
    ASSERT_TRUE(eventually([&] { return host.root("pgrep -fx 'sleep 903'").status == 0; }));
    end(id);
    EXPECT_TRUE(open.wait()) << "the login that was open ends";
    EXPECT_TRUE(is_gone()) << host.root("jitctl leftovers").out << host.root("journalctl -t jitd | tail").out;
    EXPECT_THAT(host.root("pgrep -fa 'sleep 90'").out, IsEmpty());
    for (const char* path : {"/home/guest", "/var/spool/cron/crontabs/guest", "/var/mail/guest",
                             "/var/lib/systemd/linger/guest", "/dev/shm/guests"}) {
        EXPECT_FALSE(is_there(path)) << path;
    }
    const std::string plain = number.substr(0, number.size() - 1);
    EXPECT_FALSE(is_there("/run/user/" + plain));
    EXPECT_THAT(host.root("find /var/spool/cron/atjobs -user " + plain).out, IsEmpty());
    EXPECT_THAT(host.root("cat /proc/sysvipc/*").out, Not(HasSubstr(" " + plain + " ")));
    EXPECT_NE(host.as("guest", "true").status, 0);
    EXPECT_THAT(audit("account.removed"), AllOf(HasSubstr(id), HasSubstr("home"), HasSubstr("crontab")));
    // What it made elsewhere stays, and those who approve are told.
    EXPECT_TRUE(eventually(
        [&] {
            return host.as("bob", "jitctl show " + id).out.find("file left behind: /tmp/guests") !=
                   std::string::npos;
        },
        30s))
        << host.as("bob", "jitctl show " + id);
    // The next time it is the same number, and a home without what was there.
    give();
    EXPECT_EQ(uid(), number);
    EXPECT_THAT(host.as("guest", "ls -A").out, Not(HasSubstr("deep")));
}

TEST_F(Accounts, what_exists_is_never_taken_over_and_no_number_is_given_twice) {
    Result refused = host.as("bob", "jitctl grant dave guest --for 10m --reason test");
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.err, HasSubstr("never taken over"));
    // Somebody else's directory in the place of its home.
    host.root("mkdir -m 0755 /home/guest; echo mine >/home/guest/file");
    const Result given = host.as("bob", "jitctl grant guest guest --for 10m --reason test");
    EXPECT_THAT(given.out, HasSubstr("isn't there yet: /home/guest is there"));
    EXPECT_NE(host.root("getent passwd guest").status, 0);
    host.root("rm -r /home/guest");
    EXPECT_TRUE(eventually([&] { return host.root("getent passwd guest").status == 0; }, 30s));
    const std::string first = uid();
    // Another name has another number, also where the database is an old one.
    const std::string id = json_of(host.root("jitctl --json list")).at("requests").at(0).at("id");
    end(id);
    ASSERT_TRUE(is_gone());
    edit_database(host, "DELETE FROM accounts");
    EXPECT_EQ(host.as("alice", "jitctl request guest --for 10m --reason test --account alice-tmp "
                               "--key ~/.ssh/authorized_keys")
                  .status,
              0);
    host.as("bob", "jitctl approve $(jitctl --json list | grep -o '\"id\":\"[0-9a-f]*' | cut -d'\"' -f4)");
    EXPECT_TRUE(eventually([&] { return host.root("getent passwd alice-tmp").status == 0; }, 10s));
    EXPECT_NE(host.root("id -u alice-tmp").out, first);
    EXPECT_EQ(host.as("alice-tmp", "id -un").out, "alice-tmp\n");
    // An account that appears in its place ends it.
    host.root("useradd -M guest");
    refused = host.as("bob", "jitctl grant guest guest --for 10m --reason test");
    EXPECT_THAT(refused.err, HasSubstr("never taken over"));
}

TEST_F(Accounts, it_is_nobody_more_than_the_grant_says) {
    give();
    // Whoever granted it may hold its keys: it says yes to nobody, and asks as nobody.
    const std::string wanted = host.as("alice", "jitctl --json request guest --for 5m --reason test "
                                                "--account alice-tmp")
                                   .out;
    const std::string id = wanted.substr(wanted.find("\"id\":\"") + 6, 4);
    const Result approves = host.as("guest", "jitctl approve " + id);
    EXPECT_EQ(approves.status, 3) << approves << "it isn't even told that there is one";
    const Result asks = host.as("guest", "jitctl request adm --reason test");
    EXPECT_EQ(asks.status, 1) << asks;
    EXPECT_THAT(asks.err, HasSubstr("jitctl grant guest adm"));
    // Where there is one already, there is no second.
    EXPECT_THAT(host.as("bob", "jitctl grant guest kept --reason test").err, HasSubstr("for more time"));
    // Options of authorized_keys, and other people's accounts, aren't to be had.
    EXPECT_EQ(
        host.as("bob", "jitctl grant alice-tmp guest --reason test --key 'command=\"x\" ssh-ed25519 AAAA'")
            .status,
        2);
    EXPECT_EQ(host.as("alice", "jitctl request guest --reason test --account guest").status, 1);
}

// What others still have their fingers in: depth, mounts, links, and a set-id file for the time after.
TEST_F(Accounts, what_is_laid_in_the_way_of_its_end_holds_nothing_up) {
    const std::string id = give();
    host.as("guest",
            "chmod 0777 ~; mkdir -p $(printf 'd/%.0s' $(seq 1500)); "
            "umask 0; mkdir ~/open; ln -s /etc ~/open/etc; cp /bin/bash /var/tmp/x; chmod 4755 /var/tmp/x");
    host.root("mkdir /home/guest/open/m /var/lib/kept; echo kept >/var/lib/kept/file; "
              "mount --bind /var/lib/kept /home/guest/open/m");
    Session inside = host.begin_as("alice", "cd /home/guest/open && while :; do touch $RANDOM; mkdir -p y; "
                                            "ln -sf / y/l; done 2>/dev/null");
    ASSERT_TRUE(eventually([&] { return is_there("/home/guest/open/y"); }));
    end(id);
    EXPECT_TRUE(is_gone()) << host.root("jitctl leftovers").out << host.root("journalctl -t jitd | tail").out;
    EXPECT_FALSE(is_there("/home/guest"));
    EXPECT_EQ(host.root("cat /var/lib/kept/file").out, "kept\n") << "what was mounted there isn't its";
    EXPECT_TRUE(is_there("/etc/passwd"));
    EXPECT_TRUE(eventually([&] { return host.root("stat -c %a /var/tmp/x").out == "755\n"; }, 30s));
    inside.end();
}

TEST_F(Accounts, what_runs_by_its_number_later_is_ended_within_a_minute) {
    end(give());
    ASSERT_TRUE(is_gone());
    // While anybody has a grant jitd looks at everything each minute, and when accounts have changed.
    host.as("bob", "jitctl grant alice-tmp guest --for 10m --reason test");
    host.root("setpriv --reuid 60578 --clear-groups sleep 906 </dev/null >/dev/null 2>&1 &");
    ASSERT_TRUE(eventually([&] { return host.root("pgrep -fx 'sleep 906'").status == 0; }));
    host.root(": >>/etc/passwd");
    EXPECT_TRUE(eventually([&] { return host.root("pgrep -fx 'sleep 906'").status != 0; }, 75s));
}

TEST_F(Accounts, it_is_its_person_to_nobody) {
    host.policy(std::string(ACCOUNTS_POLICY) + "[site]\nauditors = [\"guest\"]\n");
    ask(host, "alice", "guest --account alice-tmp --for 5m");
    give();
    EXPECT_NE(host.as("guest", "jitctl audit").status, 0);
    EXPECT_EQ(host.as("guest", "jitctl --json list --all").out.find("alice-tmp"), std::string::npos);
    EXPECT_EQ(host.as("guest", "jitctl list --mine").status, 0);
}

TEST_F(Accounts, a_home_is_kept_or_in_memory_as_the_role_says) {
    std::string id = give("guest kept --for 10m");
    EXPECT_EQ(
        host.as("guest", "echo $0; echo kept >file; mkdir -m 0700 .evil; rm -r .ssh; ln -s /etc .ssh").status,
        0);
    end(id);
    ASSERT_TRUE(is_gone());
    EXPECT_TRUE(is_there("/home/guest/file"));
    // What was laid in the way of its keys isn't followed.
    const Result given =
        host.as("bob", "jitctl grant guest kept --for 10m --reason x --key ~/.ssh/authorized_keys");
    EXPECT_THAT(given.out, HasSubstr("isn't there yet: /home/guest: .ssh"));
    EXPECT_FALSE(is_there("/etc/authorized_keys"));
    host.root("rm /home/guest/.ssh");
    EXPECT_TRUE(eventually([&] { return host.as("guest", "cat file").out == "kept\n"; }, 30s));
    id = json_of(host.root("jitctl --json list")).at("requests").at(0).at("id");
    end(id);
    ASSERT_TRUE(is_gone());
    host.root("rm -r /home/guest");
    id = give("guest in-memory --for 10m");
    EXPECT_THAT(host.as("guest", "findmnt -no FSTYPE,OPTIONS /home/guest").out,
                AllOf(HasSubstr("tmpfs"), HasSubstr("nosuid")));
    end(id);
    ASSERT_TRUE(is_gone());
    EXPECT_NE(host.root("findmnt /home/guest").status, 0);
    EXPECT_FALSE(is_there("/home/guest"));
}

TEST_F(Accounts, neither_a_crash_nor_a_reboot_leaves_one_or_loses_one) {
    const std::string id = give();
    host.as("guest", "echo x >file");
    host.reboot();
    EXPECT_TRUE(eventually([&] { return host.as("guest", "cat file").out == "x\n"; }, 10s))
        << audit("account.refused");
    // What removes it can't be started: it is done later, also by another jitd.
    host.root("systemctl stop jit-account.socket");
    Session open = host.begin_as("guest", "sleep 904");
    ASSERT_TRUE(eventually([&] { return host.root("pgrep -fx 'sleep 904'").status == 0; }));
    end(id);
    EXPECT_TRUE(open.wait());
    host.root("systemctl kill -s KILL jitd");
    EXPECT_TRUE(is_there("/home/guest"));
    EXPECT_THAT(host.root("jitctl leftovers").out, HasSubstr("account guest"));
    host.power_failure();
    EXPECT_TRUE(is_gone()) << host.root("jitctl leftovers").out;
    EXPECT_FALSE(is_there("/home/guest"));
    EXPECT_THAT(audit("account.removed"), HasSubstr(id));
}

TEST_F(Accounts, without_jitd_the_sweep_ends_it) {
    give("guest guest --for 15s");
    Session open = host.begin_as("guest", "sleep 905");
    ASSERT_TRUE(eventually([&] { return host.root("pgrep -fx 'sleep 905'").status == 0; }));
    host.root("systemctl stop jitd jitd.socket jitd-helper.socket");
    EXPECT_TRUE(open.wait(60s)) << "no later than half a minute after its end";
    EXPECT_NE(host.root("getent passwd guest").status, 0);
    host.root("systemctl start jitd.socket jitd-helper.socket jitd");
    EXPECT_TRUE(is_gone());
}

} // namespace
} // namespace jit::host
