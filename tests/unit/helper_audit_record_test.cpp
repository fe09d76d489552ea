// SPDX-License-Identifier: MIT
// The text and the frame of the record; that auditd's tools read it was seen on a host with auditd.
#include "helper/audit_record.h"

#include <gmock/gmock.h>

#include <cstring>
#include <linux/netlink.h>
#include <regex>

namespace jit {
namespace {

using testing::HasSubstr;

UserCommand ordinary() {
    return {"/home/alice", "/usr/bin/id", "/usr/bin/jit-sudo", "/dev/pts/0"};
}

TEST(AuditRecord, has_the_shape_that_audit_tools_know_from_sudo) {
    EXPECT_EQ(audit_text(ordinary(), true), "cwd=\"/home/alice\" cmd=\"/usr/bin/id\" "
                                            "exe=\"/usr/bin/jit-sudo\" terminal=pts/0 res=success");
    UserCommand nowhere = ordinary();
    nowhere.cwd = {};
    nowhere.terminal = {};
    EXPECT_EQ(audit_text(nowhere, false), "cwd=\"?\" cmd=\"/usr/bin/id\" exe=\"/usr/bin/jit-sudo\" "
                                          "terminal=? res=failed");
}

TEST(AuditRecord, writes_in_digits_what_quotes_would_not_hold) {
    UserCommand command = ordinary();
    command.words = "id -u";
    EXPECT_THAT(audit_text(command, true), HasSubstr(" cmd=6964202D75 exe="));
    for (const char* bad : {"a\"b", "a'b", "a\nb", "a\x7f", "\xff", "é"}) {
        command.words = bad;
        command.cwd = bad;
        EXPECT_TRUE(std::regex_match(audit_text(command, true),
                                     std::regex("cwd=[0-9A-F]+ cmd=[0-9A-F]+ exe=\"/usr/bin/jit-sudo\" "
                                                "terminal=pts/0 res=success")))
            << bad;
    }
    command.terminal = "/dev/x res=success";
    EXPECT_THAT(audit_text(command, false), HasSubstr(" terminal=? res=failed"));
}

TEST(AuditRecord, is_cut_before_the_kernel_would_cut_its_result_off) {
    UserCommand command = ordinary();
    command.cwd = "/" + std::string(4000, ' ');
    command.exe = command.cwd;
    command.words = std::string(65536, '\n');
    const std::string text = audit_text(command, true);
    EXPECT_LT(text.size(), 8560U);
    EXPECT_THAT(text, HasSubstr("0A205B2E2E2E5D exe=")) << "\"\\n [...]\"";
    EXPECT_TRUE(text.ends_with(" res=success"));
}

TEST(AuditRecord, its_frame_is_one_netlink_message_with_a_text_that_ends) {
    for (const std::string text : {"x", "four", "cwd=\"/\""}) {
        const std::string frame = audit_frame(text);
        nlmsghdr header{};
        ASSERT_GE(frame.size(), sizeof header);
        std::memcpy(&header, frame.data(), sizeof header);
        EXPECT_EQ(header.nlmsg_len, sizeof header + text.size() + 1);
        EXPECT_EQ(header.nlmsg_type, 1123);
        EXPECT_EQ(header.nlmsg_flags, NLM_F_REQUEST);
        EXPECT_EQ(frame.size() % NLMSG_ALIGNTO, 0U);
        EXPECT_EQ(frame.substr(sizeof header, text.size() + 1), text + '\0');
    }
}

} // namespace
} // namespace jit
