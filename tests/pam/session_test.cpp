// SPDX-License-Identifier: MIT
// What opening a session registers for jitd, and when it is refused instead.
#include "core/fd.h"
#include "pam_module/audit_session.h"
#include "tests/pam/kit.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace jit {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::int64_t now_seconds() {
    return std::chrono::floor<seconds>(read_system_clock().realtime).time_since_epoch().count();
}

class Sessions : public EitherWay {
protected:
    void SetUp() override {
        EitherWay::SetUp();
        if (IsSkipped()) {
            return;
        }
        if (!has_audit_sessions(way() == Way::call ? 2 : 1)) {
            GTEST_SKIP() << "the kernel gives this process no audit session of its own";
        }
        // As pam_loginuid does it for a login; who calls is in the session of theirs.
        ASSERT_TRUE(take_new_audit_session(uid));
    }
    static std::optional<RegisteredUse> use() {
        const auto names = registered(false);
        const auto file = names.size() == 1 ? get_file("uses", names[0]) : std::nullopt;
        return file ? parse_registered_use(*file) : std::nullopt;
    }
};
INSTANTIATE_TEST_SUITE_P(, Sessions, testing::Values(Way::call, Way::login), name_of_way);

TEST_P(Sessions, by_a_grant_is_registered_with_all_that_its_end_needs) {
    const auto before = audit_session();
    write_table({grant()});
    Handle pam = handle();
    ASSERT_EQ(pam_set_item(pam.get(), PAM_TTY, "pts/7"), PAM_SUCCESS);
    ASSERT_EQ(pam_set_item(pam.get(), PAM_RHOST, "2001:db8::1"), PAM_SUCCESS);
    EXPECT_EQ(pam.open(), PAM_SUCCESS);
    const auto left = use();
    ASSERT_TRUE(left);
    EXPECT_THAT(registered(false), ElementsAre(use_file_name(*audit_session())));
    EXPECT_EQ(left->service, service());
    EXPECT_EQ(left->account, person);
    EXPECT_EQ(left->uid, uid);
    EXPECT_EQ(left->target, target);
    EXPECT_TRUE(left->gated);
    EXPECT_EQ(left->grant, "7f3a");
    EXPECT_THAT(left->groups, IsEmpty());
    EXPECT_EQ(left->pid, static_cast<std::uint32_t>(getpid()));
    EXPECT_EQ(left->session, *audit_session());
    EXPECT_EQ(left->login_uid, uid);
    EXPECT_EQ(left->cgroup, own_cgroup());
    EXPECT_EQ(left->tty, "pts/7");
    EXPECT_EQ(left->remote, "2001:db8::1");
    EXPECT_GT(left->until, read_system_clock().realtime + std::chrono::minutes(59));
    EXPECT_LE(left->until, read_system_clock().realtime + hours(1));
    EXPECT_GT(left->boot_until, read_system_clock().boot + std::chrono::minutes(59));
    // What somebody starts is found apart from the session that it is typed in.
    EXPECT_EQ(audit_session() == before, way() == Way::login);
    struct stat status{};
    ASSERT_EQ(stat(("uses/" + registered(false)[0]).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_P(Sessions, knows_its_grant_and_its_end) {
    write_table({grant()});
    Handle pam = handle();
    EXPECT_EQ(pam.open(), PAM_SUCCESS);
    EXPECT_EQ(pam.variable("JIT_GRANT"), "7f3a");
    ASSERT_TRUE(pam.variable("JIT_EXPIRES"));
    EXPECT_NEAR(std::stod(*pam.variable("JIT_EXPIRES")), static_cast<double>(now_seconds() + 3600), 2);
    if (way() == Way::login) {
        EXPECT_THAT(pam.said(), HasSubstr("jit-sudo: web until "));
        EXPECT_THAT(pam.said(), HasSubstr("jitctl extend 7f3a"));
        EXPECT_THAT(pam.said(), HasSubstr("in any case"));
    } else {
        EXPECT_EQ(pam.said(), "");
    }
}

TEST_P(Sessions, a_silent_program_is_told_nothing) {
    write_table({grant()});
    Handle pam = handle();
    EXPECT_EQ(pam.open(PAM_SILENT), PAM_SUCCESS);
    EXPECT_EQ(pam.said(), "");
}

TEST_P(Sessions, of_a_login_has_a_last_limit_in_whole_seconds_that_is_never_none) {
    for (const auto& [left, reach, least, most] :
         {std::tuple(Millis(hours(1)), Millis(hours(2)), 7199, 7200),
          std::tuple(Millis(hours(1)), Millis(hours(1)), 3599, 3600),
          std::tuple(Millis(400), Millis(400), 1, 1), std::tuple(Millis(1400), Millis(1400), 1, 2)}) {
        std::filesystem::remove_all("uses");
        ASSERT_EQ(mkdir("uses", 0700), 0);
        Row row = grant();
        row.left = left;
        row.boot_left = left;
        row.reach = reach;
        write_table({row});
        Handle pam = handle();
        EXPECT_EQ(pam.open(), PAM_SUCCESS);
        const auto limit = pam.variable("RUNTIME_MAX_SEC");
        if (way() == Way::call) {
            EXPECT_FALSE(limit);
            break; // or it needs more audit sessions than this process may have
        }
        ASSERT_TRUE(limit);
        EXPECT_THAT(*limit, testing::MatchesRegex("[1-9][0-9]*"));
        EXPECT_GE(std::stoi(*limit), least);
        EXPECT_LE(std::stoi(*limit), most);
    }
}

TEST_P(Sessions, of_a_login_has_a_last_limit_by_the_grant_that_could_reach_farthest) {
    // It lives longer now, gives the same, and can't be extended: no reason to end what another could carry
    // on.
    Row other = grant();
    other.id = "81bc";
    other.left = hours(1) + minutes(5);
    other.boot_left = other.left;
    other.reach = other.left;
    Row first = grant();
    first.left = hours(1);
    first.boot_left = first.left;
    first.reach = hours(4);
    write_table({first, other});
    Handle pam = handle();
    EXPECT_EQ(pam.open(), PAM_SUCCESS);
    const auto limit = pam.variable("RUNTIME_MAX_SEC");
    if (way() == Way::call) {
        EXPECT_FALSE(limit);
        return;
    }
    ASSERT_TRUE(limit);
    EXPECT_GT(std::stoi(*limit), 4 * 3600 - 60);
}

TEST_P(Sessions, goes_by_the_grant_that_lives_longest) {
    Row other = grant();
    other.id = "81bc";
    other.role = "db";
    other.left = hours(3);
    other.boot_left = hours(3);
    other.reach = hours(3);
    Row third = grant();
    third.id = "9000";
    write_table({grant(), other, third});
    Handle pam = handle();
    EXPECT_EQ(pam.open(), PAM_SUCCESS);
    EXPECT_EQ(pam.variable("JIT_GRANT"), "81bc");
    ASSERT_TRUE(use());
    EXPECT_EQ(use()->grant, "81bc");
}

TEST_P(Sessions, is_refused_when_the_grant_went_since_the_account_phase) {
    write_table({grant()});
    Handle pam = handle();
    EXPECT_EQ(pam.account(), PAM_SUCCESS);
    write_table({});
    EXPECT_EQ(pam.open(), PAM_PERM_DENIED);
    EXPECT_THAT(registered(false), IsEmpty());
    EXPECT_FALSE(pam.variable("JIT_GRANT"));
    EXPECT_FALSE(pam.variable("RUNTIME_MAX_SEC"));
    // A word in a login's session phase would break sftp.
    EXPECT_EQ(pam.said().empty(), way() == Way::login);
}

TEST_P(Sessions, is_refused_and_forgotten_when_the_grant_goes_while_it_is_registered) {
    for (const bool table_goes : {false, true}) {
        write_table({grant()});
        interposed.after_link = [table_goes] {
            interposed.after_link = nullptr;
            if (table_goes) {
                ASSERT_EQ(unlink("logins.db"), 0);
            } else {
                write_table({});
            }
        };
        Handle pam = handle();
        EXPECT_EQ(pam.open(), PAM_PERM_DENIED);
        EXPECT_THAT(registered(false), IsEmpty());
        EXPECT_THAT(registered(true), Not(IsEmpty()));
        EXPECT_FALSE(pam.variable("JIT_GRANT"));
        if (way() == Way::call) {
            break;
        }
    }
}

TEST_P(Sessions, that_cannot_be_registered_is_refused) {
    for (const bool is_file : {false, true}) {
        std::filesystem::remove_all("uses");
        if (is_file) {
            write("uses", "");
        }
        write_table({grant()});
        EXPECT_EQ(handle().open(), PAM_PERM_DENIED);
        if (way() == Way::call) {
            break;
        }
    }
}

TEST_P(Sessions, that_cannot_be_registered_is_let_in_where_the_gate_only_looks) {
    stack("session required JIT mode=audit\nsession required pam_permit.so\n");
    std::filesystem::remove_all("uses");
    write_table({grant()});
    EXPECT_EQ(handle().open(), PAM_SUCCESS);
}

TEST_P(Sessions, without_a_grant_is_left_alone_where_the_gate_only_looks) {
    for (const char* mode : {"audit", "warn"}) {
        stack(std::string("session required JIT mode=") + mode + "\nsession required pam_permit.so\n");
        Handle pam = handle();
        EXPECT_EQ(pam.open(), PAM_SUCCESS);
        EXPECT_THAT(registered(false), IsEmpty());
        EXPECT_EQ(pam.said().empty(), std::string_view(mode) == "audit") << pam.said();
    }
}

TEST_P(Sessions, of_who_is_not_gated_leaves_no_trace) {
    write_table({grant()});
    const auto before = audit_session();
    for (const std::string& argument : {"exempt=" + person, std::string("only=") + foreign_group}) {
        stack("session required JIT " + argument + "\nsession required pam_permit.so\n");
        Handle pam = handle();
        EXPECT_EQ(pam.open(), PAM_SUCCESS);
        EXPECT_FALSE(pam.variable("JIT_GRANT"));
        EXPECT_FALSE(pam.variable("RUNTIME_MAX_SEC"));
        EXPECT_EQ(pam.said(), "");
    }
    EXPECT_EQ(audit_session(), before);
    EXPECT_TRUE(std::filesystem::is_empty("uses"));
}

TEST_P(Sessions, closing_one_does_nothing) {
    write_table({grant()});
    Handle pam = handle();
    EXPECT_EQ(pam.open(), PAM_SUCCESS);
    EXPECT_EQ(pam.close(), PAM_PERM_DENIED) << "libpam's word for: nobody had anything to say";
    EXPECT_THAT(registered(false), SizeIs(1));
    stack("session required JIT\nsession required pam_permit.so\n");
    EXPECT_EQ(handle().close(), PAM_SUCCESS);
    EXPECT_THAT(registered(false), SizeIs(1));
}

TEST_P(Sessions, what_the_caller_put_into_the_environment_is_not_passed_on) {
    ASSERT_EQ(setenv("JIT_GRANT", "beef", 1), 0);
    ASSERT_EQ(setenv("JIT_EXPIRES", "9999999999", 1), 0);
    write_table({grant()});
    Handle pam = handle();
    ASSERT_EQ(pam_putenv(pam.get(), "JIT_GRANT=beef"), PAM_SUCCESS);
    EXPECT_EQ(pam.open(), PAM_SUCCESS);
    EXPECT_EQ(pam.variable("JIT_GRANT"), "7f3a");
    unsetenv("JIT_GRANT");
    unsetenv("JIT_EXPIRES");
}

class CallSessions : public Sessions {};
INSTANTIATE_TEST_SUITE_P(, CallSessions, testing::Values(Way::call), name_of_way);

TEST_P(CallSessions, each_call_is_a_use_of_its_own) {
    if (!has_audit_sessions(2)) {
        GTEST_SKIP() << "the kernel gives this process no more audit sessions";
    }
    write_table({grant()});
    EXPECT_EQ(handle().open(), PAM_SUCCESS);
    EXPECT_EQ(handle().open(), PAM_SUCCESS);
    EXPECT_THAT(registered(false), SizeIs(2));
}

TEST_P(CallSessions, without_an_audit_session_of_its_own_is_refused) {
    // As where the kernel keeps login uids for ever.
    write_table({grant()});
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_DUMPABLE, 0); // /proc/self is root's then
        _exit(geteuid() != 0 && handle().open() == PAM_PERM_DENIED && registered(false).empty() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST_P(CallSessions, as_somebody_whose_name_jitd_would_not_take_is_refused) {
    // Else it would be let in, and ended by jitd at once.
    write_table({grant()});
    for (const char* user : {"", "a b", "../../x", "DOMAIN\\somebody"}) {
        EXPECT_EQ(Handle("sudo", user).open(), PAM_PERM_DENIED) << user;
        EXPECT_THAT(registered(false), IsEmpty()) << user;
        if (!has_audit_sessions(1)) {
            break;
        }
    }
}

class LoginSessions : public Sessions {};
INSTANTIATE_TEST_SUITE_P(, LoginSessions, testing::Values(Way::login), name_of_way);

TEST_P(LoginSessions, a_second_login_in_the_same_audit_session_is_refused) {
    write_table({grant()});
    EXPECT_EQ(handle().open(), PAM_SUCCESS);
    const auto first = get_file("uses", registered(false)[0]);
    EXPECT_EQ(handle().open(), PAM_PERM_DENIED);
    EXPECT_THAT(registered(false), SizeIs(1));
    EXPECT_EQ(get_file("uses", registered(false)[0]), first);
}

// An sshd that alice started by hand is in her session, and pam_loginuid leaves it there when she logs in
// through it: the end of that login would end everything else of hers.
TEST_P(LoginSessions, a_login_from_inside_another_session_of_theirs_gets_one_of_its_own) {
    if (!has_audit_sessions(1)) {
        GTEST_SKIP() << "the kernel gives this process no more audit sessions";
    }
    write_table({grant()});
    const auto outer = audit_session();
    ASSERT_TRUE(outer);
    const pid_t child = fork();
    if (child == 0) {
        _exit(handle().open() == PAM_SUCCESS ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    ASSERT_THAT(registered(false), SizeIs(1));
    EXPECT_NE(registered(false)[0], use_file_name(*outer));
    ASSERT_TRUE(use());
    EXPECT_NE(use()->session, *outer);
}

} // namespace
} // namespace jit
