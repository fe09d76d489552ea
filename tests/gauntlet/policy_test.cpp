// SPDX-License-Identifier: MIT
// Ways round what a grant says.
#include "tests/gauntlet/arena.h"

namespace jit::host {
namespace {

using testing::AnyOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

// bob may run id, without an argument and by that path. Nothing else.
class Policy : public Arena {
protected:
    static void SetUpTestSuite() {
        Arena::SetUpTestSuite();
        host().policy(std::string(GAUNTLET_POLICY) +
                      "[role.one]\nrisk = \"low\"\neligible = [\"bob\"]\nmax = \"1h\"\nauthenticate = false\n"
                      "commands = [\"/usr/bin/id\", \"/usr/bin/cat /var/log/*\"]\n");
        host().root("runuser -u bob -- jitctl request one --reason test");
    }
};

TEST_F(Policy, g111_another_spelling_is_the_same_command_or_none) {
    std::vector<std::string> same, none;
    for (const char* path : {"/usr/bin/id", "//usr//bin/id", "/usr/bin/../bin/id", "/usr/./bin/id", "/bin/id",
                             "id", "/usr/bin/../../bin/id", "../../usr/bin/id", "/../usr/bin/id"})
        same.push_back(std::string("cd /usr/lib; jit-sudo -n ") + path);
    EXPECT_THAT(all("bob", same), Each(testing::Field(&Result::out, HasSubstr("uid=0(root)"))));

    host().root("install -m 755 /usr/bin/sh /usr/local/bin/id2; ln /usr/bin/id /usr/local/bin/hard; "
                "ln -s /usr/bin/id /usr/local/bin/soft; mkdir -p /opt/bob; chown bob /opt/bob; "
                "mkfifo -m 755 /usr/local/bin/pipe; cp /usr/bin/id /usr/local/bin/loose; chmod 775 "
                "/usr/local/bin/loose");
    for (const char* path : {"~/id",
                             "./id",
                             "~/soft",
                             "/usr/local/bin/hard",
                             "/usr/local/bin/soft",
                             "/usr/local/bin/loose",
                             "/usr/local/bin/pipe",
                             "/usr/bin/id/",
                             "/usr/bin/id/.",
                             "/usr/bin/id/../id",
                             "/usr/bin",
                             "/usr/bin/",
                             "/",
                             "''",
                             ".",
                             "..",
                             "/dev/null",
                             "/dev/stdin",
                             "/proc/self/exe",
                             "../../usr/bin/id",
                             "/proc/1/root/usr/bin/id",
                             "/proc/self/cwd/id",
                             "/proc/self/fd/0",
                             "/usr/bin/id2",
                             "id2",
                             "'id '",
                             "' id'",
                             "$'id\\n'",
                             "$'/usr/bin/id\\n'",
                             "/usr/bin/ID",
                             "/usr/bin/i*",
                             "/usr/bin/id\\;",
                             "'/usr/bin/id -u'",
                             "/opt/bob/id",
                             "/tmp/id",
                             "-- -n"})
        none.push_back(
            std::string("cd; cp /usr/bin/id ~/id; cp /usr/bin/id /tmp/id; cp /usr/bin/id /opt/bob/id; "
                        "ln -sf /usr/bin/id ~/soft; exec jit-sudo -n ") +
            path);
    EXPECT_THAT(all("bob", none), Each(RanNothing()));
    host().root("rm -f /usr/local/bin/{id2,hard,soft,pipe,loose} /tmp/id");
}

TEST_F(Policy, g111_a_directory_that_is_mounted_or_linked_over_is_whose_it_is_now) {
    host().root(
        "mkdir -p /opt/tools /home/bob/mine; cp /usr/bin/id /home/bob/mine/id; chown -R bob: /home/bob/mine; "
        "mount --bind /home/bob/mine /opt/tools");
    const auto bound = all("bob", {"jit-sudo -n /opt/tools/id", "cd /opt/tools && jit-sudo -n ./id"});
    host().root("umount /opt/tools");
    EXPECT_THAT(bound, Each(IsRefused()));
}

TEST_F(Policy, g111_arguments_are_what_was_granted_and_nothing_is_joined_or_split) {
    host().root("echo in-log >/var/log/some; chmod 600 /var/log/some; echo hidden >/root/hidden");
    EXPECT_THAT(all("bob", {"jit-sudo -n cat /var/log/some"}), Each(RanAndSaid("in-log\n")));
    EXPECT_THAT(
        all("bob",
            {"jit-sudo -n id -u", "jit-sudo -n id ''", "jit-sudo -n cat /var/log/../../root/hidden",
             "jit-sudo -n cat /var/log/some /root/hidden", "jit-sudo -n cat '/var/log/some /root/hidden'x",
             "jit-sudo -n cat -- /var/log/some", "jit-sudo -n cat --help", "jit-sudo -n cat",
             "jit-sudo -n cat /var/log/", "jit-sudo -n 'cat /var/log/some'", "jit-sudo -n cat ''",
             "jit-sudo -n cat $'/var/log/some\\n/root/hidden'"}),
        Each(RanNothing()));
}

TEST_F(Policy, x20_what_a_grant_says_of_the_group_or_user_does_not_carry_over) {
    EXPECT_THAT(
        all("bob",
            {"jit-sudo -n -u carol id", "jit-sudo -n -u bob id", "jit-sudo -n -g root id",
             "jit-sudo -n -g bob id", "jit-sudo -n -u root -g root id", "jit-sudo -n -g sudo -u root id"}),
        Each(testing::AnyOf(IsRefused(), testing::Field(&Result::out, HasSubstr("uid=0(root) gid=0(root) "
                                                                                "groups=0(root)\n")))));
    EXPECT_THAT(all("carol", {"jit-sudo -n id", "jit-sudo -n -u bob id", "jit-sudo -n -u carol id"}),
                Each(IsRefused()));
}

} // namespace
} // namespace jit::host
