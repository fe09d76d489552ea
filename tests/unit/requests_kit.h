// SPDX-License-Identifier: MIT
// A jitd without its sockets: a real store, a clock that the test sets, a policy of its own, and people who
// ask and answer.
#pragma once

#include "core/policy_load.h"
#include "daemon/requests.h"

#include <cstdint>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace jit {

inline ClockReading test_reading;
inline ClockReading read_test_clock() {
    return test_reading;
}

inline constexpr std::string_view test_policy = R"(
[person.bob]
accounts = ["bob", "bob-adm"]

[people.oncall]
members = ["bob", "carol", "@leads"]
[people.security]
members = ["carol", "dave"]

[risk.low]
auto_approve = "1h"
stages = [{ from = "oncall" }]
[risk.auto]
auto_approve = "30m"
[risk.medium]
stages = [{ from = "oncall" }]
[risk.high]
stages = [{ from = "oncall" }, { from = "security" }]

[role.quick]
risk = "auto"
eligible = ["alice", "@sre"]
max = "2h"
commands = ["/usr/bin/id"]
[role.web]
title = "Restart the web tier"
risk = "low"
eligible = ["alice", "bob"]
max = "4h"
extend = "6h"
commands = ["/usr/bin/systemctl restart nginx", "/usr/bin/journalctl -u nginx *"]
groups = ["adm"]
login = ["sshd"]
[role.db]
risk = "medium"
eligible = ["alice", "bob", "@sre"]
max = "1h"
groups = ["postgres"]
ticket = "INC-[0-9]+"
[role.vault]
risk = "high"
eligible = ["alice", "bob"]
max = "1h"
groups = ["vault"]
)";

class RequestsTest : public testing::Test {
protected:
    RequestsTest() {
        test_reading = {.realtime = Time(Millis(1'800'000'000'000)),
                        .boot = BootTime(std::chrono::hours(5)),
                        .synchronised = false};
        set_policy(std::string(test_policy));
        // In memory where there is such a place: a transaction is as quick there on any disk.
        std::string name = (std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : "/tmp") +
                           std::string("/jit-requests-XXXXXX");
        directory_ = mkdtemp(name.data());
        open();
    }
    ~RequestsTest() override {
        requests.reset();
        store.reset();
        std::filesystem::remove_all(directory_);
    }

    void open() {
        requests.reset();
        store.reset();
        auto opened = Store::open(path(), Store::Mode::owner);
        ASSERT_TRUE(opened) << opened.error().message;
        store = std::move(*opened);
        requests =
            std::make_unique<Requests>(*store, clock, policy, [this](const std::vector<Request>& more) {
                changed.insert(changed.end(), more.begin(), more.end());
            });
    }
    [[nodiscard]] std::string path() const { return directory_ + "/jit.db"; }
    [[nodiscard]] std::string path_of(const std::string& file) const { return directory_ + "/" + file; }

    void set_policy(const std::string& text) {
        auto loaded = parse_policy({{"test.toml", text}});
        for (const Problem& problem : loaded.problems) {
            EXPECT_NE(problem.severity, Problem::Severity::error) << problem.text();
        }
        ASSERT_TRUE(loaded.policy);
        policy = std::move(*loaded.policy);
    }

    static Account account(const std::string& name, std::vector<std::string> groups = {}) {
        std::uint32_t uid = 1000;
        for (const char letter : name) {
            uid = uid * 31 % 50'000 + static_cast<unsigned char>(letter) + 1000;
        }
        if (name == "root") {
            uid = 0;
        }
        return {.name = name,
                .uid = Uid{uid},
                .gid = Gid{uid},
                .groups = std::move(groups),
                .gids = {},
                .home = {},
                .shell = {}};
    }
    // Somebody at a login of their own.
    Caller caller(const std::string& name, std::vector<std::string> groups = {}) const {
        const Account of = account(name, std::move(groups));
        const Party party = party_of(policy, of);
        return {.party = party,
                .account = of,
                .login_person = party.person,
                .login_known = true,
                .not_attested = {}};
    }
    static Ask ask(const std::string& role) {
        return {.role = role,
                .reason = "nginx stuck",
                .duration = {},
                .ticket = "",
                .commands = {},
                .groups = {}};
    }
    static Ask ask(const std::string& role, Millis duration) {
        Ask made = ask(role);
        made.duration = duration;
        return made;
    }
    Request filed(const Caller& by, const Ask& what) {
        auto result = requests->file(by, what);
        EXPECT_TRUE(result) << result.error().message;
        return result.value_or(Request{});
    }
    void pass(Millis time) {
        test_reading.realtime += time;
        test_reading.boot += time;
    }
    State state_of(const RequestId& id) { return requests->find(id)->state; }
    std::vector<std::string> kinds() {
        std::vector<std::string> list;
        for (const Event& event : store->events_after(0, 1000)) {
            list.push_back((*parse_json(event.body))["kind"].get<std::string>());
        }
        return list;
    }

    Policy policy;
    Clock clock{"boot-1", read_test_clock};
    std::unique_ptr<Store> store;
    std::unique_ptr<Requests> requests;
    std::vector<Request> changed;

private:
    std::string directory_;
};

} // namespace jit
