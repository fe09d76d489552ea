// SPDX-License-Identifier: MIT
// What fingers know from sudo, typed at jit-sudo.
#include "tests/surface/surface.h"

namespace jit::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

class Options : public Surface {
protected:
    void SetUp() override { ask(host(), "alice", "tools"); }
};

TEST_F(Options, a_login_shell_is_the_targets_at_home) {
    EXPECT_EQ(host().as("alice", "jit-sudo -i pwd").out, "/root\n");
    EXPECT_EQ(host().as("alice", "echo 'echo $0 $HOME; pwd; id -un' | jit-sudo -i").out,
              "-bash /root\n/root\nroot\n");
    EXPECT_EQ(host().as("alice", "cd /tmp; jit-sudo -iu carol sh -c 'pwd; id -un'").out,
              "/home/carol\ncarol\n");
    EXPECT_EQ(host().as("alice", "jit-sudo -i echo '$HOME' \"it's\" 'a  b' 'c;d' ''x").out,
              "/root it's a  b c;d x\n");
    EXPECT_EQ(host().as("alice", "jit-sudo -i -D /usr pwd").out, "/usr\n");
    EXPECT_EQ(host().as("alice", "jit-sudo -i sh -c 'exit 7'").status, 7);
}

TEST_F(Options, a_home_that_cannot_be_entered_is_said_and_the_shell_starts_at_the_root) {
    host().root("mv /home/carol /home/carol.away");
    const Result run = host().as("alice", "jit-sudo -iu carol pwd");
    host().root("mv /home/carol.away /home/carol");
    EXPECT_EQ(run.out, "/\n");
    EXPECT_THAT(run.err, HasSubstr("/home/carol: No such file or directory; starting in /"));
}

TEST_F(Options, a_shell_is_the_callers_where_they_are) {
    EXPECT_EQ(host().as("alice", "cd /tmp; echo 'echo $0 $SHELL; pwd; id -un' | jit-sudo -s").out,
              "bash /usr/bin/bash\n/tmp\nroot\n");
    EXPECT_EQ(host().as("alice", "export SHELL=/bin/sh; echo 'echo $0 $SHELL' | jit-sudo -s").out,
              "sh /usr/bin/sh\n");
    EXPECT_EQ(host().as("alice", "unset SHELL; echo 'echo $0' | jit-sudo -s").out, "bash\n");
    // What SHELL names is judged as a command that was typed.
    EXPECT_THAT(host().as("alice", "cp /bin/sh ~/sh; SHELL=$HOME/sh jit-sudo -s").err,
                HasSubstr("does not belong to root"));
    EXPECT_EQ(host().as("alice", "SHELL=/nowhere/sh jit-sudo -s").status, 1);
}

TEST_F(Options, a_shell_that_the_role_does_not_have_is_refused) {
    host().root("usermod -s /usr/bin/dash bob");
    const Result run = host().as("alice", "jit-sudo -n -iu bob");
    host().root("usermod -s /bin/bash bob");
    EXPECT_EQ(run.status, 1);
    EXPECT_THAT(run.err, HasSubstr("no grant lets you run /usr/bin/dash as bob"));
}

TEST_F(Options, a_directory_is_entered_as_the_caller) {
    EXPECT_EQ(host().as("alice", "jit-sudo -D /usr/bin pwd").out, "/usr/bin\n");
    EXPECT_EQ(host().as("alice", "cd /usr; jit-sudo --chdir=bin ./pwd").out, "/usr/bin\n");
    const Result refused = host().as("alice", "jit-sudo -D /root pwd");
    EXPECT_EQ(refused.status, 1);
    EXPECT_EQ(refused.err, "jit-sudo: -D /root: Permission denied\n");
    // What they may not see looks alike, there or not.
    EXPECT_EQ(host().as("alice", "jit-sudo -D /root/.ssh pwd").err,
              "jit-sudo: -D /root/.ssh: Permission denied\n");
    EXPECT_EQ(host().as("alice", "jit-sudo -D /root/none pwd").err,
              "jit-sudo: -D /root/none: Permission denied\n");
}

TEST_F(Options, a_directory_that_was_deleted_stays_and_is_never_the_root) {
    const std::string gone = "mkdir ~/gone && cd ~/gone && rmdir ~/gone && ";
    EXPECT_EQ(host().as("alice", gone + "jit-sudo sh -c 'test -e etc || echo none'").out, "none\n");
}

TEST_F(Options, a_home_is_the_targets_as_H_says) {
    EXPECT_EQ(host().as("alice", "jit-sudo -H printenv HOME").out, "/root\n");
    EXPECT_EQ(host().as("alice", "jit-sudo --set-home -u carol printenv HOME").out, "/home/carol\n");
}

TEST_F(Options, what_only_a_shell_has_is_said_to_be_that) {
    const Result cd = host().as("alice", "jit-sudo cd /root");
    EXPECT_EQ(cd.status, 1);
    EXPECT_THAT(cd.err, AllOf(HasSubstr("cd: command not found: only a shell has it"), HasSubstr("-D DIR")));
}

