// SPDX-License-Identifier: MIT
// `jitctl pam` on directories of the test's own, and whom a gate would shut out.
#include "ctl/pam.h"
#include "ctl/pam_files.h"
#include "ctl_fake_jitd.h"
#include "tests/unit/pam_kit.h"
#include "tests/unit/policy_kit.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace jit {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// alice, bob and carol; groups sre (alice, bob) and empty.
class FakeAccounts : public AccountSource {
public:
    std::map<std::string, std::vector<std::string>, std::less<>> groups{{"sre", {"alice", "bob"}},
                                                                        {"empty", {}}};
    std::map<std::string, Uid, std::less<>> accounts{{"root", root_uid},
                                                     {"alice", Uid{1000}},
                                                     {"bob", Uid{1001}},
                                                     {"bob-adm", Uid{2001}},
                                                     {"carol", Uid{1002}}};
    bool broken = false;

    Result<std::optional<Uid>> find(const std::string& account) const override {
        const auto found = accounts.find(account);
        return broken ? fail(Errc::unavailable, "directory is down")
                      : Result<std::optional<Uid>>(found == accounts.end() ? std::nullopt
                                                                           : std::optional(found->second));
    }
    Result<std::optional<std::vector<std::string>>> members(const std::string& group) const override {
        const auto found = groups.find(group);
        return found == groups.end() ? std::optional<std::vector<std::string>>()
                                     : std::optional(found->second);
    }
    Result<bool> is_member(const std::string& account, const std::string& group) const override {
        const auto found = groups.find(group);
        return found != groups.end() && std::ranges::find(found->second, account) != found->second.end();
    }
};

const std::string logins = R"([person.bob]
accounts = ["bob", "bob-adm"]
[people.oncall]
members = ["bob", "carol"]
[people.leads]
members = ["@sre"]
[people.security]
members = ["carol"]
signers = "/etc/jit/signers"
[risk.medium]
stages = [{ from = "oncall" }]
[risk.two]
stages = [{ from = "oncall", count = 2 }]
[risk.leads]
stages = [{ from = "leads" }]
[risk.signed]
stages = [{ from = "security", signed = true }]
[risk.rule]
auto_approve = "1h"
)";
std::string policy_with(const std::string& risk, const std::string& service = "sshd") {
    return logins + "[role.shell]\nrisk = \"" + risk +
           "\"\neligible = [\"alice\"]\nmax = \"1h\"\nlogin = [\"" + service + "\"]\n";
}

// ---- whom a gate shuts out

std::vector<std::string> reasons(const std::string& policy, const Gate& gate, const AccountSource& accounts) {
    const auto lockout = find_lockout(policy_of(policy), "sshd", gate, accounts);
    return lockout ? lockout->reasons : std::vector{"error: " + lockout.error().message};
}

TEST(PamLockout, a_stage_nobody_of_whom_could_log_in_is_named_with_its_people) {
    const FakeAccounts accounts;
    EXPECT_THAT(
        reasons(policy_with("medium"), {}, accounts),
        ElementsAre("stage 1 of risk medium wants 1 of oncall to approve, and without a grant none of "
                    "them could log in (not bob, carol)"));
    EXPECT_THAT(
        reasons(policy_with("two"), {.mode = {}, .only = {}, .exempt = {"root", "bob"}}, accounts),
        ElementsAre(HasSubstr("wants 2 of oncall to approve, and without a grant only bob could log in "
                              "(not carol)")));
}

TEST(PamLockout, who_is_exempt_or_not_in_the_gated_group_counts) {
    FakeAccounts accounts;
    EXPECT_THAT(
        reasons(policy_with("medium"), {.mode = {}, .only = {}, .exempt = {"root", "carol"}}, accounts),
        IsEmpty());
    EXPECT_THAT(reasons(policy_with("medium"), {.mode = {}, .only = "sre", .exempt = {}}, accounts),
                IsEmpty());
    EXPECT_THAT(reasons(policy_with("two"), {.mode = {}, .only = "empty", .exempt = {}}, accounts),
                IsEmpty());
    accounts.groups["sre"] = {"alice"};
    EXPECT_THAT(reasons(policy_with("leads"), {.mode = {}, .only = "sre", .exempt = {}}, accounts),
                ElementsAre(HasSubstr("none of them could log in (not alice)")));
}

