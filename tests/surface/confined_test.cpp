// SPDX-License-Identifier: MIT
// Less than root: each key of a role that holds its commands, and ways round it that don't work.
#include "tests/surface/surface.h"

namespace jit::host {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

constexpr const char* head = R"(
[risk.low]
auto_approve = "1h"
)";

// A role of alice's, with a shell as root, and these lines.
std::string role(const std::string& name, const std::string& lines) {
    return "[role." + name +
           "]\nrisk = \"low\"\neligible = [\"alice\"]\nmax = \"1h\"\nauthenticate = false\n"
           "run_as = [\"root\", \"carol\"]\ncommands = [\"/usr/bin/bash **\", \"/usr/bin/cat **\", "
           "\"/usr/bin/pwd\", \"/usr/local/sbin/pinned **\", \"/usr/local/sbin/script\"]\n" +
           lines + '\n';
}

class Confined : public testing::Test {
public:
    static void SetUpTestSuite() { host_ = std::make_unique<Host>(); }
    static void TearDownTestSuite() { host_.reset(); }

protected:
    void TearDown() override {
        const Json requests = json_of(host().root("jitctl --json list")).at("requests");
        for (const Json& each : requests) {
            host().root("jitctl revoke " + each.at("id").get<std::string>() + " --reason 'the test is over'");
        }
    }
    static Host& host() { return *host_; }

    // The PAM service test-otp, which takes 123456 and adds a line to /root/guesses each time.
    static void make_second_factor() {
        host().write("/etc/pam.d/test-otp",
                     "auth required pam_exec.so quiet expose_authtok /usr/local/sbin/otp\n");
        host().write("/usr/local/sbin/otp",
                     "#!/bin/sh\necho >>/root/guesses; test \"$(tr -d '\\000')\" = 123456\n", "0755");
    }
    // alice has a role with these lines from now on.
    static void hold(const std::string& lines) {
        host().policy(head + role("held", lines));
        ask(host(), "alice", "held");
    }
    // What this text does in a root shell of the role's.
    static Result shell(const std::string& text, const How& how = {}) {
        return host().as("alice", "jit-sudo bash -c '" + text + "'", how);
    }
    static bool is_controlled(const std::string& controller) {
        return host().root("cat /sys/fs/cgroup/cgroup.controllers").out.find(controller) != std::string::npos;
    }

private:
    static inline std::unique_ptr<Host> host_;
};

constexpr const char* show_capabilities = "grep ^Cap /proc/self/status | tr -s \"\\t\\n\" \" \"";

// Each is done by plain root, and takes a capability.
constexpr const char* wanting_capabilities[] = {
    "setpriv --inh-caps +chown --ambient-caps +chown true",
    "chroot / true",
    "unshare -m true",
    "setpriv --reuid carol --clear-groups true",
    "cat /home/carol/private",
    "chown carol /root",
};

TEST_F(Confined, without_a_key_it_is_plain_root) {
    hold("");
    host().root("install -o carol -m 0600 /dev/null /home/carol/private");
    for (const char* attempt : wanting_capabilities) {
        const Result run = shell(attempt);
        EXPECT_EQ(run.status, 0) << attempt << run;
    }
    host().root("chown root /root");
    EXPECT_EQ(
        shell("cd /; grep -v ^Name /proc/self/status | grep -E \"^(NoNewPrivs|CapBnd|CapEff)\" >/root/it; "
              "touch /etc/it && rm /etc/it && echo written; grep -c \"NoNewPrivs:.0\" /root/it; "
              "test \"$(sed -n s/CapEff://p /root/it)\" = \"$(sed -n s/CapBnd://p /root/it)\" && echo whole")
            .out,
        "written\n1\nwhole\n");
}

TEST_F(Confined, has_the_capabilities_that_are_named_and_no_others) {
    hold("capabilities = [\"CAP_NET_ADMIN\", \"CAP_CHOWN\"]");
    const std::string set = "0000000000001001";
    const std::string none = "0000000000000000";
    EXPECT_EQ(shell(show_capabilities).out, "CapInh: " + none + " CapPrm: " + set + " CapEff: " + set +
                                                " CapBnd: " + set + " CapAmb: " + none + " ");
    EXPECT_EQ(shell("touch /root/of-root; chown carol /root/of-root && echo chowned").out, "chowned\n");
    // Of others' files root may read none: that would take CAP_DAC_OVERRIDE.
    host().root("install -o carol -m 0600 /dev/null /home/carol/private");
    EXPECT_THAT(shell("cat /home/carol/private").err, HasSubstr("Permission denied"));
    EXPECT_THAT(shell("kill -0 $(pgrep -u carol -n . || echo 1); mount -t tmpfs none /mnt").err,
                AnyOf(HasSubstr("permission denied"), HasSubstr("must be superuser")));
}

