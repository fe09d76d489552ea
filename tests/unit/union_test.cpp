// SPDX-License-Identifier: MIT
// Several grants for the same (DESIGN: unions, not merges): in every order in which up to three of them start
// and end, be extended, be taken or meet a lock, after each step, jitd gives what the model says and nothing
// else. Store, requests, login table, memberships and the judging of uses are jitd's own; the clock is the
// test's.
#include "core/login_table.h"
#include "daemon/memberships.h"
#include "daemon/nss_protocol.h"
#include "daemon/uses.h"
#include "requests_kit.h"
#include "union_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>

namespace jit {
namespace {

using std::chrono::minutes;

constexpr std::uint32_t first_uid = 3'000'000'000; // nobody's on any host
constexpr Gid docker{3'999'999'998};
constexpr std::string_view union_policy = R"(
[risk.low]
auto_approve = "2h"
[role.web]
risk = "low"
eligible = ["@all"]
max = "2h"
extend = "12h"
login = ["sshd"]
groups = ["adm"]
memberships = ["docker"]
commands = ["/usr/bin/id"]
[role.ops]
risk = "low"
eligible = ["@all"]
max = "2h"
extend = "12h"
groups = ["adm"]
commands = ["/usr/bin/id"]
[role.door]
risk = "low"
eligible = ["@all"]
max = "2h"
extend = "12h"
login = ["sshd"]
memberships = ["docker"]
)";

Account account_of(std::uint32_t index) {
    return {.name = fmt::format("p{}", index),
            .uid = Uid{first_uid + index},
            .gid = Gid{first_uid + index},
            .groups = {"all"},
            .gids = {Gid{first_uid + index}},
            .home = {},
            .shell = {}};
}

// The NSS worker: knows p0, p1 … and the group docker, and answers in the order in which it is asked.
class Nss {
public:
    explicit Nss(const std::string& path) : listener_(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        EXPECT_EQ(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(listen(listener_.get(), 1), 0);
        thread_ = std::thread([this] { serve(); });
    }
    ~Nss() {
        shutdown(listener_.get(), SHUT_RDWR);
        thread_.join();
    }
    Nss(const Nss&) = delete;
    Nss& operator=(const Nss&) = delete;

private:
    void serve() const {
        const Fd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        std::string packet(4096, '\0');
        for (ssize_t size = 0; (size = recv(client.get(), packet.data(), packet.size(), 0)) > 0;) {
            const auto question = parse_nss_question({packet.data(), static_cast<std::size_t>(size)});
            NssFound found;
            if (const auto* name = std::get_if<std::string>(&question->key); name && name->front() == 'p') {
                found.account = account_of(static_cast<std::uint32_t>(std::stoul(name->substr(1))));
            } else if (const auto* group = std::get_if<GroupName>(&question->key);
                       group && group->name == "docker") {
                found.group = docker;
            }
            const std::string answer = nss_text(NssAnswer{.id = question->id, .found = found});
            EXPECT_GE(send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL), 0);
        }
    }

    Fd listener_;
    std::thread thread_;
};

// Holds from the beginning of one step to that of the next.
struct LockPlan {
    LockKind kind;
    std::size_t step;
};

// Has what one story tells of.
struct Person {
    Account account;
    const model::Story* story = nullptr;
    model::Had had = {};
    std::vector<RequestId> ids = {}; // of had.grants
    std::map<std::size_t, std::size_t> of =
        {}; // which of these a grant of the story is, if it wasn't refused
    bool is_member = false;
    int memberships_ended = 0;
};

class Unions : public RequestsTest {
protected:
    Unions() {
        // jitd's timers are of this clock, and the loop's of the real one: none of them ever comes.
        test_reading.boot = BootTime(std::chrono::hours(1'000'000));
        set_policy(std::string(union_policy));
        std::filesystem::create_directory(path_of("userdb"));
        requests =
            std::make_unique<Requests>(*store, clock, policy, [this](const std::vector<Request>& more) {
                uses_.requests_changed(more);
                memberships_.requests_changed(more);
            });
        memberships_.adopt();
    }
    ~Unions() override { requests.reset(); } // it tells those below

