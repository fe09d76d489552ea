// SPDX-License-Identifier: MIT
// Whose turn it is at the NSS worker: a worker of the test's own, which answers when it is told to.
#include "daemon/accounts.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <vector>

namespace jit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class AccountsTurnTest : public testing::Test {
protected:
    AccountsTurnTest() : loop(*Loop::make()), accounts(loop, listen_at()) {
        listening_ = loop.on_io(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept_one(); });
    }
    ~AccountsTurnTest() override { std::filesystem::remove_all(directory_); }
    AccountsTurnTest(const AccountsTurnTest&) = delete;
    AccountsTurnTest& operator=(const AccountsTurnTest&) = delete;

    void ask(std::uint32_t uid, Turn turn) {
        accounts.look_up(
            Uid{uid},
            [this, uid](const Result<std::optional<Account>>& found) {
                (found ? answered : failed).push_back(uid);
                if (!found) {
                    why = found.error().message;
                }
            },
            turn);
    }

    // The worker begins to answer when it has so many questions.
    void answer_from(std::size_t count) { answer_from_ = count; }

    // Once a test: a loop that was stopped doesn't go on.
    void run_until(const std::function<bool()>& done) {
        const auto look = loop.after_each_turn([&] {
            most_at_once = std::max(most_at_once, questions.size());
            if (questions.size() == answer_from_) {
                answer_soon();
            }
            if (done()) {
                loop.stop();
            }
        });
        const auto late = loop.after(std::chrono::seconds(20), Millis(1), [&] { loop.stop(); });
        EXPECT_TRUE(loop.run());
        EXPECT_TRUE(done());
    }

    // The worker answers, after what has been asked meanwhile, the oldest question that it has.
    void answer_soon() {
        answering_ = loop.soon([this] {
            if (!questions.empty()) {
                const std::string packet =
                    nss_text(NssAnswer{.id = questions.front().id, .found = NssFound()});
                questions.pop_front();
                EXPECT_GT(send(connection_.get(), packet.data(), packet.size(), MSG_NOSIGNAL), 0);
            }
            answer_soon();
        });
    }

    void end_worker() {
        reading_ = {};
        connection_.reset();
        questions.clear();
    }

    [[nodiscard]] std::vector<std::uint32_t> asked_about() const {
        std::vector<std::uint32_t> uids;
        for (const NssQuestion& question : questions) {
            uids.push_back(number(std::get<Uid>(question.key)));
        }
        return uids;
    }

    std::deque<NssQuestion> questions; // that it hasn't answered
    std::size_t most_at_once = 0;
    std::vector<std::uint32_t> answered;
    std::vector<std::uint32_t> failed;
    std::string why;

private:
    std::string listen_at() {
        char name[] = "/tmp/jit-turns.XXXXXX";
        directory_ = mkdtemp(name);
        const std::string path = directory_ + "/nss";
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        listener_ = Fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        EXPECT_EQ(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(listen(listener_.get(), 9), 0);
        return path;
    }

    void accept_one() {
        connection_ = Fd(accept(listener_.get(), nullptr, nullptr));
        reading_ = loop.on_io(connection_.get(), EPOLLIN, [this](std::uint32_t) {
            std::string packet(largest_nss_packet, '\0');
            const ssize_t size = recv(connection_.get(), packet.data(), packet.size(), 0);
            if (size <= 0) {
                return reading_.set_events(0);
            }
            packet.resize(static_cast<std::size_t>(size));
            questions.push_back(*parse_nss_question(packet));
        });
    }

    std::string directory_;
    Fd listener_;
    Fd connection_;

protected:
    Loop loop;
    Accounts accounts;

private:
    Loop::Source listening_;
    Loop::Source reading_;
    Loop::Source answering_;
    std::optional<std::size_t> answer_from_;
};

TEST_F(AccountsTurnTest, of_a_check_a_few_are_asked_at_once_and_all_in_their_order) {
    for (std::uint32_t uid = 1; uid <= 1000; ++uid) {
        ask(uid, Turn::check);
    }
    answer_from(8);
    run_until([&] { return answered.size() == 1000; });
    std::vector<std::uint32_t> all(1000);
    std::iota(all.begin(), all.end(), 1U);
    EXPECT_EQ(answered, all);
    EXPECT_TRUE(failed.empty()) << why;
    EXPECT_EQ(most_at_once, 8U);
}

TEST_F(AccountsTurnTest, whom_a_person_waits_for_is_asked_beside_a_check) {
    for (std::uint32_t uid = 1; uid <= 100; ++uid) {
        ask(uid, Turn::check);
    }
    ask(2000, Turn::person);
    run_until([&] { return questions.size() == 9; });
    EXPECT_THAT(asked_about(), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 2000));
}

TEST_F(AccountsTurnTest, many_persons_are_never_more_than_the_worker_takes) {
    for (std::uint32_t uid = 1; uid <= 200; ++uid) {
        ask(uid, Turn::check);
        ask(1000 + uid, Turn::person);
    }
    answer_from(56);
    run_until([&] { return answered.size() == 400; });
    EXPECT_TRUE(failed.empty()) << why;
    EXPECT_EQ(most_at_once, 56U) << "it takes 64";
}

TEST_F(AccountsTurnTest, who_waited_for_a_worker_that_ended_is_told_and_the_others_are_asked) {
    for (std::uint32_t uid = 1; uid <= 10; ++uid) {
        ask(uid, Turn::check);
    }
    bool ended = false;
    run_until([&] {
        if (questions.size() == 8 && !ended) {
            ended = true;
            end_worker();
            answer_soon();
        }
        return answered.size() + failed.size() == 10;
    });
    EXPECT_THAT(failed, SizeIs(8));
    EXPECT_THAT(why, HasSubstr("the worker"));
    EXPECT_THAT(answered, ElementsAre(9, 10));
}

TEST_F(AccountsTurnTest, without_a_worker_everybody_is_told) {
    Accounts nowhere(loop, "/nonexistent/nss");
    int told = 0;
    for (std::uint32_t uid = 1; uid <= 100; ++uid) {
        for (const Turn turn : {Turn::check, Turn::person}) {
            nowhere.look_up(
                Uid{uid}, [&](const Result<std::optional<Account>>& found) { told += found ? 0 : 1; }, turn);
        }
    }
    EXPECT_EQ(told, 0) << "never before it returns";
    run_until([&] { return told == 200; });
}

} // namespace
} // namespace jit
