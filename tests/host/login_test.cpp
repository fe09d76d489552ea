// SPDX-License-Identifier: MIT
// Who is let in, and what they find there.
#include "tests/host/logins.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

class Login : public GatedHost {
protected:
    void allow_keyboard_interactive() {
        host.write("/etc/ssh/sshd_config.d/interactive.conf", "KbdInteractiveAuthentication yes\n");
        host.root("systemctl reload ssh");
        host.write("/root/askpass", "#!/bin/sh\necho pw-alice\n", "0755");
    }
    Result keyboard_interactive(const std::string& command) {
        return host.root("setsid env SSH_ASKPASS=/root/askpass SSH_ASKPASS_REQUIRE=force ssh -F none "
                         "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "
                         "-o PreferredAuthentications=keyboard-interactive -o PubkeyAuthentication=no "
                         "-o NumberOfPasswordPrompts=1 alice@127.0.0.1 " +
                         command);
    }
    Result scp() {
        return host.root(
            "echo copied >/tmp/from; rm -f /tmp/to; scp -F none -i /root/key -o StrictHostKeyChecking=no "
            "-o UserKnownHostsFile=/dev/null -o BatchMode=yes /tmp/from alice@127.0.0.1:/tmp/to && "
            "cat /tmp/to");
    }
    Result sftp() {
        return host.root(
            "echo 'get /etc/hostname /tmp/got' | sftp -F none -i /root/key -o StrictHostKeyChecking=no "
            "-o UserKnownHostsFile=/dev/null -o BatchMode=yes -b - alice@127.0.0.1 && cat /tmp/got");
    }
};

TEST_F(Login, without_a_grant_every_way_in_is_refused_and_says_why_and_what_to_type) {
    allow_keyboard_interactive();
    gate("sshd", "--only sre");
    const auto expect_refused = [](const Result& run) {
        EXPECT_NE(run.status, 0) << run;
        EXPECT_THAT(run.out, Not(HasSubstr("uid="))) << run;
        EXPECT_THAT(run.err, HasSubstr("no grant lets alice log in through sshd")) << run;
        EXPECT_THAT(run.err, HasSubstr("jitctl grant alice door --reason")) << run;
        EXPECT_THAT(run.err, HasSubstr("Ask in #ops-access")) << run;
    };
    expect_refused(host.as("alice", "id"));
    expect_refused(host.as("alice", "id", {.password = "pw-alice"}));
    expect_refused(host.as("alice", "id", {.tty = true}));
    expect_refused(keyboard_interactive("id"));
    EXPECT_NE(scp().status, 0);
    EXPECT_NE(sftp().status, 0);
    EXPECT_THAT(registered(), IsEmpty());
    EXPECT_TRUE(eventually([&] {
        return audit().find("login.refused service=sshd account=alice uid=1000 run_as=alice mode=enforce "
                            "why=\"no grant lets alice log in through sshd\"") != std::string::npos;
    }));
}

TEST_F(Login, with_one_every_way_in_works_and_has_the_groups_and_the_environment) {
    allow_keyboard_interactive();
    gate("sshd", "--only sre");
    const std::string id = let_in("web-login --for 30m");
    const auto expect_in = [&](const Result& run) {
        EXPECT_EQ(run.status, 0) << run;
        EXPECT_THAT(run.out, HasSubstr("(systemd-journal)")) << run;
        EXPECT_THAT(run.out, HasSubstr("JIT_GRANT=" + id)) << run;
        EXPECT_THAT(run.out, HasSubstr("JIT_EXPIRES=1")) << run;
    };
    const std::string look = "'id; env'";
    expect_in(host.as("alice", "id; env"));
    expect_in(host.as("alice", "id; env", {.password = "pw-alice"}));
    expect_in(host.as("alice", "id; env", {.tty = true}));
    expect_in(keyboard_interactive(look));
    const Result copied = scp();
    EXPECT_EQ(copied.out, "copied\n") << copied;
    const Result got = sftp();
    EXPECT_THAT(got.out, HasSubstr("host\n")) << got;
    EXPECT_EQ(got.status, 0) << got;
    // Elsewhere the account has no more groups than before.
    EXPECT_THAT(host.root("id alice").out, Not(HasSubstr("systemd-journal")));
    EXPECT_TRUE(eventually([&] { return registered().empty(); }));
    EXPECT_THAT(audit(), HasSubstr("login=sshd gated=true run_as=alice groups=[systemd-journal]"));
    EXPECT_THAT(host.root("jitctl audit verify").out, HasSubstr("intact"));
}

