// SPDX-License-Identifier: MIT
// Files: whose they are, what they are called, and what changes while they are looked at.
#include "tests/gauntlet/arena.h"

#include <regex>

namespace jit::host {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Files : public Arena {};

TEST_F(Files, g026_nothing_needs_a_place_that_others_can_write_to) {
    const std::string places = "for d in /tmp /var/tmp /dev/shm; do ";
    ASSERT_EQ(host().root(places + "mount -t tmpfs -o ro none $d || exit 1; done").status, 0);
    const auto runs =
        all("alice", {"TMPDIR=~ jit-sudo -n id -u", "jit-sudo -n -u carol id -un", "touch /tmp/x"});
    host().root(places + "umount $d; done");
    EXPECT_THAT(runs[0], RanAndSaid("0\n"));
    EXPECT_THAT(runs[1], RanAndSaid("carol\n"));
    EXPECT_NE(runs[2].status, 0) << "they can be written to after all";
}

TEST_F(Files, g027_a_path_that_changes_meanwhile_never_becomes_another_command) {
    // What is looked at is one thing half of the time and another thing the other half.
    const auto runs = all(
        "alice",
        {"mkdir -p ~/race && cd ~/race && printf '#!/bin/sh\\necho won; id -u\\n' >evil && chmod 755 evil && "
         "{ while [ ! -e stop ]; do ln -sfn /usr/bin/true x; ln -sfn ~/race/evil x; done & } && "
         "for i in $(seq 60); do jit-sudo -n ~/race/x; jit-sudo -n ./x; done; touch stop; wait; rm -r "
         "~/race",
         "mkdir -p ~/race/a && cd ~/race && cp ~/race/../.bashrc a/ 2>/dev/null; "
         "printf '#!/bin/sh\\necho won; id -u\\n' >a/true && chmod 755 a/true && "
         "{ while [ ! -e stop ]; do ln -sfn /usr/bin d; ln -sfn ~/race/a d; done & } && "
         "for i in $(seq 60); do (cd -L d; jit-sudo -n ./true); jit-sudo -n d/true; done; touch stop; wait; "
         "rm -r ~/race",
         "mkdir -p /tmp/race && cd /tmp/race && printf '#!/bin/sh\\necho won; id -u\\n' >evil && chmod 755 "
         "evil && "
         "{ while [ ! -e stop ]; do cp /usr/bin/true n; mv n x; cp evil n; mv n x; done & } && "
         "for i in $(seq 60); do jit-sudo -n /tmp/race/x; done; touch stop; wait; rm -r /tmp/race"});
    for (const Result& run : runs) {
        EXPECT_EQ(run.out, "");
        EXPECT_THAT(run.err, HasSubstr("is not run"));
    }
}

TEST_F(Files, g029_a_name_that_is_a_path_names_no_file) {
    for (const std::string name : {"../../../tmp/marked", "a/../../tmp/marked", "..", "/tmp/marked"}) {
        host().root("echo '" + name + ":x:4242:100::/:/bin/sh' >>/etc/passwd");
        const std::string as_it = "setpriv --reuid 4242 --regid 100 --clear-groups ";
        EXPECT_THAT(one("root", as_it + "jit-sudo -n id"), IsRefused()) << name;
        EXPECT_THAT(one("root", as_it + "jitctl request tools --reason x"), RanNothing()) << name;
        host().root("sed -i '$d' /etc/passwd");
        EXPECT_EQ(host().root("ls /tmp/marked* /run/tmp /var/tmp/marked* /var/lib/tmp 2>/dev/null").out, "")
            << name;
    }
}

TEST_F(Files, g038_what_one_cannot_see_is_there_or_is_not_and_jit_sudo_does_not_say) {
    host().root(
        "install -m 755 /usr/bin/id /root/seen; install -m 600 /dev/null /root/plain; mkdir -p /root/dir; "
        "ln -sf /usr/bin/id /root/link; "
        "install -o carol -m 755 /usr/bin/id /home/carol/seen; chmod 700 /home/carol; "
        "mkdir -p /srv/closed && chmod 711 /srv/closed && install -m 700 /usr/bin/id /srv/closed/seen");
    const std::vector<std::pair<std::string, std::string>> pairs = {
        {"/root/seen", "/root/none"},
        {"/root/plain", "/root/none"},
        {"/root/dir", "/root/none"},
        {"/root/dir/x", "/root/none/x"},
        {"/root/link", "/root/none"},
        {"/root/../root/seen", "/root/../root/none"},
        {"/home/carol/seen", "/home/carol/none"},
        {"/home/carol/seen/..", "/home/carol/none/.."},
        {"/proc/1/cwd/usr/bin/id", "/proc/1/cwd/none"},
        {"/var/lib/jit/jit.db", "/var/lib/jit/none"},
    };
    for (const auto& [there, absent] : pairs) {
        for (const std::string options : {"", "-u carol ", "-g adm ", "-D "}) {
            const auto runs = all("alice", {"jit-sudo -n " + options + there + " id",
                                            "jit-sudo -n " + options + absent + " id"});
            EXPECT_THAT(runs, Each(IsRefused()));
            const auto plain = [](std::string text, const std::string& path) {
                for (auto at = text.find(path); at != std::string::npos; at = text.find(path))
                    text.replace(at, path.size(), "PATH");
                return text;
            };
            EXPECT_EQ(plain(runs[0].err, there), plain(runs[1].err, absent));
        }
    }
    EXPECT_THAT(all("alice", {"jit-sudo -n -l -U bob", "jit-sudo -n -U bob -l", "jit-sudo -l bob"}),
                Each(testing::Field(&Result::out, Not(HasSubstr("careful")))));
}

TEST_F(Files, g115_no_option_makes_root_open_a_file_that_the_caller_names) {
    host().root("printf 'secret-%s\\n' line >/root/secret");
    std::vector<std::string> commands;
    for (char letter = '0'; letter <= 'z'; ++letter) {
        if (std::isalnum(letter) == 0)
            continue;
        for (const char* path : {"/root/secret", "/root/made"}) {
            commands.push_back(std::string("jit-sudo -n -") + letter + " " + path + " true");
            commands.push_back(std::string("jit-sudo -n -") + letter + path + " true");
        }
    }
    for (const char* name :
         {"--log-file", "--output", "--config", "--file", "--chroot", "--chdir", "--policy"})
        commands.push_back(std::string("jit-sudo -n ") + name + "=/root/made true");
    for (const Result& run : all("alice", commands)) {
        EXPECT_THAT(run.out + run.err, Not(HasSubstr("secret-line"))) << run;
        EXPECT_LT(run.status, 126) << run;
    }
    EXPECT_NE(host().root("test -e /root/made").status, 0);
    EXPECT_EQ(host().root("cat /root/secret").out, "secret-line\n");
}

TEST_F(Files, x04_a_directory_that_is_gone_or_closed_makes_no_other_file_meant) {
    const auto runs =
        all("alice",
            {
                "mkdir ~/gone && cd ~/gone && rmdir ~/gone && jit-sudo -n sh -c 'test -e etc || echo none'",
                "mkdir ~/gone && cd ~/gone && rmdir ~/gone && jit-sudo -n ./sh -c pwd",
                "mkdir -m 700 ~/closed && cd ~/closed && echo mine >file && jit-sudo -n cat file && "
                "jit-sudo -n -u carol cat file",
                "cd /usr/bin && jit-sudo -n ./id -u",
                "d=$(printf 'd%.0s' {1..200}); cd; for i in $(seq 30); do mkdir $d && cd $d; done; "
                "jit-sudo -n ./id -u; jit-sudo -n id -u",
            });
    EXPECT_THAT(runs[0], RanAndSaid("none\n"));
    EXPECT_THAT(runs[1], IsRefused());
    EXPECT_EQ(runs[2].out, "mine\n") << "root reads it, carol does not\n" << runs[2];
    EXPECT_THAT(runs[3], RanAndSaid("0\n"));
    EXPECT_EQ(runs[4].out, "0\n") << runs[4];
    host().root("rm -rf /home/alice/closed /home/alice/d*");
}

TEST_F(Files, x05_a_umask_of_nothing_makes_no_file_for_everybody) {
    const auto runs =
        all("alice", {"umask 000; jit-sudo -n sh -c umask", "umask 077; jit-sudo -n sh -c umask",
                      "umask 777; jit-sudo -n sh -c umask"});
    EXPECT_THAT(runs[0], RanAndSaid("0022\n"));
    EXPECT_THAT(runs[1], RanAndSaid("0077\n"));
    EXPECT_THAT(runs[2], RanAndSaid("0777\n"));
}

} // namespace
} // namespace jit::host
