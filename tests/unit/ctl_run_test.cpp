// SPDX-License-Identifier: MIT
#include "ctl_run_kit.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <pthread.h>

namespace jit {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// ---- the command line

TEST(CtlUsage, an_error_says_what_and_where_to_look_and_ends_with_2) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> table = {
        {{}, "jitctl --help"},
        {{"frobnicate"}, "frobnicate"},
        {{"request"}, "ROLE is required"},
        {{"request", "web-ops"}, "--reason is required"},
        {{"request", "web-ops", "--reason", " "}, "--reason is empty"},
        {{"request", "web-ops", "--reason", "x", "--for", "1"}, "--for 1"},
        {{"request", "web-ops", "--reason", "x", "--fro", "1h"}, "--fro"},
        {{"show", "XYZ"}, "no request id"},
        {{"approve", "7f3a", "../etc"}, "no request id"},
        {{"deny", "7f3a"}, "--reason is required"},
        {{"list", "--limit", "0"}, "--limit"},
        {{"list", "more"}, "more"},
        {{"policy"}, "jitctl policy --help"},
        {{"pam"}, "jitctl pam --help"},
        {{"pam", "enable"}, "SERVICE is required"},
        {{"pam", "enable", "sshd", "--mode", "loud"}, "--mode"},
        {{"explain"}, "one thing to explain"},
        {{"explain", "--login", "sshd", "--group", "adm"}, "one thing to explain"},
        {{"explain", "--run-as", "bob", "--login", "sshd"}, "--run-as"},
        {{"explain", "--frobnicate", "--", "ls"}, "no option --frobnicate"},
        {{"explain", "--", "no-such-command-anywhere"}, "give its full path"},
        {{"explain", "--", "./ls"}, "full path"},
        {{"show", "\xff\xfe"}, "argument 2 is not UTF-8"},
        {{"audit", "--after", "-1"}, "--after"},
    };
    for (const auto& [arguments, expected] : table) {
        const Ran ran = jitctl(arguments);
        EXPECT_EQ(ran.exit, 2) << ran.err;
        EXPECT_THAT(ran.err, AllOf(StartsWith("jitctl: "), HasSubstr(expected)));
        EXPECT_THAT(ran.out, IsEmpty());
    }
}

TEST(CtlUsage, what_was_typed_is_escaped_too) {
    const Ran ran = jitctl({"show", "\x1b[2J"});
    EXPECT_THAT(ran.err, AllOf(Not(HasSubstr("\x1b")), HasSubstr("x1b")));
}

TEST(CtlUsage, help_is_there_for_every_verb) {
    for (const std::vector<std::string>& verb : std::vector<std::vector<std::string>>{{},
                                                                                      {"request"},
                                                                                      {"grant"},
                                                                                      {"extend"},
                                                                                      {"list"},
                                                                                      {"show"},
                                                                                      {"watch"},
                                                                                      {"approve"},
                                                                                      {"deny"},
                                                                                      {"cancel"},
                                                                                      {"release"},
                                                                                      {"revoke"},
                                                                                      {"explain"},
                                                                                      {"audit"},
                                                                                      {"audit", "verify"},
                                                                                      {"policy"},
                                                                                      {"policy", "check"},
                                                                                      {"policy", "reload"},
                                                                                      {"status"},
                                                                                      {"clock"},
                                                                                      {"clock", "reset"},
                                                                                      {"pam"},
                                                                                      {"pam", "enable"},
                                                                                      {"pam", "disable"},
                                                                                      {"pam", "status"},
                                                                                      {"version"}}) {
        std::vector<std::string> arguments = verb;
        arguments.emplace_back("--help");
        const Ran ran = jitctl(arguments);
        EXPECT_EQ(ran.exit, 0);
        EXPECT_THAT(ran.out, AllOf(HasSubstr("Usage: jitctl"), HasSubstr("--json")));
        EXPECT_THAT(ran.err, IsEmpty());
    }
}

TEST(CtlUsage, version_is_said_three_ways) {
    EXPECT_EQ(jitctl({"version"}).out, jitctl({"--version"}).out);
    EXPECT_TRUE(parse_json(jitctl({"version", "--json"}).out).value().contains("version"));
}

TEST(CtlUsage, a_role_may_be_called_like_a_verb) {
    std::vector<Json> calls;
    EXPECT_EQ(
        jitctl({"request", "status", "--reason", "x"}, {replies(reply_of(request("active")))}, &calls).exit,
        0);
    EXPECT_EQ(calls.at(0)["parameters"]["role"], "status");
}

// ---- what jitd is asked