TEST_F(Confined, has_none_where_none_are_named_also_as_somebody_else_and_after_a_setuid_program) {
    hold("capabilities = []");
    host().root("install -o carol -m 0600 /dev/null /home/carol/private");
    const std::string none = "0000000000000000";
    const std::string all = "CapInh: " + none + " CapPrm: " + none + " CapEff: " + none + " CapBnd: " + none +
                            " CapAmb: " + none + " ";
    EXPECT_EQ(shell(show_capabilities).out, all);
    EXPECT_EQ(host().as("alice", std::string("jit-sudo -u carol bash -c '") + show_capabilities + "'").out,
              all);
    // A setuid-root program gives root's uid, and not its rights.
    host().root("install -m 4755 /usr/bin/bash /usr/local/bin/suid-bash");
    EXPECT_EQ(
        host()
            .as("alice", std::string("jit-sudo -u carol bash -c '/usr/local/bin/suid-bash -pc \"id -u; ") +
                             "grep ^CapEff /proc/self/status\"'")
            .out,
        "0\nCapEff:\t" + none + "\n");
    host().root("rm /usr/local/bin/suid-bash");
    for (const char* attempt : wanting_capabilities) {
        EXPECT_NE(shell(attempt).status, 0) << attempt;
    }
}

TEST_F(Confined, a_capability_of_the_caller_that_is_inheritable_is_not_handed_on) {
    hold("capabilities = [\"CAP_CHOWN\"]");
    // As pam_cap gives it; root would get it at execve by that, whatever the bounding set says.
    const Result run =
        host().root("setpriv --inh-caps +sys_admin --reuid alice --regid alice --init-groups "
                    "grep ^CapInh /proc/self/status; setpriv --inh-caps +sys_admin --reuid alice "
                    "--regid alice --init-groups jit-sudo -n bash -c "
                    "'grep -E \"^Cap(Inh|Eff)\" /proc/self/status'");
    EXPECT_THAT(run.out, StartsWith("CapInh:\t0000000000200000\n")) << run;
    EXPECT_THAT(run.out, HasSubstr("CapInh:\t0000000000000000\nCapEff:\t0000000000000001\n")) << run;
}

TEST_F(Confined, no_new_privileges_makes_setuid_programs_plain) {
    hold("no_new_privileges = true");
    EXPECT_EQ(host().as("alice", "jit-sudo -u carol grep NoNewPrivs /proc/self/status").status, 1);
    host().root("install -m 4755 /usr/bin/bash /usr/local/bin/suid-bash");
    const Result run = host().as("alice", "jit-sudo -u carol bash -c 'grep NoNewPrivs /proc/self/status; "
                                          "/usr/local/bin/suid-bash -pc \"id -un\"; jit-sudo id; su -c id'");
    EXPECT_THAT(run.out, StartsWith("NoNewPrivs:\t1\ncarol\n")) << run;
    EXPECT_THAT(run.out, Not(HasSubstr("uid=0"))) << run;
    EXPECT_EQ(shell("id -u; setpriv --no-new-privs true && echo stays").out, "0\nstays\n");
    host().root("rm /usr/local/bin/suid-bash");
}

