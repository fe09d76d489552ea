// SPDX-License-Identifier: MIT
// Session groups: added to the processes of a login whose session is registered with them, and of no other.
#include "pam_module/audit_session.h"
#include "tests/pam/kit.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

namespace jit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Groups : public Logins {
protected:
    void SetUp() override {
        Logins::SetUp();
        if (IsSkipped()) {
            return;
        }
        if (!has_audit_sessions(1)) {
            GTEST_SKIP() << "the kernel gives this process no audit session of its own";
        }
        ASSERT_TRUE(take_new_audit_session(uid));
        ASSERT_EQ(setgroups(0, nullptr), 0);
        gids.resize(1);
        gids[0] = getgrnam(foreign_group)->gr_gid;
        // Nobody is gated here: groups are given all the same.
        stack("auth required pam_permit.so\nauth optional JIT\nsession required JIT exempt=root," + person +
              "\nsession required pam_permit.so\nsession optional PEEK\n");
    }
    Row group_grant() const {
        Row row = grant();
        row.services = "";
        row.groups = foreign_group;
        return row;
    }
    // Of this process.
    static std::vector<gid_t> has() {
        std::vector<gid_t> all(static_cast<std::size_t>(getgroups(0, nullptr)));
        EXPECT_GE(getgroups(static_cast<int>(all.size()), all.data()), 0);
        std::ranges::sort(all);
        return all;
    }
    std::vector<gid_t> gids;
};

TEST_F(Groups, of_a_grant_are_added_and_the_session_is_registered_with_them) {
    write_table({group_grant()});
    Handle pam = handle();
    EXPECT_EQ(pam.authenticate(), PAM_SUCCESS);
    EXPECT_EQ(pam.credentials(), PAM_SUCCESS);
    EXPECT_EQ(has(), gids);
    EXPECT_EQ(pam.open(), PAM_SUCCESS);
    ASSERT_THAT(registered(false), SizeIs(1));
    const auto use = parse_registered_use(*get_file("uses", registered(false)[0]));
    ASSERT_TRUE(use);
    EXPECT_FALSE(use->gated);
    EXPECT_THAT(use->groups, ElementsAre(foreign_group));
    EXPECT_THAT(pam.said(), HasSubstr("this session ends with it"));
    // sshd replaces all groups, and asks again.
    ASSERT_EQ(setgroups(0, nullptr), 0);
    EXPECT_EQ(pam.credentials(PAM_REINITIALIZE_CRED), PAM_SUCCESS);
    EXPECT_EQ(has(), gids);
}

TEST_F(Groups, that_the_process_has_already_stay) {
    const gid_t more[] = {3, 4711};
    ASSERT_EQ(setgroups(2, more), 0);
    write_table({group_grant()});
    Handle pam = handle();
    EXPECT_EQ(pam.authenticate(), PAM_SUCCESS);
    EXPECT_EQ(pam.credentials(), PAM_SUCCESS);
    EXPECT_THAT(has(), testing::UnorderedElementsAre(3U, 4711U, gids[0]));
}

TEST_F(Groups, are_neither_added_nor_taken_where_credentials_go_or_are_refreshed) {
    write_table({group_grant()});
    Handle pam = handle();
    EXPECT_EQ(pam.authenticate(), PAM_SUCCESS);
    for (const int flag : {PAM_DELETE_CRED, PAM_REFRESH_CRED, PAM_DELETE_CRED | PAM_SILENT}) {
        static_cast<void>(pam.credentials(flag));
        EXPECT_THAT(has(), IsEmpty());
    }
    ASSERT_EQ(setgroups(1, gids.data()), 0);
    static_cast<void>(pam.credentials(PAM_DELETE_CRED));
    EXPECT_EQ(has(), gids);
}

TEST_F(Groups, of_a_grant_that_is_over_or_somebody_elses_are_not_added) {
    Row over = group_grant();
    over.boot_left = Millis(0);
    Row other = group_grant();
    other.account = other_account;
    for (const Row& row : {over, other}) {
        write_table({row});
        Handle pam = handle();
        EXPECT_EQ(pam.authenticate(), PAM_SUCCESS);
        static_cast<void>(pam.credentials());
        EXPECT_THAT(has(), IsEmpty());
    }
}

TEST_F(Groups, that_there_are_not_on_this_host_are_left_out) {
    Row row = group_grant();
    row.groups = std::string("no-such-group ") + foreign_group;
    write_table({row});
    Handle pam = handle();
    EXPECT_EQ(pam.authenticate(), PAM_SUCCESS);
    EXPECT_EQ(pam.credentials(), PAM_SUCCESS);
    EXPECT_EQ(has(), gids);
}