TEST(CtlCalls, a_request_carries_what_was_typed_and_nothing_else) {
    std::vector<Json> calls;
    (void)jitctl({"request", "web-ops", "--for", "1h30m", "--reason", "--odd", "--ticket", "INC-1",
                  "--command", "/bin/a [b,c]", "--command", "/bin/d", "--group", "adm"},
                 {replies(reply_of(request("active")))}, &calls);
    EXPECT_EQ(
        to_line(calls.at(0)),
        R"({"method":"io.jitsudo.Access.Request","parameters":{"role":"web-ops","ticket":"INC-1",)"
        R"("commands":["/bin/a [b,c]","/bin/d"],"groups":["adm"],"reason":"--odd","duration":5400000}})");
    (void)jitctl(ask, {replies(reply_of(request("active")))}, &calls);
    EXPECT_EQ(to_line(calls.at(0)["parameters"]), R"({"role":"web-ops","reason":"nginx stuck"})");
}

TEST(CtlCalls, a_command_to_explain_is_taken_word_by_word) {
    const Json answer{
        {"verdict", "refused"}, {"grants", Json::array()}, {"roles", Json::array()}, {"help", ""}};
    const std::vector<std::pair<std::vector<std::string>, Json>> table = {
        {{"explain", "--", "/usr/bin/ls", "-l", "--json", "[a,b]", ""},
         {"/usr/bin/ls", "-l", "--json", "[a,b]", ""}},
        {{"explain", "--command", "--", "/usr/bin/ls", "--", "x"}, {"/usr/bin/ls", "--", "x"}},
        {{"explain", "--command", "/usr/bin/ls", "-u", "x"}, {"/usr/bin/ls", "-u", "x"}},
        {{"explain", "/usr/bin/ls", "--", "-u"}, {"/usr/bin/ls", "--", "-u"}},
        {{"explain", "--command", "/usr/bin/ls  -l /tmp"}, {"/usr/bin/ls", "-l", "/tmp"}},
        {{"explain", "--", "/usr/bin/my ls"}, {"/usr/bin/my ls"}},
    };
    for (const auto& [arguments, command] : table) {
        std::vector<Json> calls;
        const Ran ran = jitctl(arguments, {replies(answer)}, &calls);
        EXPECT_EQ(ran.exit, 1) << ran.err;
        ASSERT_EQ(calls.size(), 1U) << ran.err;
        EXPECT_EQ(calls.at(0)["parameters"]["command"], command);
    }
}

// ---- asking and waiting

TEST(CtlRequest, granted_at_once_says_until_when_and_how_to_use_it) {
    const Ran ran = jitctl(ask, {replies(reply_of(request("active")))});
    EXPECT_EQ(ran.exit, 0);
    EXPECT_THAT(ran.out, AllOf(StartsWith("granted: web-ops until "), HasSubstr("(59 min), id 7f3a\n"),
                               HasSubstr("/usr/bin/systemctl restart nginx"), HasSubstr("jit-sudo"),
                               HasSubstr("jitctl release 7f3a")));
}

TEST(CtlRequest, of_very_many_commands_the_first_are_shown) {
    Json granted = request("active");
    for (int number = 1; number < 30; ++number) {
        granted["scope"]["commands"].push_back("/usr/bin/true " + std::to_string(number));
    }
    const Ran ran = jitctl(ask, {replies(reply_of(granted))});
    EXPECT_THAT(ran.out, AllOf(HasSubstr("/usr/bin/true 9\n"), Not(HasSubstr("/usr/bin/true 10")),
                               HasSubstr("… and 20 more: jitctl show 7f3a\n")));
    const Ran listed = jitctl({"list", "--mine", "--now"}, {replies({{"requests", {granted}}})});
    EXPECT_THAT(listed.out, HasSubstr("/usr/bin/true 29\n"));
}

TEST(CtlRequest, pending_says_who_must_approve_and_how_to_follow) {
    const Ran ran = jitctl(ask, {replies(reply_of(request("pending")))});
    EXPECT_EQ(ran.exit, 0);
    EXPECT_THAT(ran.out,
                AllOf(StartsWith("request 7f3a (web-ops, 1h) is pending: one of oncall must approve (bob, "
                                 "carol, @sre-leads) until "),
                      HasSubstr("jitctl watch 7f3a"), HasSubstr("jitctl cancel 7f3a")));
}

TEST(CtlRequest, a_refusal_is_shown_as_it_is) {
    const Ran ran =
        jitctl(ask, {refuses("Refused", "alice is not eligible for role web-ops; jitctl request web-ro")});
    EXPECT_EQ(ran.exit, 1);
    EXPECT_EQ(ran.err, "jitctl: alice is not eligible for role web-ops; jitctl request web-ro\n");
    EXPECT_THAT(ran.out, IsEmpty());
}

