// SPDX-License-Identifier: MIT
#include "core/text.h"
#include "ctl_run_kit.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

namespace jit {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

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
    r["left_behind"] = {{"count", 1}, {"left", {nasty}}, {"problems", {nasty}}};
    r["review"] = {{"due", 0}, {"at", 1}, {"by", nasty}, {"reason", nasty}, {"yours", false}};
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
        check(jitctl({"review"}, {replies({{"requests", {r}}, {"left_out", 0}})}).out);
        check(jitctl({"review", "7f3a"}, {replies(reply_of(r))}).out);
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

// Of a command that is granted that line is the answer; what isn't goes to standard error.
TEST(CtlExplain, of_what_is_there_now_answers_on_standard_output) {
    const auto answer = [](const char* verdict) {
        return Json{{"verdict", verdict}, {"grants", {"7f3a"}}, {"roles", Json::array()}, {"help", ""}};
    };
    const std::vector<std::string> command{"explain", "--now", "--", "/usr/bin/ls"};
    const std::vector<std::string> login{"explain", "--now", "--login", "sshd"};
    EXPECT_EQ(jitctl(command, {replies(answer("granted"))}).out, "/usr/bin/ls\n");
    EXPECT_THAT(jitctl(login, {replies(answer("granted"))}).out, HasSubstr("granted now, by 7f3a"));
    for (const auto& what : {command, login}) {
        const Ran refused = jitctl(what, {replies(answer("refused"))});
        EXPECT_EQ(refused.out, "");
        EXPECT_THAT(refused.err, HasSubstr("refused"));
    }
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
    Json status{{"version", "0.1.0"}, {"now", 1'000'000},       {"started", 0},
                {"policy_loaded", 0}, {"policy_current", true}, {"policy_problems", Json::array()},
                {"roles", 3},         {"pending", 1},           {"active", 2},
                {"locks", 1},         {"to_review", 4},         {"clock_synchronised", true}};
    EXPECT_THAT(jitctl({"status"}, {replies(status)}).out,
                AllOf(HasSubstr("0.1.0, up 16 min"), HasSubstr("3 roles"), HasSubstr("1 pending, 2 active"),
                      HasSubstr("1, see jitctl locks"), HasSubstr("4 due, see jitctl review")));
    status["policy_current"] = false;
    EXPECT_THAT(jitctl({"status"}, {replies(status)}).out, HasSubstr("BROKEN"));
}

} // namespace
} // namespace jit
