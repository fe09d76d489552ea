// SPDX-License-Identifier: MIT
// The power fails, at any write of jitd's life: requests, answers, starts, ends, locks, accounts, searches,
// checkpoints, a stop and a start, with SQLite's own checkpoints all along. Whatever the disk then holds
// (power_disk.h), jitd finds
//  1. the database as it was after the last transaction that was committed, or after the one that was being,
//  2. whatever somebody was told, and nothing that was ended,
//  3. an audit chain without a gap, in which every grant and every start is told of,
//  4. its key, and no uid that it could give twice,
// and once it has looked at the clock, nothing is active that is over.
#include "core/read.h"
#include "power_disk.h"
#include "power_life.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>

#include <algorithm>
#include <fcntl.h>
#include <map>
#include <set>
#include <sstream>

namespace jit {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::IsEmpty;

constexpr int frames_a_checkpoint = 24; // SQLite waits for 1000, which would take much longer to replay

// All that a database holds.
std::string content_of(sqlite3* db) {
    std::string text;
    const auto rows = [&](const std::string& sql, auto each) {
        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
            text += sqlite3_errmsg(db);
        }
        while (sqlite3_step(statement) == SQLITE_ROW) {
            each(statement);
        }
        sqlite3_finalize(statement);
    };
    const auto cell = [](sqlite3_stmt* statement, int column) {
        const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
        return std::string(bytes != nullptr ? bytes : "",
                           static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
    };
    std::vector<std::string> tables;
    rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
         [&](sqlite3_stmt* row) { tables.push_back(cell(row, 0)); });
    for (const std::string& table : tables) {
        text += table + '\n';
        rows("SELECT * FROM \"" + table + "\" ORDER BY 1, 2", [&](sqlite3_stmt* row) {
            for (int column = 0; column < sqlite3_column_count(row); ++column) {
                text += fmt::format("{}:{}\t", sqlite3_column_type(row, column), cell(row, column));
            }
            text += '\n';
        });
    }
    return to_hex(chain_hash(Hash{}, text));
}

// What a database holds that the power was cut in; of the accounts in it the highest uid.
struct Found {
    std::string content;
    std::uint32_t highest_uid = 0;
};
Found found_in(const std::string& path) {
    sqlite3* db = nullptr;
    sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
    Found found{.content = content_of(db)};
    sqlite3_stmt* highest = nullptr;
    sqlite3_prepare_v2(db, "SELECT max(uid) FROM accounts", -1, &highest, nullptr);
    if (sqlite3_step(highest) == SQLITE_ROW) {
        found.highest_uid = static_cast<std::uint32_t>(sqlite3_column_int64(highest, 0));
    }
    sqlite3_finalize(highest);
    sqlite3_close(db);
    return found;
}

// Of each connection that is opened: what a commit made is marked, when SQLite says that it is committed.
bool without_syncs = false;
int committed(void*, sqlite3* db, const char*, int frames) {
    if (without_syncs) {
        sqlite3_exec(db, "PRAGMA synchronous=OFF", nullptr, nullptr, nullptr);
    }
    power::mark("committed " + content_of(db));
    return frames < frames_a_checkpoint
               ? SQLITE_OK
               : sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}
int opened(sqlite3* db, const char**, const sqlite3_api_routines*) {
    // With the first statement: what is opened gets SQLite's own hook after this.
    const auto first = [](unsigned, void* connection, void*, void*) {
        sqlite3_wal_hook(static_cast<sqlite3*>(connection), committed, nullptr);
        return 0;
    };
    return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, first, db);
}

// Marks are words; what was told is true from then on.
struct Told {
    std::string content = to_hex(chain_hash(Hash{}, "")); // after the last commit
    std::string key;
    std::uint32_t highest_uid = 0;
    std::set<std::string> given, ended, uses, locks, lifting, lifted;