    // Many at the same time, a person each. They are to be kept till all() has told them.
    void tell(const std::vector<model::Story>& stories, std::optional<LockPlan> lock = std::nullopt) {
        constexpr std::size_t at_once = 150;
        for (std::size_t begin = 0; begin < stories.size(); begin += at_once) {
            const auto some = std::span(stories).subspan(begin, std::min(at_once, stories.size() - begin));
            then([this, some] { meet(some); });
            std::size_t steps = 0;
            for (const model::Story& story : some) {
                steps = std::max(steps, story.steps.size());
            }
            for (std::size_t step = 0; step < steps; ++step) {
                then([this, step, lock] { take(step, lock); });
                then([this, step] { check_all(fmt::format("after step {}", step)); });
            }
            then([this] { wait(std::chrono::hours(5)); });
            for (int look = 0; look < 3; ++look) { // so often for the processes of a membership that is over
                then([this] { wait(std::chrono::seconds(10)); });
            }
            then([this] {
                check_all("in the end");
                EXPECT_TRUE(std::filesystem::is_empty(path_of("userdb")));
                EXPECT_TRUE(login_table_ids(path_of("logins.db"))->empty());
            });
        }
    }
    void all() {
        go_on();
        ASSERT_TRUE(loop_.run());
        EXPECT_GT(checked_, next_);
    }

private:
    void then(std::function<void()> what) { to_do_.push_back(std::move(what)); }
    // The next, when NSS has answered all it was asked. It answers in order, and of an account its group is
    // asked next.
    void go_on() {
        if (to_do_.empty() || HasFailure()) {
            return loop_.stop();
        }
        accounts_.look_up("nobody", [this](const auto&) {
            accounts_.look_up_group("nobody", [this](const auto&) {
                const auto next = std::move(to_do_.front());
                to_do_.pop_front();
                next();
                go_on();
            });
        });
    }

    void meet(std::span<const model::Story> stories) {
        people_.clear();
        for (const model::Story& story : stories) {
            people_.push_back({.account = account_of(next_++), .story = &story});
        }
    }

    // As the reconciler does it; what runs is judged in check().
    void reconcile() {
        memberships_.publish();
        memberships_.enforce();
        ASSERT_TRUE(requests->advance());
    }
    void wait(Millis time) {
        pass(time);
        for (Person& person : people_) {
            if (person.had.pass(clock.now().time)) {
                count_memberships(person);
                check_decisions(person, "before an end is recorded");
            }
        }
        reconcile();
    }
    static void count_memberships(Person& person) {
        const bool is_member = person.had.until(model::member).has_value();
        person.memberships_ended += person.is_member && !is_member ? 1 : 0;
        person.is_member = is_member;
    }

    void take(std::size_t step, std::optional<LockPlan> lock) {
        wait(minutes(1));
        for (const RequestId& id : std::exchange(locks_, {})) {
            EXPECT_TRUE(requests->unlock(root_, id, ""));
        }
        const bool locked = lock && lock->step == step;
        if (locked) {
            set_locks(lock->kind);
        }
        for (Person& person : people_) {
            if (step < person.story->steps.size()) {
                const model::Step& now = person.story->steps[step];
                const std::size_t role = person.story->roles[now.grant];
                act(person, now, locked && (lock->kind != LockKind::role || role == 0));
                count_memberships(person);
            }
        }
        reconcile();
    }
    void set_locks(LockKind kind) {
        const auto set = [&](const std::string& name, std::optional<Account> account) {
            const auto locked = requests->lock(root_, {.kind = kind,
                                                       .name = name,
                                                       .account = std::move(account),
                                                       .duration = {},
                                                       .reason = "test"});
            ASSERT_TRUE(locked) << locked.error().message;
            locks_.push_back(locked->lock.id);
        };
        if (kind != LockKind::user) {
            set(kind == LockKind::role ? std::string(model::roles[0].name) : "", {});
        }
        for (Person& person : people_) {
            if (kind == LockKind::user) {
                set(person.account.name, person.account);
            }
            person.had.take_all(kind == LockKind::role ? std::optional<std::size_t>(0) : std::nullopt);
            count_memberships(person);
        }
    }

