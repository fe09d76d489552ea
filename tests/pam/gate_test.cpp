// SPDX-License-Identifier: MIT
// Whom the gate holds, and what opens it: pam_acct_mgmt.
#include "tests/pam/kit.h"

#include <gmock/gmock.h>

#include <cstdlib>

namespace jit {
namespace {

using std::chrono::hours;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Gate : public EitherWay {};
INSTANTIATE_TEST_SUITE_P(, Gate, testing::Values(Way::call, Way::login), name_of_way);

TEST_P(Gate, without_a_grant_nobody_comes_in_and_is_told_what_to_do) {
    Handle pam = handle();
    EXPECT_EQ(pam.account(), PAM_PERM_DENIED);
    EXPECT_THAT(pam.said(), HasSubstr("no grant lets " + person));
    EXPECT_THAT(pam.said(), HasSubstr(way() == Way::call ? "jitctl request web --reason"
                                                         : "jitctl grant " + person + " web --reason"));
    EXPECT_THAT(pam.said(), HasSubstr("Ask in #ops"));
}

TEST_P(Gate, a_live_grant_opens_it) {
    write_table({grant()});
    Handle pam = handle();
    EXPECT_EQ(pam.account(), PAM_SUCCESS);
    EXPECT_EQ(pam.said(), "");
    EXPECT_THAT(registered(true), IsEmpty());
}

TEST_P(Gate, a_grant_is_over_when_either_clock_says_so) {
    for (const auto& [left, boot_left] :
         {std::pair(Millis(-1), Millis(hours(1))), std::pair(Millis(hours(1)), Millis(-1)),
          std::pair(Millis(0), Millis(hours(1))), std::pair(Millis(hours(1)), Millis(0))}) {
        Row row = grant();
        row.left = left;
        row.boot_left = boot_left;
        write_table({row});
        EXPECT_EQ(handle().account(), PAM_PERM_DENIED) << left.count() << " " << boot_left.count();
    }
}

TEST_P(Gate, a_grant_ends_while_nobody_writes_the_table) {
    Row row = grant();
    row.left = Millis(700);
    write_table({row});
    Handle pam = handle();
    EXPECT_EQ(pam.account(), PAM_SUCCESS);
    usleep(800'000);
    EXPECT_EQ(pam.account(), PAM_PERM_DENIED);
}

TEST_P(Gate, somebody_elses_grant_or_one_of_another_service_opens_nothing) {
    Row other_uid = grant();
    other_uid.uid = Uid{number(uid) + 1};
    Row other_name = grant();
    other_name.account = other_account;
    Row other_service = grant();
    other_service.services = "login su";
    Row part_of_the_name = grant();
    part_of_the_name.services = service() + "-i " + service() + "x";
    Row none = grant();
    none.services = "";
    none.groups = foreign_group;
    for (const Row& row : {other_uid, other_name, other_service, part_of_the_name, none}) {
        write_table({row});
        EXPECT_EQ(handle().account(), PAM_PERM_DENIED) << row.account << " " << row.services;
    }
    // One of several is enough, wherever it stands.
    write_table({other_name, other_uid, [&] {
                     Row row = grant();
                     row.id = "81bc";
                     row.services = "login " + service() + " su";
                     return row;
                 }()});
    EXPECT_EQ(handle().account(), PAM_SUCCESS);
}

TEST_P(Gate, where_it_only_looks_it_lets_in_and_records) {
    for (const char* mode : {"warn", "audit"}) {
        stack(std::string("account required JIT mode=") + mode + "\naccount required pam_permit.so\n");
        Handle pam = handle();
        EXPECT_EQ(pam.account(), PAM_SUCCESS);
        EXPECT_EQ(pam.said(), "");
        const auto recorded = refusal();
        ASSERT_TRUE(recorded);
        EXPECT_EQ(recorded->mode, mode);
        ASSERT_EQ(unlink(("uses/" + refusal_file_name(uid, 0)).c_str()), 0);
        // It is no yes of its own: another module's no stays.
        stack(std::string("account sufficient JIT mode=") + mode + "\naccount required pam_deny.so\n");
        EXPECT_NE(handle().account(), PAM_SUCCESS);
        ASSERT_EQ(unlink(("uses/" + refusal_file_name(uid, 0)).c_str()), 0);
    }
}

TEST_P(Gate, the_exempt_are_not_gated_even_where_the_table_is_gone) {
    for (const char* table : {"", "gone"}) {
        if (*table != '\0') {
            ASSERT_EQ(unlink("logins.db"), 0);
        }
        const std::string line = "JIT exempt=root," + person;
        stack("account required " + line + "\naccount required pam_permit.so\n");
        EXPECT_EQ(handle().account(), PAM_SUCCESS);
        // And not let in by us either.
        stack("account sufficient " + line + "\naccount required pam_deny.so\n");
        EXPECT_NE(handle().account(), PAM_SUCCESS);
        EXPECT_THAT(registered(true), IsEmpty());
    }
}

TEST_P(Gate, a_name_that_only_begins_like_an_exempt_one_is_gated) {
    for (const std::string& exempt : {person + "x", person.substr(0, person.size() - 1), std::string(),
                                      std::string(","), "root:" + person}) {
        stack("account required JIT exempt=" + exempt + "\naccount required pam_permit.so\n");
        EXPECT_EQ(handle().account(), PAM_PERM_DENIED) << exempt;
    }
}

TEST_P(Gate, only_the_members_of_a_group_can_be_gated) {
    stack("account required JIT only=" + own_group + "\naccount required pam_permit.so\n");
    EXPECT_EQ(handle().account(), PAM_PERM_DENIED);
    stack(std::string("account required JIT only=") + foreign_group + "\naccount required pam_permit.so\n");
    EXPECT_EQ(handle().account(), PAM_SUCCESS);
    EXPECT_THAT(registered(true).size(), 1U);
}

TEST_P(Gate, a_group_that_cannot_be_looked_up_gates_everybody) {
    stack("account required JIT only=no-such-group\naccount required pam_permit.so\n");
    EXPECT_EQ(handle().account(), PAM_PERM_DENIED);
    stack(std::string("account required JIT only=") + foreign_group + "\naccount required pam_permit.so\n");
    interposed.groups_fail = true;
    EXPECT_EQ(handle().account(), PAM_PERM_DENIED);
    interposed.groups_fail = false;
    interposed.lists_fail = true;
    EXPECT_EQ(handle().account(), PAM_PERM_DENIED);
}

TEST_P(Gate, an_argument_that_it_does_not_know_refuses_all_but_the_exempt) {
    write_table({grant()});
    for (const char* argument : {"mode=Audit", "mode=", "debug", "only=", "exempt", "Mode=audit",
                                 "mode=audit,", "use_first_pass", "\"[x y]\""}) {
        for (const std::string& line :
             {std::string("mode=audit ") + argument, argument + std::string(" mode=audit"),
              argument + std::string(" only=") + foreign_group}) {
            stack("account required JIT " + line + "\naccount required pam_permit.so\n");
            EXPECT_EQ(handle().account(), PAM_PERM_DENIED) << line;
        }
        stack("account required JIT exempt=" + person + " " + argument +
              "\naccount required pam_permit.so\n");
        EXPECT_EQ(handle().account(), PAM_SUCCESS) << argument;
    }
}

TEST_P(Gate, silence_is_kept_about_everything_but_a_refusal) {
    Handle pam = handle();
    EXPECT_EQ(pam.account(PAM_SILENT), PAM_PERM_DENIED);
    EXPECT_THAT(pam.said(), HasSubstr("no grant lets"));
}

TEST_P(Gate, what_the_caller_put_into_the_environment_changes_nothing) {
    const auto both = [&](const char* what) {
        write_table({});
        EXPECT_EQ(handle().account(), PAM_PERM_DENIED) << what;
        write_table({grant()});
        EXPECT_EQ(handle().account(), PAM_SUCCESS) << what;
    };
    for (const auto& [name, value] :
         {std::pair("SQLITE_TMPDIR", "/nonexistent"), std::pair("TMPDIR", "/nonexistent"),
          std::pair("TZ", "Pacific/Kiritimati"), std::pair("TZ", ":/dev/full"),
          std::pair("LANG", "tr_TR.UTF-8"), std::pair("LC_ALL", "../../../../tmp"),
          std::pair("XDG_RUNTIME_DIR", "/tmp"), std::pair("HOME", "/nonexistent"),
          std::pair("JIT_GRANT", "7f3a"), std::pair("JIT_EXPIRES", "9999999999"),
          std::pair("JIT_TEST_DIRECTORY", "/tmp"), std::pair("SUDO_USER", "root"), std::pair("SUDO_UID", "0"),
          std::pair("LOGNAME", "root"), std::pair("USER", "root"), std::pair("SYSTEMD_BYPASS_USERDB", "1"),
          std::pair("NOTIFY_SOCKET", "/nonexistent")}) {
        const char* was = getenv(name);
        const std::string before = was != nullptr ? was : "";
        ASSERT_EQ(setenv(name, value, 1), 0);
        both(name);
        was != nullptr ? setenv(name, before.c_str(), 1) : unsetenv(name);
    }
}

TEST_P(Gate, each_phase_asks_the_table_anew) {
    Handle pam = handle();
    EXPECT_EQ(pam.account(), PAM_PERM_DENIED);
    write_table({grant()});
    EXPECT_EQ(pam.account(), PAM_SUCCESS);
    write_table({});
    EXPECT_EQ(pam.account(), PAM_PERM_DENIED);
}

TEST_F(Calls, who_calls_is_judged_whoever_they_want_to_become) {
    for (const char* user : {"root", "daemon", "nosuchuser", "", "../../x", "\xff\xfe", "a b"}) {
        write_table({});
        EXPECT_EQ(Handle("sudo", user).account(), PAM_PERM_DENIED) << user;
        write_table({grant()});
        EXPECT_EQ(Handle("sudo", user).account(), PAM_SUCCESS) << user;
    }
    EXPECT_EQ(Handle("sudo", nullptr).account(), PAM_SUCCESS);
}

TEST_F(Calls, being_the_target_of_an_exemption_exempts_nobody) {
    stack("account required JIT exempt=root\naccount required pam_permit.so\n");
    EXPECT_EQ(Handle("sudo", "root").account(), PAM_PERM_DENIED);
}

TEST_F(Calls, su_with_a_login_shell_is_su) {
    Row row = grant();
    row.services = "su";
    write_table({row});
    EXPECT_EQ(Handle("su-l", "root").account(), PAM_SUCCESS);
    EXPECT_EQ(Handle("su", "root").account(), PAM_SUCCESS);
    EXPECT_EQ(Handle("sudo", "root").account(), PAM_PERM_DENIED);
}

TEST_F(Calls, a_program_of_ones_own_is_judged_by_the_real_uid_under_any_service_name) {
    // As a setuid program that nobody has heard of: PAM_USER decides nothing there.
    Row row = grant();
    row.services = "sshd";
    row.account = "root";
    row.uid = root_uid;
    write_table({row});
    EXPECT_EQ(Handle("sshd", "root").account(), PAM_PERM_DENIED);
}

TEST_F(Logins, root_is_exempt_unless_the_line_says_otherwise) {
    ASSERT_EQ(unlink("logins.db"), 0);
    stack("account required JIT\naccount required pam_permit.so\n");
    EXPECT_EQ(Handle("sshd", "root").account(), PAM_SUCCESS);
    stack("account required JIT unknown-argument\naccount required pam_permit.so\n");
    EXPECT_EQ(Handle("sshd", "root").account(), PAM_SUCCESS);
    stack("account required JIT exempt=\naccount required pam_permit.so\n");
    EXPECT_EQ(Handle("sshd", "root").account(), PAM_PERM_DENIED);
    stack("account required JIT exempt=daemon\naccount required pam_permit.so\n");
    EXPECT_EQ(Handle("sshd", "root").account(), PAM_PERM_DENIED);
}

TEST_F(Logins, a_user_that_there_is_not_is_refused_harmlessly) {
    Row row = grant();
    row.account = "nosuchuser";
    row.id = "beef";
    write_table({row, grant()});
    const std::string nul = person + std::string("\0x", 2);
    for (const std::string& user :
         {std::string(), std::string("nosuchuser"), std::string("../../x"), std::string(100'000, 'a'),
          std::string("\xff\xfe\x80"), person + "\n", " " + person, person + "x", std::string("0"),
          std::to_string(number(uid)), std::string("-1"), std::string("\x1b[2J\xe2\x80\xae")}) {
        Handle pam("sshd", user);
        EXPECT_EQ(pam.account(), PAM_PERM_DENIED) << user.substr(0, 20);
        EXPECT_EQ(pam.open(), PAM_PERM_DENIED) << user.substr(0, 20);
        EXPECT_THAT(pam.said(), Not(HasSubstr("\x1b")));
        EXPECT_THAT(pam.said(), Not(HasSubstr("\xff")));
        EXPECT_LT(pam.said().size(), 1000U);
    }
    EXPECT_EQ(Handle("sshd", nullptr).account(), PAM_PERM_DENIED);
    EXPECT_EQ(Handle("sshd", nullptr).open(), PAM_PERM_DENIED);
    EXPECT_EQ(registered(false), std::vector<std::string>());
    // All of them together get no more room than one account.
    EXPECT_EQ(registered(true).size(), std::size_t{refusals_kept_of_one_uid});
    for (const std::string& name : registered(true)) {
        EXPECT_EQ(name.rfind("refused-4294967295-", 0), 0U) << name;
    }
}

TEST_F(Logins, the_user_is_whoever_it_is_now_not_who_it_was_in_another_phase) {
    write_table({grant()});
    Handle pam("sshd", person);
    EXPECT_EQ(pam.account(), PAM_SUCCESS);
    ASSERT_EQ(pam_set_item(pam.get(), PAM_USER, other_account), PAM_SUCCESS);
    EXPECT_EQ(pam.account(), PAM_PERM_DENIED);
    EXPECT_EQ(pam.open(), PAM_PERM_DENIED);
}

TEST_F(Logins, who_asked_does_not_matter) {
    Handle pam("sshd", person);
    ASSERT_EQ(pam_set_item(pam.get(), PAM_RUSER, "root"), PAM_SUCCESS);
    EXPECT_EQ(pam.account(), PAM_PERM_DENIED);
}

} // namespace
} // namespace jit
