// SPDX-License-Identifier: MIT
// Where a stock looks: accounts by userdb, directories, what systemd, udev, dbus and shells read, and
// sockets.
#include "daemon/account_files.h"
#include "daemon/membership_files.h"
#include "daemon/search/stock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace jit {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using testing::UnorderedElementsAreArray;
namespace fs = std::filesystem;

class StockPlaces : public testing::Test {
protected:
    StockPlaces() {
        std::string name = "/tmp/jit-stock-XXXXXX";
        directory = mkdtemp(name.data());
        for (const char* path : {"etc", "run/userdb/.host", "run/user/7", "root", "home/bob"}) {
            fs::create_directories(directory / path);
        }
        write("etc/passwd", "bob:x:7:7::/home/bob:/bin/sh\n");
    }
    ~StockPlaces() override { fs::remove_all(directory); }
    void write(const std::string& path, const std::string& text) {
        fs::create_directories((directory / path).parent_path());
        std::ofstream(directory / path) << text;
    }
    void mode(const std::string& path, mode_t mode) {
        ASSERT_EQ(chmod((directory / path).c_str(), mode), 0) << path;
    }
    void begin() { before = take_stock(directory).items; }
    // What is otherwise since begin().
    std::vector<std::string> told() {
        std::vector<std::string> all;
        for (const Change& change : differences(before, take_stock(directory).items, Time::max())) {
            all.push_back(change.what + ' ' + change.how + ": " + change.name);
        }
        return all;
    }
    fs::path directory;
    Stock before;
};

TEST_F(StockPlaces, accounts_and_memberships_by_userdb_are_told_and_those_of_jit_are_not) {
    begin();
    const std::string there = "run/userdb/.host/";
    const AccountRecord contractor{.grant = "7f3a",
                                   .name = "jo",
                                   .uid = Uid{60001},
                                   .home = "/home/jo",
                                   .shell = "/bin/sh",
                                   .until = Time(Millis(5)),
                                   .boot = BootTime(Millis(6))};
    ASSERT_TRUE(AccountFiles(directory / there).put(contractor));
    write(there + "alice:adm.membership", drop_in_text({.grant = "7f3a",
                                                        .uid = Uid{7},
                                                        .gid = Gid{4},
                                                        .until = Time(Millis(5)),
                                                        .boot = BootTime(Millis(6))}));
    write(there + "bob:adm.jit-ending", "x");
    EXPECT_THAT(told(), ElementsAre("account record added: /run/userdb/bob:adm.jit-ending"))
        << "damaged: nobody knows what it was";
    fs::remove(directory / there / "bob:adm.jit-ending");
    begin();

    write(there + "evil.user", R"({"userName":"evil","uid":0})");
    fs::create_symlink("evil.user", directory / there / "0.user");
    fs::create_symlink("jo.user", directory / there / "0.group");
    fs::create_symlink("jo.user", directory / there / "7.user");
    write(there + "evil.user-privileged", "{}");
    // Our marker alone doesn't make it ours.
    write(there + "alice:sudo.membership", R"({"io.jitsudo":{"grant":"7f3a"}})");
    write(there + "sudo.group", R"({"io.jitsudo":{"grant":"7f3a"},"groupName":"sudo","members":["eve"]})");
    const std::vector<std::string> others{"etc/userdb/a.user", "run/host/userdb/a.group",
                                          "usr/lib/userdb/a:sudo.membership", "usr/local/lib/userdb/a.group"};
    std::vector<std::string> expected;
    for (const char* name : {"evil.user", "0.user", "0.group", "7.user", "evil.user-privileged",
                             "alice:sudo.membership", "sudo.group"}) {
        expected.push_back(std::string("account record added: /run/userdb/") + name);
    }
    for (const std::string& path : others) {
        write(path, "{}");
        expected.push_back("account record added: /" + path);
    }
    EXPECT_THAT(told(), UnorderedElementsAreArray(expected));
}