    void act(Person& person, const model::Step& step, bool locked) {
        const Caller caller{.party = party_of(policy, person.account),
                            .account = person.account,
                            .login_person = person.account.name,
                            .login_known = true,
                            .not_attested = {}};
        const auto had = person.of.find(step.grant);
        const Time now = clock.now().time;
        switch (step.what) {
        case model::Step::start: {
            const std::size_t role = person.story->roles[step.grant];
            const minutes duration(person.story->minutes(step.grant));
            const auto given = requests->file(caller, ask(std::string(model::roles[role].name), duration));
            ASSERT_EQ(given.has_value(), !locked) << described(person);
            if (given) {
                person.of[step.grant] = person.ids.size();
                person.had.grants.push_back(
                    {.role = role, .chain = person.ids.size(), .end = now + duration, .live = true});
                person.ids.push_back(given->id);
            }
            break;
        }
        case model::Step::extend: {
            if (had == person.of.end()) {
                break;
            }
            const model::Grant extended = person.had.grants[had->second];
            const auto given = requests->extend(caller, person.ids[had->second], "more", minutes(2));
            ASSERT_EQ(given.has_value(), !locked && extended.live) << described(person);
            if (given) {
                person.had.grants.push_back({.role = extended.role,
                                             .chain = extended.chain,
                                             .end = person.had.chain_end(extended.chain) + minutes(2),
                                             .live = true});
                person.ids.push_back(given->id);
            }
            break;
        }
        case model::Step::take: {
            if (had == person.of.end()) {
                break;
            }
            // By one or the other id of a chain, by one or the other who may.
            const unsigned choice = number(person.account.uid) % 4;
            std::size_t which = had->second;
            if (choice >= 2 && person.had.grants.back().chain == which) {
                which = person.had.grants.size() - 1;
            }
            const auto taken = choice % 2 == 0
                                   ? requests->release(caller, person.ids[which])
                                   : requests->revoke(this->caller("root"), person.ids[which], "enough");
            EXPECT_EQ(taken.has_value(), person.had.grants[which].live) << described(person);
            person.had.take(which);
            break;
        }
        case model::Step::expire: // by itself, when its time came
            EXPECT_TRUE(had == person.of.end() || !person.had.grants[had->second].live) << described(person);
        }
    }

    static std::string described(const Person& person) {
        return fmt::format("{} ({})", person.account.name, person.story->text());
    }

    void check_all(const std::string& when) {
        for (const Event& event : store->take_committed()) {
            if (event.body.find("\"kind\":\"membership.taken\"") != std::string::npos) {
                ++memberships_taken_[(*parse_json(event.body))["beneficiary"]["account"].get<std::string>()];
            }
        }
        std::map<std::string, DropIn> given;
        const auto drop_ins = DropIns(path_of("userdb")).list();
        ASSERT_TRUE(drop_ins) << drop_ins.error().message;
        for (const DropIns::Found& found : *drop_ins) {
            if (found.file.state == DropInState::given && found.content) {
                given[found.file.name.account] = *found.content;
            }
        }
        for (const Person& person : people_) {
            check_decisions(person, when);
            const auto member = given.find(person.account.name);
            expect(person, when, "the membership",
                   member != given.end() ? std::optional(member->second.until) : std::nullopt,
                   person.had.until(model::member));
            // What one grant gives too was never taken in between.
            EXPECT_EQ(memberships_taken_[person.account.name], person.memberships_ended)
                << described(person) << ", " << when;
            std::set<RequestId> live;
            for (std::size_t index = 0; index < person.ids.size(); ++index) {
                if (person.had.grants[index].live) {
                    live.insert(person.ids[index]);
                }
            }
            std::set<RequestId> active;
            for (const Request& grant : store->active_of(person.account.uid)) {
                active.insert(grant.id);
            }
            EXPECT_EQ(active, live) << described(person) << ", " << when;
        }
    }

