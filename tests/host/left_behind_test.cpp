// SPDX-License-Identifier: MIT
// What a grant leaves behind on disk: set-id files are disarmed, and what root changed is told of.
#include "tests/host/logins.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

class LeftBehind : public GatedHost {
protected:
    LeftBehind() {
        host.policy(std::string(LOGIN_POLICY) + R"(
[role.as-bob]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
authenticate = false
run_as       = ["bob"]
commands     = ["/usr/bin/bash **"]

[role.root]
risk         = "medium"
eligible     = ["alice"]
max          = "1h"
authenticate = false
commands     = ["/usr/bin/bash **"]

[role.member]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
memberships  = ["systemd-journal"]

[role.member-too]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
memberships  = ["systemd-journal"]
)");
    }
    std::string mode_of(const std::string& path) { return host.root("stat -c %a " + path).out; }
    bool disarmed(const std::string& path) {
        return eventually([&] { return mode_of(path) == "755\n"; }, 30s);
    }
    std::string found() { return host.root("jitctl audit --kind grant.left_behind").out; }
};

TEST_F(LeftBehind, a_setgid_copy_is_disarmed_wherever_it_was_put_and_what_runs_from_it_ends) {
    gate("sshd", "--only sre");
    // What isn't of the grant's making: what was there before, and alice's own group.
    host.root(
        "cp /bin/bash /home/bob/old; chown bob:systemd-journal /home/bob/old; chmod 2755 /home/bob/old");
    const std::string grant = let_in("web-login --for 10m"); // gives systemd-journal
    const std::string planted = "/home/alice/.cache/b /tmp/b /var/tmp/b /dev/shm/b";
    host.as("alice", "mkdir -p ~/.cache/deep; umask 022; for f in " + planted +
                         "; do cp /bin/bash $f; chgrp systemd-journal $f; chmod 2755 $f; done; "
                         "ln -s / ~/.cache/deep/everything");
    host.root("cp /bin/bash /tmp/own; chown alice:alice /tmp/own; chmod 2755 /tmp/own");
    // It works, in a login that was never given the group: that is the hole.
    let_in("door --for 10m");
    host.root("jitctl pam disable sshd");
    Session runs = host.begin_as("alice", "~/.cache/b -p -c 'id -nG; sleep 811; true'");
    ASSERT_TRUE(runs.shows("systemd-journal"));
    host.root("jitctl revoke " + grant + " --reason enough");
    for (const char* path : {"/home/alice/.cache/b", "/tmp/b", "/var/tmp/b", "/dev/shm/b"}) {
        EXPECT_TRUE(disarmed(path)) << path << " " << audit();
    }
    EXPECT_TRUE(eventually([&] { return running("sleep 811").empty(); }));
    EXPECT_EQ(mode_of("/tmp/own"), "2755\n");
    EXPECT_EQ(mode_of("/home/bob/old"), "2755\n");
    EXPECT_TRUE(eventually([&] { return !found().empty(); }));
    EXPECT_THAT(found(), AllOf(HasSubstr(grant), HasSubstr("/dev/shm/b (mode 2755"),
                               HasSubstr("processes still using it ended")));
    EXPECT_THAT(host.as("bob", "jitctl show " + grant).out, HasSubstr("set-id file disarmed: /tmp/b"));
}

// The copy is gone, and what ran from it runs something else: only the group itself still shows.
TEST_F(LeftBehind, what_carries_the_group_ends_though_no_file_is_left) {
    gate("sshd", "--only sre");
    const std::string grant = let_in("web-login --for 10m");
    host.as("alice", "umask 022; cp /bin/bash ~/b; chgrp systemd-journal ~/b; chmod 2755 ~/b");
    let_in("door --for 10m");
    host.root("jitctl pam disable sshd");
    Session carries = host.begin_as("alice", "~/b -p -c 'rm ~/b; id -nG; exec sleep 812'");
    ASSERT_TRUE(carries.shows("systemd-journal"));
    host.root("jitctl revoke " + grant + " --reason enough");
    EXPECT_TRUE(eventually([&] { return running("sleep 812").empty(); }, 30s)) << audit();
}