TEST_F(StockPlaces, who_may_write_to_a_directory_is_told_when_it_is_otherwise) {
    for (const char* path : {"etc/cron.d", "etc/pam.d", "etc/polkit-1/rules.d", "usr/lib/systemd/system",
                             "home/bob/.ssh", "home/bob/.config/systemd/user"}) {
        fs::create_directories(directory / path);
        mode(path, 0755);
    }
    begin();
    EXPECT_THAT(told(), IsEmpty());
    mode("etc", 0777);
    mode("etc/cron.d", 0700);
    mode("etc/polkit-1/rules.d", 0775);
    mode("usr/lib/systemd/system", 0757);
    mode("home/bob/.ssh", 0777);
    mode("home/bob/.config/systemd/user", 0777);
    fs::create_directories(directory / "etc/new");
    EXPECT_THAT(told(),
                UnorderedElementsAre("directory open to others added: /etc", "directory changed: /etc/cron.d",
                                     "directory open to others added: /etc/polkit-1/rules.d",
                                     "directory open to others added: /usr/lib/systemd/system",
                                     "directory open to others added: /home/bob/.ssh",
                                     "directory open to others added: /home/bob/.config/systemd/user"));
    begin();
    mode("etc", 0755);
    EXPECT_THAT(told(), ElementsAre("directory open to others removed: /etc"));
}

TEST_F(StockPlaces, a_directory_that_is_somebody_elses_is_told) {
    if (geteuid() != 0) {
        GTEST_SKIP() << "only root gives a directory away";
    }
    fs::create_directories(directory / "etc/sudoers.d");
    ASSERT_EQ(chown((directory / "home/bob").c_str(), 7, 7), 0);
    begin();
    fs::create_directories(directory / "etc/systemd/system/x.service.d");
    for (const char* path : {"etc/sudoers.d", "etc/systemd/system/x.service.d"}) {
        ASSERT_EQ(chown((directory / path).c_str(), 1000, 0), 0);
    }
    // Their own, at home.
    fs::create_directories(directory / "home/bob/.config");
    ASSERT_EQ(chown((directory / "home/bob/.config").c_str(), 7, 7), 0);
    mode("home/bob/.config", 0775);
    EXPECT_THAT(told(),
                UnorderedElementsAre("directory open to others added: /etc/sudoers.d",
                                     "directory open to others added: /etc/systemd/system/x.service.d"));
}

TEST_F(StockPlaces, a_directory_with_an_access_list_is_told_though_its_mode_is_as_it_was) {
    struct Entry {
        std::uint16_t tag;
        std::uint16_t mode;
        std::uint32_t id;
    };
    // linux/posix_acl_xattr.h: the owner, uid 7, the group, the mask, others.
    struct {
        std::uint32_t version = 2;
        std::array<Entry, 5> entries{{{1, 7, ~0U}, {2, 7, 7}, {4, 5, ~0U}, {0x10, 7, ~0U}, {0x20, 5, ~0U}}};
    } const list;
    fs::create_directories(directory / "etc/cron.d");
    mode("etc/cron.d", 0755);
    begin();
    if (setxattr((directory / "etc/cron.d").c_str(), "system.posix_acl_default", &list, sizeof list, 0) !=
        0) {
        GTEST_SKIP() << "no access lists in " << directory;
    }
    EXPECT_THAT(told(), ElementsAre("directory open to others added: /etc/cron.d"));
}