TEST_F(Login, a_command_hears_nothing_of_us_and_a_shell_one_line) {
    gate("sshd", "--only sre");
    const std::string id = let_in("web-login --for 30m");
    const Result ran = host.as("alice", "echo only this");
    EXPECT_EQ(ran.out, "only this\n");
    EXPECT_THAT(ran.err, Not(HasSubstr("jit"))) << ran;
    Session shell = host.begin_as("alice", "", {.tty = true});
    EXPECT_TRUE(shell.shows("jit-sudo: web-login until 20")) << shell.output();
    EXPECT_TRUE(shell.shows("min left, with group systemd-journal. More time: jitctl extend " + id))
        << shell.output();
    EXPECT_TRUE(shell.shows("this session ends at")) << shell.output();
    shell.type("exit\n");
    shell.wait();
}

TEST_F(Login, those_who_are_not_gated_pass_untouched) {
    gate("sshd", "--only sre");
    Session bob = host.begin_as("bob", "env; echo in; sleep 5");
    EXPECT_TRUE(bob.shows("in\n"));
    EXPECT_THAT(bob.output(), Not(HasSubstr("JIT_")));
    EXPECT_THAT(registered(), IsEmpty());
    bob.end();
    EXPECT_THAT(audit(), Not(HasSubstr("login")));
    // Without a table nothing can be known of them, and nothing needs to be.
    host.root("systemctl stop jitd.service jitd.socket jitd-helper.socket; rm /run/jit/logins.db");
    EXPECT_EQ(host.as("bob", "id -un").out, "bob\n");
    const Result refused = host.as("alice", "id");
    EXPECT_NE(refused.status, 0);
    EXPECT_THAT(refused.err, HasSubstr("the login table can't be read"));
}

TEST_F(Login, root_is_exempt_unless_others_are_named) {
    host.root("install -d -m 700 /root/.ssh; cp /root/key.pub /root/.ssh/authorized_keys");
    const std::string as_root = "ssh -F none -i /root/key -o StrictHostKeyChecking=no "
                                "-o UserKnownHostsFile=/dev/null -o BatchMode=yes root@127.0.0.1 id -un";
    gate("sshd", "--exempt bob");
    EXPECT_EQ(host.root(as_root).out, "root\n");
    EXPECT_EQ(host.as("bob", "id -un").out, "bob\n");
    EXPECT_NE(host.as("carol", "id -un").status, 0);
    // Also where nothing of ours can be read.
    host.root("systemctl stop jitd.service jitd.socket jitd-helper.socket; echo broken >/run/jit/logins.db");
    EXPECT_EQ(host.root(as_root).out, "root\n");
    EXPECT_EQ(host.as("bob", "id -un").out, "bob\n");
}