TEST(CtlWait, each_change_is_told_until_it_is_granted) {
    Json half = request("pending");
    half["answers"].push_back({{"person", "dora"},
                               {"account", "dora"},
                               {"approves", true},
                               {"at", half["filed"].get<std::int64_t>() + 5000}});
    Json active = request("active");
    active["answers"].insert(active["answers"].begin(), half["answers"][0]);
    std::vector<Json> calls;
    const Ran ran = jitctl(ask_and({"--wait"}),
                           {replies(reply_of(request("pending"))),
                            streams({reply_of(request("pending")), reply_of(half), reply_of(active)})},
                           &calls);
    EXPECT_EQ(ran.exit, 0) << ran.err;
    EXPECT_THAT(ran.out,
                StartsWith("request 7f3a (web-ops, 1h) is pending: one of oncall must approve (bob, carol, "
                           "@sre-leads). Waiting, Ctrl-C leaves it pending …\n"
                           "approved by dora after 5 s\n"
                           "still waiting: one of oncall must approve (bob, carol, @sre-leads)\n"
                           "approved by bob after 41 s: fine\n"
                           "granted: web-ops until "));
    EXPECT_EQ(calls.at(1)["method"], "io.jitsudo.Access.Watch");
    EXPECT_EQ(calls.at(1)["more"], true);
}

TEST(CtlWait, how_it_went_is_the_exit_code) {
    const std::vector<std::pair<std::string, int>> table = {
        {"active", 0}, {"denied", 1}, {"ended", 1}, {"cancelled", 5}, {"timed_out", 5}};
    for (const auto& [state, exit] : table) {
        const Ran ran = jitctl(ask_and({"--wait"}),
                               {replies(reply_of(request("pending"))), streams({reply_of(request(state))})});
        EXPECT_EQ(ran.exit, exit) << state << ran.out << ran.err;
    }
}

TEST(CtlWait, a_restart_of_jitd_in_between_is_not_noticed) {
    std::vector<Json> calls;
    Scripted lost{.bytes = message({{"parameters", reply_of(request("pending"))}, {"continues", true}}),
                  .hang_up = true,
                  .then = {}};
    const Ran ran = jitctl(ask_and({"--wait"}),
                           {replies(reply_of(request("pending"))), lost,
                            streams({reply_of(request("pending")), reply_of(request("active"))})},
                           &calls);
    EXPECT_EQ(ran.exit, 0) << ran.err;
    EXPECT_EQ(calls.size(), 3U);
    EXPECT_EQ(std::ranges::count(ran.out, '\n'), 8) << ran.out; // nothing is told twice
}

TEST(CtlWait, ctrl_c_leaves_it_pending_and_says_so) {
    const pthread_t here = pthread_self();
    Scripted waiting{.bytes = message({{"parameters", reply_of(request("pending"))}, {"continues", true}}),
                     .then = [here] { pthread_kill(here, SIGINT); }};
    const Ran ran = jitctl(ask_and({"--wait"}), {replies(reply_of(request("pending"))), waiting});
    EXPECT_EQ(ran.exit, 130);
    EXPECT_THAT(ran.err, AllOf(HasSubstr("7f3a stays pending"), HasSubstr("jitctl watch 7f3a")));
}

// A terminal at which somebody types Ctrl-C the moment they read that they may.
class QuickHand : public std::stringbuf {
protected:
    std::streamsize xsputn(const char* text, std::streamsize size) override {
        const std::streamsize put = std::stringbuf::xsputn(text, size);
        if (!typed_ && str().find("Ctrl-C leaves it pending") != std::string::npos) {
            typed_ = true;
            (void)raise(SIGINT);
        }
        return put;
    }

private:
    bool typed_ = false;
};

TEST(CtlWait, ctrl_c_at_once_leaves_it_pending_as_well) {
    FakeJitd jitd({replies(reply_of(request("pending"))), streams({reply_of(request("pending"))})});
    QuickHand hand;
    std::ostream out(&hand);
    std::ostringstream err;
    const std::string path = jitd.path();
    const std::array<const char*, 8> argv{"jitctl",   "--socket", path.c_str(), "request",
                                          "--reason", "test",     "web-ops",    "--wait"};
    EXPECT_EQ(run(static_cast<int>(argv.size()), argv.data(), out, err), 130);
    EXPECT_THAT(err.str(), HasSubstr("7f3a stays pending"));
}

TEST(CtlWatch, goes_on_until_it_is_over) {
    const Ran ran =
        jitctl({"watch", "7f3a"}, {streams({reply_of(request("active")), reply_of(request("ended"))})});
    EXPECT_EQ(ran.exit, 0);
    EXPECT_THAT(ran.out, AllOf(StartsWith("granted: web-ops"),
                               HasSubstr("request 7f3a (web-ops) is ended (expired)")));
}

// ---- answering

TEST(CtlApprove, says_where_that_leaves_the_request) {
    const Ran ran = jitctl({"approve", "7f3a"}, {replies(reply_of(request("active")))});
    EXPECT_EQ(ran.exit, 0);
    EXPECT_THAT(ran.out, StartsWith("approved 7f3a: web-ops for alice, active until "));
    EXPECT_THAT(jitctl({"approve", "7f3a"}, {replies(reply_of(request("pending")))}).out,
                HasSubstr("still pending: one of oncall must approve"));
}

