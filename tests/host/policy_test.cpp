// SPDX-License-Identifier: MIT
// How a policy comes to hold, and what never becomes one.
#include "tests/host/access.h"

#include <gmock/gmock.h>

namespace jit::host {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* POLICY_FILE = "/etc/jit/policy.toml";
constexpr const char* BROKEN = "[role.logs]\nrisk = \"low\"\nelligible = [\"@sre\"]\nmax = \"1h\"\n";

std::string without_role(const std::string& role) {
    std::string text = POLICY;
    const auto begin = text.find("[role." + role + "]");
    return text.erase(begin, text.find("\n[", begin) - begin);
}

TEST(Policy, NothingCanBeHadBeforeARoleIsWritten) {
    Host host;
    EXPECT_EQ(json_of(host.as("alice", "jitctl --json status")).at("roles"), 0);
    EXPECT_EQ(host.as("alice", "jitctl request logs --reason x").status, 3);
}

TEST(Policy, ABrokenFileNeverReplacesTheOneInForceAndEverybodyIsTold) {
    Host host;
    host.policy(POLICY);
    host.write(POLICY_FILE, BROKEN);
    const Result reloaded = host.root("jitctl policy reload");
    EXPECT_EQ(reloaded.status, 6) << reloaded;
    EXPECT_THAT(reloaded.out, HasSubstr("/etc/jit/policy.toml:3: role.logs.elligible: unknown key"));
    const Result status = host.as("alice", "jitctl status");
    EXPECT_THAT(status.out, HasSubstr("THE FILES ARE BROKEN. In force: the one of"));
    EXPECT_THAT(status.out, HasSubstr("/etc/jit/policy.toml:3"));
    EXPECT_EQ(request(host, "alice", "logs").at("state"), "active") << "by the policy before";
    EXPECT_TRUE(eventually([&] {
        return host.root("journalctl --no-pager -p err -t jitd")
                   .out.find("policy.toml:3: role.logs.elligible") != std::string::npos;
    }));
}

TEST(Policy, AReloadCountsTheWarningsThatACheckShows) {
    Host host;
    host.write(POLICY_FILE, std::string(POLICY) +
                                "[role.cats]\nrisk = \"low\"\neligible = [\"alice\"]\nmax = \"1h\"\n"
                                "commands = [\"/usr/bin/cat **\"]\n");
    EXPECT_THAT(host.root("jitctl policy check").out, HasSubstr("** allows any arguments"));
    const Result reloaded = host.root("jitctl policy reload");
    EXPECT_EQ(reloaded.status, 0) << reloaded;
    EXPECT_THAT(
        reloaded.out,
        testing::MatchesRegex(
            "policy taken: it holds from now on\n[0-9]+ warnings; to see them: jitctl policy check\n"));
}

TEST(Policy, AfterARestartWithABrokenFileTheLastGoodOneHoldsAndGrantsLiveOn) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "logs");
    host.write(POLICY_FILE, BROKEN);
    ASSERT_EQ(host.root("systemctl restart jitd").status, 0);
    EXPECT_EQ(state(host, id), "active");
    const Json status = json_of(host.as("alice", "jitctl --json status"));
    EXPECT_EQ(status.at("policy_current"), false);
    EXPECT_EQ(status.at("roles"), 4);
    EXPECT_EQ(request(host, "dave", "logs").at("state"), "active");
}

TEST(Policy, AMendedOneHoldsAtTheNextReload) {
    Host host;
    host.policy(POLICY);
    host.write(POLICY_FILE, BROKEN);
    EXPECT_EQ(host.root("jitctl policy reload").status, 6);
    host.policy(POLICY);
    EXPECT_THAT(host.as("alice", "jitctl status").out, Not(HasSubstr("BROKEN")));
}

TEST(Policy, SystemctlReloadMakesAChangedOneHold) {
    Host host;
    host.policy(POLICY);
    host.write(POLICY_FILE, without_role("root-shell"));
    ASSERT_EQ(host.root("systemctl reload jitd").status, 0);
    EXPECT_TRUE(
        eventually([&] { return json_of(host.as("alice", "jitctl --json status")).at("roles") == 3; }));
}

TEST(Policy, OnlyRootReloadsIt) {
    Host host;
    host.policy(POLICY);
    host.write(POLICY_FILE, without_role("logs"));
    const Result reloaded = host.as("carol", "jitctl policy reload");
    EXPECT_EQ(reloaded.status, 1) << reloaded;
    EXPECT_EQ(json_of(host.as("alice", "jitctl --json status")).at("roles"), 4);
}