    explicit Told(const std::vector<std::string>& marks) {
        for (const std::string& mark : marks) {
            std::istringstream words(mark);
            std::string what;
            std::string which;
            words >> what >> which;
            if (what == "committed") {
                content = which;
            } else if (what == "key") {
                key = which;
            } else if (what == "uid") {
                highest_uid = static_cast<std::uint32_t>(std::stoul(which));
            } else {
                sets().at(what)->insert(which);
            }
        }
    }

private:
    std::map<std::string, std::set<std::string>*> sets() {
        return {{"given", &given}, {"ended", &ended},     {"use", &uses},
                {"lock", &locks},  {"lifting", &lifting}, {"lifted", &lifted}};
    }
};

class PowerCut : public Life {
protected:
    bool life();
    // What it leaves is looked at after each cut, while all is fine.
    std::size_t look_at_cuts_of(const power::Recording& recording, const std::function<bool()>& fine);
    using Look = std::function<void(const power::Cut&, const std::string& next)>;
    std::size_t for_each_cut(const power::Recording& recording, const std::function<bool()>& fine,
                             const Look& what);
    void look(const power::Cut& cut, const std::string& next);
    void judge(const Told& told);

    // A database that was judged by as much as was told needn't be again.
    std::set<std::pair<std::string, std::size_t>> judged;
};

bool PowerCut::life() {
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(opened)); // NOLINT: so it is declared
    EXPECT_TRUE(begin(disk())) << why;
    if (!HasFailure()) {
        live();
    }
    return !HasFailure();
}

// `next`: the content after the transaction that may be under way.
void PowerCut::look(const power::Cut& cut, const std::string& next) {
    const std::string there = path_of("after");
    std::filesystem::remove_all(there);
    cut.disk.lay(there);
    const Told told(cut.told);
    const auto key = HostKey::load_or_create(there, machine);
    ASSERT_TRUE(key) << key.error().message;
    EXPECT_TRUE(told.key.empty() || to_hex(key->public_key()) == told.key) << "another key";
    EXPECT_EQ(read_whole(AT_FDCWD, (there + "/host.pub").c_str(), 4096), to_hex(key->public_key()) + "\n");
    const auto mark = read_uid_mark(there + "/highest-uid");
    ASSERT_TRUE(mark) << mark.error().message;
    const std::uint32_t highest = *mark ? number(**mark) : 0;
    EXPECT_GE(highest, told.highest_uid);

    const Found found = found_in(there + "/jit.db");
    ASSERT_TRUE(found.content == told.content || found.content == next)
        << "the database is neither as it was after the last commit nor after the next";
    EXPECT_GE(highest, found.highest_uid) << "it could be given again";
    if (judged.emplace(found.content, cut.told.size()).second) {
        ASSERT_TRUE(begin(there)) << why;
        judge(told);
        requests.reset();
        store.reset();
    }
}

void PowerCut::judge(const Told& told) {
    EXPECT_EQ(store->head_problem(), std::nullopt);
    ChainVerifier verifier(store->checkpoints(), machine, host_key->public_key());
    std::map<std::string, std::set<std::string>> events; // which are told of, by kind
    for (const Event& event : store->events_after(0, 1000)) {
        verifier.add(event);
        const Json body = *parse_json(event.body);
        const std::string kind = body["kind"];
        events[kind].insert(body.value(kind == "use.started" ? "use" : "request", ""));
    }
    verifier.finish(store->head().seq);
    EXPECT_THAT(verifier.findings(), IsEmpty());

    for (const Request& grant : store->active()) {
        EXPECT_FALSE(told.ended.contains(grant.id)) << "it was ended, and is back";
        EXPECT_TRUE(events["grant.started"].contains(grant.id)) << "a grant that nobody recorded";
    }
    for (const std::string& id : told.given) {
        EXPECT_TRUE(requests->find(id)) << "it was given, and is not known";
    }
    for (const Use& use : store->live_uses()) {
        EXPECT_TRUE(events["use.started"].contains(use.id)) << "a start that nobody recorded";
    }
    for (const std::string& id : told.uses) {
        EXPECT_TRUE(events["use.started"].contains(id)) << "it was started, and is not known";
    }
    std::set<std::string> locks;
    for (const Lock& lock : store->locks()) {
        locks.insert(lock.id);
        EXPECT_FALSE(told.lifted.contains(lock.id)) << "it was lifted, and is back";
    }
    for (const std::string& id : told.locks) {
        EXPECT_TRUE(locks.contains(id) || told.lifting.contains(id)) << "a lock is gone";
    }

    const ClockReading now = test_reading;
    pass(hours(100));
    ASSERT_TRUE(requests->advance());
    EXPECT_TRUE(store->active().empty());
    EXPECT_TRUE(store->pending().empty());
    test_reading = now;
}

