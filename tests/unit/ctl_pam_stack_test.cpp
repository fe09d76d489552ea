// SPDX-License-Identifier: MIT
#include "tests/unit/pam_kit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace jit {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string comment = "# jit-sudo: see jitctl pam\n";
const std::string path = "/etc/pam.d/x";
constexpr auto login = ServiceKind::login;
constexpr auto called = ServiceKind::called;

std::string put(const std::string& text, ServiceKind kind, const Gate& gate = {}) {
    const auto gated = with_gate(path, text, kind, gate, read_known);
    return gated ? gated->text : "refused: " + gated.error().message;
}
std::string take(const std::string& text) {
    const auto bare = without_gate(path, text);
    return bare ? *bare : "refused: " + bare.error().message;
}

// The rules alone: no comments, no empty lines, one blank between words.
std::vector<std::string> rules(const std::string& text) {
    std::vector<std::string> result;
    std::string line;
    for (const char c : text + "\n") {
        if (c != '\n') {
            const bool blank = c == ' ' || c == '\t';
            line += !blank ? std::string(1, c) : line.empty() || line.back() == ' ' ? "" : " ";
        } else {
            if (!line.empty() && line.front() != '#') {
                result.push_back(line);
            }
            line.clear();
        }
    }
    return result;
}

// Each of our lines between its neighbours.
std::vector<std::string> placed(const std::string& text) {
    const auto all = rules(text);
    std::vector<std::string> result;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i].find("pam_jit") != std::string::npos) {
            result.push_back((i == 0 ? "" : all[i - 1]) + " | " + all[i] + " | " +
                             (i + 1 < all.size() ? all[i + 1] : ""));
        }
    }
    return result;
}