TEST(PamLockout, a_person_gets_in_by_any_of_their_accounts_and_counts_once) {
    const FakeAccounts accounts;
    EXPECT_THAT(
        reasons(policy_with("medium"), {.mode = {}, .only = {}, .exempt = {"root", "bob-adm"}}, accounts),
        IsEmpty());
    EXPECT_THAT(
        reasons(policy_with("two"), {.mode = {}, .only = {}, .exempt = {"root", "bob", "bob-adm"}}, accounts),
        ElementsAre(HasSubstr("only bob")));
}

TEST(PamLockout, who_has_no_account_here_and_root_open_nothing) {
    FakeAccounts accounts;
    const Gate gate{.mode = {}, .only = {}, .exempt = {"root", "carol"}};
    accounts.accounts.erase("carol");
    EXPECT_THAT(reasons(policy_with("medium"), gate, accounts), ElementsAre(HasSubstr("none of them")));
    accounts.accounts["carol"] = root_uid;
    EXPECT_THAT(reasons(policy_with("medium"), gate, accounts), ElementsAre(HasSubstr("none of them")));
}

TEST(PamLockout, a_stage_that_signs_may_be_shut_out) {
    EXPECT_THAT(reasons(policy_with("signed"), {}, FakeAccounts()), IsEmpty());
}

TEST(PamLockout, without_any_role_for_the_service_nobody_could_log_in) {
    EXPECT_THAT(reasons(policy_with("medium", "login"), {}, FakeAccounts()),
                ElementsAre("no role has login = [\"sshd\"], so nobody but root could log in through it"));
}

TEST(PamLockout, a_lookup_that_fails_is_an_error_and_no_answer) {
    FakeAccounts accounts;
    accounts.broken = true;
    EXPECT_THAT(reasons(policy_with("medium"), {}, accounts), ElementsAre("error: directory is down"));
}

TEST(PamLockout, a_rule_without_people_is_warned_about) {
    const auto lockout = find_lockout(policy_of(policy_with("rule")), "sshd", {}, FakeAccounts());
    ASSERT_TRUE(lockout);
    EXPECT_THAT(lockout->reasons, IsEmpty());
    EXPECT_THAT(lockout->warnings,
                ElementsAre(HasSubstr("nobody can give shell to somebody who can't log in")));
}

TEST(PamAccounts, nss_is_asked_and_root_is_in_its_own_group) {
    const NssAccounts accounts("/nonexistent");
    EXPECT_EQ(accounts.find("root").value(), std::optional(root_uid));
    EXPECT_EQ(accounts.find("no-such-account-here").value(), std::nullopt);
    EXPECT_THAT(accounts.members("root").value().value(), testing::Contains("root"));
    EXPECT_EQ(accounts.members("no-such-group-here").value(), std::nullopt);
    EXPECT_TRUE(accounts.is_member("root", "root").value());
    EXPECT_FALSE(accounts.is_member("no-such-account-here", "root"));
}

// ---- the verbs

constexpr const char* ALL = "--all"; // to disable()

class PamVerbs : public testing::Test {
protected:
    void SetUp() override {
        umask(022);
        for (const char* name : {"pam.d", "lib", "etc"}) {
            fs::create_directory(directory.file(name));
        }
        for (const auto& [name, text] : included_files) {
            if (name.starts_with("common-")) {
                write("pam.d/" + name, text);
            }
        }
        write("pam.d/sshd", debian_sshd);
        write("pam.d/su", debian_su);
        write("pam.d/su-l", debian_su_l);
        write("pam.d/sudo", debian_sudo);
        write("pam.d/sudo-i", debian_sudo_i);
        write("pam.d/runuser", debian_runuser);
        write("module", "");
        write("table", "");
        write("etc/policy.toml", policy_with("medium"));
        places.services = directory.file("pam.d");
        places.vendor_services = directory.file("vendor");
        places.copies = directory.file("lib/pam.d");
        places.policy = directory.file("etc");
        places.policy_ownership = Ownership::anyone;
        places.module_file = directory.file("module");
        places.login_table = directory.file("table");
        places.owner = Uid{geteuid()};
    }

    void write(const std::string& name, const std::string& text) const {
        std::ofstream(directory.file(name)) << text;
        EXPECT_EQ(chmod(directory.file(name).c_str(), 0644), 0);
    }
    std::string read(const std::string& name) const {
        std::ostringstream text;
        text << std::ifstream(directory.file(name)).rdbuf();
        return text.str();
    }