TEST(CtlApprove, one_that_fails_keeps_none_of_the_others) {
    std::vector<Json> calls;
    const Ran ran = jitctl({"approve", "7f3a", "0000", "abcd"},
                           {replies(reply_of(request("active"))), refuses("NotFound", "no request 0000"),
                            refuses("Refused", "your own")},
                           &calls);
    EXPECT_EQ(ran.exit, 3);
    EXPECT_EQ(calls.size(), 3U);
    EXPECT_THAT(ran.out, HasSubstr("approved 7f3a"));
    EXPECT_EQ(ran.err, "jitctl: 0000: no request 0000\njitctl: abcd: your own\n");
}

// ---- JSON

TEST(CtlJson, is_the_replies_parameters_and_nothing_else) {
    const std::string reason = "a\x1b[2J \u202e";
    const Json sent = with(request("active"), "reason", reason);
    const std::vector<std::vector<std::string>> verbs = {{"--json", "show", "7f3a"},
                                                         {"show", "7f3a", "--json"},
                                                         {"request", "web-ops", "--reason", "x", "--json"},
                                                         {"approve", "7f3a", "--json"}};
    for (const auto& arguments : verbs) {
        const Ran ran = jitctl(arguments, {replies(reply_of(sent))});
        EXPECT_EQ(ran.exit, 0);
        EXPECT_EQ(std::ranges::count(ran.out, '\n'), 1);
        EXPECT_EQ(parse_json(ran.out).value(), reply_of(sent));
        EXPECT_THAT(ran.err, IsEmpty());
    }
}

TEST(CtlJson, an_error_is_one_document_with_the_same_exit_code) {
    const Ran ran = jitctl({"show", "7f3a", "--json"}, {refuses("NotFound", "no request 7f3a")});
    EXPECT_EQ(ran.exit, 3);
    EXPECT_EQ(ran.out, "{\"error\":\"not-found\",\"message\":\"no request 7f3a\"}\n");
    EXPECT_THAT(ran.err, IsEmpty());
    EXPECT_EQ(parse_json(jitctl({"--json", "frobnicate"}).out).value()["error"], "usage");
    const Ran away = jitctl({"list", "--json", "--socket", "/nonexistent"});
    EXPECT_EQ(away.exit, 4);
    EXPECT_EQ(parse_json(away.out).value()["error"], "unreachable");
}

TEST(CtlJson, waiting_prints_a_document_a_change) {
    const Ran ran = jitctl(ask_and({"--wait", "--json"}),
                           {replies(reply_of(request("pending"))), streams({reply_of(request("denied"))})});
    EXPECT_EQ(ran.exit, 1);
    EXPECT_EQ(std::ranges::count(ran.out, '\n'), 2);
}

// ---- output that fails

TEST(CtlOutput, that_can_not_be_written_is_an_error) {
    FakeJitd jitd({replies(reply_of(request("active")))});
    const std::string path = jitd.path();
    const std::vector<const char*> argv{"jitctl", "--socket", path.c_str(), "show", "7f3a"};
    std::ofstream full("/dev/full");
    std::ostringstream err;
    EXPECT_EQ(run(static_cast<int>(argv.size()), argv.data(), full, err), 8);
}

TEST(CtlOutput, that_is_closed_ends_a_stream) {
    const Json event{{"seq", 1}, {"body", R"({"seq":1,"at":0,"kind":"x"})"}, {"hash", ""}};
    FakeJitd jitd(
        {{.bytes = message({{"parameters", {{"events", {event}}}}, {"continues", true}}), .then = {}}});
    const std::string path = jitd.path();
    const std::vector<const char*> argv{"jitctl", "--socket", path.c_str(), "audit", "--follow"};
    std::ofstream full("/dev/full");
    std::ostringstream err;
    EXPECT_EQ(run(static_cast<int>(argv.size()), argv.data(), full, err), 8);
}

TEST(CtlOutput, whose_reader_has_gone_is_not_waited_for) {
    FakeJitd jitd(
        {{.bytes = message({{"parameters", {{"events", Json::array()}}}, {"continues", true}}), .then = {}}});
    const std::string path = jitd.path();
    const std::vector<const char*> argv{"jitctl", "--socket", path.c_str(), "audit", "--follow"};
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    close(ends[0]);
    const Fd write_end(ends[1]);
    std::ostringstream out;
    std::ostringstream err;
    EXPECT_EQ(run(static_cast<int>(argv.size()), argv.data(), out, err, write_end.get()), 8);
    EXPECT_EQ(out.str() + err.str(), "");
}

} // namespace
} // namespace jit