TEST_F(Confined, writes_where_the_role_says_and_nowhere_else) {
    host().root(
        "rm -rf /srv/w /srv/o; mkdir -p /srv/w/sub /srv/o; echo kept >/srv/o/file; echo in >/srv/w/in");
    hold("write = [\"/srv/w\"]");
    const Result inside =
        shell("echo a >/srv/w/new && mv /srv/w/new /srv/w/sub/moved && ln /srv/w/in /srv/w/hard && "
              "ln -s /srv/o/file /srv/w/link && truncate -s 1 /srv/w/in && rm /srv/w/hard && "
              "mkdir /srv/w/d && rmdir /srv/w/d && mkfifo /srv/w/f && rm /srv/w/f && "
              "echo x >/dev/null && echo said >/dev/stderr && echo out >/dev/stdout");
    EXPECT_EQ(inside.status, 0) << inside;
    EXPECT_EQ(inside.out, "out\n");
    for (const char* attempt : {"echo b >/srv/o/file",
                                "echo b >>/srv/o/file",
                                "echo b >/srv/w/link",
                                "echo b >/srv/w/../o/file",
                                "cd /srv/o && echo b >file",
                                "truncate -s 0 /srv/o/file",
                                "rm /srv/o/file",
                                "mv /srv/o/file /srv/w/",
                                "mv /srv/w/in /srv/o/",
                                "ln /srv/o/file /srv/w/hard",
                                "ln /srv/w/in /srv/o/hard",
                                "mkdir /srv/o/d",
                                "ln -s x /srv/o/l",
                                "mknod /srv/o/n p",
                                "mknod /srv/w/n c 1 3",
                                "mknod /srv/w/n b 7 0",
                                "mv /srv/o /srv/w/o",
                                "mount --bind /srv/o /srv/w/sub",
                                "mount -t tmpfs none /srv/o",
                                "umount /proc",
                                "echo b >/proc/$$/root/srv/o/file",
                                "chroot / /usr/bin/rm /srv/o/file",
                                "dd if=/dev/null of=/srv/o/file",
                                "echo 1 >/proc/sys/kernel/domainname",
                                "echo >/tmp/x",
                                "echo $$ >/sys/fs/cgroup/cgroup.procs",
                                "unshare -m mount -t tmpfs none /srv/o",
                                "nsenter -t 1 -m rm /srv/o/file"}) {
        const Result run = shell(std::string("(") + attempt + ") 2>/dev/null && echo done");
        EXPECT_EQ(run.out, "") << attempt << run;
    }
    EXPECT_EQ(host().root("cat /srv/o/file; ls /srv/o").out, "kept\nfile\n");
    EXPECT_EQ(host().root("rm -rf /srv/w/sub/moved; ls /srv/w").out, "in\nlink\nsub\n");
}

TEST_F(Confined, that_writes_nothing_still_has_its_terminal) {
    hold("write = []");
    Session alice = host().begin_as("alice",
                                    "jit-sudo bash -c 'echo tty >/dev/tty; : >/root/x; script -qc \"echo "
                                    "pty\" /dev/null; echo end'",
                                    {.tty = true});
    ASSERT_TRUE(alice.shows("end")) << alice.output();
    EXPECT_THAT(alice.output(),
                AllOf(HasSubstr("tty"), HasSubstr("pty"), HasSubstr("/root/x: Permission denied")));
}

TEST_F(Confined, one_file_may_be_all_that_is_written) {
    host().root("echo one >/srv/one; echo two >/srv/two");
    hold("write = [\"/srv/one\"]");
    EXPECT_EQ(shell("echo 1 >/srv/one; echo 2 >/srv/two; rm /srv/one").status, 1);
    EXPECT_EQ(host().root("cat /srv/one /srv/two").out, "1\ntwo\n");
}

TEST_F(Confined, executes_where_the_role_says_and_nowhere_else) {
    host().root("mkdir -p /opt/tools /srv/x; cp /usr/bin/id /opt/tools/id; cp /usr/bin/id /srv/x/id; "
                "ln -sf /srv/x/id /opt/tools/link");
    hold("execute = [\"/opt/tools\"]");
    // The command itself runs though it isn't below; nothing else of its directory does.
    EXPECT_EQ(shell("/opt/tools/id -u").out, "0\n");
    for (const char* attempt :
         {"/usr/bin/id", "/srv/x/id", "/opt/tools/link", "cd /srv/x && ./id", "/proc/self/root/srv/x/id",
          "/opt/tools/../../srv/x/id", "exec /usr/bin/id"}) {
        const Result run = shell(attempt);
        EXPECT_EQ(run.status, 126) << attempt << run;
        EXPECT_EQ(run.out, "") << attempt;
    }
}

TEST_F(Confined, execute_alone_forbids_no_rename_but_one_that_would_make_a_program) {
    host().root("rm -rf /opt/tools /srv/x; mkdir -p /opt/tools /srv/x /srv/y; cp /usr/bin/id /srv/x/id; "
                "touch /srv/x/f");
    hold("execute = [\"/usr/bin\", \"/opt/tools\"]");
    EXPECT_EQ(shell("mv /srv/x/f /srv/y/f && ln /srv/y/f /srv/x/f && rm /srv/x/f && echo moved").out,
              "moved\n");
    EXPECT_EQ(shell("ln /srv/x/id /opt/tools/id 2>/dev/null && echo linked").out, "");
}