    template <class Verb>
    Ran ran(bool json, Verb verb) const {
        std::ostringstream out;
        std::ostringstream err;
        const Context context{.out = out, .err = err, .json = json, .client = {.socket = {}, .output = -1}};
        const Outcome<Exit> result = verb(context);
        if (!result) {
            context.print_failure(result.error());
        }
        return {.exit = static_cast<int>(result ? *result : result.error().exit),
                .out = out.str(),
                .err = err.str()};
    }
    Ran enable(const PamOptions& options, bool json = false) const {
        return ran(json, [&](const Context& c) { return pam_enable(c, options, places, accounts); });
    }
    Ran disable(const std::string& service) const {
        return ran(false, [&](const Context& c) {
            return pam_disable(c,
                               {.service = service == ALL ? "" : service,
                                .mode = {},
                                .only = {},
                                .exempt = {},
                                .all = service == ALL},
                               places);
        });
    }
    Ran status(const std::string& service = "", bool json = false) const {
        return ran(json, [&](const Context& c) {
            return pam_status(c, {.service = service, .mode = {}, .only = {}, .exempt = {}, .all = false},
                              places);
        });
    }
    static PamOptions of(const std::string& service, const std::string& mode = "enforce",
                         std::vector<std::string> exempt = {}, std::optional<std::string> only = {}) {
        return {.service = service,
                .mode = mode,
                .only = std::move(only),
                .exempt = std::move(exempt),
                .all = false};
    }

    TemporaryDirectory directory;
    PamPlaces places;
    FakeAccounts accounts;
};

TEST_F(PamVerbs, enable_gates_says_what_holds_and_disable_gives_the_file_back) {
    const Ran on = enable(of("sshd", "enforce", {"carol"}));
    EXPECT_EQ(on.exit, 0) << on.err;
    EXPECT_THAT(on.out, AllOf(HasSubstr("sshd is gated: everybody but root, carol needs a grant.\n"),
                              HasSubstr(directory.file("lib/pam.d/sshd")),
                              HasSubstr("Keep this root shell open"), HasSubstr("jitctl pam disable sshd")));
    EXPECT_THAT(read("pam.d/sshd"), HasSubstr("pam_jit.so mode=enforce exempt=root,carol\n"));
    EXPECT_EQ(read("lib/pam.d/sshd"), debian_sshd);
    const Ran off = disable("sshd");
    EXPECT_EQ(off.exit, 0) << off.err;
    EXPECT_EQ(off.out, "sshd is gated no more\n");
    EXPECT_EQ(read("pam.d/sshd"), debian_sshd);
    EXPECT_EQ(disable("sshd").out, "nothing to change: sshd isn't gated\n");
}

TEST_F(PamVerbs, disable_of_all_gives_every_file_back_and_says_which) {
    EXPECT_EQ(enable(of("sshd", "audit")).exit, 0);
    EXPECT_EQ(enable(of("sudo", "audit")).exit, 0);
    const Ran off = disable(ALL);
    EXPECT_EQ(off.exit, 0) << off.err;
    EXPECT_THAT(off.out, HasSubstr("sshd and sudo"));
    EXPECT_EQ(read("pam.d/sshd"), debian_sshd);
    EXPECT_EQ(disable(ALL).out, "nothing to change: no service is gated\n");
}

