// SPDX-License-Identifier: MIT
// What a refusal leaves for jitd, and conversations that go wrong while it is told.
#include "core/fd.h"
#include "tests/pam/kit.h"

#include <gmock/gmock.h>

#include <fcntl.h>
#include <filesystem>

namespace jit {
namespace {

using testing::HasSubstr;

class Refusal : public EitherWay {};
INSTANTIATE_TEST_SUITE_P(, Refusal, testing::Values(Way::call, Way::login), name_of_way);

TEST_P(Refusal, leaves_one_file_that_says_who_and_why) {
    Handle pam = handle();
    ASSERT_EQ(pam_set_item(pam.get(), PAM_TTY, "pts/7"), PAM_SUCCESS);
    ASSERT_EQ(pam_set_item(pam.get(), PAM_RHOST, "2001:db8::1"), PAM_SUCCESS);
    EXPECT_EQ(pam.account(), PAM_PERM_DENIED);
    EXPECT_EQ(registered(true).size(), 1U);
    const auto left = refusal();
    ASSERT_TRUE(left);
    EXPECT_EQ(left->service, service());
    EXPECT_EQ(left->account, person);
    EXPECT_EQ(left->uid, uid);
    EXPECT_EQ(left->target, target);
    EXPECT_EQ(left->mode, "enforce");
    EXPECT_THAT(left->why, HasSubstr("no grant lets"));
    EXPECT_EQ(left->tty, "pts/7");
    EXPECT_EQ(left->remote, "2001:db8::1");
}

TEST_P(Refusal, is_kept_a_few_times_for_each_uid_however_often_they_try) {
    for (int tried = 0; tried < 5 * refusals_kept_of_one_uid; ++tried) {
        EXPECT_EQ(handle().account(), PAM_PERM_DENIED);
    }
    EXPECT_EQ(registered(true).size(), std::size_t{refusals_kept_of_one_uid});
    for (const auto& entry : std::filesystem::directory_iterator("uses")) {
        EXPECT_LT(entry.file_size(), 4096U);
    }
}

TEST_P(Refusal, is_as_short_as_it_is_bounded_whatever_the_application_says) {
    const std::string endless(2000,
                              '\xff'); // the kernel's audit records, which libpam writes too, take no more
    Handle pam = handle();
    ASSERT_EQ(pam_set_item(pam.get(), PAM_TTY, endless.c_str()), PAM_SUCCESS);
    ASSERT_EQ(pam_set_item(pam.get(), PAM_RHOST, endless.c_str()), PAM_SUCCESS);
    ASSERT_EQ(pam_set_item(pam.get(), PAM_USER, way() == Way::call ? endless.c_str() : person.c_str()),
              PAM_SUCCESS);
    EXPECT_EQ(pam.account(), PAM_PERM_DENIED);
    const auto left = refusal();
    ASSERT_TRUE(left);
    EXPECT_LT(left->tty.size() + left->remote.size() + left->target.size(), 4096U);
}

TEST_P(Refusal, stays_a_refusal_where_it_cannot_be_left) {
    for (const bool is_file : {false, true}) {
        std::filesystem::remove_all("uses");
        if (is_file) {
            write("uses", "");
        }
        EXPECT_EQ(handle().account(), PAM_PERM_DENIED);
    }
}

TEST_P(Refusal, follows_no_link_and_replaces_nothing) {
    write("precious", "precious");
    for (int slot = 0; slot < refusals_kept_of_one_uid; ++slot) {
        std::filesystem::create_symlink("../precious", "uses/" + refusal_file_name(uid, slot));
    }
    EXPECT_EQ(handle().account(), PAM_PERM_DENIED);
    EXPECT_EQ(std::filesystem::file_size("precious"), 8U);
    EXPECT_TRUE(std::filesystem::is_symlink("uses/" + refusal_file_name(uid, 0)));
}

TEST_P(Refusal, is_one_whatever_becomes_of_telling_it) {
    const Conversation broken[] = {
        {.none = true, .answer = PAM_SUCCESS, .responds = true, .said = ""},
        {.none = false, .answer = PAM_CONV_ERR, .responds = true, .said = ""},
        {.none = false, .answer = PAM_BUF_ERR, .responds = true, .said = ""},
        {.none = false, .answer = 4711, .responds = true, .said = ""},
        {.none = false, .answer = PAM_SUCCESS, .responds = false, .said = ""},
    };
    for (const Conversation& one : broken) {
        Handle pam(service(), target.c_str(), one);
        EXPECT_EQ(pam.account(), PAM_PERM_DENIED);
        EXPECT_EQ(pam.open(), PAM_PERM_DENIED);
    }
}

TEST_P(Refusal, says_nothing_on_the_programs_own_output) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    const Fd in(ends[0]);
    Fd out(ends[1]);
    const Fd saved_out(dup(1));
    const Fd saved_error(dup(2));
    fflush(stdout);
    ASSERT_EQ(dup2(out.get(), 1), 1);
    ASSERT_EQ(dup2(out.get(), 2), 2);
    const int result = handle().account();
    dup2(saved_out.get(), 1);
    dup2(saved_error.get(), 2);
    out.reset();
    char byte = 0;
    EXPECT_EQ(read(in.get(), &byte, 1), 0);
    EXPECT_EQ(result, PAM_PERM_DENIED);
}

} // namespace
} // namespace jit
