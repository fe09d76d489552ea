// SPDX-License-Identifier: MIT
#include "core/frame.h"
#include "core/helper_protocol.h"

#include <gtest/gtest.h>

namespace jit {
namespace {

std::string body_of(const std::string& frame) {
    return frame.substr(frame_header);
}

HelperAsk ask() {
    return {.what = HelperWhat::shell,
            .proof = {.use = false, .keep = true},
            .run_as = "root",
            .group = "",
            .path = "/usr/bin/printf",
            .arguments = {"", "a b", std::string("\xff\x1b\n", 3)},
            .cwd = "/",
            .tty = "/dev/pts/3",
            .reason = "a reason",
            .variables = {"A=1", "B="}};
}

TEST(Frame, what_is_written_is_read_back) {
    const auto read = parse_helper_ask(body_of(to_frame(ask())));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->arguments, ask().arguments);
    EXPECT_EQ(read->tty, "/dev/pts/3");
    EXPECT_EQ(read->reason, "a reason");
    EXPECT_EQ(read->variables, ask().variables);
    EXPECT_EQ(read->what, HelperWhat::shell);
    EXPECT_FALSE(read->proof.use);
    EXPECT_TRUE(read->proof.keep);
    const HelperAllowed allowed{.use = "7f3a-01020304",
                                .grant = "7f3a",
                                .role = "web",
                                .proven = Proven::yes,
                                .caller = "alice",
                                .uid = 4'000'000'000U,
                                .gid = 4,
                                .groups = {4, 4'000'000'000U},
                                .user = "root",
                                .home = "/root",
                                .shell = "/bin/sh",
                                .command = "/usr/bin/printf",
                                .deadline = {.time = 1'800'000'000'000, .boot = 5},
                                .notices = {300'000, 60'000},
                                .confinement = {}};
    const auto again = parse_helper_allowed(body_of(to_frame(allowed)));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->proven, Proven::yes);
    EXPECT_EQ(again->use, "7f3a-01020304");
    EXPECT_EQ(again->uid, 4'000'000'000U);
    EXPECT_EQ(again->command, "/usr/bin/printf");
    EXPECT_EQ(again->groups, allowed.groups);
    EXPECT_EQ(again->notices, allowed.notices);
    EXPECT_EQ(again->deadline.time, 1'800'000'000'000);
    EXPECT_EQ(parse_helper_failed(body_of(to_frame(HelperFailed{"locked"})))->why, "locked");
    EXPECT_FALSE(parse_helper_failed(body_of(to_frame(HelperEnding{"locked"}))));
    EXPECT_EQ(parse_helper_resume(body_of(to_frame(HelperResume{"7f3a-01020304"})))->use, "7f3a-01020304");
    EXPECT_EQ(parse_helper_exited(body_of(to_frame(HelperExited{.status = -1})))->status, -1);
    EXPECT_EQ(parse_helper_ending(body_of(to_frame(HelperEnding{.why = "bob revoked web"})))->why,
              "bob revoked web");
    const auto prove =
        parse_helper_prove(body_of(to_frame(HelperProve{.proven = Proven::yes, .caller = "alice"})));
    ASSERT_TRUE(prove);
    EXPECT_EQ(prove->proven, Proven::yes);
    EXPECT_EQ(prove->caller, "alice");
    EXPECT_EQ(parse_helper_proven(body_of(to_frame(HelperProven{Proven::yes})))->proven, Proven::yes);
    EXPECT_TRUE(is_helper_done(body_of(done_frame())));
    EXPECT_FALSE(is_helper_done(body_of(trying_frame())));
    EXPECT_TRUE(is_helper_trying(body_of(trying_frame())));
    EXPECT_FALSE(is_helper_trying(body_of(done_frame())));
}

TEST(Frame, what_confines_a_command_is_read_back_and_never_in_part) {
    HelperAllowed allowed;
    allowed.confinement = {.bounds_capabilities = true,
                           .capabilities = 0x8000'0000'0000'1001U,
                           .no_new_privileges = true,
                           .bounds_write = true,
                           .write = {"/etc/nginx", "/var/log"},
                           .bounds_execute = true,
                           .execute = {},
                           .pinned = true,
                           .directory = "/srv",
                           .second_factor = "otp"};
    const std::string body = body_of(to_frame(allowed));
    const auto read = parse_helper_allowed(body);
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->confinement.bounds_capabilities);
    EXPECT_EQ(read->confinement.capabilities, 0x8000'0000'0000'1001U);
    EXPECT_TRUE(read->confinement.no_new_privileges);
    EXPECT_TRUE(read->confinement.bounds_write);
    EXPECT_EQ(read->confinement.write, allowed.confinement.write);
    EXPECT_TRUE(read->confinement.bounds_execute);
    EXPECT_TRUE(read->confinement.execute.empty());
    EXPECT_TRUE(read->confinement.pinned);
    EXPECT_EQ(read->confinement.directory, "/srv");
    EXPECT_EQ(read->confinement.second_factor, "otp");
    for (std::size_t size = 0; size < body.size(); ++size) {
        EXPECT_FALSE(parse_helper_allowed(body.substr(0, size))) << size;
    }
    EXPECT_FALSE(parse_helper_allowed(body + '\0'));
    // One of an older jitd, which knows nothing of this, is no yes.
    const std::size_t added = to_frame(HelperAllowed()).size() - 4 - 8 - 4 - 8;
    EXPECT_FALSE(parse_helper_allowed(body_of(to_frame(HelperAllowed())).substr(0, added)));
}

TEST(Frame, a_flag_of_confinement_that_is_neither_yes_nor_no_holds) {
    const std::string plain = body_of(to_frame(HelperAllowed()));
    HelperAllowed held;
    held.confinement = {.bounds_capabilities = true,
                        .capabilities = 0,
                        .no_new_privileges = true,
                        .bounds_write = true,
                        .write = {},
                        .bounds_execute = true,
                        .execute = {},
                        .pinned = true,
                        .directory = {},
                        .second_factor = {}};
    std::string odd = body_of(to_frame(held));
    ASSERT_EQ(odd.size(), plain.size());
    for (std::size_t at = 0; at < odd.size(); ++at) {
        odd[at] = odd[at] != plain[at] ? '\x02' : odd[at];
    }
    const auto read = parse_helper_allowed(odd);
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->confinement.bounds_capabilities && read->confinement.no_new_privileges &&
                read->confinement.bounds_write && read->confinement.bounds_execute &&
                read->confinement.pinned);
}

TEST(Frame, what_is_asked_for_is_something_known) {
    std::string body = body_of(to_frame(ask()));
    body[1] = 6;
    EXPECT_FALSE(parse_helper_ask(body));
}

TEST(Frame, every_prefix_of_a_message_is_refused) {
    const std::string body = body_of(to_frame(ask()));
    for (std::size_t size = 0; size < body.size(); ++size) {
        EXPECT_FALSE(parse_helper_ask(body.substr(0, size))) << size;
    }
    EXPECT_FALSE(parse_helper_ask(body + '\0'));
}

TEST(Frame, a_message_of_another_type_is_refused) {
    EXPECT_FALSE(parse_helper_start(body_of(to_frame(ask()))));
    EXPECT_FALSE(is_helper_go(body_of(deadline_question_frame())));
    EXPECT_TRUE(is_helper_go(body_of(go_frame())));
    EXPECT_FALSE(helper_message_type(std::string(1, '\0')));
    EXPECT_FALSE(helper_message_type(std::string(1, '\x0e')));
    EXPECT_FALSE(helper_message_type(""));
}

TEST(Frame, a_length_that_cannot_be_true_takes_no_memory) {
    FrameWriter writer(1);
    writer.u32(0xffffffffU); // as the count of a list, and as the length of bytes
    const std::string frame = writer.frame();
    FrameReader list(std::string_view(frame).substr(frame_header + 1));
    EXPECT_TRUE(list.byte_list().size() <= 1);
    EXPECT_FALSE(list.ok());
    FrameReader bytes(std::string_view(frame).substr(frame_header + 1));
    EXPECT_EQ(bytes.bytes(), "");
    EXPECT_FALSE(bytes.ok());
}

TEST(Frame, a_frame_is_neither_empty_nor_over_the_limit) {
    EXPECT_FALSE(frame_length(std::string("\0\0\0\0", 4), 10));
    EXPECT_EQ(frame_length(std::string("\x0a\0\0\0", 4), 10), 10U);
    EXPECT_FALSE(frame_length(std::string("\x0b\0\0\0", 4), 10));
    EXPECT_FALSE(frame_length(std::string("\xff\xff\xff\xff", 4), largest_helper_frame));
    EXPECT_FALSE(frame_length("\x01", 10));
}

// G45, CVE-2023-42465: a bit of memory that flips, as rowhammer does it.
TEST(Frame, g045_no_flipped_bit_makes_one_answer_another_or_proves_anything) {
    const auto flipped = [](std::string body, std::size_t bit) {
        body[bit / 8] = static_cast<char>(static_cast<unsigned char>(body[bit / 8]) ^ (1U << bit % 8));
        return body;
    };
    int types = 0;
    for (unsigned type = 0; type < 256; ++type) {
        const std::string body(1, static_cast<char>(type));
        types += helper_message_type(body) ? 1 : 0;
        for (std::size_t one = 0; helper_message_type(body) && one < 8; ++one) {
            for (std::size_t two = 0; two < 8; ++two) {
                const std::string other = one == two ? flipped(body, one) : flipped(flipped(body, one), two);
                EXPECT_FALSE(helper_message_type(other)) << type << " with " << one << " and " << two;
            }
        }
    }
    EXPECT_EQ(types, 14);
    EXPECT_EQ(static_cast<std::uint32_t>(Proven::no), ~static_cast<std::uint32_t>(Proven::yes));
    const std::string start = body_of(to_frame(HelperStart{.proven = Proven::no, .pid = 100, .session = 5}));
    const std::string proven = body_of(to_frame(HelperProven{Proven::no}));
    const std::string prove = body_of(to_frame(HelperProve{.proven = Proven::no, .caller = "alice"}));
    for (std::size_t bit = 8; bit < 40; ++bit) {
        EXPECT_EQ(parse_helper_start(flipped(start, bit))->proven, Proven::no);
        EXPECT_EQ(parse_helper_proven(flipped(proven, bit))->proven, Proven::no);
        EXPECT_EQ(parse_helper_prove(flipped(prove, bit))->proven, Proven::no);
    }
}

} // namespace
} // namespace jit