TEST_F(PamVerbs, the_file_keeps_its_mode_and_nothing_is_left_beside_it) {
    EXPECT_EQ(chmod(directory.file("pam.d/sshd").c_str(), 0600), 0);
    EXPECT_EQ(enable(of("sshd", "audit")).exit, 0);
    struct stat status{};
    ASSERT_EQ(stat(directory.file("pam.d/sshd").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    ASSERT_EQ(stat(directory.file("lib/pam.d").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0700U);
    for (const auto& entry : fs::directory_iterator(directory.file("pam.d"))) {
        EXPECT_THAT(entry.path().filename().string(), Not(testing::StartsWith(".")));
    }
}

TEST_F(PamVerbs, enabling_again_changes_nothing_and_says_so) {
    EXPECT_EQ(enable(of("sshd", "audit")).exit, 0);
    const auto before = fs::last_write_time(directory.file("pam.d/sshd"));
    const Ran again = enable(of("sshd", "audit"));
    EXPECT_EQ(again.exit, 0);
    EXPECT_THAT(again.out,
                HasSubstr("nothing to change: sshd has this gate already (mode audit, exempt root)\n"));
    EXPECT_EQ(fs::last_write_time(directory.file("pam.d/sshd")), before);
    const Json reply = parse_json(enable(of("sshd", "audit"), true).out).value();
    EXPECT_EQ(reply["changed"], false);
    EXPECT_EQ(reply["mode"], "audit");
}

TEST_F(PamVerbs, the_copy_is_of_the_last_file_without_our_lines) {
    EXPECT_EQ(enable(of("sshd", "audit")).exit, 0);
    EXPECT_EQ(enable(of("sshd", "warn")).exit, 0);
    EXPECT_EQ(read("lib/pam.d/sshd"), debian_sshd);
    EXPECT_EQ(disable("sshd").exit, 0);
    write("pam.d/sshd", debian_sshd + "# edited\n");
    EXPECT_EQ(enable(of("sshd", "warn")).exit, 0);
    EXPECT_EQ(read("lib/pam.d/sshd"), debian_sshd + "# edited\n");
}

TEST_F(PamVerbs, a_gate_that_shuts_out_the_approvers_is_refused_and_says_what_to_type) {
    const Ran refused = enable(of("sshd"));
    EXPECT_EQ(refused.exit, 1);
    EXPECT_THAT(refused.err,
                AllOf(HasSubstr("stage 1 of risk medium"), HasSubstr("bob, carol"), HasSubstr("--only GROUP"),
                      HasSubstr("--exempt"), HasSubstr("--mode audit")));
    EXPECT_EQ(read("pam.d/sshd"), debian_sshd);
    EXPECT_FALSE(fs::exists(directory.file("lib/pam.d")));
    const Ran watched = enable(of("sshd", "audit"));
    EXPECT_EQ(watched.exit, 0);
    EXPECT_THAT(watched.out, HasSubstr("note: with --mode enforce: this would shut out"));
}

TEST_F(PamVerbs, what_the_gate_needs_must_be_there) {
    const std::vector<std::string> carol{"carol"};
    EXPECT_THAT(enable(of("sshd", "enforce", carol, "nobodys")).err, HasSubstr("there is no group nobodys"));
    EXPECT_THAT(enable(of("sshd", "enforce", {"carrol"})).err, HasSubstr("there is no account carrol"));
    write("etc/policy.toml", "[role.x]\n");
    const Ran broken = enable(of("sshd", "enforce", carol));
    EXPECT_EQ(broken.exit, 1);
    EXPECT_THAT(broken.err, HasSubstr("jitctl policy check"));
    write("etc/policy.toml", policy_with("medium"));
    fs::remove(directory.file("table"));
    EXPECT_THAT(enable(of("sshd", "enforce", carol)).err, HasSubstr("jitd isn't running"));
    EXPECT_EQ(enable(of("su")).exit, 1);
    EXPECT_THAT(enable(of("sshd", "warn", carol)).out, HasSubstr("jitd isn't running"));
    fs::remove(directory.file("module"));
    EXPECT_THAT(enable(of("sshd", "audit", carol)).err, HasSubstr("PAM would refuse everybody"));
    EXPECT_THAT(read("pam.d/sshd"), HasSubstr("mode=warn"));
}

TEST_F(PamVerbs, sudo_takes_sudo_i_along_and_su_covers_the_su_l_that_includes_it) {
    const Ran sudo = enable(of("sudo"));
    EXPECT_EQ(sudo.exit, 0) << sudo.err;
    EXPECT_THAT(sudo.out, AllOf(HasSubstr("sudo-i has a file of its own, and gets the same lines"),
                                HasSubstr("no role has login = [\"sudo\"]")));
    EXPECT_THAT(read("pam.d/sudo-i"), HasSubstr("pam_jit.so"));
    const Ran su = enable(of("su"));
    EXPECT_EQ(su.exit, 0) << su.err;
    EXPECT_THAT(su.out, HasSubstr("su-l includes su, and is gated with it"));
    EXPECT_EQ(read("pam.d/su-l"), debian_su_l);
    EXPECT_THAT(enable(of("su-l")).err, HasSubstr("a line of ours already"));
    EXPECT_EQ(disable("sudo").out, "sudo and sudo-i are gated no more\n");
    EXPECT_EQ(read("pam.d/sudo-i"), debian_sudo_i);
    fs::remove(directory.file("pam.d/sudo-i"));
    EXPECT_EQ(enable(of("sudo")).exit, 0);
}

TEST_F(PamVerbs, shared_files_and_services_that_are_not_logins_are_never_gated) {
    for (const char* name : {"common-auth", "common-account", "system-auth", "password-auth", "other",
                             "jit-sudo", "systemd-user"}) {
        EXPECT_EQ(enable(of(name, "audit")).exit, 1) << name;
    }
    for (const char* name : {"../sshd", "", "Sshd", ".x"}) {
        EXPECT_EQ(enable(of(name, "audit")).exit, 2) << name;
        EXPECT_EQ(disable(name).exit, 2) << name;
    }
    EXPECT_EQ(enable(of("sshd", "loud")).exit, 2);
    EXPECT_EQ(enable(of("sshd", "audit", {"a b"})).exit, 2);
}

TEST_F(PamVerbs, a_service_that_is_not_there_is_not_found) {
    EXPECT_EQ(enable(of("gdm", "audit")).exit, 3);
    EXPECT_EQ(disable("gdm").exit, 3);
    EXPECT_EQ(status("gdm").exit, 3);
    fs::create_directory(places.vendor_services);
    write("vendor/gdm", debian_sshd);
    EXPECT_THAT(enable(of("gdm", "audit")).err, HasSubstr("vendor/gdm there first"));
}

TEST_F(PamVerbs, links_and_files_that_others_may_write_are_refused) {
    fs::rename(directory.file("pam.d/sshd"), directory.file("pam.d/real"));
    fs::create_symlink("real", directory.file("pam.d/sshd"));
    EXPECT_THAT(enable(of("sshd", "audit")).err, HasSubstr("is a symbolic link"));
    EXPECT_EQ(chmod(directory.file("pam.d/real").c_str(), 0664), 0);
    EXPECT_THAT(enable(of("real", "audit")).err, HasSubstr("writable by others"));
    EXPECT_EQ(chmod(directory.file("pam.d/real").c_str(), 0644), 0);
    EXPECT_EQ(enable(of("real", "audit")).exit, 0);
    EXPECT_EQ(chmod(directory.file("pam.d").c_str(), 0777), 0);
    EXPECT_THAT(disable("real").err, HasSubstr("writable by others"));
}

TEST_F(PamVerbs, only_root_changes_anything) {
    places.owner = Uid{geteuid() + 1};
    for (const Ran& ran : {enable(of("sshd", "audit")), disable("sshd")}) {
        EXPECT_EQ(ran.exit, 1);
        EXPECT_THAT(ran.err, HasSubstr("needs root"));
    }
    EXPECT_EQ(status().exit, 0);
}

TEST_F(PamVerbs, two_at_once_do_not_undo_each_other) {
    const auto held = PamDirectory::open_locked(places.services, places.owner);
    ASSERT_TRUE(held);
    EXPECT_THAT(enable(of("sshd", "audit")).err, HasSubstr("try again"));
    const auto read_one = held->read("sshd");
    ASSERT_TRUE(read_one);
    write("pam.d/sshd", debian_sshd + "# edited meanwhile\n");
    EXPECT_FALSE(held->replace(*read_one, "x"));
    EXPECT_THAT(read("pam.d/sshd"), HasSubstr("edited meanwhile"));
}

TEST_F(PamVerbs, status_shows_each_gated_service_and_what_is_wrong) {
    EXPECT_EQ(status().out, "no service is gated\n");
    EXPECT_EQ(enable(of("sshd", "warn", {"bob"}, "sre")).exit, 0);
    EXPECT_EQ(enable(of("sudo", "audit")).exit, 0);
    const Ran good = status();
    EXPECT_EQ(good.exit, 0) << good.out;
    EXPECT_EQ(good.out, "sshd         mode warn, only sre, exempt root, bob\n"
                        "sudo         mode audit, exempt root\n"
                        "sudo-i       mode audit, exempt root\n");
    EXPECT_EQ(status("su").out, "su           not gated\n");
    write("pam.d/common-account", "account required pam_jit.so mode=warn\n" + read("pam.d/common-account"));
    write("pam.d/crlf", "account required pam_jit.so mode=warn\r\n");
    fs::remove(directory.file("table"));
    const Ran wrong = status();
    EXPECT_EQ(wrong.exit, 1);
    EXPECT_THAT(wrong.out, AllOf(HasSubstr("other services include this file"), HasSubstr("carriage return"),
                                 HasSubstr("jitd isn't running")));
    const Json reply = parse_json(status("sshd", true).out).value();
    EXPECT_EQ(reply["services"][0]["mode"], "warn");
    EXPECT_EQ(reply["services"][0]["only"], "sre");
    EXPECT_EQ(reply["services"][0]["exempt"], (Json{"root", "bob"}));
}

} // namespace
} // namespace jit
