// SPDX-License-Identifier: MIT
// Looking for what was left behind: the walk through trees that change, and what is told of two stocks.
#include "daemon/search/stock.h"
#include "daemon/search/walk.h"
#include "daemon/search_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace jit {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
namespace fs = std::filesystem;

class Search : public testing::Test {
protected:
    Search() {
        // In memory where there is such a place: there are many files.
        std::string name =
            std::string(fs::is_directory("/dev/shm") ? "/dev/shm" : "/tmp") + "/jit-search-XXXXXX";
        directory = mkdtemp(name.data());
    }
    ~Search() override { fs::remove_all(directory); }
    void write(const std::string& path, const std::string& text) {
        fs::create_directories((directory / path).parent_path());
        std::ofstream(directory / path) << text;
    }
    std::vector<std::string> walked(Walk how = {}) {
        std::vector<std::string> seen;
        how.trees = {directory};
        how.look = [&](int, const char*, const struct stat&, const std::string& path) {
            seen.push_back(path.substr(directory.string().size() + 1));
        };
        result = walk(how);
        return seen;
    }
    static std::vector<std::string> tell(const Stock& before, const Stock& after, Time since) {
        std::vector<std::string> told;
        for (const Change& change : differences(before, after, since)) {
            told.push_back(change.what + ' ' + change.how + ": " + change.name);
        }
        return told;
    }
    fs::path directory;
    Walked result;
};

TEST_F(Search, a_walk_meets_each_file_once_and_follows_no_link) {
    write("a", "");
    write("one/b", "");
    write("one/two/c", "");
    fs::create_symlink("/etc", directory / "link");
    fs::create_directory_symlink("..", directory / "one/up");
    EXPECT_THAT(walked(), UnorderedElementsAre("a", "one/b", "one/two/c"));
    EXPECT_THAT(result.problems, IsEmpty());
}

TEST_F(Search, a_walk_settles_once_nothing_changes) {
    write("one/two/three/a", "");
    EXPECT_GE(walked({.passes = 5}).size(), 1U);
    EXPECT_TRUE(result.settled);
    EXPECT_EQ(result.directories, 4U);
}

// Who has inotify(7) knows what is being read. Here it is told outright: as each directory is read, the file
// moves into the one that was read before.
TEST_F(Search,
       who_moves_a_file_out_of_the_way_all_the_time_hides_it_from_passes_and_not_from_a_settled_walk) {
    for (int place = 0; place < 8; ++place) {
        write("place" + std::to_string(place) + "/marker", "");
    }
    fs::path last_read = walked().back();
    write("hidden", "");
    fs::path hidden = directory / last_read.replace_filename("hidden");
    fs::rename(directory / "hidden", hidden);
    std::vector<fs::path> read;
    bool held = false;
    bool met = false;
    Walk how{.trees = {directory}, .passes = 1};
    how.look = [&](int, const char* name, const struct stat&, const std::string& path) {
        met = met || std::string_view(name) == "hidden";
        if (std::string_view(name) == "marker" && !held) {
            if (!read.empty()) {
                const fs::path to = read.back() / "hidden";
                fs::rename(hidden, to);
                hidden = to;
            }
            read.push_back(fs::path(path).parent_path());
        }
    };
    EXPECT_FALSE(walk(how).settled);
    EXPECT_FALSE(met) << "one pass is enough to hide from";
    how.passes = 4;
    EXPECT_FALSE(walk(how).settled);
    EXPECT_FALSE(met) << "and so are four";
    how.hold = [&]() -> std::shared_ptr<void> {
        held = true;
        return std::make_shared<int>(0);
    };
    EXPECT_TRUE(walk(how).settled);
    EXPECT_TRUE(met);
}

TEST_F(Search, a_directory_as_deep_as_one_likes_is_gone_through) {
    fs::path deep = directory;
    // Deeper than PATH_MAX has room for.
    fs::current_path(directory);
    for (int level = 0; level < 600; ++level) {
        fs::create_directory("0123456789");
        fs::current_path("0123456789");
    }
    std::ofstream("bottom") << "";
    fs::current_path("/");
    const auto seen = walked();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_TRUE(seen[0].ends_with("/bottom"));
    EXPECT_THAT(result.problems, IsEmpty());
}