std::size_t PowerCut::look_at_cuts_of(const power::Recording& recording, const std::function<bool()>& fine) {
    return for_each_cut(recording, fine,
                        [this](const power::Cut& cut, const std::string& next) { look(cut, next); });
}

std::size_t PowerCut::for_each_cut(const power::Recording& recording, const std::function<bool()>& fine,
                                   const Look& what) {
    clock = Clock("boot-2", read_test_clock);
    test_reading.boot = BootTime(minutes(1));
    const auto is_commit = [](std::string_view mark) { return mark.starts_with("committed "); };
    std::vector<std::string> commits;
    for (const power::Change& change : recording.changes) {
        if (change.what == power::Change::What::mark && is_commit(change.data)) {
            commits.push_back(change.data.substr(change.data.find(' ') + 1));
        }
    }
    return power::for_each_cut(recording, {.random = 2}, [&](const power::Cut& cut) {
        const auto done = static_cast<std::size_t>(std::ranges::count_if(cut.told, is_commit));
        SCOPED_TRACE(cut.how);
        what(cut, done < commits.size() ? commits[done] : "");
        return fine();
    });
}

TEST_F(PowerCut, at_any_write_takes_nothing_that_was_told_and_brings_nothing_back_that_ended) {
    const auto recording = power::record(disk(), [this] { return life(); });
    ASSERT_THAT(recording.problems, IsEmpty());
    const std::size_t looked = look_at_cuts_of(recording, [] { return !HasFailure(); });
    RecordProperty("changes", static_cast<int>(recording.changes.size()));
    RecordProperty("cuts", static_cast<int>(looked));
    EXPECT_GT(looked, 1000U) << "so few, and nothing was proved";
}

TEST_F(PowerCut, again_as_jitd_starts_takes_no_more) {
    const auto recording = power::record(disk(), [this] { return life(); });
    ASSERT_THAT(recording.problems, IsEmpty());
    const std::string there = path_of("again");
    std::size_t number = 0;
    std::size_t looked = 0;
    const auto fine = [] { return !HasFailure(); };
    for_each_cut(recording, fine, [&](const power::Cut& first, const std::string& next) {
        if (number++ % 211 != 0) {
            return;
        }
        std::filesystem::remove_all(there);
        first.disk.lay(there);
        const auto start = power::record(there, [&] {
            const bool begun = begin(there);
            requests.reset();
            store.reset(); // and stops again
            return begun;
        });
        ASSERT_THAT(start.problems, IsEmpty());
        looked += power::for_each_cut(start, {.random = 1}, [&](const power::Cut& second) {
            SCOPED_TRACE(second.how);
            look({.disk = second.disk, .begun = second.begun, .told = first.told, .how = second.how}, next);
            return fine();
        });
    });
    EXPECT_GT(looked, 100U);
}

// What the tests above are worth.
TEST_F(PowerCut, is_noticed_where_the_database_is_not_synced) {
    const auto recording = power::record(disk(), [this] {
        without_syncs = true;
        return life();
    });
    ASSERT_THAT(recording.problems, IsEmpty());
    testing::TestPartResultArray found;
    {
        const testing::ScopedFakeTestPartResultReporter quiet(
            testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &found);
        look_at_cuts_of(recording, [&] { return found.size() == 0; });
    }
    EXPECT_GT(found.size(), 0);
}

} // namespace
} // namespace jit