TEST_F(LeftBehind, a_copy_without_a_name_is_disarmed_where_it_is_open) {
    gate("sshd", "--only sre");
    const std::string grant = let_in("web-login --for 10m");
    host.as("alice", "umask 022; cp /bin/bash ~/c; chgrp systemd-journal ~/c; chmod 2755 ~/c");
    let_in("door --for 10m");
    host.root("jitctl pam disable sshd");
    Session holds = host.begin_as("alice", "exec 9<~/c; rm ~/c; /proc/self/fd/9 -p -c 'id -nG'; sleep 813; "
                                           "stat -Lc mode=%a /proc/self/fd/9; sleep 816");
    ASSERT_TRUE(holds.shows("systemd-journal"));
    host.root("jitctl revoke " + grant + " --reason enough");
    EXPECT_TRUE(eventually([&] { return found().find("/fd/9 (mode 2755") != std::string::npos; }, 30s))
        << found();
    host.root("pkill -fx 'sleep 813'");
    EXPECT_TRUE(holds.shows("mode=755")) << "and who only held it open wasn't ended";
}

TEST_F(LeftBehind, what_another_grant_still_gives_goes_on) {
    const std::string over = ask(host, "alice", "member");
    ask(host, "alice", "member-too");
    ASSERT_TRUE(eventually(
        [&] { return host.root("id -nG alice").out.find("systemd-journal") != std::string::npos; }));
    Session carries = host.begin_as("alice", "id -nG; sleep 815");
    ASSERT_TRUE(carries.shows("systemd-journal"));
    host.as("alice", "jitctl release " + over);
    ASSERT_TRUE(eventually(
        [&] { return host.root("jitctl audit --kind grant.searched").out.find(over) != std::string::npos; },
        60s))
        << audit();
    EXPECT_FALSE(running("sleep 815").empty());
}

TEST_F(LeftBehind, what_a_search_that_did_not_live_to_tell_disarmed_is_told_by_the_next) {
    const std::string grant = ask(host, "alice", "as-bob");
    host.root("systemctl stop jit-search.socket");
    host.as("alice", "jit-sudo -n -u bob /usr/bin/bash -c 'umask 022; cp /bin/bash /var/tmp/b; "
                     "chmod 4755 /var/tmp/b'");
    Session runs = host.begin_as("alice", "/var/tmp/b -p -c 'id -un; sleep 814; true'");
    ASSERT_TRUE(runs.shows("bob"));
    host.as("alice", "jitctl release " + grant);
    // The search does all it does, and its answer reaches nobody.
    host.root(
        "mkdir -p /run/systemd/system/jit-search@.service.d; "
        "printf '[Service]\\nStandardOutput=null\\n' >/run/systemd/system/jit-search@.service.d/x.conf; "
        "systemctl daemon-reload; systemctl start jit-search.socket");
    ASSERT_TRUE(disarmed("/var/tmp/b")) << audit();
    ASSERT_TRUE(
        eventually([&] { return host.root("journalctl -t jitd -g 'jit-search failed'").status == 0; }, 60s));
    EXPECT_EQ(found(), "");
    host.root("rm /run/systemd/system/jit-search@.service.d/x.conf; systemctl daemon-reload");
    EXPECT_TRUE(eventually([&] { return !found().empty(); }, 60s)) << audit();
    EXPECT_THAT(found(), HasSubstr("set-id file disarmed: /var/tmp/b (mode 4755"));
    EXPECT_TRUE(running("sleep 814").empty());
    EXPECT_TRUE(eventually([&] { return host.root("ls /run/jit/disarmed-*").status != 0; }));
}

