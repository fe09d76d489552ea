// SPDX-License-Identifier: MIT
#include "core/store.h"
#include "ctl_fake_jitd.h"

#include <gmock/gmock.h>

#include <sqlite3.h>

namespace jit {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* machine_id = "0123456789abcdef0123456789abcdef";

// A database with four events and a checkpoint at the third, as jitd writes it.
class Trail {
public:
    Trail() {
        auto store = Store::open(db(), Store::Mode::owner).value();
        auto key = HostKey::load_or_create(directory_.file(""), machine_id).value();
        const auto append = [&](const char* kind, const char* request) {
            return store->transact([&]() -> Result<void> {
                store->append(kind, Time(Millis(1'000'000)), {{"request", request}, {"reason", "a b\x1b"}});
                return {};
            });
        };
        EXPECT_TRUE(append("request.filed", "7f3a") && append("request.approved", "7f3a") &&
                    append("request.filed", "0000"));
        EXPECT_TRUE(store->transact([&]() -> Result<void> {
            store->add_checkpoint(key.sign(store->head().seq, Time(Millis(2'000'000)), store->head().hash));
            return {};
        }));
        EXPECT_TRUE(append("request.denied", "0000"));
        events_ = store->guarded([&]() -> Result<std::vector<Event>> { return store->events_after(0, 10); })
                      .value();
        checkpoints_ =
            store->guarded([&]() -> Result<std::vector<Checkpoint>> { return store->checkpoints(); }).value();
        public_key_ = key.public_key();
    }

    [[nodiscard]] std::string db() const { return directory_.file("jit.db"); }
    [[nodiscard]] std::string file(const char* name) const { return directory_.file(name); }

    void execute(const std::string& sql) const {
        sqlite3* handle = nullptr;
        EXPECT_EQ(sqlite3_open(db().c_str(), &handle), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
            << sqlite3_errmsg(handle);
        sqlite3_close(handle);
    }

    // The answers of a jitd with this trail: Checkpoints, then the events in two replies.
    [[nodiscard]] Scripted checkpoints(std::int64_t head) const {
        Json list = Json::array();
        for (const Checkpoint& checkpoint : checkpoints_) {
            list.push_back({{"seq", checkpoint.seq},
                            {"at", checkpoint.at.time_since_epoch().count()},
                            {"hash", to_hex(checkpoint.hash)},
                            {"signature", to_hex(checkpoint.signature)}});
        }
        return replies({{"public_key", to_hex(public_key_)},
                        {"machine_id", machine_id},
                        {"head", head},
                        {"checkpoints", list}});
    }
    [[nodiscard]] Json events(std::size_t from, std::size_t to) const {
        Json list = Json::array();
        for (std::size_t i = from; i < to; ++i) {
            list.push_back(
                {{"seq", events_[i].seq}, {"body", events_[i].body}, {"hash", to_hex(events_[i].hash)}});
        }
        return {{"events", list}};
    }

    Ran verify() const { return jitctl({"audit", "verify", "--db", db(), "--machine-id", machine_id}); }

private:
    TemporaryDirectory directory_;
    std::vector<Event> events_;
    std::vector<Checkpoint> checkpoints_;
    std::string public_key_;
};

TEST(CtlAudit, prints_an_event_a_line_and_picks) {
    const Trail trail;
    const auto run_with = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "audit");
        return jitctl(arguments, {streams({trail.events(0, 2), trail.events(2, 4)})});
    };
    EXPECT_EQ(run_with({}).out,
              "     1  1970-01-01T00:16:40Z  request.filed request=7f3a reason=\"a b\\x1b\"\n"
              "     2  1970-01-01T00:16:40Z  request.approved request=7f3a reason=\"a b\\x1b\"\n"
              "     3  1970-01-01T00:16:40Z  request.filed request=0000 reason=\"a b\\x1b\"\n"
              "     4  1970-01-01T00:16:40Z  request.denied request=0000 reason=\"a b\\x1b\"\n");
    EXPECT_THAT(run_with({"--kind", "request.filed", "--request", "0000"}).out, StartsWith("     3  "));
    const Ran json = run_with({"--json", "--kind", "request.denied"});
    EXPECT_EQ(parse_json(json.out).value(), trail.events(3, 4)["events"][0]);
}