TEST_F(Confined, a_path_that_is_not_there_or_not_roots_alone_is_refused) {
    hold("write = [\"/srv/nowhere\"]");
    const Result missing = shell("id");
    EXPECT_EQ(missing.status, 1);
    EXPECT_EQ(missing.err,
              "jit-sudo: the role confines its commands to /srv/nowhere, which is not there. Nothing is "
              "run; tell whoever keeps the policy\n");
    EXPECT_THAT(host().root("jitctl audit --kind request.refused").out,
                HasSubstr("confines its commands to /srv/nowhere"));
    host().as("alice", "mkdir -p ~/work && ln -sfn /etc ~/link");
    for (const char* path : {"/home/alice/work", "/home/alice/link"}) {
        host().policy(head + role("held", std::string("execute = [\"") + path + "\"]"));
        const Result swappable = shell("id");
        EXPECT_EQ(swappable.status, 1);
        EXPECT_THAT(swappable.err, HasSubstr("/home/alice does not belong to root")) << path;
    }
    EXPECT_THAT(host().root("jitctl audit | grep -c use.started").out, Not(IsEmpty()));
}

TEST_F(Confined, starts_in_the_roles_directory_and_in_no_other) {
    host().root("mkdir -p /srv/app; chown carol /srv/app; ln -sfn /srv/app /srv/app-link");
    hold("directory = \"/srv/app\"");
    EXPECT_EQ(host().as("alice", "cd /tmp; jit-sudo pwd").out, "/srv/app\n");
    EXPECT_EQ(host().as("alice", "jit-sudo -D /srv/app pwd").out, "/srv/app\n");
    EXPECT_EQ(host().as("alice", "jit-sudo -D /srv/app-link pwd").out, "/srv/app\n")
        << "the same, by another name";
    const Result elsewhere = host().as("alice", "jit-sudo -D /tmp pwd");
    EXPECT_EQ(elsewhere.status, 1);
    EXPECT_EQ(elsewhere.err,
              "jit-sudo: the role's commands start in /srv/app, and nowhere else. Leave -D out\n");
    host().root("chmod 0700 /srv/app; chown root /srv/app");
    const Result closed = host().as("alice", "jit-sudo -u carol pwd");
    EXPECT_EQ(closed.out, "") << closed;
    EXPECT_THAT(closed.err, HasSubstr("/srv/app: Permission denied"));
}

TEST_F(Confined, a_pinned_command_runs_as_it_is_pinned_and_not_otherwise) {
    host().root("cp /usr/bin/printf /usr/local/sbin/pinned; printf '#!/bin/sh\\necho script $0\\n' "
                ">/usr/local/sbin/script; chmod 755 /usr/local/sbin/script");
    const auto digest = [](const std::string& path) {
        return host().root("sha256sum " + path).out.substr(0, 64);
    };
    hold("[role.held.digests]\n\"/usr/local/sbin/pinned\" = [\"" + std::string(64, '0') + "\", \"" +
         digest("/usr/bin/printf") + "\"]\n\"/usr/local/sbin/script\" = [\"" +
         digest("/usr/local/sbin/script") + "\"]");
    EXPECT_EQ(host().as("alice", "jit-sudo pinned %s-%s a b").out, "a-b");
    EXPECT_EQ(host().as("alice", "jit-sudo script").out, "script /usr/local/sbin/script\n");
    EXPECT_EQ(shell("echo others").out, "others\n") << "what isn't pinned runs as ever";
    const Result nothing = host().as("alice", "jit-sudo pinned fd; ls -l /proc/self/fd | wc -l");
    EXPECT_THAT(nothing.out, StartsWith("fd"));

    const std::string before = host().root("jitctl audit | grep -c use.started").out;
    host().root("cp /usr/bin/id /usr/local/sbin/pinned; echo '# more' >>/usr/local/sbin/script");
    for (const char* name : {"pinned", "script"}) {
        const Result other = host().as("alice", std::string("jit-sudo ") + name + " -u");
        EXPECT_EQ(other.status, 1) << name;
        EXPECT_EQ(other.out, "");
        if (name == std::string_view("pinned")) {
            EXPECT_THAT(other.err,
                        AllOf(HasSubstr("/usr/local/sbin/pinned is not the file whose digest the role has"),
                              HasSubstr(digest("/usr/bin/id"))));
        }
    }
    EXPECT_EQ(host().root("jitctl audit | grep -c use.started").out, before);
    EXPECT_THAT(host().root("jitctl audit | grep pinned").out, HasSubstr("is not the file whose digest"));
}