std::vector<std::string> findings(const std::string& text, ServiceKind kind) {
    const auto report = inspect_gate(path, text, kind, read_known);
    std::vector<std::string> result;
    if (!report) {
        return {"refused: " + report.error().message};
    }
    for (const GateFinding& finding : report->findings) {
        result.push_back(std::to_string(finding.line) + ": " + finding.message);
    }
    return result;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// ---- where the lines go

TEST(PamStack, on_debian_the_account_line_of_sshd_comes_before_common_account) {
    EXPECT_THAT(
        placed(put(debian_sshd, login)),
        ElementsAre("@include common-auth | auth optional pam_jit.so | account required pam_nologin.so",
                    "account required pam_nologin.so | account required pam_jit.so mode=enforce | "
                    "@include common-account",
                    "session optional pam_keyinit.so force revoke | session required pam_jit.so "
                    "mode=enforce | @include common-session"));
}

TEST(PamStack, of_login_on_debian_the_session_line_comes_between_loginuid_and_common_session) {
    EXPECT_THAT(placed(put(debian_login, login)),
                ElementsAre("@include common-auth | auth optional pam_jit.so | auth optional pam_group.so",
                            "session optional pam_keyinit.so force revoke | account required pam_jit.so "
                            "mode=enforce | @include common-account",
                            "@include common-account | session required pam_jit.so mode=enforce | @include "
                            "common-session"));
}

TEST(PamStack, on_enterprise_linux_the_account_line_of_sshd_comes_before_password_auth) {
    EXPECT_THAT(placed(put(el_sshd, login)),
                ElementsAre("auth substack password-auth | auth optional pam_jit.so | auth include postlogin",
                            "account required pam_nologin.so | account required pam_jit.so mode=enforce | "
                            "account include password-auth",
                            "session optional pam_motd.so | session required pam_jit.so mode=enforce | "
                            "session include password-auth"));
}

TEST(PamStack, a_service_that_people_call_gets_no_auth_line) {
    EXPECT_THAT(placed(put(debian_sudo, called)),
                ElementsAre("@include common-auth | account required pam_jit.so mode=enforce | @include "
                            "common-account",
                            "@include common-account | session required pam_jit.so mode=enforce | @include "
                            "common-session-noninteractive"));
    EXPECT_THAT(placed(put(debian_su, called)).size(), 2);
}

TEST(PamStack, nothing_that_ends_the_account_stack_stands_before_our_line) {
    EXPECT_THAT(placed(put(el_su, called)),
                ElementsAre("auth include postlogin | account required pam_jit.so mode=enforce | account "
                            "sufficient pam_succeed_if.so uid = 0 use_uid quiet",
                            "password include system-auth | session required pam_jit.so mode=enforce | "
                            "session include system-auth"));
    EXPECT_THAT(placed(put("account [success=1 default=ignore] pam_a.so\naccount required pam_b.so\n"
                           "account required pam_c.so\nsession required pam_d.so\n",
                           called)),
                ElementsAre(" | account required pam_jit.so mode=enforce | account [success=1 "
                            "default=ignore] pam_a.so",
                            "session required pam_d.so | session required pam_jit.so mode=enforce | "));
}

TEST(PamStack, the_lines_say_mode_only_and_exempt) {
    const std::string text =
        put(debian_sshd, login, {.mode = GateMode::warn, .only = "sre", .exempt = {"root", "bob"}});
    EXPECT_THAT(text, HasSubstr("session    required     pam_jit.so mode=warn only=sre exempt=root,bob\n"));
    const auto report = inspect_gate(path, text, login, read_known);
    ASSERT_TRUE(report && report->gate);
    EXPECT_EQ(*report->gate, (Gate{.mode = GateMode::warn, .only = "sre", .exempt = {"root", "bob"}}));
    EXPECT_THAT(report->findings, IsEmpty());
}

// ---- putting in and taking out

TEST(PamStack, what_was_put_in_is_taken_out_to_the_byte) {
    for (const auto& [text, kind] : std::vector<std::pair<std::string, ServiceKind>>{
             {debian_sshd, login},
             {debian_login, login},
             {el_sshd, login},
             {debian_su, called},
             {debian_sudo, called},
             {debian_sudo_i, called},
             {el_su, called},
             {"\taccount\trequired \\\n\t\tpam_a.so \\\n  x y\n\n-session optional pam_b.so\n", called},
             {"account required pam_a.so\nsession required pam_b.so", called},
             {"ACCOUNT Required [pam_a.so]\nsession [ default = ok ]pam_b.so [x \\] y]", called},
             {comment + "account required pam_a.so\nsession required pam_b.so\n" + comment, called}}) {
        const std::string gated = put(text, kind);
        EXPECT_THAT(gated, HasSubstr("pam_jit.so"));
        EXPECT_EQ(take(gated), text);
        EXPECT_EQ(take(text), text);
        EXPECT_THAT(findings(gated, kind), IsEmpty()) << gated;
    }
}

TEST(PamStack, putting_in_the_same_again_changes_nothing) {
    const std::string once = put(el_sshd, login);
    EXPECT_EQ(put(once, login), once);
}

TEST(PamStack, other_options_rewrite_the_lines_where_they_are) {
    const std::string audit = put(debian_sshd, login, {.mode = GateMode::audit, .only = {}, .exempt = {}});
    EXPECT_EQ(put(audit, login), put(debian_sshd, login));
    EXPECT_EQ(take(put(audit, login)), debian_sshd);
}

TEST(PamStack, lines_that_somebody_wrote_or_moved_are_taken_out_too) {
    EXPECT_EQ(take("account required /usr/lib/security/pam_jit.so \\\n mode=warn # mine\nauth required "
                   "pam_a.so\n-session optional pam_jit.so\n"),
              "auth required pam_a.so\n");
}

// ---- what isn't touched

TEST(PamStack, what_cannot_be_understood_is_refused_with_its_line) {
    const std::vector<std::pair<std::string, std::string>> table = {
        {"", "no account rules"},
        {"# nothing\n", "no account rules"},
        {debian_runuser, "no account rules"},
        {"account required pam_a.so\n", "no session rules"},
        {"account required pam_a.so\r\n", "x:1: ends in a carriage return"},
        {"\naccount [success=ok pam_a.so\n", "x:2: a [ without its ]"},
        {"account [success=perhaps] pam_a.so\n", "x:1: 'success=perhaps' is no control"},
        {"account [success=0] pam_a.so\n", "no control"},
        {"account [sucess=ok] pam_a.so\n", "no control"},
        {"account mandatory pam_a.so\n", "'mandatory' is no control"},
        {"acount required pam_a.so\n", "'acount' is no type"},
        {"account\n", "no control"},
        {"account required\n", "without a module"},
        {"account required pam_a.so \\", "ends in a \\"},
        {"account required pam_a.so \\ \nx\n", "x:1: whether a rule goes on"},
        {"account required \\\n\npam_a.so\n", "x:2: whether a rule goes on"},
        {"account required \\\n# no\npam_a.so\n", "x:2: whether a rule goes on"},
        {"# comment \\\naccount required pam_a.so\n", "x:1: whether a rule goes on"},
        {"account required pam_a.so # c \\\nx\n", "x:1: whether a rule goes on"},
        {"account required pam_a.so \\#\n", "x:1: \\# in a rule"},
        {std::string("account required pam_a.so\0\n", 27), "control character"},
        {"# " + std::string(1100, 'x') + "\n", "longer than"},
        {"account include common-account more\n", "something follows"},
        {"account include nowhere\nsession required pam_a.so\n", "x:1: includes nowhere: no such file"},
        {"account include endless\nsession required pam_a.so\n", "too deeply"},
        {"account include gated\nsession required pam_a.so\n", "a line of ours already"},
        {"account include resets\nsession required pam_a.so\n", "resets:1: this rule makes PAM forget"},
        {"account required pam_\x1b[2J.so\n", "control character"},
    };
    for (const auto& [text, expected] : table) {
        EXPECT_THAT(put(text, called), AllOf(HasSubstr("refused: "), HasSubstr(expected))) << text;
    }
}

TEST(PamStack, an_empty_stack_stays_empty_because_a_first_line_would_replace_other) {
    EXPECT_THAT(put("account required pam_a.so\nsession required pam_loginuid.so\n", login),
                HasSubstr("no auth rules"));
    EXPECT_THAT(put("account required pam_a.so\n@include common-auth\n", called),
                HasSubstr("no session rules"));
}

TEST(PamStack, no_line_is_put_where_anothers_jump_counts_over_it) {
    const std::string rest = "account required pam_a.so\nsession required pam_loginuid.so\n";
    EXPECT_THAT(put("auth [success=1 default=ignore] pam_a.so\nauth substack common-auth\nauth required "
                    "pam_b.so\n" +
                        rest,
                    login),
                HasSubstr("auth       optional     pam_jit.so"));
    EXPECT_THAT(put("auth [success=2 default=ignore] pam_a.so\nauth substack common-auth\nauth required "
                    "pam_b.so\n" +
                        rest,
                    login),
                HasSubstr("x:1: this rule jumps over"));
}

TEST(PamStack, a_login_uid_that_is_set_too_late_is_refused_and_one_that_is_never_set_is_said) {
    const std::string late = "auth required pam_a.so\naccount required pam_a.so\n@include common-session\n"
                             "session required pam_loginuid.so\n";
    EXPECT_THAT(put(late, login), HasSubstr("x:4: pam_loginuid.so must come before"));
    const auto without = with_gate(path,
                                   "auth required pam_a.so\naccount required pam_a.so\n@include "
                                   "common-session\n",
                                   login, {}, read_known);
    ASSERT_TRUE(without);
    EXPECT_THAT(without->notes, ElementsAre(HasSubstr("no pam_loginuid.so")));
}

// ---- what is wrong with lines that are there

TEST(PamStatus, an_account_line_after_what_can_end_the_stack_is_wrong) {
    const std::string line = comment + "account    required     pam_jit.so mode=enforce\n";
    const std::string moved = replaced(replaced(put(debian_sshd, login), line, ""),
                                       "@include common-account\n", "@include common-account\n" + line);
    EXPECT_THAT(findings(moved, login),
                ElementsAre(HasSubstr("common-account:1 can end the account stack with a yes")));
    EXPECT_THAT(
        findings("account [success=1 default=ignore] pam_a.so\naccount required pam_jit.so mode=warn\n"
                 "account [default=reset] pam_b.so\nsession required pam_jit.so mode=warn\n",
                 called),
        ElementsAre(HasSubstr("x:1 can jump over"), HasSubstr("x:3 makes PAM forget")));
}

TEST(PamStatus, missing_and_doubled_lines_and_wrong_arguments_are_said) {
    const std::string good = put(debian_sshd, login);
    const std::vector<std::pair<std::string, std::string>> table = {
        {replaced(good, "auth       optional     pam_jit.so\n", ""), "0: the auth line is missing"},
        {replaced(good, "session    required     pam_jit.so mode=enforce\n", ""),
         "the session line is missing"},
        {replaced(good, "auth       optional     pam_jit.so", "auth required pam_jit.so x"),
         "must be 'optional'"},
        {replaced(good, "mode=enforce", "mode=enforced"), "'mode=enforced' is no argument"},
        {replaced(good, "mode=enforce", "mode=warn"), "says other than the account line"},
        {replaced(good, "mode=enforce", "mode=enforce mode=warn"), "mode= is there twice"},
        {replaced(good, "mode=enforce", ""), "mode= is missing"},
        {replaced(good, "mode=enforce", "mode=enforce debug"), "'debug' is no argument"},
        {replaced(good, "mode=enforce", "mode=enforce exempt=bob"), "root isn't among the exempt"},
        {replaced(good, "mode=enforce", "mode=enforce exempt=root,,bob"), "is no argument"},
        {replaced(good, "account    required     pam_jit.so", "account optional pam_jit.so"),
         "must be 'required'"},
        {good + "account required pam_jit.so mode=enforce\n", "a second account line"},
        {good + "password required pam_jit.so\n", "password lines don't belong here"},
        {replaced(good, "session    required     pam_loginuid.so\n", "") +
             "session required pam_loginuid.so\n",
         "must come after /etc/pam.d/x:"},
        {replaced(good, "@include common-account\n", "@include nowhere\n"), "includes nowhere"},
    };
    for (const auto& [text, expected] : table) {
        EXPECT_THAT(findings(text, login), testing::Contains(HasSubstr(expected)));
    }
    EXPECT_THAT(
        findings(replaced(put(debian_su, called), "auth ", "auth optional pam_jit.so\nauth "), called),
        ElementsAre(HasSubstr("auth lines don't belong here")));
    EXPECT_THAT(findings(debian_sshd, login), IsEmpty());
}

TEST(PamStatus, a_session_line_after_pam_systemd_and_an_auth_line_before_the_includes_are_wrong) {
    const std::string line = comment + "session    required     pam_jit.so mode=enforce\n";
    const std::string late = replaced(replaced(put(debian_sshd, login), line, ""),
                                      "@include common-session\n", "@include common-session\n" + line);
    EXPECT_THAT(findings(late, login), ElementsAre(HasSubstr("session line must come before")));
    const std::string early = "auth optional pam_jit.so\n" +
                              replaced(put(debian_sshd, login), "auth       optional     pam_jit.so\n", "");
    EXPECT_THAT(findings(early, login), ElementsAre(HasSubstr("auth line must come after /etc/pam.d/x:")));
}

} // namespace
} // namespace jit
