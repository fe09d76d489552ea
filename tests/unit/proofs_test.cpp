// SPDX-License-Identifier: MIT
#include "daemon/proofs.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace jit {
namespace {

using std::chrono::minutes;

constexpr Seat alices{.uid = Uid{1000}, .audit_session = 7, .tty = 34816, .leader = 500, .started = 12345};

class ProofsTest : public testing::Test {
protected:
    PasswordsStamp stamp_{.device = 1, .inode = 2, .changed_seconds = 3, .changed_nanoseconds = 4};
    bool readable_ = true;
    Proofs proofs_{[this] { return readable_ ? std::optional(stamp_) : std::nullopt; }};
    BootTime now_{minutes(100)};
};

TEST_F(ProofsTest, CountForAWhile) {
    EXPECT_FALSE(proofs_.holds(alices, now_, minutes(5)));
    proofs_.remember(alices, now_);
    EXPECT_TRUE(proofs_.holds(alices, now_, minutes(5)));
    EXPECT_TRUE(proofs_.holds(alices, now_ + minutes(5) - Millis(1), minutes(5)));
    EXPECT_FALSE(proofs_.holds(alices, now_ + minutes(5), minutes(5)));
    EXPECT_FALSE(proofs_.holds(alices, now_, Millis(0))) << "\"0s\" asks every time";
    EXPECT_FALSE(proofs_.holds(alices, now_ - Millis(1), minutes(5))) << "from the future";
}

TEST_F(ProofsTest, CountWhereTheyWereGivenOnly) { // CVE-2013-1776, CVE-2025-64517
    proofs_.remember(alices, now_);
    const auto elsewhere = [&](auto change) {
        Seat other = alices;
        change(other);
        return !proofs_.holds(other, now_, minutes(5));
    };
    EXPECT_TRUE(elsewhere([](Seat& s) { s.uid = Uid{1001}; }));
    EXPECT_TRUE(elsewhere([](Seat& s) { s.audit_session = 8; }));
    EXPECT_TRUE(elsewhere([](Seat& s) { s.audit_session.reset(); }));
    EXPECT_TRUE(elsewhere([](Seat& s) { s.tty = 0; }));
    EXPECT_TRUE(elsewhere([](Seat& s) { s.leader = 501; }));
    EXPECT_TRUE(elsewhere([](Seat& s) { s.started = 12346; }));
}

TEST_F(ProofsTest, EndWithTheirPasswords) {
    proofs_.remember(alices, now_);
    stamp_.changed_nanoseconds = 5;
    EXPECT_FALSE(proofs_.holds(alices, now_, minutes(5)));
    proofs_.remember(alices, now_);
    EXPECT_TRUE(proofs_.holds(alices, now_, minutes(5)));
    readable_ = false;
    EXPECT_FALSE(proofs_.holds(alices, now_, minutes(5)));
    proofs_.remember(alices, now_);
    readable_ = true;
    stamp_.inode = 9;
    EXPECT_FALSE(proofs_.holds(alices, now_, minutes(5)));
}

TEST_F(ProofsTest, AreForgottenHereOrEverywhere) {
    Seat other = alices;
    other.tty = 34817;
    Seat bobs = alices;
    bobs.uid = Uid{1001};
    for (const Seat& seat : {alices, other, bobs}) {
        proofs_.remember(seat, now_);
    }
    proofs_.forget(alices);
    EXPECT_FALSE(proofs_.holds(alices, now_, minutes(5)));
    EXPECT_TRUE(proofs_.holds(other, now_, minutes(5)));
    proofs_.remember(alices, now_);
    proofs_.forget_all(Uid{1000});
    EXPECT_FALSE(proofs_.holds(alices, now_, minutes(5)));
    EXPECT_FALSE(proofs_.holds(other, now_, minutes(5)));
    EXPECT_TRUE(proofs_.holds(bobs, now_, minutes(5)));
}

TEST_F(ProofsTest, OfOnePersonPushOutTheirOwnOnly) {
    Seat bobs = alices;
    bobs.uid = Uid{1001};
    proofs_.remember(bobs, now_);
    Seat seat = alices;
    for (int i = 0; i < 70; ++i) {
        seat.leader = 1000 + i;
        proofs_.remember(seat, now_ + Millis(i));
    }
    EXPECT_TRUE(proofs_.holds(bobs, now_, minutes(5)));
    EXPECT_TRUE(proofs_.holds(seat, now_ + Millis(70), minutes(5)));
    seat.leader = 1005;
    EXPECT_FALSE(proofs_.holds(seat, now_ + Millis(70), minutes(5))) << "64 of a person are kept";
    seat.leader = 1006;
    EXPECT_TRUE(proofs_.holds(seat, now_ + Millis(70), minutes(5)));
}

TEST(PasswordsStampTest, ChangesWithTheFile) {
    const std::string path = testing::TempDir() + "shadow-" + std::to_string(getpid());
    EXPECT_FALSE(passwords_stamp(path.c_str()));
    std::ofstream(path) << "one";
    const auto one = passwords_stamp(path.c_str());
    ASSERT_TRUE(one);
    EXPECT_EQ(passwords_stamp(path.c_str()), one);
    std::ofstream(path + "+") << "one"; // as passwd(1) does it
    ASSERT_EQ(rename((path + "+").c_str(), path.c_str()), 0);
    EXPECT_NE(passwords_stamp(path.c_str()), one);
    unlink(path.c_str());
}

TEST(PasswordsStampTest, ChangesWithinASecondToo) {
    const std::string path = testing::TempDir() + "shadow-" + std::to_string(getpid());
    std::ofstream(path) << "one";
    const auto one = passwords_stamp(path.c_str());
    ASSERT_TRUE(one);
    auto changed = one;
    for (int i = 0; i < 500 && changed == one; ++i) { // as soon as the file system's clock goes on
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        ASSERT_EQ(chmod(path.c_str(), 0600), 0);
        changed = passwords_stamp(path.c_str());
    }
    EXPECT_NE(changed, one);
    EXPECT_EQ(changed->inode, one->inode);
    unlink(path.c_str());
}

TEST(ProcessStatTest, IsReadBehindTheLastParenthesis) {
    const std::string rest = " S 1 100 200 34816 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3\n";
    for (const std::string name : {"bash", "a b", ") S 1 1 1 1", "x\ny", ""}) {
        const auto stat = parse_process_stat("42 (" + name + ")" + rest);
        ASSERT_TRUE(stat) << name;
        EXPECT_EQ(stat->session, 200);
        EXPECT_EQ(stat->tty, 34816);
        EXPECT_EQ(stat->started, 987654U);
    }
    for (const char* text :
         {"", "42 (x)", "42 (x", "42 (x) S 1 100", "42 (x) S 1 100 a 34816 -1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
          "42 (x) S 1 100 200 34816 -1 1 1 2 3 4 5 6 7 8 20 0 1 0 -1 1",
          "42 (x) S 1 100 99999999999 34816 -1 1 1 2 3 4 5 6 7 8 20 0 1 0 1 1"}) {
        EXPECT_FALSE(parse_process_stat(text)) << text;
    }
}

std::optional<Seat> seat_of_pid(pid_t pid) {
    return seat_of(Peer{.uid = Uid{1000}, .pid = pid, .pidfd = open_process(pid)}, Login{});
}

// Where the tests run in a pid namespace of their own, the leader of their session may be outside of it. So
// each of these leads its own session, and has a child in it.
class Session {
public:
    Session() {
        int ready[2];
        EXPECT_EQ(pipe(ready), 0);
        leader_ = fork();
        if (leader_ == 0) {
            setsid();
            const pid_t child = fork();
            if (child != 0) {
                static_cast<void>(!write(ready[1], &child, sizeof child));
            }
            pause();
            _exit(0);
        }
        EXPECT_EQ(read(ready[0], &member_, sizeof member_), static_cast<ssize_t>(sizeof member_));
        close(ready[0]);
        close(ready[1]);
    }
    ~Session() {
        kill(member_, SIGKILL);
        kill(leader_, SIGKILL);
        waitpid(leader_, nullptr, 0);
    }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    [[nodiscard]] std::optional<Seat> leader() const { return seat_of_pid(leader_); }
    [[nodiscard]] std::optional<Seat> member() const { return seat_of_pid(member_); }

private:
    pid_t leader_ = -1, member_ = -1;
};

TEST(SeatTest, IsNobodysWhoHasEnded) {
    const pid_t pid = fork();
    if (pid == 0) {
        setsid();
        _exit(0);
    }
    siginfo_t info{};
    ASSERT_EQ(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
    EXPECT_FALSE(seat_of_pid(pid)) << "its number may be another's in a moment";
    waitpid(pid, nullptr, 0);
}

TEST(SeatTest, IsTheSameForProcessesOfOneSessionOnly) {
    const Session one, other;
    ASSERT_TRUE(one.leader());
    ASSERT_TRUE(other.leader());
    EXPECT_EQ(one.member(), one.leader());
    EXPECT_EQ(other.member(), other.leader());
    EXPECT_NE(one.leader(), other.leader());
    EXPECT_GT(one.leader()->started, 0U);
    EXPECT_FALSE(seat_of(Peer{.uid = Uid{1000}, .pid = getpid(), .pidfd = {}}, Login{}));
}

} // namespace
} // namespace jit
