// SPDX-License-Identifier: MIT
#include "core/text.h"
#include "ctl_fake_jitd.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
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

std::int64_t in(std::chrono::milliseconds later) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return (std::chrono::duration_cast<std::chrono::milliseconds>(now) + later).count();
}

Json request(const std::string& state) {
    const std::int64_t filed = in(-std::chrono::minutes(1));
    Json r{{"id", "7f3a"},
           {"state", state},
           {"role", "web-ops"},
           {"title", "Web tier"},
           {"person", "alice"},
           {"account", "alice"},
           {"uid", 1000},
           {"requester", "alice"},
           {"scope",
            {{"run_as", {"root"}},
             {"commands", {"/usr/bin/systemctl restart nginx"}},
             {"groups", {"adm"}},
             {"memberships", Json::array()},
             {"login", {"sshd"}}}},
           {"reason", "nginx stuck"},
           {"duration", 3'600'000},
           {"filed", filed},
           {"stages",
            {{{"from", "oncall"},
              {"members", {"bob", "carol", "@sre-leads"}},
              {"count", 1},
              {"is_signed", false},
              {"missing", state == "pending" ? 1 : 0}}}},
           {"answers", Json::array()},
           {"yours_to_answer", false}};
    if (state == "pending") {
        r["answer_by"] = in(std::chrono::hours(24));
    } else {
        r["answers"].push_back({{"person", "bob"},
                                {"account", "bob"},
                                {"approves", state != "denied"},
                                {"reason", "fine"},
                                {"at", filed + 41'000}});
    }
    if (state == "active" || state == "ended") {
        r["not_before"] = filed;
        r["not_after"] = in(std::chrono::minutes(59) + std::chrono::seconds(30));
    }
    if (state == "ended") {
        r["cause"] = "expired";
    }
    return r;
}

Json with(Json object, const char* key, const Json& value) {
    object[key] = value;
    return object;
}
Json reply_of(const Json& request) {
    return {{"request", request}};
}

const std::vector<std::string> ask{"request", "web-ops", "--reason", "nginx stuck"};
std::vector<std::string> ask_and(const std::vector<std::string>& more) {
    std::vector<std::string> all = ask;
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

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

// ---- showing

TEST(CtlList, is_a_table) {
    const Json pending = with(with(request("pending"), "id", "00aa11"), "yours_to_answer", true);
    const Ran ran = jitctl({"list"}, {replies({{"requests", {request("active"), pending}}})});
    EXPECT_EQ(ran.exit, 0);
    std::istringstream lines(ran.out);
    std::string head;
    std::string first;
    std::string second;
    std::getline(lines, head);
    std::getline(lines, first);
    std::getline(lines, second);
    EXPECT_THAT(head, StartsWith("ID      STATE    ROLE     FOR  WHO    UNTIL/ANSWER-BY"));
    EXPECT_THAT(first, StartsWith("7f3a    active   web-ops  1h   alice  "));
    EXPECT_THAT(second, StartsWith("00aa11  pending  web-ops  1h   alice  "));
    EXPECT_EQ(head.find("REASON"), first.find("nginx stuck"));
    EXPECT_EQ(head.find("REASON"), second.find("nginx stuck"));
    EXPECT_THAT(ran.out, HasSubstr("waiting for your answer: 00aa11 ("));
}

TEST(CtlList, of_ones_own_says_what_each_allows) {
    const Json granted_by_bob = with(request("active"), "requester", "bob");
    const Ran ran =
        jitctl({"list", "--mine"}, {replies({{"requests", {granted_by_bob, request("pending")}}})});
    EXPECT_EQ(ran.exit, 0);
    EXPECT_THAT(ran.out, AllOf(StartsWith("7f3a  web-ops until "), HasSubstr(" min)\n"),
                               HasSubstr("    /usr/bin/systemctl restart nginx\n"),
                               HasSubstr("through sshd\n"), HasSubstr("jitctl release 7f3a\n"),
                               HasSubstr("request 7f3a (web-ops, 1h) is pending: ")));
    EXPECT_THAT(jitctl({"list", "--mine"}, {replies({{"requests", Json::array()}})}).out,
                HasSubstr("jitctl explain"));
    EXPECT_EQ(jitctl({"list", "--mine", "--now"}, {replies({{"requests", {request("pending")}}})}).exit, 1);
    EXPECT_EQ(jitctl({"list", "--mine", "--now"}, {replies({{"requests", {granted_by_bob}}})}).exit, 0);
    EXPECT_EQ(jitctl({"list", "--now"}, {}).exit, 2);
    EXPECT_EQ(jitctl({"list", "--mine", "--all"}, {}).exit, 2);
}

TEST(CtlList, that_is_empty_says_so) {
    EXPECT_EQ(jitctl({"list"}, {replies({{"requests", Json::array()}})}).out,
              "no requests that concern you\n");
}

TEST(CtlShow, tells_all_there_is) {
    const Ran ran =
        jitctl({"show", "7f3a"}, {replies(reply_of(with(request("pending"), "yours_to_answer", true)))});
    for (const char* expected :
         {"id:         7f3a\n", "state:      pending\n", "role:       web-ops (Web tier)\n",
          "for:        alice (account alice, uid 1000)\n", "reason:     nginx stuck\n", "duration:   1h\n",
          "command:    /usr/bin/systemctl restart nginx\n", "login:      sshd\n",
          "stage:      oncall: 1 of 1 missing (bob, carol, @sre-leads)\n", "jitctl approve 7f3a"}) {
        EXPECT_THAT(ran.out, HasSubstr(expected));
    }
    EXPECT_THAT(jitctl({"show", "7f3a"}, {replies(reply_of(request("active")))}).out,
                AllOf(HasSubstr("stage:      oncall: has approved\n"),
                      HasSubstr("answer:     approved by bob after 41 s: fine, ")));
}

TEST(CtlShow, nothing_that_somebody_wrote_reaches_the_terminal_as_it_is) {
    const std::string nasty = "a\x1b]0;x\x07\r\n\u202e\u200b\xc2\x9b b";
    Json r = request("active");
    for (const char* key : {"role", "title", "person", "account", "requester", "reason", "ticket", "ended_by",
                            "ended_reason", "extends"}) {
        r[key] = nasty;
    }
    for (auto& [key, list] : r["scope"].items()) {
        list = {nasty};
    }
    r["stages"][0]["from"] = nasty;
    r["stages"][0]["members"] = {nasty};
    r["stages"][0]["missing"] = 1;
    r["answers"][0]["person"] = nasty;
    r["answers"][0]["reason"] = nasty;
    const auto check = [](const std::string& out) {
        std::string lines = out;
        std::ranges::replace(lines, '\n', ' ');
        EXPECT_TRUE(is_printable(lines)) << out;
        EXPECT_THAT(out, HasSubstr("\\u{202e}"));
    };
    for (const char* state : {"active", "pending", "ended", "denied"}) {
        r["state"] = state;
        check(jitctl({"show", "7f3a"}, {replies(reply_of(r))}).out);
        check(jitctl({"list"}, {replies({{"requests", {r}}})}).out);
        check(jitctl(ask, {replies(reply_of(r))}).out);
        check(jitctl({"approve", "7f3a"}, {replies(reply_of(r))}).out);
        check(jitctl({"watch", "7f3a"}, {streams({reply_of(request("pending")), reply_of(r)}),
                                         streams({reply_of(request("ended"))})})
                  .out +
              "\\u{202e}");
    }
    const Json event{{"seq", 1},
                     {"body", to_line({{"seq", 1}, {"at", 0}, {"kind", nasty}, {nasty, nasty}})},
                     {"hash", ""}};
    check(jitctl({"audit"}, {streams({{{"events", {event}}}})}).out);
    check(jitctl({"show", "7f3a"}, {refuses("Refused", nasty)}).err);
    const Json yes{{"ok", true}, {"text", nasty}};
    const Json role{{"role", nasty}, {"who", yes}, {"what", yes}, {"where", yes}, {"when", yes}};
    for (const char* verdict : {"granted", "available", "refused"}) {
        check(
            jitctl({"explain", "--login", "sshd"},
                   {replies({{"verdict", verdict}, {"grants", {nasty}}, {"roles", {role}}, {"help", nasty}})})
                .out);
    }
}

TEST(CtlShow, an_answer_of_the_wrong_shape_is_an_error) {
    for (const char* key : {"id", "state", "role", "scope", "duration", "filed", "stages", "answers"}) {
        for (const Json& wrong :
             {Json(-1), Json("x y"), Json(true), Json(1e300), Json(18446744073709551615ULL)}) {
            if (std::string_view(key) == "role" && wrong.is_string()) {
                continue;
            }
            const Ran ran =
                jitctl({"show", "7f3a"}, {replies(reply_of(with(request("pending"), key, wrong)))});
            EXPECT_EQ(ran.exit, 8) << key << wrong;
            EXPECT_THAT(ran.err, HasSubstr("makes no sense"));
        }
    }
    EXPECT_EQ(jitctl({"list"}, {replies(Json::object())}).exit, 8);
    EXPECT_EQ(jitctl({"status"}, {replies({{"version", 1}})}).exit, 8);
}

TEST(CtlExplain, says_who_what_where_when_and_what_to_type) {
    const auto check = [](bool ok, const char* text) { return Json{{"ok", ok}, {"text", text}}; };
    const Json answer{{"verdict", "available"},
                      {"grants", Json::array()},
                      {"roles",
                       {{{"role", "other"},
                         {"who", check(false, "for @dba")},
                         {"what", check(true, "all")},
                         {"where", check(true, "here")},
                         {"when", check(false, "not granted now")}},
                        {{"role", "web-ops"},
                         {"who", check(true, "in @sre")},
                         {"what", check(true, "all")},
                         {"where", check(true, "here")},
                         {"when", check(false, "not granted now")}}}},
                      {"help", "Ask in #ops"}};
    EXPECT_EQ(jitctl({"explain", "--login", "sshd"}, {replies(answer)}).out,
              "you: log in through sshd?\n"
              "other\n"
              "  who    no   for @dba\n"
              "  what   yes  all\n"
              "  where  yes  here\n"
              "  when   no   not granted now\n"
              "web-ops\n"
              "  who    yes  in @sre\n"
              "  what   yes  all\n"
              "  where  yes  here\n"
              "  when   no   not granted now\n"
              "available on request:\n"
              "  jitctl request web-ops --reason TEXT\n");
    EXPECT_THAT(jitctl({"explain", "--user", "alice", "--", "/usr/bin/ls", "a b"}, {replies(answer)}).out,
                AllOf(StartsWith("alice: run /usr/bin/ls 'a b' as root?\n"),
                      HasSubstr("on request of alice:\n  jitctl request web-ops --reason TEXT\n")));
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

// ---- policy

TEST(CtlPolicy, check_of_a_file_needs_no_jitd) {
    const TemporaryDirectory directory;
    const auto write = [&](const char* name, const char* text) {
        std::ofstream(directory.file(name)) << text;
        return directory.file(name);
    };
    const Ran good = jitctl({"policy", "check", write("good.toml", "[site]\nhelp = \"x\"\n")});
    EXPECT_EQ(good.exit, 0) << good.out;
    EXPECT_EQ(good.out, "policy is good: 0 roles\n");
    const Ran bad = jitctl({"policy", "check", write("bad.toml", "[role.x]\nrisk = 7\n")});
    EXPECT_EQ(bad.exit, 6);
    EXPECT_THAT(bad.out, AllOf(HasSubstr("bad.toml:"), HasSubstr("role.x")));
    const Ran json = jitctl({"--json", "policy", "check", directory.file("bad.toml")});
    EXPECT_EQ(json.exit, 6);
    EXPECT_EQ(parse_json(json.out).value()["good"], false);
}

TEST(CtlPolicy, reload_of_a_broken_one_ends_with_6) {
    const Json problem{{"severity", "error"},
                       {"file", "policy.toml"},
                       {"line", 12},
                       {"key", "role.x.max"},
                       {"message", "missing"}};
    const Ran ran = jitctl({"policy", "reload"}, {replies({{"taken", false}, {"problems", {problem}}})});
    EXPECT_EQ(ran.exit, 6);
    EXPECT_THAT(ran.out, AllOf(HasSubstr("policy.toml:12: role.x.max: missing\n"), HasSubstr("NOT taken")));
}

TEST(CtlStatus, shouts_where_the_policy_is_not_the_one_in_the_files) {
    Json status{{"version", "0.1.0"},
                {"now", 1'000'000},
                {"started", 0},
                {"policy_loaded", 0},
                {"policy_current", true},
                {"policy_problems", Json::array()},
                {"roles", 3},
                {"pending", 1},
                {"active", 2},
                {"clock_synchronised", true}};
    EXPECT_THAT(jitctl({"status"}, {replies(status)}).out,
                AllOf(HasSubstr("0.1.0, up 16 min"), HasSubstr("3 roles"), HasSubstr("1 pending, 2 active")));
    status["policy_current"] = false;
    EXPECT_THAT(jitctl({"status"}, {replies(status)}).out, HasSubstr("BROKEN"));
}

} // namespace
} // namespace jit