TEST(Policy, FilesThatOthersCouldHaveWrittenAreRefused) {
    Host host;
    host.policy(POLICY);
    host.write("/root/policy.toml", POLICY);
    const char* const good = "chmod 755 /etc/jit; rm -rf /etc/jit/p*; cp /root/policy.toml /etc/jit/; ";
    for (const auto& [how, why] :
         {std::pair("chmod 664 /etc/jit/policy.toml", "policy.toml: is writable by others than root"),
          std::pair("chown dave /etc/jit/policy.toml", "policy.toml: belongs to uid 1003, not to root"),
          std::pair("ln -sf /root/policy.toml /etc/jit/policy.toml", "policy.toml: is a symbolic link"),
          std::pair("chmod 777 /etc/jit", "/etc/jit: is writable by others than root"),
          std::pair("install -D -m 666 /dev/null /etc/jit/policy.d/a.toml", "a.toml: is writable by others"),
          std::pair("ln -s /root /etc/jit/policy.d", "policy.d: is a symbolic link"),
          std::pair("rm /etc/jit/policy.toml; mkfifo /etc/jit/policy.toml", "is not a regular file")}) {
        const Result reloaded = host.root(std::string(good) + how + "; jitctl policy reload");
        EXPECT_EQ(reloaded.status, 6) << how << reloaded;
        EXPECT_THAT(reloaded.out, HasSubstr(why));
    }
    EXPECT_EQ(host.root(std::string(good) + "jitctl policy reload").status, 0);
}

TEST(Policy, AllItsFilesAreOne) {
    Host host;
    host.write(POLICY_FILE, std::string(POLICY).substr(0, std::string(POLICY).find("[role.")));
    host.write("/etc/jit/policy.d/web.toml",
               "[role.web]\nrisk = \"low\"\neligible = [\"dave\"]\nmax = \"1h\"\n"
               "login = [\"sshd\"]\n");
    ASSERT_EQ(host.root("jitctl policy reload").status, 0);
    EXPECT_EQ(request(host, "dave", "web").at("state"), "active");
    host.write("/etc/jit/policy.d/again.toml",
               "[role.web]\nrisk = \"low\"\neligible = [\"dave\"]\nmax = \"2h\"\n"
               "login = [\"sshd\"]\n");
    EXPECT_EQ(host.root("jitctl policy reload").status, 6) << "no table stands in two files";
}

TEST(Policy, ARoleThatIsRemovedEndsItsGrants) {
    Host host;
    host.policy(POLICY);
    const std::string logs = ask(host, "alice", "logs");
    const std::string login = ask(host, "alice", "web-login");
    host.policy(without_role("logs"));
    EXPECT_EQ(state(host, logs), "ended (ineligible)");
    EXPECT_THAT(host.as("alice", "jitctl show " + logs).out,
                HasSubstr("the policy has no role logs any more"));
    EXPECT_EQ(state(host, login), "active");
}

TEST(Policy, APendingRequestWhoseApproversChangedIsCancelled) {
    Host host;
    host.policy(POLICY);
    const std::string changed = ask(host, "alice", "web-ops");
    const std::string same = ask(host, "alice", "root-shell");
    std::string text = POLICY;
    const std::string medium = "[risk.medium]\nstages = [{ from = \"oncall\"";
    text.replace(text.find(medium), medium.size(), "[risk.medium]\nstages = [{ from = \"security\"");
    host.policy(text);
    EXPECT_EQ(state(host, changed), "cancelled (ineligible)");
    EXPECT_EQ(state(host, same), "pending");
}

TEST(Policy, ADraftIsCheckedByAnybodyAnywhere) {
    Host host;
    const Result good =
        host.as("alice", "cat > draft.toml; jitctl policy check draft.toml", {.stdin_text = POLICY});
    EXPECT_EQ(good.status, 0) << good;
    EXPECT_THAT(good.out, HasSubstr("policy is good: 4 roles"));
    const Result bad =
        host.as("alice", "cat > draft.toml; jitctl policy check draft.toml", {.stdin_text = BROKEN});
    EXPECT_EQ(bad.status, 6) << bad;
    EXPECT_THAT(bad.out, HasSubstr("draft.toml:3: role.logs.elligible: unknown key"));
}

} // namespace
} // namespace jit::host