TEST_F(Groups, that_somebody_has_anyway_neither_end_nor_register_their_session) {
    Row row = group_grant();
    row.groups = own_group;
    write_table({row});
    Handle pam = handle();
    EXPECT_EQ(pam.authenticate(), PAM_SUCCESS);
    static_cast<void>(pam.credentials());
    EXPECT_EQ(pam.open(), PAM_SUCCESS);
    EXPECT_THAT(registered(false), IsEmpty());
    // Unless they have it only because we gave it, host-wide.
    write("userdb/" + person + ":" + own_group + ".membership", "{}");
    Handle again = handle();
    EXPECT_EQ(again.authenticate(), PAM_SUCCESS);
    static_cast<void>(again.credentials());
    EXPECT_EQ(again.open(), PAM_SUCCESS);
    EXPECT_THAT(registered(false), SizeIs(1));
}

TEST_F(Groups, whose_grant_ended_before_the_session_began_are_not_kept) {
    for (const bool table_goes : {false, true}) {
        write_table({group_grant()});
        Handle pam = handle();
        EXPECT_EQ(pam.authenticate(), PAM_SUCCESS);
        EXPECT_EQ(pam.credentials(), PAM_SUCCESS);
        if (table_goes) {
            ASSERT_EQ(unlink("logins.db"), 0);
        } else {
            write_table({});
        }
        EXPECT_EQ(pam.open(), PAM_PERM_DENIED) << table_goes;
        EXPECT_THAT(registered(false), IsEmpty());
        std::filesystem::remove_all("uses");
        ASSERT_EQ(mkdir("uses", 0700), 0);
    }
}

TEST_F(Groups, cannot_be_had_where_their_end_cannot_be_registered_whatever_the_mode) {
    stack("auth required pam_permit.so\nauth optional JIT\nsession required JIT mode=audit\n"
          "session required pam_permit.so\n");
    write_table({group_grant()});
    Handle pam = handle();
    EXPECT_EQ(pam.authenticate(), PAM_SUCCESS);
    EXPECT_EQ(pam.credentials(), PAM_SUCCESS);
    std::filesystem::remove_all("uses");
    EXPECT_EQ(pam.open(), PAM_PERM_DENIED);
}

// The grant is asked for while the login is under way: jitd knows nothing of this session, so nothing would
// take the group away again.
TEST_F(Groups, of_a_grant_that_began_after_the_session_did_are_not_added_to_it) {
    write_table({});
    Handle pam = handle();
    EXPECT_EQ(pam.authenticate(), PAM_SUCCESS);
    static_cast<void>(pam.credentials());
    EXPECT_EQ(pam.open(), PAM_SUCCESS);
    EXPECT_THAT(registered(false), IsEmpty());
    write_table({group_grant()});
    static_cast<void>(pam.credentials(PAM_REINITIALIZE_CRED));
    EXPECT_THAT(has(), IsEmpty());
}

TEST_F(Groups, are_not_added_for_the_service_manager_nor_by_su_and_sudo) {
    write_table({group_grant()});
    for (const char* name : {"systemd-user", "su", "sudo"}) {
        stack_of(name, "auth required pam_permit.so\nauth optional JIT\n");
        Handle pam(name, person);
        EXPECT_EQ(pam.authenticate(), PAM_SUCCESS);
        static_cast<void>(pam.credentials());
        EXPECT_THAT(has(), IsEmpty()) << name;
    }
}

TEST_F(Groups, end_with_whichever_clock_ends_any_of_their_grants_first) {
    Row first = group_grant();
    first.left = std::chrono::minutes(10);
    first.boot_left = std::chrono::hours(3);
    Row second = group_grant();
    second.id = "81bc";
    second.groups = "bin";
    second.left = std::chrono::hours(3);
    second.boot_left = std::chrono::minutes(5);
    second.reach = std::chrono::hours(3);
    write_table({first, second});
    Handle pam = handle();
    EXPECT_EQ(pam.open(), PAM_SUCCESS);
    ASSERT_THAT(registered(false), SizeIs(1));
    const auto use = parse_registered_use(*get_file("uses", registered(false)[0]));
    ASSERT_TRUE(use);
    EXPECT_LE(use->until, read_system_clock().realtime + std::chrono::minutes(10));
    EXPECT_LE(use->boot_until, read_system_clock().boot + std::chrono::minutes(5));
}

} // namespace
} // namespace jit
