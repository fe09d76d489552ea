// SPDX-License-Identifier: MIT
#include "core/audit.h"
#include "core/json.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace jit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<Event> chain_of(int count) {
    std::vector<Event> events;
    Hash previous{};
    for (int seq = 1; seq <= count; ++seq) {
        const std::string body =
            to_line(Json{{"seq", seq}, {"at", 1000 * seq}, {"kind", "test"}, {"note", "n"}});
        previous = chain_hash(previous, body);
        events.push_back({.seq = seq, .body = body, .hash = previous});
    }
    return events;
}

std::vector<std::string> findings_in(const std::vector<Event>& events, std::int64_t head = 5,
                                     std::vector<Checkpoint> checkpoints = {}, const std::string& key = {}) {
    ChainVerifier verifier(std::move(checkpoints), "machine", key);
    for (const Event& event : events) {
        verifier.add(event);
    }
    verifier.finish(head);
    return verifier.findings();
}

class KeyDirectory {
public:
    KeyDirectory() {
        std::string name = "/tmp/jit-key-XXXXXX";
        path_ = mkdtemp(name.data());
    }
    ~KeyDirectory() { std::filesystem::remove_all(path_); }
    KeyDirectory(const KeyDirectory&) = delete;
    KeyDirectory& operator=(const KeyDirectory&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

TEST(AuditChain, an_untouched_chain_has_no_findings) {
    EXPECT_THAT(findings_in(chain_of(5)), IsEmpty());
}

TEST(AuditChain, the_hash_is_blake2b_over_domain_previous_and_body) {
    // Computed with Python: hashlib.blake2b(b"jit-audit-1\n" + bytes(32) + b"{}", digest_size=32)
    EXPECT_EQ(to_hex(chain_hash(Hash{}, "{}")),
              "0885fb2b3c8ac5aabcfd5432f808dadda22dcac9d1a1f4c83f7617711983bfb7");
}

TEST(AuditChain, every_byte_of_a_body_is_covered) {
    const auto events = chain_of(5);
    for (std::size_t position = 0; position < events[2].body.size(); ++position) {
        auto edited = events;
        edited[2].body[position] = static_cast<char>(edited[2].body[position] ^ 1);
        const auto findings = findings_in(edited);
        ASSERT_FALSE(findings.empty()) << edited[2].body;
        EXPECT_THAT(findings.front(), HasSubstr("3")) << edited[2].body;
    }
}

TEST(AuditChain, an_edited_event_is_named_and_the_others_are_not) {
    auto events = chain_of(5);
    events[2].body.replace(events[2].body.find("\"n\""), 3, "\"x\"");
    EXPECT_THAT(findings_in(events), ElementsAre(HasSubstr("event 3 was edited")));
}

TEST(AuditChain, an_edited_event_with_a_new_hash_shows_at_the_next) {
    auto events = chain_of(5);
    events[2].body.replace(events[2].body.find("\"n\""), 3, "\"x\"");
    events[2].hash = chain_hash(events[1].hash, events[2].body);
    EXPECT_THAT(findings_in(events),
                ElementsAre(HasSubstr("event 4 was edited, or the one before it replaced")));
}

TEST(AuditChain, a_removed_event_is_named) {
    auto events = chain_of(5);
    events.erase(events.begin() + 2);
    EXPECT_THAT(findings_in(events), ElementsAre("event 3 is missing"));
}

TEST(AuditChain, a_cut_out_run_is_named) {
    auto events = chain_of(5);
    events.erase(events.begin() + 1, events.begin() + 4);
    EXPECT_THAT(findings_in(events), ElementsAre("events 2 to 4 are missing"));
}

TEST(AuditChain, events_that_changed_places_are_named) {
    auto events = chain_of(5);
    std::swap(events[1].body, events[2].body);
    std::swap(events[1].hash, events[2].hash);
    const auto findings = findings_in(events);
    ASSERT_GE(findings.size(), 2U);
    EXPECT_EQ(findings[0], "event 3 was put in the place of event 2");
    EXPECT_EQ(findings[1], "event 2 was put in the place of event 3");
}

TEST(AuditChain, a_cut_off_end_is_named) {
    EXPECT_THAT(findings_in(chain_of(3)), ElementsAre("events 4 to 5, the newest, are cut off"));
}

TEST(AuditChain, a_chain_written_anew_is_not_the_one_that_was_signed) {
    const KeyDirectory directory;
    const auto key = HostKey::load_or_create(directory.path(), "machine");
    ASSERT_TRUE(key);
    const auto honest = chain_of(5);
    const Checkpoint checkpoint = key->sign(4, Time(Millis(5000)), honest[3].hash);
    EXPECT_THAT(findings_in(honest, 5, {checkpoint}, key->public_key()), IsEmpty());

    std::vector<Event> forged;
    Hash previous{};
    for (int seq = 1; seq <= 5; ++seq) {
        const std::string body = to_line(Json{{"seq", seq}, {"kind", "forged"}});
        previous = chain_hash(previous, body);
        forged.push_back({.seq = seq, .body = body, .hash = previous});
    }
    EXPECT_THAT(findings_in(forged, 5, {checkpoint}, key->public_key()),
                ElementsAre(HasSubstr("events up to 4 are not those that the checkpoint")));
    EXPECT_THAT(findings_in(chain_of(3), 3, {checkpoint}, key->public_key()),
                ElementsAre("a checkpoint signed event 4, which is not there"));
}

TEST(AuditChain, a_checkpoint_is_of_one_host_one_place_one_time_and_one_key) {
    const KeyDirectory directory;
    const KeyDirectory other_directory;
    const auto key = HostKey::load_or_create(directory.path(), "machine");
    const auto other = HostKey::load_or_create(other_directory.path(), "machine");
    ASSERT_TRUE(key && other);
    const Checkpoint good = key->sign(4, Time(Millis(5000)), Hash{});
    EXPECT_TRUE(checkpoint_valid(good, "machine", key->public_key()));
    EXPECT_FALSE(checkpoint_valid(good, "another", key->public_key()));
    EXPECT_FALSE(checkpoint_valid(good, "machine", other->public_key()));
    EXPECT_FALSE(checkpoint_valid(good, "machine", ""));
    Checkpoint changed = good;
    changed.seq = 5;
    EXPECT_FALSE(checkpoint_valid(changed, "machine", key->public_key()));
    changed = good;
    changed.at += Millis(1);
    EXPECT_FALSE(checkpoint_valid(changed, "machine", key->public_key()));
    changed = good;
    changed.signature.pop_back();
    EXPECT_FALSE(checkpoint_valid(changed, "machine", key->public_key()));
}

TEST(HostKeyFile, is_made_once_kept_private_and_refused_when_damaged) {
    const KeyDirectory directory;
    const auto made = HostKey::load_or_create(directory.path(), "machine");
    const auto again = HostKey::load_or_create(directory.path(), "machine");
    ASSERT_TRUE(made && again);
    EXPECT_EQ(made->public_key(), again->public_key());
    const auto mode = std::filesystem::status(directory.path() + "/host.key").permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    std::ofstream(directory.path() + "/host.key") << "short";
    const auto damaged = HostKey::load_or_create(directory.path(), "machine");
    ASSERT_FALSE(damaged);
    EXPECT_THAT(damaged.error().message, HasSubstr("damaged"));
}

TEST(Hex, reads_back_what_it_writes_and_nothing_else) {
    EXPECT_EQ(to_hex(std::string_view("\x00\xff\x10", 3)), "00ff10");
    EXPECT_EQ(from_hex("00ff10"), std::string("\x00\xff\x10", 3));
    for (const char* bad : {"0", "0g", "00FF", "00 ff", "00:ff"}) {
        EXPECT_FALSE(from_hex(bad)) << bad;
    }
}

} // namespace
} // namespace jit