TEST_F(Options, a_time_of_ones_own_ends_the_command_and_what_it_left) {
    const Result run =
        host().as("alice", "jit-sudo -T 1 sh -c 'sleep 4321 & exec sleep 4322'; echo status $?");
    EXPECT_EQ(run.out, "status 143\n") << run;
    EXPECT_THAT(run.err, HasSubstr("the command ran for 1s (-T), and was killed"));
    const Result stubborn =
        host().as("alice", "jit-sudo -T 1 sh -c 'trap : TERM; while :; do sleep 4323; done'; echo status $?");
    EXPECT_EQ(stubborn.out, "status 137\n") << stubborn;
    EXPECT_EQ(host().root("pgrep -fx 'sleep 432[23]'").out, "");
    EXPECT_EQ(host().as("alice", "jit-sudo -T 1h id -u").out, "0\n");
}

TEST_F(Options, in_the_background_it_goes_on_and_ends_with_the_grant) {
    const Result run =
        host().as("alice", "jit-sudo -b sh -c 'echo out; exec sleep 4331' </dev/null >~/said 2>&1; echo $?");
    EXPECT_EQ(run.out, "0\n") << run;
    EXPECT_TRUE(eventually([&] { return host().as("alice", "cat ~/said").out == "out\n"; }));
    EXPECT_THAT(host().root("pgrep -fx 'sleep 4331'").out, Not(IsEmpty()));
    host().root(
        "jitctl revoke $(jitctl --json list | grep -o '\"id\":\"[0-9a-f]*' | cut -d'\"' -f4) --reason over");
    EXPECT_TRUE(eventually([&] { return host().root("pgrep -fx 'sleep 4331'").out.empty(); }));
    EXPECT_EQ(host().as("alice", "jit-sudo -b -n true; echo $?").out, "1\n") << "a refusal is no start";
}

TEST_F(Options, in_the_background_nothing_is_read_from_the_terminal) {
    Session alice = host().begin_as(
        "alice", "jit-sudo -b sh -c 'read x; echo got:$x; sleep 1; echo late' ; echo back; cat",
        {.tty = true});
    ASSERT_TRUE(alice.shows("back"));
    ASSERT_TRUE(alice.shows("late"));
    EXPECT_THAT(alice.output(), HasSubstr("got:\r\n"));
    alice.type("mine\n\x04");
    ASSERT_TRUE(alice.wait().has_value());
    EXPECT_THAT(alice.output(), HasSubstr("mine\r\nmine"));
}

TEST_F(Options, variables_are_handed_in_where_the_role_names_them) {
    EXPECT_EQ(host().as("alice", "jit-sudo APP_URL='a b' DEBUG= printenv APP_URL").out, "a b\n");
    EXPECT_EQ(
        host()
            .as("alice", "export APP_A=1 APP_B=2; jit-sudo --preserve-env=APP_A,APP_NONE env | grep -c ^APP_")
            .out,
        "1\n");
    const Result refused = host().as("alice", "jit-sudo -n OTHER=1 env");
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.err, HasSubstr("no grant lets you run /usr/bin/env as root with OTHER set"));
    for (const char* variable :
         {"LD_PRELOAD=/x", "PATH=/tmp", "SUDO_USER=root", "BASH_ENV=/x", "DEBUG='() { :; }'"}) {
        const Result never = host().as("alice", std::string("jit-sudo ") + variable + " env");
        EXPECT_EQ(never.status, 1) << variable;
        EXPECT_THAT(never.err, HasSubstr("is never handed in")) << variable;
        EXPECT_EQ(never.out, "") << variable;
    }
}

TEST_F(Options, what_anybody_has_in_the_environment_may_be_said_without_a_role) {
    EXPECT_EQ(host().as("alice", "jit-sudo LC_ALL=C TZ=UTC TERM=dumb env | grep -E '^(LC_ALL|TZ|TERM)='").out,
              "LC_ALL=C\nTERM=dumb\nTZ=UTC\n");
    EXPECT_EQ(host().as("alice", "LANG=C jit-sudo --preserve-env=LANG env | grep ^LANG=").out, "LANG=C\n");
    const Result file = host().as("alice", "jit-sudo TZ=/etc/shadow env");
    EXPECT_EQ(file.status, 1);
    EXPECT_THAT(file.err, HasSubstr("has it without TZ"));
    const Result other = host().as("alice", "jit-sudo -u dave id");
    EXPECT_EQ(other.status, 1);
    EXPECT_THAT(other.err, HasSubstr(", not as dave"));
}

TEST_F(Options, a_group_that_the_user_has_anyway_needs_no_role) {
    EXPECT_EQ(host().as("alice", "jit-sudo -u carol -g sre-leads id -gn").out, "sre-leads\n");
    EXPECT_EQ(host().as("alice", "jit-sudo -u carol -g carol id -gn").out, "carol\n");
    EXPECT_EQ(host().as("alice", "jit-sudo -u carol -g shadow id -gn").status, 1);
}

