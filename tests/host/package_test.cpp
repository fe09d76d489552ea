// SPDX-License-Identifier: MIT
// The package, from its installation to its removal.
#include "tests/host/access.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::HasSubstr;

// One call of the public socket, made with what every Debian has.
constexpr const char* GET_INFO = R"(perl -MIO::Socket::UNIX -e '
    my $socket = IO::Socket::UNIX->new(Peer => "/run/jit/io.jitsudo.Access") or die "connect: $!";
    $socket->syswrite("{\"method\":\"org.varlink.service.GetInfo\"}\0");
    local $/ = "\0";
    print scalar <$socket>;')";

TEST(Package, JitdRunsAfterInstallationAndAnswersAnybody) {
    Host host;
    const Result units = host.root("systemctl is-active jitd.service jitd.socket jit-nss.socket");
    EXPECT_EQ(units.out, "active\nactive\nactive\n");
    EXPECT_EQ(host.root("systemctl --failed --no-legend").out, "");
    const Result info = host.as("dave", GET_INFO);
    EXPECT_EQ(info.status, 0) << info;
    EXPECT_THAT(info.out, HasSubstr("\"vendor\"")) << info;
}

TEST(Package, OnlyTheSocketThatAsksTheKernelWhoTheyAreIsOpenToEverybody) {
    Host host;
    EXPECT_EQ(host.root("find /run/jit -type s -perm /066 -printf '%f %m\n'").out, "io.jitsudo.Access 666\n");
    EXPECT_EQ(host.root("stat -c %a:%U /run/jit /var/lib/jit").out, "755:root\n700:root\n");
}

TEST(Package, InstallingGatesNothing) {
    Host host;
    Host bare(With::nothing);
    // Our own service's file in pam.d is read by nobody else.
    const char* const guards =
        "cd /etc; sha256sum $(ls -d pam.d/* | grep -v jit-sudo) ssh/sshd_config* ssh/*/* sudoers* "
        "sudoers.d/* nsswitch.conf passwd group shadow gshadow /usr/share/pam-configs/* "
        "2>/dev/null";
    const Result untouched = bare.root(guards);
    EXPECT_THAT(untouched.out, HasSubstr("pam.d/sshd"));
    EXPECT_EQ(host.root(guards).out, untouched.out);
    EXPECT_EQ(host.as("dave", "true").status, 0);
}

TEST(Package, EveryInstalledFileBelongsToRootAndIsWritableByNobodyElse) {
    Host host;
    const Result open =
        host.root("dpkg -L jit-sudo | xargs -d '\\n' -I{} find {} -maxdepth 0 ! -type l '(' ! "
                  "-user root -o -perm /022 ')'");
    EXPECT_EQ(open.out, "") << open;
}

TEST(Package, OnlyTheHelperIsSetuid) {
    Host host;
    const Result setuid = host.root(
        "dpkg -L jit-sudo | xargs -d '\\n' -I{} find {} -maxdepth 0 -perm /6000 -printf '%m %u:%g %p\\n'");
    EXPECT_EQ(setuid.out, "4755 root:root /usr/bin/jit-sudo\n") << setuid;
}

TEST(Package, AnUpgradeRestartsJitdAndLeavesItsSocketsAndElevationsAlone) {
    Host host;
    const char* const kept = "stat -c '%n %i' /run/jit/io.jitsudo.Access /run/jit/helper /run/jit/nss; "
                             "systemctl show -P MainPID jit-elevations";
    const char* const pid = "systemctl show -P MainPID jitd";
    const Result before = host.root(kept);
    const Result first = host.root(pid);
    const Result upgrade = host.root("dpkg -i /root/package.deb");
    EXPECT_EQ(upgrade.status, 0) << upgrade;
    EXPECT_EQ(host.root(kept).out, before.out);
    EXPECT_NE(host.root(pid).out, first.out);
    EXPECT_EQ(host.as("dave", GET_INFO).status, 0);
}

TEST(Package, RemovalKeepsTheDatabaseAndPurgeLeavesNothing) {
    Host host;
    EXPECT_EQ(host.root("dpkg --remove jit-sudo").status, 0);
    EXPECT_EQ(host.root("ls /var/lib/jit/jit.db").status, 0);
    EXPECT_EQ(host.root("systemctl list-units --state=active --no-legend 'jit*' | grep -v jit.slice").out,
              "");
    EXPECT_EQ(host.root("dpkg --purge jit-sudo").status, 0);
    const Result left =
        host.root("find / -xdev '(' -name 'jit*' -o -name 'io.jitsudo*' ')'; find /run -name '*jit*'; "
                  "systemctl list-unit-files 'jit*' --no-legend; ps -e | grep jit");
    EXPECT_EQ(left.out, "") << left;
}

TEST(Package, RemovalTakesTheGatesAwayFirst) {
    Host host;
    host.policy(POLICY);
    ASSERT_EQ(host.root("jitctl pam enable sshd --only sre && jitctl pam enable sudo").status, 0);
    EXPECT_NE(host.as("alice", "id -un").status, 0);
    EXPECT_EQ(host.root("dpkg --remove jit-sudo").status, 0);
    EXPECT_EQ(host.root("grep -rlE '^[^#]*pam_jit' /etc/pam.d").out, "");
    EXPECT_EQ(host.as("alice", "id -un").out, "alice\n");
}

TEST(Package, IsNotRemovedWhileAServiceNamesItsModule) {
    Host host;
    host.policy(POLICY);
    // What jitctl can't edit: the module must stay, or nobody could log in.
    host.root(
        "cp /etc/pam.d/sshd /etc/sshd-elsewhere; echo 'session optional pam_jit.so' >>/etc/sshd-elsewhere; "
        "ln -sf /etc/sshd-elsewhere /etc/pam.d/sshd");
    EXPECT_NE(host.root("dpkg --remove jit-sudo").status, 0);
    EXPECT_EQ(host.as("alice", "id -un").out, "alice\n");
}

TEST(Package, TheServicesAreContained) {
    Host host;
    // Tenths of systemd's exposure level, where 100 is an unrestricted root service.
    EXPECT_EQ(host.root("systemd-analyze security --threshold=20 jitd.service").status, 0);
    EXPECT_EQ(host.root("systemd-analyze security --threshold=25 jit-nss.service").status, 0);
}

TEST(Package, AKilledJitdComesBackAndWhoCallsMeanwhileIsAnswered) {
    Host host;
    EXPECT_EQ(host.root("systemctl kill --signal=KILL jitd").status, 0);
    const Result info = host.as("dave", GET_INFO);
    EXPECT_EQ(info.status, 0) << info;
}

} // namespace
} // namespace jit::host