    void check_decisions(const Person& person, const std::string& when) {
        if (person.ids.empty()) {
            return;
        }
        ++checked_;
        const model::Had& had = person.had;
        const auto runs_until = [&](std::string run_as, std::string group, std::optional<LoginNeeds> login) {
            Use use;
            use.grant = person.ids.front();
            use.by = party_of(policy, person.account);
            use.run_as = std::move(run_as);
            use.group = std::move(group);
            use.login = std::move(login);
            if (!use.login) {
                use.command = Command{.path = "/usr/bin/id", .arguments = {}};
            }
            const auto until = uses_.carried_until(use);
            return until ? std::optional(until->time) : std::nullopt;
        };
        const auto logged_in = [&](bool gated, std::vector<std::string> groups) {
            return runs_until(
                person.account.name, "",
                LoginNeeds{.service = "sshd", .gated = gated, .groups = std::move(groups), .cgroup = {}});
        };
        expect(person, when, "a command", runs_until("root", "", {}), had.until(model::command));
        expect(person, when, "a command with the group", runs_until(person.account.name, "adm", {}),
               had.until(model::group));
        expect(person, when, "a login", logged_in(true, {}), had.until(model::login));
        expect(person, when, "an open login with the group", logged_in(false, {"adm"}),
               had.until(model::group));
        expect(person, when, "a login with the group", logged_in(true, {"adm"}),
               had.until_both(model::login, model::group));

        const auto table = read_login_table(path_of("logins.db"), person.account.uid, person.account.name,
                                            "sshd", clock.now());
        ASSERT_TRUE(table) << table.error().message;
        std::optional<Time> lets_in;
        std::optional<Time> gives_group;
        for (const LoginGrant& grant : table->grants) {
            if (grant.gives_login("sshd")) {
                lets_in = std::max(lets_in.value_or(grant.until), grant.until);
            }
            if (grant.gives_group("adm")) {
                gives_group = std::max(gives_group.value_or(grant.until), grant.until);
            }
        }
        expect(person, when, "the login table's login", lets_in, had.until(model::login));
        expect(person, when, "the login table's group", gives_group, had.until(model::group));
    }

    static void expect(const Person& person, const std::string& when, const std::string& what,
                       std::optional<Time> found, std::optional<Time> right) {
        const auto text = [](std::optional<Time> time) {
            return time ? "until " + format_utc(*time) : "not given";
        };
        EXPECT_EQ(text(found), text(right)) << what << " of " << described(person) << ", " << when;
    }

    Nss nss_{path_of("nss")};
    Loop loop_ = Loop::make().value();
    Journal journal_;
    Accounts accounts_{loop_, path_of("nss")};
    LoginTable logins_{*store, clock, policy, path_of("logins.db")};
    Uses uses_{loop_, *store, clock, policy, journal_, logins_};
    Memberships memberships_{
        {.loop = loop_,
         .store = *store,
         .clock = clock,
         .policy = policy,
         .journal = journal_,
         .accounts = accounts_,
         .sessions_given = [](Uid, const std::string&) { return std::set<std::uint32_t>(); }},
        path_of("userdb")};
    Root root_{.party = {.person = "root", .account = "root", .uid = root_uid}, .login_uid = {}};
    std::deque<std::function<void()>> to_do_;
    std::vector<Person> people_;
    std::vector<RequestId> locks_;
    std::map<std::string, int> memberships_taken_;
    std::uint32_t next_ = 0;
    std::size_t checked_ = 0;
};

TEST_F(Unions, of_one_and_of_two_grants_in_every_order) {
    const auto of_one = model::stories(1);
    const auto of_two = model::stories(2);
    tell(of_one);
    tell(of_two);
    all();
}

TEST_F(Unions, of_three_grants_in_every_order) {
    const auto stories = model::stories(3);
    tell(stories);
    all();
}

TEST_F(Unions, of_two_grants_of_which_one_is_extended_at_any_moment) {
    const auto stories = model::extended(model::stories(2));
    tell(stories);
    all();
}

class LockedUnions : public Unions, public testing::WithParamInterface<LockKind> {};

TEST_P(LockedUnions, of_two_grants_with_a_lock_at_any_moment) {
    const auto stories = model::stories(2);
    for (std::size_t step = 0; step < 4; ++step) {
        tell(stories, LockPlan{.kind = GetParam(), .step = step});
    }
    all();
}
INSTANTIATE_TEST_SUITE_P(Kinds, LockedUnions, testing::Values(LockKind::user, LockKind::role, LockKind::host),
                         [](const auto& kind) { return std::string(name_of(kind.param)); });

} // namespace
} // namespace jit
