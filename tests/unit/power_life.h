// SPDX-License-Identifier: MIT
// A whole life of jitd's, as far as it is written down: for power_cut_test.cpp, which cuts the power in it.
#pragma once

#include "core/record.h"
#include "daemon/account_uids.h"
#include "power_record.h"
#include "requests_kit.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace jit {

constexpr const char* machine = "0123456789abcdef0123456789abcdef";

class Life : public RequestsTest {
protected:
    Life() {
        requests.reset();
        store.reset();
        std::filesystem::remove_all(path_of(""));
        std::filesystem::create_directory(path_of(""));
        std::filesystem::create_directory(disk());
    }
    [[nodiscard]] std::string disk() const { return path_of("disk"); }

    // As jitd does it (daemon/main.cpp).
    bool begin(const std::string& directory) {
        requests.reset();
        store.reset();
        auto key = HostKey::load_or_create(directory, machine);
        auto store_there = Store::open(directory + "/jit.db", Store::Mode::owner);
        if (!key || !store_there) {
            why = key ? store_there.error().message : key.error().message;
            return false;
        }
        host_key = std::move(*key);
        store = std::move(*store_there);
        requests = std::make_unique<Requests>(*store, clock, policy, [](const std::vector<Request>&) {});
        return true;
    }
    void append(const char* kind, const Json& fields) {
        ASSERT_TRUE(store->transact([&]() -> Result<void> {
            store->append(kind, clock.now().time, fields);
            return {};
        }));
    }

    std::string given(const Result<Request>& request) {
        EXPECT_TRUE(request) << request.error().message;
        EXPECT_EQ(request->state, State::active);
        power::mark("given " + request->id);
        return request->id;
    }
    void ended(const std::string& id) {
        EXPECT_TRUE(requests->find(id)->over());
        power::mark("ended " + id);
    }
    void uses(const std::string& grant, int number) {
        Use use;
        use.id = fmt::format("{}-{}", grant, number);
        use.grant = grant;
        use.by = caller("alice").party;
        use.boot_id = "boot-1";
        use.started = clock.now().time;
        use.command = Command{.path = "/usr/bin/id", .arguments = {}};
        ASSERT_TRUE(store->transact([&]() -> Result<void> {
            store->insert(use);
            store->append("use.started", use.started, {{"use", use.id}, {"request", grant}});
            return {};
        }));
        power::mark("use " + use.id);
        use.exited = use.ended = clock.now().time;
        use.status = 0;
        ASSERT_TRUE(store->transact([&]() -> Result<void> {
            store->update(use);
            store->set_last_used(grant, *use.ended);
            store->append("use.ended", *use.ended, {{"use", use.id}});
            return {};
        }));
    }
    void checkpoint() {
        const Checkpoint made = host_key->sign(store->head().seq, clock.now().time, store->head().hash);
        ASSERT_TRUE(store->transact([&]() -> Result<void> {
            store->add_checkpoint(made);
            return {};
        }));
    }
    void search(const std::string& grant) {
        ASSERT_TRUE(store->transact([&]() -> Result<void> {
            store->set_stock(grant, store->keep_stock(std::string(20'000, 's')));
            return {};
        }));
        ASSERT_TRUE(store->transact([&]() -> Result<void> {
            store->append("grant.searched", clock.now().time, {{"request", grant}});
            store->set_searched(grant, clock.now().time, std::nullopt);
            store->forget_stocks();
            return {};
        }));
    }
    void account_for(const std::string& name, std::uint32_t uid, const std::string& grant) {
        ASSERT_TRUE(write_uid_mark(Uid{uid}, disk() + "/highest-uid"));
        power::mark(fmt::format("uid {}", uid));
        ASSERT_TRUE(store->transact([&]() -> Result<void> {
            store->reserve_account(name, Uid{uid});
            store->append("account.reserved", clock.now().time, {{"account", name}});
            return {};
        }));
        ASSERT_TRUE(store->transact([&]() -> Result<void> {
            store->set_account(name, grant, TemporaryAccount::Home::remove);
            return {};
        }));
        ASSERT_TRUE(store->transact([&]() -> Result<void> {
            store->forget_account(name);
            store->append("account.removed", clock.now().time, {{"account", name}});
            return {};
        }));
    }

    // What is told, and what ends, is marked as it is.
    void live();

    std::optional<HostKey> host_key;
    std::string why;
};

inline void Life::live() {
    power::mark("key " + to_hex(host_key->public_key()));
    append("daemon.started", Json::object());
    ASSERT_TRUE(store->transact([&]() -> Result<void> {
        store->set_policy_sources(std::string(test_policy));
        return {};
    }));
    const Party root{.person = "root", .account = "root", .uid = root_uid};

    const std::string quick = given(requests->file(caller("alice"), ask("quick", std::chrono::minutes(10))));
    uses(quick, 1);
    ASSERT_TRUE(requests->release(caller("alice"), quick));
    ended(quick);
    search(quick);

    Ask wanted = ask("db", std::chrono::minutes(30));
    wanted.ticket = "INC-1";
    const auto asked = requests->file(caller("alice"), wanted);
    ASSERT_TRUE(asked) << asked.error().message;
    const std::string db = given(requests->approve(caller("carol"), asked->id, "fine", account("alice")));
    uses(db, 1);
    checkpoint();
    ASSERT_TRUE(requests->revoke(caller("root"), db, "that is enough"));
    ended(db);

    const std::string web = given(requests->file(caller("bob"), ask("web", std::chrono::hours(1))));
    pass(std::chrono::minutes(50));
    const auto longer = requests->extend(caller("bob"), web, "more to do", std::chrono::hours(1));
    given(longer);
    pass(std::chrono::minutes(15));
    ASSERT_TRUE(requests->advance());
    ended(web);
    account_for("dave", 60578, longer->id);

    const auto waiting = requests->file(caller("alice"), ask("vault", std::chrono::minutes(5)));
    ASSERT_TRUE(waiting);
    ASSERT_TRUE(requests->deny(caller("carol"), waiting->id, "no"));
    ended(waiting->id);
    const auto locked = requests->lock({.party = root, .login_uid = {}}, {.kind = LockKind::user,
                                                                          .name = "bob",
                                                                          .account = account("bob"),
                                                                          .duration = {},
                                                                          .reason = "laptop stolen"});
    ASSERT_TRUE(locked) << locked.error().message;
    power::mark("lock " + locked->lock.id);
    ended(longer->id);
    ASSERT_TRUE(store->transact([&]() -> Result<void> {
        store->set_clock_mark(
            ClockMark{.time = clock.now().time, .boot = clock.now().boot, .boot_id = "boot-1"});
        return {};
    }));
    account_for("erin", 60579, quick);
    append("daemon.stopped", Json::object());
    checkpoint();

    // And on, by another jitd.
    ASSERT_TRUE(begin(disk())) << why;
    append("daemon.started", Json::object());
    power::mark("lifting " + locked->lock.id);
    ASSERT_TRUE(requests->unlock({.party = root, .login_uid = {}}, locked->lock.id, "found again"));
    power::mark("lifted " + locked->lock.id);
    const std::string again = given(requests->file(caller("bob"), ask("web", std::chrono::hours(1))));
    uses(again, 1);
    const auto late = requests->file(caller("alice"), ask("web", std::chrono::hours(3)));
    ASSERT_TRUE(late);
    pass(std::chrono::hours(30));
    ASSERT_TRUE(requests->advance());
    ended(again);
    ended(late->id);
    search(again);
    uses(given(requests->file(caller("alice"), ask("quick", std::chrono::minutes(10)))), 1);
}

} // namespace jit