// A tree as somebody would make it on purpose: 3,000 levels of the longest names.
TEST_F(Search, a_deep_tree_of_long_names_takes_little_memory_and_few_descriptors) {
    const std::string name(255, 'x');
    fs::current_path(directory);
    for (int level = 0; level < 3000; ++level) {
        fs::create_directory(name);
        fs::current_path(name);
        std::ofstream("beside") << "";
    }
    std::ofstream("bottom") << "";
    fs::current_path("/");
    const pid_t child = fork();
    if (child == 0) {
        std::size_t pages = 0;
        std::ifstream("/proc/self/statm") >> pages;
        const rlim_t room = pages * static_cast<std::size_t>(getpagesize()) + 64UL * 1024 * 1024;
        const rlimit memory{.rlim_cur = room, .rlim_max = room};
        const rlimit descriptors{.rlim_cur = 600, .rlim_max = 600};
        setrlimit(RLIMIT_AS, &memory);
        setrlimit(RLIMIT_NOFILE, &descriptors);
        usleep(100'000); // what was made within a tick of being read is read again, and would be seen twice
        const auto seen = walked({.passes = 3});
        _exit(seen.size() == 3001 && result.settled && result.problems.empty() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST_F(Search, a_directory_with_more_names_than_are_kept_at_once_is_gone_through_once) {
    const std::string long_name(200, 'y');
    for (int number = 0; number < 1500; ++number) {
        write(long_name + std::to_string(number) + "/file", "");
    }
    const auto seen = walked();
    EXPECT_EQ(seen.size(), 1500U);
    EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), 1500U);
}

TEST_F(Search, of_a_long_path_the_middle_is_left_out_in_messages) {
    EXPECT_EQ(shown_path("/tmp/\n"), "/tmp/\\n");
    const std::string shown = shown_path("/first" + std::string(100'000, 'x') + "/last\n");
    EXPECT_TRUE(shown.starts_with("/first") && shown.ends_with("/last\\n"));
    EXPECT_LT(shown.size(), 1000U);
}

TEST_F(Search, what_cannot_be_read_is_said) {
    EXPECT_THAT(walk({.trees = {"/nonexistent"}, .look = {}}).problems, IsEmpty())
        << "no such tree, nothing in it";
    write("file", "");
    const Walked found = walk({.trees = {directory / "file"}, .look = {}});
    ASSERT_EQ(found.problems.size(), 1U);
    EXPECT_THAT(found.problems[0], testing::HasSubstr("Not a directory"));
}

TEST_F(Search, a_stock_tells_what_was_added_changed_and_removed_line_by_line) {
    write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\nbob:x:1:1::/home/bob:/bin/sh\n");
    write("etc/sudoers.d/ops", "x");
    write("etc/cron.d/gone", "x");
    write("home/bob/.ssh/authorized_keys", "ssh-ed25519 AAAA bob@home\n");
    write("proc/modules", "ext4 1 0 - Live 0x0\n");
    const std::string tcp =
        "  sl  local_address rem_address   st tx_queue:rx_queue tr:tm->when retrnsmt   uid\n"
        "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1\n"
        "   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 2\n";
    write("proc/net/tcp", tcp);
    const Stock before = take_stock(directory).items;
    write("etc/passwd",
          "root:x:0:0:root:/root:/bin/bash\nbob:x:1:1::/home/bob:/bin/zsh\neve:x:0:0::/:/bin/sh\n");
    write("etc/sudoers.d/ops", "y");
    fs::remove(directory / "etc/cron.d/gone");
    write("home/bob/.ssh/authorized_keys", "ssh-ed25519 AAAA bob@home\nssh-rsa BBBB eve\n");
    write("home/bob/.config/systemd/user/x.timer", "x");
    write("proc/modules", "ext4 1 0 - Live 0x0\nevil 1 0 - Live 0x0\n");
    write(
        "proc/net/tcp",
        tcp +
            "   2: 00000000:115C 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3\n");
    const Stock after = take_stock(directory).items;
    EXPECT_THAT(
        tell(before, after, Time::max()),
        UnorderedElementsAre("account changed: bob", "account added: eve",
                             "sudoers changed: /etc/sudoers.d/ops", "cron removed: /etc/cron.d/gone",
                             "authorized key added: /home/bob/.ssh/authorized_keys: …ssh-rsa BBBB eve",
                             "kernel module added: evil", "listens as root added: tcp port 4444 (00000000)",
                             "unit added: /home/bob/.config/systemd/user/x.timer"));
    const auto again = parse_stock(stock_text(after));
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, after);
}

TEST_F(Search, of_a_stock_an_accounts_own_is_what_goes_on_in_its_name) {
    const Stock stock{
        {{"cron", "/var/spool/cron/crontabs/bob"},
         {.file = "", .digest = "1", .changed = {}, .owner = Uid{7}}},
        {{"cron", "/var/spool/cron/crontabs/eve"},
         {.file = "", .digest = "1", .changed = {}, .owner = Uid{8}}},
        {{"unit", "/home/bob/.config/systemd/user/by-eve.timer"},
         {.file = "", .digest = "1", .changed = {}, .owner = Uid{8}}},
        {{"unit", "/home/bobby/.config/systemd/user/by-eve.timer"},
         {.file = "", .digest = "1", .changed = {}, .owner = Uid{8}}},
        {{"configuration", "/etc/of-bob"}, {.file = "", .digest = "1", .changed = {}, .owner = Uid{7}}},
        {{"linger", "/var/lib/systemd/linger/bob"}, {}},
        {{"linger", "/var/lib/systemd/linger/sbob"}, {}}};
    std::vector<std::string> names;
    for (const auto& [key, item] : of_accounts(stock, {{Uid{7}, "bob"}}, {"/home/bob"})) {
        names.push_back(key.second);
    }
    EXPECT_THAT(names, ElementsAre("/var/spool/cron/crontabs/bob", "/var/lib/systemd/linger/bob",
                                   "/home/bob/.config/systemd/user/by-eve.timer"));
}

TEST_F(Search, what_was_written_before_the_first_stock_could_be_taken_is_told_of) {
    write("etc/sudoers", "x");
    const Stock stock = take_stock(directory).items;
    EXPECT_THAT(differences(stock, stock, Time()),
                ElementsAre(Change{.what = "sudoers", .how = "written", .name = "/etc/sudoers"}));
    EXPECT_THAT(differences(stock, stock, Time::max()), IsEmpty());
}

TEST_F(Search, of_a_home_keys_that_end_alike_links_and_units_anywhere_are_told) {
    const std::string tail(100, 'c');
    write("etc/passwd", "eve:x:1:1::/home/eve:/bin/sh\n");
    write("home/eve/.ssh/authorized_keys", "ssh-rsa AAAA " + tail + "\n");
    const Stock before = take_stock(directory).items;
    write("home/eve/.ssh/authorized_keys", "ssh-rsa AAAA " + tail + "\nssh-rsa BBBB " + tail + "\n");
    write("home/eve/.local/share/systemd/user/x.timer", "x");
    fs::create_directory_symlink("/srv/elsewhere", directory / "home/eve/.config");
    const auto told = tell(before, take_stock(directory).items, Time::max());
    ASSERT_EQ(told.size(), 3U);
    EXPECT_TRUE(told[0].starts_with("authorized key added: /home/eve/.ssh/authorized_keys: …cccc"));
    EXPECT_EQ(told[1], "link added: /home/eve/.config");
    EXPECT_EQ(told[2], "unit added: /home/eve/.local/share/systemd/user/x.timer");
}

TEST_F(Search, keys_that_were_written_and_are_as_before_are_told_of_as_written) {
    write("root/.ssh/authorized_keys", "ssh-rsa AAAA eve\n");
    const Stock stock = take_stock(directory).items;
    EXPECT_THAT(tell(stock, stock, Time()), Contains("authorized key written: /root/.ssh/authorized_keys"));
}

TEST_F(Search, a_home_full_of_units_hides_neither_what_is_in_it_nor_what_comes_after) {
    write("etc/passwd", "eve:x:1:1::/home/eve:/bin/sh\nzoe:x:2:2::/home/zoe:/bin/sh\n");
    for (int number = 1000; number < 22'000; ++number) {
        write("home/eve/.config/systemd/user/" + std::to_string(number) + ".timer", "");
    }
    const Stock before = take_stock(directory).items;
    EXPECT_LT(before.size(), 1000U);
    write("home/eve/.config/systemd/user/21000.timer", "x");
    write("home/zoe/.ssh/authorized_keys", "ssh-rsa AAAA zoe\n");
    write("root/.ssh/authorized_keys", "ssh-rsa AAAA root\n");
    const TakenStock after = take_stock(directory);
    EXPECT_THAT(tell(before, after.items, Time::max()),
                ElementsAre("authorized key added: /home/zoe/.ssh/authorized_keys: …ssh-rsa AAAA zoe",
                            "authorized key added: /root/.ssh/authorized_keys: …ssh-rsa AAAA root",
                            "keys and units changed: /home/eve"));
    EXPECT_THAT(after.problems, IsEmpty());
}

TEST_F(Search, a_file_of_lines_that_is_too_long_is_said) {
    write("root/.ssh/authorized_keys", std::string(5 * 1024 * 1024, 'x'));
    EXPECT_THAT(take_stock(directory).problems, ElementsAre("/root/.ssh/authorized_keys: File too large"));
}

TEST_F(Search, a_link_where_units_belong_leads_nowhere) {
    write("etc/passwd", "eve:x:1:1::/home/eve:/bin/sh\n");
    write("secret/file", "");
    fs::create_directories(directory / "home/eve/.config/systemd");
    fs::create_directory_symlink(directory / "secret", directory / "home/eve/.config/systemd/user");
    for (const auto& [key, item] : take_stock(directory).items) {
        EXPECT_EQ(key.second.find("secret"), std::string::npos);
        EXPECT_EQ(key.second.find("systemd/user/file"), std::string::npos);
    }
}

TEST_F(Search, a_job_and_a_reply_are_read_as_they_were_written) {
    SearchJob job{.take_stock = true, .trees = {"/home", "/t\xff"}, .stocks = {{7, "a\tb\n"}}, .grants = {}};
    job.grants.push_back({.grant = "7f3a",
                          .account = "alice",
                          .uid = Uid{4000000000},
                          .since = Time(Millis(5)),
                          .ago = Millis(6),
                          .groups = {"adm"},
                          .run_as = {"bob"},
                          .root = true,
                          .stock = 7});
    const auto read = parse_search_job(search_text(job));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->grants[0].uid, Uid{4000000000});
    EXPECT_EQ(read->stocks.at(7), "a\tb\n");
    SearchReply reply{
        .stock = "s",
        .grants = {
            {.grant = "7f3a", .left = {{"a", "b", "c"}}, .count = 9, .problems = {"p"}, .again = true}}};
    const auto replied = parse_search_reply(search_text(reply));
    ASSERT_TRUE(replied);
    EXPECT_EQ(replied->grants[0].left, reply.grants[0].left);
    EXPECT_EQ(replied->grants[0].count, 9U);
    EXPECT_TRUE(replied->grants[0].again);
    for (const char* bad : {"", "[]", "{}", "{\"grants\":[{}]}",
                            "{\"grants\":[{\"grant\":\"../x\",\"left\":[],\"count\":0,\"problems\":[],"
                            "\"again\":false}]}"}) {
        EXPECT_FALSE(parse_search_reply(bad)) << bad;
        EXPECT_FALSE(parse_search_job(bad)) << bad;
    }
}

TEST_F(Search, what_is_found_is_counted_and_told_of_as_far_as_there_is_room) {
    Searched searched{.grant = "7f3a", .left = {}};
    for (std::size_t number = 0; number < most_left + 100; ++number) {
        searched.add({.what = "unit", .how = "added", .name = std::to_string(number)});
        searched.problem(std::to_string(number));
    }
    EXPECT_EQ(searched.left.size(), most_left);
    EXPECT_EQ(searched.count, most_left + 100);
    EXPECT_EQ(searched.problems.size(), most_told);
    EXPECT_FALSE(searched.again);
    searched.problem(Error{Errc::not_found, "there is no account alice"});
    EXPECT_FALSE(searched.again) << "that is so for good";
    searched.problem(Error{Errc::unavailable, "account alice: it can't be told"});
    EXPECT_TRUE(searched.again);
}

} // namespace
} // namespace jit