TEST_F(Confined, a_pinned_file_that_is_exchanged_all_the_time_never_runs_as_another) {
    hold("digests = { \"/usr/local/sbin/pinned\" = [\"" +
         host().root("sha256sum /usr/bin/printf").out.substr(0, 64) + "\"] }");
    host().root(
        "cd /usr/local/sbin; rm -f /root/stop; cp /usr/bin/printf pinned; (while [ ! -e /root/stop ]; do "
        "cp /usr/bin/echo n; mv n pinned; cp /usr/bin/printf n; mv n pinned; done) >/dev/null 2>&1 &");
    const Result run = host().as(
        "alice", "for i in $(seq 150); do jit-sudo -n pinned 'as %s\\n' pinned; done", {.timeout = 60s});
    host().root("touch /root/stop");
    EXPECT_THAT(run.out, AllOf(HasSubstr("as pinned\n"), Not(HasSubstr("%s"))));
    EXPECT_THAT(run.err, HasSubstr("is not the file whose digest the role has"));
}

TEST_F(Confined, a_large_file_is_hashed_while_others_are_served) {
    host().root("cp /usr/bin/true /usr/local/sbin/pinned; truncate -s 200M /usr/local/sbin/pinned");
    hold("digests = { \"/usr/local/sbin/pinned\" = [\"" +
         host().root("sha256sum /usr/local/sbin/pinned").out.substr(0, 64) + "\"] }");
    Session large = host().begin_as("alice", "jit-sudo pinned && echo hashed");
    const Result other = shell("echo meanwhile");
    EXPECT_EQ(other.out, "meanwhile\n");
    ASSERT_TRUE(large.shows("hashed", 20s)) << large.output();
    host().root("truncate -s 300M /usr/local/sbin/pinned");
    EXPECT_THAT(host().as("alice", "jit-sudo pinned").err, HasSubstr("more than 256 MiB"));
}

TEST_F(Confined, limits_processes_or_is_refused) {
    hold("processes = 20");
    const Result run =
        shell("for i in $(seq 100); do sleep 100 & done 2>&1; jobs -r | wc -l", {.timeout = 60s});
    if (!is_controlled("pids")) {
        EXPECT_EQ(run.status, 1);
        EXPECT_THAT(run.err,
                    HasSubstr("the role limits the number of processes of its commands, and on this host "
                              "cgroup v2 doesn't do that"));
        EXPECT_EQ(host().root("ls /sys/fs/cgroup/jit.slice/jit-elevations.service | grep -c -").out, "0\n");
        return;
    }
    EXPECT_THAT(run.out, HasSubstr("Resource temporarily unavailable")) << run;
}

TEST_F(Confined, limits_memory_or_is_refused) {
    hold("memory = \"32M\"");
    const Result run =
        shell("head -c 100M /dev/zero | tail -c 90M | wc -c; echo ${PIPESTATUS[1]}", {.timeout = 60s});
    if (!is_controlled("memory")) {
        EXPECT_EQ(run.status, 1);
        EXPECT_THAT(run.err, HasSubstr("the role limits the memory of its commands"));
        return;
    }
    EXPECT_THAT(run.out, HasSubstr("137\n")) << run;
}

TEST_F(Confined, a_second_factor_is_asked_for_each_time_and_never_remembered) {
    make_second_factor();
    hold("second_factor = \"test-otp\"");
    for (int time = 0; time < 2; ++time) {
        EXPECT_EQ(host().as("alice", "echo 123456 | jit-sudo -S bash -c 'echo in'").out, "in\n");
    }
    const Result wrong = host().as("alice", "yes 654321 | jit-sudo -S bash -c 'echo in'");
    EXPECT_EQ(wrong.status, 1);
    EXPECT_EQ(wrong.out, "");
    const Result silent = host().as("alice", "jit-sudo -n bash -c 'echo in'");
    EXPECT_EQ(silent.status, 1);
    EXPECT_EQ(silent.err,
              "jit-sudo: a second factor is required (PAM service test-otp), and -n says not to ask. Run it "
              "without -n\n");
    // "other" would be asked otherwise.
    host().root(
        "rm /etc/pam.d/test-otp; cp -p /etc/pam.d/other /root/other; echo 'auth sufficient pam_permit.so' "
        ">/etc/pam.d/other");
    const Result missing = host().as("alice", "echo 123456 | jit-sudo -S bash -c 'echo in'");
    host().root("cp -p /root/other /etc/pam.d/other");
    EXPECT_EQ(missing.status, 1);
    EXPECT_EQ(missing.err,
              "jit-sudo: a second factor is required, and there is no PAM service test-otp: make "
              "/etc/pam.d/test-otp\n");
}

