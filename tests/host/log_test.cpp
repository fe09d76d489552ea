// SPDX-License-Identifier: MIT
// What is known of a command afterwards: its events, and its line in the log.
#include "tests/host/access.h"

#include <gmock/gmock.h>

#include <sstream>

namespace jit::host {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

const std::string LOG_POLICY = R"([people.oncall]
members = ["bob", "carol"]
[risk.low]
auto_approve = "1h"
stages = [{ from = "oncall" }]

[role.tools]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
authenticate = false
run_as       = ["root", "carol"]
commands     = ["/usr/bin/id **", "/usr/bin/sh **", "/usr/bin/true **"]
groups       = ["adm"]
)";
constexpr const char* RULE = "/etc/jit/policy.toml:7";

class Log : public testing::Test {
protected:
    Log() {
        host.policy(LOG_POLICY);
        id = ask(host, "alice", "tools");
    }

    // What the log has of commands, once there is as much as expected.
    std::vector<Json> lines(std::size_t count) {
        std::vector<Json> entries;
        eventually([&] {
            entries.clear();
            std::istringstream text(host.root("journalctl -q --all -o json -t jit-sudo _COMM=jitd").out);
            for (std::string line; std::getline(text, line);) {
                entries.push_back(Json::parse(line));
            }
            return entries.size() >= count;
        });
        EXPECT_EQ(entries.size(), count);
        entries.resize(count);
        return entries;
    }
    std::vector<Json> events(const std::string& kind) {
        std::istringstream text(host.root("jitctl --json audit --kind " + kind).out);
        std::vector<Json> bodies;
        for (std::string line; std::getline(text, line);) {
            bodies.push_back(Json::parse(Json::parse(line).at("body").get<std::string>()));
        }
        return bodies;
    }

    Host host;
    std::string id;
};

TEST_F(Log, a_command_is_a_line_in_the_shape_of_sudos) {
    host.as("alice", "jit-sudo -n id -u 'with blank'");
    host.as("alice", "cd /tmp && jit-sudo -n -g adm id", {.tty = true});
    host.as("alice", "jit-sudo -n -u carol ls /root");
    const auto line = lines(3);
    const auto text = [&](std::size_t at) { return line[at].at("MESSAGE").get<std::string>(); };
    EXPECT_EQ(text(0), "   alice : TTY=unknown ; PWD=/home/alice ; USER=root ; "
                       "COMMAND=/usr/bin/id -u 'with blank'");
    EXPECT_THAT(text(1), MatchesRegex("   alice : TTY=pts/[0-9]+ ; PWD=/tmp ; USER=alice ; GROUP=adm ; "
                                      "COMMAND=/usr/bin/id"));
    EXPECT_EQ(text(2), "   alice : command not allowed ; TTY=unknown ; PWD=/home/alice ; USER=carol ; "
                       "COMMAND=/usr/bin/ls /root");
    EXPECT_EQ(line[0].at("PRIORITY"), "5");
    EXPECT_EQ(line[2].at("PRIORITY"), "1");
    EXPECT_EQ(line[0].at("SYSLOG_FACILITY"), "10") << "authpriv";
    EXPECT_EQ(line[0].at("JIT_REQUEST"), id);
    EXPECT_EQ(line[2].at("JIT_PERSON"), "alice");
}

TEST_F(Log, the_events_say_which_rule_whose_ids_and_how_it_ended) {
    host.as("alice", "cd /tmp && jit-sudo -n -r 'a reason' -u carol sh -c 'exit 3'");
    host.as("alice", "jit-sudo -n sh -c 'sleep 0.3; kill $$'");
    host.as("alice", "cd /tmp && jit-sudo -n -u carol ls x");
    const auto started = events("use.started");
    ASSERT_EQ(started.size(), 2U);
    EXPECT_EQ(started[0].at("role"), "tools");
    EXPECT_EQ(started[0].at("rule"), RULE);
    const std::string uid = started[0].at("run_as_uid").dump();
    EXPECT_EQ(uid + "\n", host.root("id -u carol").out);
    EXPECT_EQ(started[0].at("run_as_gid").dump() + "\n", host.root("id -g carol").out);
    EXPECT_EQ(started[0].at("cwd"), "/tmp");
    EXPECT_EQ(started[1].at("run_as_uid"), 0);
    const auto exited = events("use.exited");
    ASSERT_EQ(exited.size(), 2U);
    EXPECT_EQ(exited[0].at("exit"), 3);
    EXPECT_EQ(exited[1].at("signal"), 15);
    EXPECT_GE(exited[1].at("run_time"), 300);
    EXPECT_LT(exited[1].at("run_time"), 10'000);
    const auto refused = events("request.refused");
    ASSERT_EQ(refused.size(), 1U);
    EXPECT_EQ(refused[0].at("run_as"), "carol");
    EXPECT_EQ(refused[0].at("cwd"), "/tmp");
    EXPECT_EQ(refused[0].at("argv"), Json({"/usr/bin/ls", "x"}));
    EXPECT_THAT(host.root("jitctl audit").out,
                AllOf(HasSubstr("argv=[/usr/bin/sh -c 'exit 3']"), HasSubstr(std::string(" rule=") + RULE),
                      HasSubstr(" signal=SIGTERM run_time=0."), Not(HasSubstr("argv_blake2b"))));
}

// CVE-2023-28486 (G71)
TEST_F(Log, whatever_the_bytes_are_a_command_is_one_record) {
    const std::string odd = R"($'a\nalice : TTY=x\r\x1b[2J\xff\xc2\x9b\xe2\x80\xae')";
    const std::string place = R"(mkdir -p $'d ; USER=bob ; COMMAND=x\n\x1b\xff' && cd d* && )";
    const std::string large = R"x("$(head -c 65536 /dev/zero | tr '\0' x)")x";
    host.as("alice", place + "jit-sudo -n true " + odd);
    host.as("alice", place + "jit-sudo -n ls " + odd);
    host.as("alice", "jit-sudo -n true first " + large + " last");
    host.as("alice", "jit-sudo -n ls first " + large + R"($'\n' last)");
    const auto line = lines(4);
    for (const Json& entry : line) {
        ASSERT_TRUE(entry.at("MESSAGE").is_string()) << "it is text: " << entry;
        const std::string text = entry.at("MESSAGE");
        EXPECT_LE(text.size(), 980U);
        EXPECT_THAT(text, AllOf(StartsWith("   alice : "), Not(HasSubstr("\n")), Not(HasSubstr("\x1b")),
                                HasSubstr(" ; USER=root ; COMMAND=/usr/bin/")));
    }
    for (const std::size_t at : {0U, 1U}) {
        EXPECT_THAT(line[at].at("MESSAGE").get<std::string>(),
                    AllOf(HasSubstr("PWD=/home/alice/d #073 USER=bob #073 COMMAND=x#012#033#377 ; USER=root"),
                          EndsWith(" 'a#012alice : TTY=x#015#033[2J#377#302#233#342#200#256'")));
    }
    for (const std::size_t at : {2U, 3U}) {
        EXPECT_THAT(line[at].at("MESSAGE").get<std::string>(),
                    AllOf(HasSubstr(" first xxxxx"), EndsWith(" bytes left out]")));
    }
}

TEST_F(Log, in_a_user_namespace_it_says_so) {
    for (const char* way : {"unshare -Ur", "unshare -U"}) {
        const Result refused = host.as("alice", std::string(way) + " jit-sudo -n id");
        EXPECT_EQ(refused.status, 1) << refused;
        EXPECT_THAT(refused.err, HasSubstr("this is a user namespace")) << way << refused;
    }
}

} // namespace
} // namespace jit::host