TEST(CtlAudit, what_was_written_in_an_event_can_not_pose_as_another_field) {
    const Json event{
        {"seq", 1}, {"body", R"({"kind":"x","reason":"a\" by=root","by":{"person":"bob"}})"}, {"hash", ""}};
    EXPECT_THAT(jitctl({"audit"}, {streams({{{"events", {event}}}})}).out,
                HasSubstr(R"(reason="a\" by=root" by={person=bob})"));
}

TEST(CtlAudit, shows_people_times_and_durations_as_people_write_them) {
    const Json party{{"person", "bob"}, {"account", "bob-adm"}, {"uid", 1001}};
    const Json body{{"kind", "x"}, {"by", party}, {"not_after", 1000}, {"duration", 3'600'000}, {"uid", 7}};
    const Json event{{"seq", 1}, {"body", to_line(body)}, {"hash", ""}};
    EXPECT_EQ(jitctl({"audit"}, {streams({{{"events", {event}}}})}).out,
              "x by=bob/bob-adm not_after=1970-01-01T00:00:01Z duration=1h uid=7\n");
}

TEST(CtlVerify, an_untouched_database_is_intact) {
    const Trail trail;
    const Ran ran = trail.verify();
    EXPECT_EQ(ran.exit, 0) << ran.out << ran.err;
    EXPECT_EQ(ran.out, "4 events, 1 checkpoints: intact\n");
}

TEST(CtlVerify, an_edited_removed_or_cut_off_event_is_found_and_named) {
    const std::vector<std::pair<std::string, std::string>> table = {
        {"UPDATE events SET body = replace(body, '7f3a', 'beef') WHERE seq = 2", "event 2 was edited"},
        {"DELETE FROM events WHERE seq = 2", "event 2 is missing"},
        {"DELETE FROM events WHERE seq = 4", "event 4, the newest, is cut off"},
        {"UPDATE events SET hash = x'00' WHERE seq = 1", "event 1 was edited"},
        {"UPDATE checkpoints SET hash = zeroblob(32)", "not signed by this host's key"},
    };
    for (const auto& [sql, finding] : table) {
        const Trail trail;
        trail.execute("DROP TRIGGER IF EXISTS events_stay; " + sql);
        const Ran ran = trail.verify();
        EXPECT_EQ(ran.exit, 1) << sql << ran.out << ran.err;
        EXPECT_THAT(ran.out, AllOf(HasSubstr(finding), HasSubstr("NOT INTACT"))) << sql;
    }
}

TEST(CtlVerify, a_missing_or_broken_key_or_database_is_an_error_and_never_intact) {
    const Trail trail;
    const auto with = [&](const char* option, const std::string& value) {
        return jitctl({"audit", "verify", "--db", trail.db(), option, value});
    };
    EXPECT_EQ(with("--public-key", trail.file("nowhere")).exit, 3);
    EXPECT_EQ(with("--public-key", trail.db()).exit, 2);
    EXPECT_EQ(with("--machine-id", "another").exit, 1);
    const Ran gone =
        jitctl({"audit", "verify", "--db", trail.file("gone.db"), "--public-key", trail.file("host.pub")});
    EXPECT_EQ(gone.exit, 8) << gone.err;
}

TEST(CtlVerify, through_jitd_ends_at_the_head_that_came_with_the_checkpoints) {
    const Trail trail;
    // The fourth was appended after the checkpoints were asked for.
    const Ran ran = jitctl({"audit", "verify"},
                           {trail.checkpoints(3), streams({trail.events(0, 2), trail.events(2, 4)})});
    EXPECT_EQ(ran.exit, 0) << ran.out << ran.err;
    EXPECT_EQ(ran.out, "3 events, 1 checkpoints: intact\n");
    const Ran cut =
        jitctl({"audit", "verify", "--json"}, {trail.checkpoints(4), streams({trail.events(0, 2)})});
    EXPECT_EQ(cut.exit, 1);
    EXPECT_EQ(parse_json(cut.out).value()["intact"], false);
}

TEST(CtlVerify, an_answer_without_what_is_needed_is_never_intact) {
    const Trail trail;
    for (const char* key : {"public_key", "head", "checkpoints"}) {
        Json answer =
            parse_json(
                std::string_view(trail.checkpoints(4).bytes).substr(0, trail.checkpoints(4).bytes.size() - 1))
                .value()["parameters"];
        answer.erase(key);
        const Ran ran = jitctl({"audit", "verify"}, {replies(answer), streams({trail.events(0, 4)})});
        EXPECT_EQ(ran.exit, 8) << key;
        EXPECT_THAT(ran.out, Not(HasSubstr("intact")));
    }
    EXPECT_EQ(jitctl({"audit", "verify"}, {trail.checkpoints(4), streams({Json::object()})}).exit, 8);
}

} // namespace
} // namespace jit
