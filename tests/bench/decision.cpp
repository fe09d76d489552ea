// SPDX-License-Identifier: MIT
// decision [RUNS]: what jitd does between knowing who asks and answering jit-sudo, with 1,000 roles in the
// policy and 10,000 live grants in a database file of the real kind: the person's grants are read, one is
// chosen, and it is looked which lives longest. A start is decided twice so: when it is asked for, and when
// the command begins.
#include "core/policy_load.h"
#include "core/store.h"
#include "daemon/choose.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using jit::Millis;

constexpr int roles = 1000;
constexpr int grants = 10'000;
constexpr int grants_of_others = 10; // each

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "decision: %s\n", why.c_str());
    std::exit(1);
}

std::string role_name(int number) {
    return "role-" + std::to_string(number);
}

// Five commands a role, of which the last is its own, so that all are looked at.
std::string policy_text() {
    std::string text = "[people.oncall]\nmembers = [\"bob\"]\n[risk.low]\nauto_approve = \"1h\"\n"
                       "stages = [{ from = \"oncall\" }]\n";
    for (int number = 0; number < roles; ++number) {
        text +=
            "[role." + role_name(number) +
            "]\nrisk = \"low\"\neligible = [\"@sre\", \"alice\"]\nmax = \"1h\"\ncommands = ["
            "\"/usr/bin/systemctl restart nginx\", \"/usr/bin/systemctl reload nginx\", "
            "\"/usr/bin/journalctl -u nginx -n *\", \"/usr/bin/id **\", \"/usr/bin/systemctl restart app-" +
            std::to_string(number) + "\"]\n";
    }
    return text;
}

jit::Party party(std::uint32_t uid) {
    return {.person = "user" + std::to_string(uid),
            .account = "user" + std::to_string(uid),
            .uid = jit::Uid{uid}};
}

class Host {
public:
    Host() {
        std::string name = "/tmp/jit-bench-XXXXXX";
        if (mkdtemp(name.data()) == nullptr) {
            give_up("no temporary directory");
        }
        directory_ = name;
        auto loaded = jit::parse_policy({{"bench.toml", policy_text()}});
        if (!loaded.policy) {
            give_up(loaded.problems.front().text());
        }
        policy = std::move(*loaded.policy);
        auto opened = jit::Store::open(directory_ + "/jit.db", jit::Store::Mode::owner);
        if (!opened) {
            give_up(opened.error().message);
        }
        store = std::move(*opened);
    }
    ~Host() {
        store.reset();
        std::filesystem::remove_all(directory_);
    }
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    void grant(int number, std::uint32_t uid, const std::string& role) {
        const jit::Now now = clock.now();
        char id[16];
        std::snprintf(id, sizeof id, "%08x", static_cast<unsigned>(number));
        const auto scope = jit::scope_of(policy.roles.at(role), {}, {});
        store->insert(jit::Request{
            .id = id,
            .state = jit::State::active,
            .cause = {},
            .role = role,
            .scope = *scope,
            .stages = policy.risks.at("low").stages,
            .beneficiary = party(uid),
            .requester = party(uid),
            .login_person = party(uid).person,
            .reason = "nginx is stuck, and the on-call is on the way",
            .ticket = {},
            .duration = std::chrono::hours(1),
            .filed = now.time,
            .answer_by = now.time + std::chrono::hours(24),
            .not_before = now.time,
            .not_after = deadline_at(now.time + std::chrono::hours(1) + Millis(number), clock, now),
            .ended = {},
            .ended_by = {},
            .ended_reason = {},
            .extends = {},
            .chain = id,
            .answers = {}});
        store->add_answer(id, {.by = {.person = "bob", .account = "bob", .uid = jit::Uid{999}},
                               .approves = true,
                               .stages = {0},
                               .reason = "go ahead",
                               .at = now.time});
    }

    jit::Policy policy;
    jit::Clock clock{jit::read_boot_id()};
    std::unique_ptr<jit::Store> store;

private:
    std::string directory_;
};

void measure(Host& host, const char* what, std::uint32_t uid, const std::string& command, bool granted,
             int runs) {
    const jit::Wanted wanted{
        .by = party(uid),
        .run_as = "root",
        .group = {},
        .command = jit::Command{.path = "/usr/bin/systemctl", .arguments = {"restart", command}}};
    std::vector<double> took;
    for (int run = -1000; run < runs; ++run) {
        const auto began = std::chrono::steady_clock::now();
        // As HelperServer::decide() has it.
        const auto active = host.store->guarded([&]() -> jit::Result<std::vector<jit::Request>> {
            return host.store->active_of(
                jit::Uid{uid}, [&](std::string_view role) { return could_carry(host.policy, role, wanted); });
        });
        const jit::Now now = host.clock.now();
        const jit::Request* grant =
            active ? choose(host.policy, *active, wanted, now, host.clock.boot_id()) : nullptr;
        const bool carried = grant != nullptr &&
                             longest(host.policy, *active, wanted, {}, now, host.clock.boot_id()) != nullptr;
        const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - began;
        if (carried != granted) {
            give_up("the decision is wrong");
        }
        if (run >= 0) { // those before warm the caches up
            took.push_back(time.count());
        }
    }
    std::ranges::sort(took);
    std::printf("%-42s median %6.1f us   p99 %6.1f us\n", what, took[took.size() / 2],
                took[took.size() * 99 / 100]);
}

} // namespace

int main(int argc, char** argv) {
    const int runs = argc > 1 ? std::atoi(argv[1]) : 20'000;
    if (runs < 1) {
        std::fprintf(stderr, "usage: decision [RUNS]\n");
        return 2;
    }
    Host host;
    const auto filled = host.store->transact([&]() -> jit::Result<void> {
        int number = 0;
        host.grant(number++, 1000, role_name(500));
        for (int role = 0; role < 20; ++role) {
            host.grant(number++, 1001, role_name(role * 50));
        }
        for (; number < grants; ++number) {
            host.grant(number, 2000 + static_cast<std::uint32_t>(number / grants_of_others),
                       role_name(number % roles));
        }
        return {};
    });
    if (!filled) {
        give_up(filled.error().message);
    }
    std::printf("%d roles, %d live grants, %d runs each\n", roles, grants, runs);
    measure(host, "somebody with no grant", 999, "nginx", false, runs);
    measure(host, "somebody with 1 grant", 1000, "app-500", true, runs);
    measure(host, "somebody with 20 grants, 1 gives it", 1001, "app-500", true, runs);
    measure(host, "somebody with 20 grants, all give it", 1001, "nginx", true, runs);
    measure(host, "somebody with 20 grants, none gives it", 1001, "app-7", false, runs);
    return 0;
}