TEST_F(Login, where_the_gate_only_looks_they_are_let_in_and_it_is_recorded) {
    gate("sshd", "--mode audit");
    const Result looked = host.as("alice", "id -un");
    EXPECT_EQ(looked.out, "alice\n");
    EXPECT_THAT(looked.err, Not(HasSubstr("jit"))) << looked;
    EXPECT_TRUE(eventually([&] { return audit().find("mode=audit") != std::string::npos; }));

    gate("sshd", "--mode warn");
    EXPECT_EQ(host.as("alice", "id -un").out, "alice\n");
    Session shell = host.begin_as("alice", "", {.tty = true});
    EXPECT_TRUE(shell.shows("no grant lets alice log in through sshd, and soon that will be refused"))
        << shell.output();
    shell.type("exit\n");
    shell.wait();
    EXPECT_TRUE(eventually([&] { return audit().find("mode=warn") != std::string::npos; }));
    EXPECT_THAT(registered(), IsEmpty());

    // With the table gone, too.
    host.root("systemctl stop jitd.service jitd.socket jitd-helper.socket; rm /run/jit/logins.db");
    EXPECT_EQ(host.as("alice", "id -un").out, "alice\n");
}

TEST_F(Login, an_expired_password_opens_no_side_door) {
    gate("sshd", "--only sre");
    host.root("chage -d 0 alice");
    const Result refused = host.as("alice", "id");
    EXPECT_NE(refused.status, 0);
    EXPECT_THAT(refused.err, HasSubstr("no grant lets alice log in")) << refused;
}

TEST_F(Login, who_tries_without_end_fills_nothing) {
    gate("sshd", "--only sre");
    // OpenSSH 9.8 and later have a bound of their own, which isn't what is tried here.
    host.root(
        "! sshd -T | grep -qi persourcepenalties || "
        "{ echo 'PerSourcePenalties no' >/etc/ssh/sshd_config.d/penalties.conf; systemctl reload ssh; }");
    for (int count = 0; count < 30; ++count) {
        EXPECT_NE(host.as("alice", "true").status, 0);
    }
    EXPECT_TRUE(eventually([&] { return registered().empty(); }));
    const int recorded = std::stoi(host.root("jitctl audit | grep -c login.refused").out);
    EXPECT_GE(recorded, 5);
    EXPECT_LE(recorded, 20);
    // And with jitd gone.
    host.root("systemctl stop jitd.service jitd.socket jitd-helper.socket");
    for (int count = 0; count < 15; ++count) {
        EXPECT_NE(host.as("alice", "true").status, 0);
    }
    EXPECT_EQ(host.root("ls /run/jit/uses | wc -l").out, "8\n");
}

TEST_F(Login, the_folder_of_uses_may_be_lost_and_comes_back) {
    gate("sshd", "--only sre");
    let_in("door --for 10m");
    host.root("rm -rf /run/jit/uses");
    EXPECT_TRUE(eventually([&] { return host.root("test -d /run/jit/uses").status == 0; }));
    host.root("mv /run/jit/uses /run/jit/elsewhere");
    EXPECT_TRUE(eventually([&] { return host.root("test -d /run/jit/uses").status == 0; }));
    Session session = host.begin_as("alice", "echo in; sleep 600");
    ASSERT_TRUE(session.shows("in"));
    EXPECT_TRUE(eventually([&] { return !host.root("jitctl audit --kind use.started").out.empty(); }));
}

TEST_F(Login, nothing_of_the_callers_environment_or_home_decides) {
    gate("sshd", "--only sre");
    host.root(
        "echo 'PermitUserEnvironment yes' >/etc/ssh/sshd_config.d/env.conf; systemctl reload ssh; "
        "printf 'JIT_GRANT=1234\\nJIT_EXPIRES=9999999999\\nTZ=XXX-24\\n' >/home/alice/.ssh/environment; "
        "cp /home/alice/.ssh/environment /home/alice/.pam_environment");
    EXPECT_NE(host.as("alice", "true").status, 0);
    const std::string id = let_in("door --for 10m");
    // What they tell themselves is theirs; what they are let in by is the grant.
    Session session = host.begin_as("alice", "echo in; sleep 600");
    ASSERT_TRUE(session.shows("in"));
    EXPECT_EQ(host.root("jitctl revoke " + id + " --reason enough").status, 0);
    EXPECT_TRUE(session.wait(3s));
}

} // namespace
} // namespace jit::host