TEST_F(StockPlaces, what_runs_or_decides_from_anywhere_is_told) {
    begin();
    const std::vector<std::pair<const char*, std::string>> planted{
        {"unit", "run/systemd/system-generators/g"},
        {"unit", "run/systemd/system.control/x.service"},
        {"unit", "run/systemd/system.attached/x.service"},
        {"unit", "run/systemd/generator.late/x.service"},
        {"unit", "run/systemd/user/x.service"},
        {"unit", "run/systemd/user-generators/g"},
        {"unit", "usr/lib/systemd/system-shutdown/x"},
        {"unit", "usr/lib/systemd/system-sleep/x"},
        {"unit", "usr/lib/systemd/user-generators/x"},
        {"unit", "usr/lib/systemd/system-environment-generators/x"},
        {"unit", "usr/local/lib/systemd/system-generators/x"},
        {"unit", "usr/share/systemd/user/x.service"},
        {"udev rule", "usr/lib/udev/rules.d/99.rules"},
        {"udev rule", "run/udev/rules.d/99.rules"},
        {"configuration", "usr/local/lib/tmpfiles.d/x.conf"},
        {"configuration", "run/sysctl.d/x.conf"},
        {"configuration", "usr/lib/binfmt.d/x.conf"},
        {"configuration", "usr/lib/sysusers.d/x.conf"},
        {"configuration", "usr/lib/environment.d/x.conf"},
        {"kernel module", "usr/lib/modprobe.d/x.conf"},
        {"kernel module", "usr/lib/modules-load.d/x.conf"},
        {"PAM", "usr/lib/pam.d/x"},
        {"polkit rule", "usr/share/polkit-1/rules.d/x.rules"},
        {"polkit rule", "usr/local/share/polkit-1/actions/x.policy"},
        {"dbus service", "usr/share/dbus-1/system-services/x.service"},
        {"configuration", "usr/share/dbus-1/system.d/x.conf"},
        {"dbus service", "usr/local/share/dbus-1/services/x.service"},
        {"program", "usr/local/sbin/ls"},
        {"program", "usr/local/bin/ls"},
        {"package script", "var/lib/dpkg/info/bash.postinst"},
        {"startup file", "root/.bash_aliases"},
        {"startup file", "root/.config/environment.d/x.conf"},
        {"ssh", "root/.ssh/config"},
        {"startup file", "home/bob/.bashrc"},
        {"startup file", "home/bob/.zshenv"},
        {"dbus service", "home/bob/.local/share/dbus-1/services/x.service"},
        {"ssh", "home/bob/.ssh/rc"},
        {"unit", "run/user/7/systemd/user/x.service"},
        {"unit", "run/user/7/systemd/transient/x.timer"}};
    std::vector<std::string> expected;
    for (const auto& [what, path] : planted) {
        write(path, "x");
        expected.push_back(std::string(what) + " added: /" + path);
    }
    write("var/lib/dpkg/info/bash.list", "x");
    write("run/user/7/systemd/transient/session.scope", "x");
    EXPECT_THAT(told(), UnorderedElementsAreArray(expected));
    begin();
    write("usr/local/bin/ls", "another");
    EXPECT_THAT(told(), ElementsAre("program changed: /usr/local/bin/ls"));
}

TEST_F(StockPlaces, a_link_in_the_place_of_a_startup_file_is_told_and_not_followed) {
    write("secret", "x");
    begin();
    fs::create_symlink("../../secret", directory / "home/bob/.profile");
    EXPECT_THAT(told(), ElementsAre("startup file added: /home/bob/.profile"));
    begin();
    write("secret", "y");
    EXPECT_THAT(told(), IsEmpty());
}

TEST_F(StockPlaces, a_socket_that_root_holds_is_told_whoever_made_it) {
    const std::string row = " 00000000:0000 0A 00000000:00000000 00:00000000 00000000 ";
    write("proc/net/tcp",
          "  sl  local_address rem_address   st tx_queue:rx_queue tr:tm->when retrnsmt   uid\n");
    begin();
    write("proc/net/tcp", "   0: 00000000:0050" + row + "65534 0 11\n   1: 00000000:0051" + row +
                              "65534 0 12\n   2: 00000000:0052" + row + "65534 0 13\n");
    write("proc/net/raw",
          "   1: 00000000:0001 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 14\n");
    write("proc/net/packet", "sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n"
                             "0000 3 3 0003 2 1 0 0 15\n0000 3 3 0806 2 1 0 101 16\n");
    write("proc/20/status", "Name:\tx\nUid:\t65534\t65534\t0\t65534\nGid:\t0\t0\t0\t0\n");
    write("proc/21/status", "Name:\tx\nUid:\t1000\t1000\t1000\t1000\nGid:\t0\t0\t0\t0\n");
    for (const auto& [fd, inode] : {std::pair{"20/fd/3", "11"}, {"21/fd/3", "12"}}) {
        fs::create_directories((directory / "proc" / fd).parent_path());
        fs::create_symlink("socket:[" + std::string(inode) + "]", directory / "proc" / fd);
    }
    EXPECT_THAT(told(), UnorderedElementsAre("listens as root added: tcp port 80 (00000000)",
                                             "listens as root added: raw protocol 1 (00000000)",
                                             "listens as root added: packet protocol 0003 (interface 2)"));
}

} // namespace
} // namespace jit
