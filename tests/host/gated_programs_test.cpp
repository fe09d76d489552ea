// SPDX-License-Identifier: MIT
// A plain sudo, su or login that a grant opens: sudoers and passwords decide as before, and the gate beside
// them.
#include "tests/host/logins.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

class GatedProgram : public GatedHost {
protected:
    GatedProgram() { host.write("/etc/sudoers.d/all", "ALL ALL=(ALL) NOPASSWD: ALL\n", "0440"); }
};

TEST_F(GatedProgram, sudo_is_refused_without_a_grant_and_says_what_to_type) {
    gate("sudo", "");
    const Result refused = host.as("alice", "sudo -n id -u");
    EXPECT_NE(refused.status, 0);
    EXPECT_THAT(refused.out, IsEmpty());
    EXPECT_THAT(refused.err, HasSubstr("no grant lets alice use sudo. Ask: jitctl request tools --reason"));
    // Whoever is the target.
    EXPECT_NE(host.as("alice", "sudo -n -u bob id -u").status, 0);
    EXPECT_NE(host.as("alice", "sudo -n -i id -u").status, 0);
    EXPECT_EQ(host.root("sudo -n id -u").out, "0\n");
}

TEST_F(GatedProgram, sudo_works_with_one_and_what_it_started_ends_with_it) {
    gate("sudo", "");
    const std::string id = let_in("tools --for 10m");
    EXPECT_EQ(host.as("alice", "sudo -n id -u").out, "0\n");
    EXPECT_EQ(host.as("alice", "sudo -n -i id -u").out, "0\n");
    // The session that it is typed in lives on.
    Session session =
        host.begin_as("alice", "sudo -n sh -c 'setsid sleep 711 & sleep 712 & echo $JIT_GRANT'; "
                               "su -c true nobody </dev/null; sleep 600");
    ASSERT_TRUE(session.shows(id));
    EXPECT_TRUE(eventually([&] { return !running("sleep 711").empty() && !running("sleep 712").empty(); }));
    EXPECT_EQ(host.root("jitctl revoke " + id + " --reason enough").status, 0);
    EXPECT_TRUE(eventually([&] { return running("sleep 711").empty() && running("sleep 712").empty(); }, 3s));
    EXPECT_FALSE(session.wait(500ms));
    EXPECT_NE(host.as("alice", "sudo -n id -u").status, 0);
    EXPECT_THAT(audit(), HasSubstr("login=sudo gated=true run_as=root"));
}

TEST_F(GatedProgram, su_is_judged_by_who_calls_it_not_by_whose_password_they_know) {
    gate("su", "");
    const std::string su = "su bob -c 'id -un; sleep 0.2'";
    const Result refused = host.as("alice", su, {.stdin_text = "pw-bob\n"});
    EXPECT_NE(refused.status, 0);
    EXPECT_THAT(refused.err, HasSubstr("no grant lets alice use su"));
    const std::string id = let_in("tools --for 10m");
    EXPECT_EQ(host.as("alice", su, {.stdin_text = "pw-bob\n"}).out, "bob\n");
    EXPECT_EQ(host.as("alice", "su - bob -c 'id -un'", {.stdin_text = "pw-bob\n"}).out, "bob\n");
    // bob has no grant, and alice's password doesn't help him.
    EXPECT_NE(host.as("bob", "su alice -c id", {.stdin_text = "pw-alice\n"}).status, 0);
    EXPECT_EQ(host.root("su alice -c 'id -un'").out, "alice\n");

    Session session =
        host.begin_as("alice", "su - bob -c 'setsid sleep 713 & echo in; sleep 600'", {.tty = true});
    ASSERT_TRUE(session.shows("assword:"));
    session.type("pw-bob\n");
    ASSERT_TRUE(session.shows("in"));
    EXPECT_TRUE(eventually([&] { return !running("sleep 713").empty(); }));
    EXPECT_EQ(host.root("jitctl revoke " + id + " --reason enough").status, 0);
    EXPECT_TRUE(eventually([&] { return running("sleep 713").empty(); }, 3s));
    EXPECT_TRUE(session.wait(3s));
}

TEST_F(GatedProgram, login_on_a_terminal_is_gated_like_ssh) {
    gate("login", "--only sre");
    host.copy(JIT_ON_A_TTY, "/root/on_a_tty", "0755");
    const auto login = [&] {
        return host.root("timeout 15 /root/on_a_tty $'id; echo grant $JIT_GRANT; exit\\n' login -f alice");
    };
    const Result no = login();
    EXPECT_THAT(no.out, HasSubstr("no grant lets alice log in through login"));
    EXPECT_THAT(no.out, Not(HasSubstr("uid=")));
    const std::string id = let_in("tools --for 10m");
    const Result yes = login();
    EXPECT_THAT(yes.out, HasSubstr("jit-sudo: tools until")) << yes;
    EXPECT_THAT(yes.out, HasSubstr("grant " + id)) << yes;
}

TEST_F(GatedProgram, a_session_group_is_never_added_to_what_sudo_or_su_start) {
    gate("sudo", "");
    gate("su", "");
    let_in("tools --for 10m");
    let_in("logs --for 10m");
    EXPECT_THAT(host.as("alice", "sudo -n id -Gn").out, Not(HasSubstr("adm")));
    EXPECT_THAT(host.as("alice", "su bob -c 'id -Gn'", {.stdin_text = "pw-bob\n"}).out,
                Not(HasSubstr("adm")));
}

} // namespace
} // namespace jit::host