TEST_F(Confined, a_second_factor_comes_after_the_password_and_in_spite_of_a_remembered_one) {
    make_second_factor();
    std::string text = role("held", "second_factor = \"test-otp\"");
    text.replace(text.find("authenticate = false"), 20, "authenticate = true");
    host().policy(head + text);
    ask(host(), "alice", "held");
    const Result run = host().as("alice", "printf 'pw-alice\\n123456\\n' | jit-sudo -S bash -c 'echo one'; "
                                          "printf '123456\\n' | jit-sudo -S bash -c 'echo two'; printf "
                                          "'no\\nno\\nno\\n' | jit-sudo -S bash -c 'echo three'");
    EXPECT_EQ(run.out, "one\ntwo\n") << run;
}

TEST_F(Confined, a_second_factor_cannot_be_guessed_as_often_as_one_likes) {
    make_second_factor();
    hold("second_factor = \"test-otp\"");
    host().root("systemctl restart jitd; rm -f /root/guesses"); // none has been counted
    const Result wrong =
        host().as("alice", "for i in $(seq 20); do echo 654321 | jit-sudo -S bash -c 'echo in' & done; wait; "
                           "echo 123456 | jit-sudo -S bash -c 'echo in'");
    EXPECT_EQ(wrong.out, "");
    EXPECT_THAT(wrong.err, HasSubstr("[jit-sudo] test-otp for alice: "));
    EXPECT_THAT(wrong.err, testing::EndsWith("jit-sudo: too many wrong answers; try again in a minute\n"));
    const int guesses = std::stoi(host().root("wc -l </root/guesses").out);
    EXPECT_GT(guesses, 0);
    EXPECT_LE(guesses, 10);
    host().root("systemctl restart jitd");
    EXPECT_EQ(host().as("alice", "echo 123456 | jit-sudo -S bash -c 'echo in'").out, "in\n");
}

TEST_F(Confined, of_two_grants_the_one_without_confinement_starts_it) {
    host().policy(head + role("held", "capabilities = []") + role("plain", ""));
    ask(host(), "alice", "held");
    EXPECT_EQ(shell("grep ^CapEff /proc/self/status").out, "CapEff:\t0000000000000000\n");
    const std::string plain = ask(host(), "alice", "plain --for 10m");
    EXPECT_THAT(shell("grep ^CapEff /proc/self/status").out, Not(HasSubstr("0000000000000000")));
    // What began as plain root doesn't live on by the grant that would have held it.
    Session run = host().begin_as("alice", "jit-sudo bash -c 'echo begun; sleep 60'");
    ASSERT_TRUE(run.shows("begun"));
    host().root("jitctl revoke " + plain + " --reason test");
    ASSERT_TRUE(run.wait().has_value());
    EXPECT_EQ(shell("grep ^CapEff /proc/self/status").out, "CapEff:\t0000000000000000\n");
}

TEST_F(Confined, is_shown_to_whoever_asks) {
    hold("capabilities = [\"CAP_NET_ADMIN\"]\nwrite = [\"/etc\"]");
    EXPECT_THAT(host().as("alice", "jit-sudo -ll").out,
                AllOf(HasSubstr("capabilities: CAP_NET_ADMIN"), HasSubstr("writes below /etc only")));
    EXPECT_THAT(host().as("alice", "jitctl explain -- /usr/bin/bash").out,
                HasSubstr("writes below /etc only"));
}

TEST_F(Confined, changes_nothing_for_the_helper_itself) {
    hold("capabilities = []\nno_new_privileges = true\nwrite = []\nexecute = [\"/usr\"]\ndirectory = "
         "\"/srv\"");
    const Result run = host().as("alice", "jit-sudo bash -c 'pwd; exit 7'; echo $?");
    EXPECT_EQ(run.out, "/srv\n7\n") << run;
    Session tty = host().begin_as("alice", "jit-sudo bash -c 'test -t 0 && echo is-tty; read x; echo got:$x'",
                                  {.tty = true});
    ASSERT_TRUE(tty.shows("is-tty"));
    tty.type("typed\n");
    EXPECT_TRUE(tty.shows("got:typed")) << tty.output();
}

} // namespace
} // namespace jit::host