TEST_F(LeftBehind, a_setuid_copy_made_as_somebody_else_is_disarmed_also_when_jitd_dies_meanwhile) {
    const std::string grant = ask(host, "alice", "as-bob");
    host.root("systemctl stop jit-search.socket");
    host.as("alice",
            "jit-sudo -n -u bob /usr/bin/bash -c 'umask 022; cp /bin/bash /var/tmp/b; chmod 4755 /var/tmp/b; "
            "echo ssh-ed25519 AAAA eve@evil >>~/.ssh/authorized_keys; mkdir -p ~/.config/systemd/user; "
            "echo >~/.config/systemd/user/x.timer; echo \"0 0 * * * true\" | crontab -'");
    ASSERT_EQ(host.as("alice", "/var/tmp/b -p -c 'id -un'").out, "bob\n") << "that is the hole";
    host.as("alice", "jitctl release " + grant);
    host.root("systemctl kill -s KILL jitd; systemctl start jitd");
    EXPECT_EQ(mode_of("/var/tmp/b"), "4755\n");
    // Nor does one that fails keep the next from being made.
    host.root("mkdir -p /run/systemd/system/jit-search@.service.d; "
              "printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\n' "
              ">/run/systemd/system/jit-search@.service.d/x.conf; "
              "systemctl daemon-reload; systemctl start jit-search.socket");
    ASSERT_TRUE(
        eventually([&] { return host.root("journalctl -t jitd -g 'jit-search failed'").status == 0; }, 60s));
    host.root("rm /run/systemd/system/jit-search@.service.d/x.conf; systemctl daemon-reload");
    EXPECT_TRUE(disarmed("/var/tmp/b")) << audit() << host.root("journalctl -t jitd | tail").out;
    EXPECT_EQ(host.as("alice", "/var/tmp/b -p -c 'id -un'").out, "alice\n");
    // What bob's account would go on doing is told of, and is bob's to undo.
    EXPECT_THAT(host.root("jitctl show " + grant).out,
                AllOf(HasSubstr("eve@evil"), HasSubstr("/home/bob/.config/systemd/user/x.timer"),
                      HasSubstr("cron added: /var/spool/cron/crontabs/bob")));
}

TEST_F(LeftBehind, what_root_changed_is_told_to_those_who_approve) {
    host.as("bob", "jitctl grant alice root --for 10m --reason test");
    const std::string grant = json_of(host.root("jitctl --json list --all")).at("requests").at(0).at("id");
    // Not yet known how it was: what was written since the beginning is told of all the same.
    const Result changed = host.as(
        "alice", "jit-sudo -n /usr/bin/bash -c '"
                 "echo mallory:x:0:0::/root:/bin/sh >>/etc/passwd; usermod -aG adm dave; "
                 "echo \"alice ALL=(ALL) NOPASSWD: ALL\" >/etc/sudoers.d/x; "
                 "mkdir -p /root/.ssh; echo ssh-ed25519 AAAAkey eve@evil >>/root/.ssh/authorized_keys; "
                 "mkdir -p /etc/cron.d; echo \"* * * * * root true\" >/etc/cron.d/x; rm /etc/pam.d/su-l; "
                 "printf \"[Service]\\nExecStart=/bin/true\\n\" >/etc/systemd/system/x.service; "
                 "mkdir -p /opt/bin; umask 022; cp /bin/bash /opt/bin/b; chmod 4755 /opt/bin/b; "
                 "cp /bin/bash /var/tmp/b; chmod 4755 /var/tmp/b; "
                 "cp /bin/bash /var/tmp/c; chown carol: /var/tmp/c; chmod 4755 /var/tmp/c'");
    ASSERT_EQ(changed.status, 0) << changed;
    host.as("alice", "jitctl release " + grant);
    ASSERT_TRUE(eventually([&] { return !found().empty(); }, 30s)) << audit();
    const std::string shown = host.as("bob", "jitctl show " + grant).out;
    for (const char* text :
         {"/etc/sudoers.d/x", "/etc/cron.d/x", "/etc/pam.d/su-l", "/etc/systemd/system/x.service",
          "set-id file not disarmed: /opt/bin/b", "set-id file disarmed: /var/tmp/b",
          "set-id file not disarmed: /var/tmp/c", "/root/.ssh/authorized_keys"}) {
        EXPECT_THAT(shown, HasSubstr(text));
    }
    EXPECT_THAT(shown,
                testing::AnyOf(HasSubstr("account added: mallory"), HasSubstr("written: /etc/passwd")));
    EXPECT_EQ(mode_of("/var/tmp/b"), "755\n");
    EXPECT_EQ(mode_of("/opt/bin/b"), "4755\n") << "told of, not touched";
    EXPECT_EQ(mode_of("/var/tmp/c"), "4755\n") << "carol's: likewise";
    EXPECT_THAT(host.as("alice", "jitctl show " + grant).out, Not(HasSubstr("sudoers")))
        << "not hers to know";
}

