// SPDX-License-Identifier: MIT
// jitd's side of the search for what was left behind: a jit-search of the test's own answers.
#include "daemon/searches.h"
#include "tests/unit/requests_kit.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <list>
#include <optional>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace jit {
namespace {

using testing::Contains;
using testing::ElementsAre;

constexpr Millis minute = std::chrono::minutes(1);

class SearchesTest : public RequestsTest {
protected:
    SearchesTest() {
        set_policy(R"(
[risk.auto]
auto_approve = "1h"
[role.group]
risk = "auto"
eligible = ["alice", "bob"]
max = "2h"
groups = ["adm"]
[role.root]
risk = "auto"
eligible = ["alice", "bob"]
max = "2h"
commands = ["/usr/bin/id"]
)");
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path_of("search").copy(address.sun_path, sizeof address.sun_path - 1);
        listener_ = Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        EXPECT_EQ(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(listen(listener_.get(), 9), 0);
        listening_ = loop.on_io(listener_.get(), EPOLLIN, [this](std::uint32_t) {
            auto& [fd, text, source] = calls_.emplace_back();
            fd = Fd(accept(listener_.get(), nullptr, nullptr));
            source =
                loop.on_io(fd.get(), EPOLLIN, [this, call = &calls_.back()](std::uint32_t) { read(*call); });
        });
    }

    // What jit-search answers: nothing found, unless the test says otherwise. None: it is busy yet.
    std::function<std::optional<SearchReply>(const SearchJob&)> answer = clean;
    static SearchReply clean(const SearchJob& job) {
        SearchReply reply;
        if (job.grants.empty()) {
            reply.stock = "stock";
        }
        for (const SearchFor& grant : job.grants) {
            reply.grants.push_back({.grant = grant.grant, .left = {}});
        }
        return reply;
    }

    // After each turn; true ends it. The time-out ends a test that would never, and fails by what is missing.
    void run_until(std::function<bool()> done) {
        const auto turn = loop.after_each_turn([&] {
            if (done()) {
                loop.stop();
            }
        });
        const auto late = loop.after(std::chrono::seconds(20), Millis(100), [&] { loop.stop(); });
        searches.look();
        EXPECT_TRUE(loop.run());
    }
    bool settled(const RequestId& id) {
        for (const Request& request : store->unsearched(100)) {
            if (request.id == id) {
                return false;
            }
        }
        return true;
    }
    RequestId ended(const std::string& who, const std::string& role) {
        const Request request = filed(caller(who), ask(role, minute * 10));
        EXPECT_TRUE(requests->release(caller(who), request.id));
        pass(minute);
        return request.id;
    }

    Loop loop = std::move(*Loop::make());
    Journal journal;
    Searches searches{{.loop = loop, .store = *store, .clock = clock, .policy = policy, .journal = journal},
                      path_of("search")};
    std::vector<SearchJob> jobs;

private:
    struct Call {
        Fd fd;
        std::string text;
        Loop::Source source;
    };
    void read(Call& call) {
        char buffer[65536];
        const ssize_t size = ::read(call.fd.get(), buffer, sizeof buffer);
        if (size > 0) {
            call.text.append(buffer, static_cast<std::size_t>(size));
            return;
        }
        const auto job = parse_search_job(call.text);
        ASSERT_TRUE(job);
        jobs.push_back(*job);
        call.source = {};
        const auto answered = answer(*job);
        if (!answered) {
            return;
        }
        const std::string reply = search_text(*answered);
        EXPECT_EQ(write(call.fd.get(), reply.data(), reply.size()), std::ssize(reply));
        call.fd.reset();
    }
    Fd listener_;
    Loop::Source listening_;
    std::list<Call> calls_;
};

TEST_F(SearchesTest, a_grant_under_which_nothing_was_counted_is_searched_for_too) {
    const RequestId id = ended("alice", "group");
    run_until([&] { return settled(id); });
    ASSERT_EQ(jobs.size(), 1U);
    EXPECT_EQ(jobs[0].grants.at(0).grant, id);
    EXPECT_THAT(jobs[0].grants[0].groups, ElementsAre("adm"));
    EXPECT_THAT(kinds(), Contains("grant.searched"));
}

TEST_F(SearchesTest, what_could_not_be_told_for_the_moment_is_searched_for_again_later) {
    const RequestId id = ended("alice", "group");
    answer = [&](const SearchJob& job) {
        SearchReply reply = clean(job);
        if (jobs.size() <= 3) {
            reply.grants[0].problem_for_now("NSS is away, try " + std::to_string(jobs.size()));
        }
        return reply;
    };
    std::size_t seen = 0; // of what is said so far
    run_until([&] {
        if (store->left_behind(id).value_or("").ends_with(fmt::format("try {}\"]}}", seen + 1))) {
            ++seen;
            EXPECT_FALSE(settled(id));
            searches.look(); // too early: it would say what it says now
            EXPECT_EQ(jobs.size(), seen);
            pass(minute * 5);
            searches.look();
        }
        return settled(id);
    });
    EXPECT_EQ(seen, 3U);
    EXPECT_EQ(jobs.size(), 4U);
    EXPECT_THAT(kinds(), Contains("grant.searched").Times(1));
}

TEST_F(SearchesTest, what_is_found_meanwhile_is_told_at_once_and_once) {
    const RequestId id = ended("alice", "group");
    int tries = 0;
    answer = [&](const SearchJob& job) {
        SearchReply reply = clean(job);
        reply.grants[0].add({.what = "set-id file", .how = "disarmed", .name = std::string(70'000, 'x')});
        reply.grants[0].add({.what = "set-id file", .how = "disarmed", .name = "/tmp/b"});
        reply.grants[0].again = true;
        ++tries;
        return reply;
    };
    run_until([&] {
        pass(minute * 60);
        searches.look();
        return tries == 3;
    });
    EXPECT_FALSE(settled(id));
    EXPECT_THAT(kinds(), Contains("grant.left_behind").Times(1));
    EXPECT_THAT(store->left_behind(id).value_or(""), testing::HasSubstr("/tmp/b"));
}

TEST_F(SearchesTest, what_is_found_is_to_be_reviewed_and_again_once_it_is_more) {
    const RequestId id = ended("alice", "group");
    std::vector<bool> due; // after each try
    const auto review = [&] {
        due.push_back(!store->review(id).value_or(Review{}).at);
        EXPECT_EQ(requests->review(caller("root"), id, "seen").has_value(), due.back());
    };
    answer = [&](const SearchJob& job) {
        if (jobs.size() > 1) {
            review(); // what the try before this one told is recorded by now
        }
        SearchReply reply = clean(job);
        reply.grants[0].add({.what = "file", .how = "written", .name = "/etc/passwd"});
        if (jobs.size() >= 3) {
            reply.grants[0].add({.what = "file", .how = "written", .name = "/etc/group"});
        }
        reply.grants[0].again = jobs.size() < 4;
        return reply;
    };
    run_until([&] {
        pass(minute * 60);
        searches.look();
        return settled(id);
    });
    review();
    EXPECT_THAT(due, ElementsAre(true, false, true, false));
}

TEST_F(SearchesTest, where_nothing_is_found_there_is_nothing_to_review) {
    const RequestId id = ended("alice", "group");
    run_until([&] { return settled(id); });
    EXPECT_FALSE(store->review(id));
}

TEST_F(SearchesTest, what_could_not_be_looked_at_is_to_be_reviewed_once_that_is_final) {
    const RequestId id = ended("alice", "group");
    answer = [&](const SearchJob& job) {
        EXPECT_FALSE(store->review(id));
        SearchReply reply = clean(job);
        reply.grants[0].problem("/home/bob: Input/output error");
        reply.grants[0].again = jobs.size() == 1;
        return reply;
    };
    run_until([&] {
        pass(minute * 60);
        searches.look();
        return settled(id);
    });
    EXPECT_EQ(jobs.size(), 2U);
    EXPECT_TRUE(store->review(id));
}

TEST_F(SearchesTest, a_restart_makes_nothing_new_of_what_was_told) {
    const RequestId id = ended("alice", "group");
    answer = [&](const SearchJob& job) {
        SearchReply reply = clean(job);
        reply.grants[0].add({.what = "file", .how = "written", .name = "/etc/passwd"});
        reply.grants[0].again = jobs.size() == 1;
        return reply;
    };
    std::optional<Searches> next;
    run_until([&] {
        if (!next && store->left_behind(id).has_value()) {
            EXPECT_TRUE(requests->review(caller("root"), id, "seen"));
            next.emplace(
                Searches::Parts{
                    .loop = loop, .store = *store, .clock = clock, .policy = policy, .journal = journal},
                path_of("search"));
            next->look();
        }
        return settled(id);
    });
    EXPECT_EQ(jobs.size(), 2U);
    ASSERT_TRUE(store->review(id));
    EXPECT_TRUE(store->review(id)->at);
}

TEST_F(SearchesTest, it_is_not_searched_for_again_for_ever) {
    const RequestId id = ended("alice", "group");
    answer = [&](const SearchJob& job) {
        SearchReply reply = clean(job);
        reply.grants[0].problem_for_now("NSS is away");
        return reply;
    };
    run_until([&] {
        pass(minute * 61);
        searches.look();
        return settled(id);
    });
    EXPECT_GT(jobs.size(), 20U);
    EXPECT_TRUE(settled(id));
    EXPECT_THAT(store->left_behind(id).value_or(""), testing::HasSubstr("NSS is away"));
}

TEST_F(SearchesTest, a_stock_does_not_wait_for_a_search) {
    ended("alice", "group");
    RequestId root;
    answer = [&](const SearchJob& job) -> std::optional<SearchReply> {
        if (job.grants.empty()) {
            return clean(job);
        }
        root = filed(caller("bob"), ask("root", minute * 10)).id;
        searches.look();
        return std::nullopt;
    };
    run_until([&] { return !root.empty() && store->stock_of(root).has_value(); });
    EXPECT_EQ(store->stock(store->stock_of(root).value_or(0)), "stock");
}

TEST_F(SearchesTest, however_many_are_searched_for_again_a_question_is_about_twenty) {
    std::vector<RequestId> all;
    for (int index = 0; index < 25; ++index) {
        all.push_back(ended(index % 2 == 0 ? "alice" : "bob", "group"));
    }
    bool away = true;
    answer = [&](const SearchJob& job) {
        SearchReply reply = clean(job);
        for (Searched& searched : reply.grants) {
            searched.again = away;
        }
        return reply;
    };
    run_until([&] {
        if (away && std::ranges::all_of(
                        all, [&](const RequestId& id) { return store->left_behind(id).has_value(); })) {
            away = false;
            pass(minute * 5);
            searches.look();
        }
        return std::ranges::all_of(all, [&](const RequestId& id) { return settled(id); });
    });
    std::vector<std::size_t> sizes;
    for (const SearchJob& job : jobs) {
        sizes.push_back(job.grants.size());
    }
    EXPECT_THAT(sizes, ElementsAre(20, 5, 20, 5));
}

TEST_F(SearchesTest, a_question_holds_no_more_than_one_answer_has_room_for) {
    const std::string large(5 * 1024 * 1024, 'x');
    std::vector<RequestId> all;
    for (int index = 0; index < 4; ++index) {
        all.push_back(ended(index % 2 == 0 ? "alice" : "bob", "root"));
        store->set_stock(all.back(), store->keep_stock(large + std::to_string(index)));
    }
    run_until([&] { return std::ranges::all_of(all, [&](const RequestId& id) { return settled(id); }); });
    std::vector<std::size_t> sizes;
    for (const SearchJob& job : jobs) {
        sizes.push_back(job.stocks.size());
    }
    EXPECT_THAT(sizes, ElementsAre(2, 2));
}

} // namespace
} // namespace jit