TEST_F(Options, who_started_it_may_end_it_like_anything_else) {
    const Result run =
        host().as("alice", "timeout 2 jit-sudo sleep 6101; echo $?; jit-sudo sleep 6102 & sleep 1; "
                           "kill $!; wait $!; echo $?; timeout -s USR1 1 jit-sudo sleep 6103; "
                           "echo $?; timeout -s KILL 1 jit-sudo sleep 6104; echo $?");
    EXPECT_EQ(run.out, "124\n143\n124\n137\n") << run;
    EXPECT_TRUE(eventually([] { return host().root("pgrep -fx 'sleep 610[1234]'").status != 0; }));
}

TEST_F(Options, a_user_may_be_a_number_if_there_is_one) {
    const std::string uid = host().root("id -u carol").out;
    EXPECT_EQ(host().as("alice", "jit-sudo -u '#" + uid.substr(0, uid.size() - 1) + "' id -un").out,
              "carol\n");
    EXPECT_EQ(host().as("alice", "jit-sudo -u '#0' id -un").out, "root\n");
    EXPECT_THAT(host().as("alice", "jit-sudo -u '#4294967294' id").err,
                HasSubstr("there is no user '#4294967294'"));
    EXPECT_EQ(host().as("alice", "jit-sudo -u '#-1' id").status, 1);
    EXPECT_EQ(host().as("alice", "jit-sudo -u '#4294967295' id").status, 1);
}

TEST_F(Options, whether_a_command_may_run_is_told_by_the_status) {
    const Result yes = host().as("alice", "jit-sudo -l id -u");
    EXPECT_EQ(yes.status, 0);
    EXPECT_EQ(yes.out, "/usr/bin/id -u\n");
    const Result no = host().as("alice", "jit-sudo -l whoami");
    EXPECT_EQ(no.status, 1) << "available, but not granted";
    EXPECT_EQ(no.out, "") << "a script would take it for the command";
    EXPECT_THAT(no.err, HasSubstr("jitctl request web"));
    EXPECT_THAT(host().as("alice", "jit-sudo -l -u nosuch id").err, HasSubstr("but not for this"));
    const Result none = host().as("alice", "jit-sudo -l nosuch");
    EXPECT_EQ(none.status, 1);
    EXPECT_EQ(none.err, "jit-sudo: nosuch: command not found\n");
    EXPECT_EQ(host().as("alice", "cd /usr/bin; jit-sudo -l ./id").status, 0);
    EXPECT_EQ(host().as("alice", "jit-sudo -l -u carol id").status, 0);
    EXPECT_EQ(host().as("alice", "jit-sudo -l -u dave id").status, 1);
    EXPECT_EQ(host().as("carol", "jit-sudo -l").status, 1);
    EXPECT_EQ(host().as("alice", "jit-sudo -l").status, 0);
    EXPECT_THAT(host().as("alice", "jit-sudo -l").out,
                AllOf(HasSubstr("tools until"), HasSubstr("/usr/bin/env")));
    EXPECT_THAT(host().as("alice", "jit-sudo -ll").out, AllOf(HasSubstr("role"), HasSubstr("filed")));
}

TEST_F(Options, another_persons_grants_are_for_those_who_may_know_them) {
    EXPECT_THAT(host().root("jit-sudo -l -U alice").out, HasSubstr("tools until"));
    const Result dave = host().as("dave", "jit-sudo -l -U alice");
    const Result nobody = host().as("dave", "jit-sudo -l -U nosuchuser");
    EXPECT_EQ(dave.out, "alice has no grant that you may know of, and waits for none\n");
    EXPECT_EQ(nobody.out, "nosuchuser has no grant that you may know of, and waits for none\n");
    EXPECT_EQ(dave.status, nobody.status);
}

TEST_F(Options, what_is_left_out_says_what_to_use) {
    EXPECT_THAT(host().as("alice", "jit-sudo -E env").err, HasSubstr("--preserve-env=NAME"));
    EXPECT_THAT(host().as("alice", "jit-sudo -e /etc/motd").err, HasSubstr("jit-sudo cp COPY FILE"));
    EXPECT_THAT(host().as("alice", "jit-sudo -h web1 id").err, HasSubstr("ssh HOST jit-sudo"));
    EXPECT_EQ(host().as("alice", "jit-sudo -R / id").status, 1);
    EXPECT_THAT(host().as("alice", "jit-sudo -E env").err, Not(HasSubstr("usage")));
    EXPECT_THAT(host().as("alice", "jit-sudo -h").out, StartsWith("usage: jit-sudo"));
    EXPECT_THAT(host().as("alice", "jit-sudo --version").out, StartsWith("jit-sudo "));
}

} // namespace
} // namespace jit::host