TEST_F(LeftBehind, accounts_directories_and_programs_are_told_and_not_what_jit_gives) {
    const std::string grant = ask(host, "alice", "root --for 10m");
    ASSERT_EQ(host.as("bob", "jitctl approve " + grant).status, 0);
    ASSERT_TRUE(eventually(
        [&] { return host.root("jitctl show " + grant).out.find("active") != std::string::npos; }));
    ask(host, "alice", "member");
    ASSERT_TRUE(eventually(
        [&] { return host.root("test -e /run/userdb/alice:systemd-journal.membership").status == 0; }));
    const Result changed = host.as(
        "alice",
        "jit-sudo -n /usr/bin/bash -c '"
        "echo \"{\\\"userName\\\":\\\"evil\\\",\\\"uid\\\":0,\\\"gid\\\":0}\" >/run/userdb/evil.user; "
        "mkdir -p /etc/userdb; echo {} >/etc/userdb/alice:adm.membership; "
        "chown alice /etc/cron.d; chmod 777 /etc/systemd/system; "
        "mkdir -p /run/systemd/system-generators; echo >/run/systemd/system-generators/g; "
        "echo >>/home/bob/.bashrc; echo >/usr/local/sbin/ls'");
    ASSERT_EQ(changed.status, 0) << changed;
    host.as("alice", "jitctl release " + grant);
    ASSERT_TRUE(eventually([&] { return !found().empty(); }, 30s)) << audit();
    const std::string shown = host.as("bob", "jitctl show " + grant).out;
    for (const char* text : {"account record added: /run/userdb/evil.user",
                             "account record added: /etc/userdb/alice:adm.membership",
                             "directory open to others added: /etc/cron.d",
                             "directory open to others added: /etc/systemd/system",
                             "unit added: /run/systemd/system-generators/g", "/home/bob/.bashrc",
                             "program added: /usr/local/sbin/ls"}) {
        EXPECT_THAT(shown, HasSubstr(text));
    }
    EXPECT_THAT(shown, Not(HasSubstr("alice:systemd-journal")));
}

TEST_F(LeftBehind, what_was_left_behind_waits_until_one_who_approves_has_looked_at_it) {
    const std::string grant = ask(host, "alice", "root --for 10m");
    ASSERT_EQ(host.as("bob", "jitctl approve " + grant).status, 0);
    ASSERT_EQ(host.as("alice", "jit-sudo -n /usr/bin/bash -c 'echo x >/etc/cron.d/x'").status, 0);
    host.as("alice", "jitctl release " + grant);
    ASSERT_TRUE(eventually([&] { return !found().empty(); }, 30s)) << audit();
    EXPECT_THAT(host.as("bob", "jitctl list").out, HasSubstr("what 1 grant left behind: jitctl review"));
    EXPECT_THAT(host.as("bob", "jitctl review").out, AllOf(HasSubstr(grant), HasSubstr("/etc/cron.d/x")));
    // Not hers, nor theirs who have nothing to do with it, nor of root that is nobody.
    EXPECT_THAT(host.as("alice", "jitctl review").out, Not(HasSubstr(grant)));
    const Result own = host.as("alice", "jitctl review " + grant);
    EXPECT_EQ(own.status, 1) << own;
    EXPECT_THAT(own.err, HasSubstr("nobody reviews a grant of their own"));
    EXPECT_EQ(host.as("dave", "jitctl review " + grant).status, 3);
    const Result nobody = host.root("jitctl review " + grant);
    EXPECT_EQ(nobody.status, 1) << nobody;
    EXPECT_THAT(nobody.err, HasSubstr("no login of its own"));
    EXPECT_THAT(host.root("jitctl status").out, HasSubstr("1 due"));

    const Result reviewed = host.as("bob", "jitctl review " + grant + " --reason 'taken out again'");
    EXPECT_EQ(reviewed.status, 0) << reviewed;
    EXPECT_EQ(host.as("bob", "jitctl review").out, "nothing waits for a review that you may see\n");
    EXPECT_THAT(host.root("jitctl show " + grant).out,
                AllOf(HasSubstr("review:     by bob, "), HasSubstr(": taken out again\n")));
    EXPECT_THAT(host.root("jitctl audit --kind grant.reviewed").out,
                AllOf(HasSubstr(grant), HasSubstr("by=bob"), HasSubstr("taken out again")));
    EXPECT_EQ(host.as("bob", "jitctl review " + grant).status, 5);
}

} // namespace
} // namespace jit::host
