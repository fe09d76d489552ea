// SPDX-License-Identifier: MIT
// jitctl watch without an id, and what of it prompts and status bars show.
#include "ctl_run_kit.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <functional>
#include <poll.h>
#include <pty.h>
#include <set>
#include <termios.h>
#include <unistd.h>

namespace jit {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

Json use(const char* id) {
    return {{"id", id},
            {"grant", "7f3a"},
            {"person", "alice"},
            {"account", "alice"},
            {"run_as", "alice"},
            {"groups", Json::array()},
            {"pid", 812},
            {"tty", "pts/3"},
            {"since", in(-std::chrono::minutes(2))},
            {"until", in(std::chrono::minutes(59))}};
}
Json command(const std::vector<std::string>& argv) {
    return with(with(use("7f3a-1"), "argv", argv), "run_as", "root");
}
Json login() {
    return with(with(use("7f3a-2"), "login", "sshd"), "groups", {"adm"});
}
Json overview(const std::vector<Json>& requests, const std::vector<Json>& uses = {}) {
    return {
        {"now", in(std::chrono::milliseconds(0))}, {"requests", requests}, {"uses", uses}, {"left_out", 0}};
}
std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

TEST(CtlOverview, has_each_grant_with_what_runs_by_it_and_what_waits_for_an_answer) {
    const Json pending = with(with(request("pending"), "id", "00aa11"), "yours_to_answer", true);
    const Ran ran = jitctl({"watch", "--once"},
                           {replies(overview({request("active"), pending},
                                             {login(), command({"/usr/bin/systemctl", "restart", "a b"})}))});
    EXPECT_EQ(ran.exit, 0) << ran.err;
    const auto lines = lines_of(ran.out);
    ASSERT_EQ(lines.size(), 8U) << ran.out;
    EXPECT_THAT(lines[0], StartsWith("PENDING  ROLE     WHO    FOR  ANSWER BY"));
    EXPECT_THAT(lines[1], StartsWith("00aa11   web-ops  alice  1h   "));
    EXPECT_EQ(lines[2], "      waits for you: jitctl approve 00aa11, or jitctl deny 00aa11 --reason TEXT");
    EXPECT_THAT(lines[4], StartsWith("ID    ROLE     WHO    LEFT    UNTIL"));
    EXPECT_THAT(lines[5], StartsWith("7f3a  web-ops  alice  59 min  "));
    EXPECT_THAT(lines[6], MatchesRegex("      login 812 by sshd with group adm on pts/3 since .* UTC"));
    EXPECT_THAT(
        lines[7],
        MatchesRegex("      command 812 as root on pts/3 since .* UTC: /usr/bin/systemctl restart 'a b'"));
}

TEST(CtlOverview, shows_the_grant_that_ends_first_first_and_what_a_command_left_behind) {
    const Json soon = with(with(request("active"), "id", "beef"), "not_after", in(std::chrono::seconds(90)));
    Json left = with(command({"/usr/bin/id"}), "exited", in(std::chrono::milliseconds(0)));
    const Ran ran = jitctl({"watch", "--once"}, {replies(overview({request("active"), soon}, {left}))});
    const auto lines = lines_of(ran.out);
    ASSERT_EQ(lines.size(), 4U) << ran.out;
    EXPECT_THAT(lines[1], StartsWith("beef"));
    EXPECT_THAT(lines[3], HasSubstr("UTC, ended, what it left behind runs on: /usr/bin/id"));
}

TEST(CtlOverview, says_where_there_is_nothing_and_how_much_is_left_out) {
    EXPECT_EQ(jitctl({"watch", "--once"}, {replies(overview({}))}).out,
              "nothing is live or pending that concerns you\n");
    EXPECT_THAT(
        jitctl({"watch", "--once"}, {replies(with(overview({request("active")}), "left_out", 7))}).out,
        EndsWith("and 7 more that are too many to show\n"));
}

TEST(CtlOverview, what_somebody_wrote_does_nothing_to_a_terminal) {
    // As jitd sends them: the words of a command escaped, everything else as it came.
    Json bad = command({"/bin/x", R"(\x1b[2J\xff)", R"(a\\b)"});
    bad["tty"] = "\x1b]0;x\x07";
    const Json asked = with(request("active"), "reason", "\x1b[31m\n");
    const Ran ran = jitctl({"watch", "--once"}, {replies(overview({asked}, {bad}))});
    EXPECT_EQ(ran.exit, 0) << ran.err;
    EXPECT_THAT(ran.out, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\x07")),
                               HasSubstr(R"(/bin/x $'\x1b[2J\xff' 'a\b')"), HasSubstr(R"(\x1b[31m\n)")));
}

TEST(CtlOverview, as_json_is_the_reply_as_it_came) {
    const Json reply = overview({request("active")}, {login()});
    EXPECT_EQ(jitctl({"watch", "--once", "--json"}, {replies(reply)}).out, to_line(reply) + "\n");
    EXPECT_EQ(jitctl({"watch", "--once", "7f3a"}, {}).exit, 2);
}

TEST(CtlOverview, without_a_terminal_is_told_at_each_change_and_over_a_restart_of_jitd) {
    std::vector<Json> calls;
    const pthread_t here = pthread_self();
    const Json last = overview({with(request("active"), "role", "db")});
    Scripted first{.bytes = message({{"parameters", overview({request("active")})}, {"continues", true}}),
                   .hang_up = true,
                   .then = {}};
    Scripted second{.bytes = message({{"parameters", last}, {"continues", true}}),
                    .then = [here] { pthread_kill(here, SIGINT); }};
    const Ran ran = jitctl({"watch"}, {first, second}, &calls);
    EXPECT_EQ(ran.exit, 130);
    ASSERT_EQ(calls.size(), 2U);
    EXPECT_EQ(calls[1]["method"], "io.jitsudo.Access.Overview");
    EXPECT_EQ(calls[1]["more"], true);
    EXPECT_EQ(ran.err, "jitctl: jitd does not answer; asking it again …\n");
    EXPECT_THAT(ran.out, MatchesRegex("-- [^\n]*Z\nID [^\n]*\n7f3a  web-ops[^\n]*\n"
                                      "-- [^\n]*Z\nID [^\n]*\n7f3a  db[^\n]*\n"));
}

TEST(CtlOverview, where_jitd_never_answered_ends_at_once) {
    const Ran ran = jitctl({"--socket", "/nonexistent/socket", "watch"});
    EXPECT_EQ(ran.exit, 4);
    EXPECT_THAT(ran.out, IsEmpty());
}

// A terminal, as standard input and as what is written to.
class Terminal {
public:
    explicit Terminal(winsize size) : stdin_before_(dup(STDIN_FILENO)) {
        int master = -1;
        int slave = -1;
        EXPECT_EQ(openpty(&master, &slave, nullptr, nullptr, &size), 0);
        master_ = Fd(master);
        slave_ = Fd(slave);
        dup2(slave, STDIN_FILENO);
        setenv("TERM", "xterm", 1);
    }
    ~Terminal() { dup2(stdin_before_.get(), STDIN_FILENO); }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    void type(char key) const { EXPECT_EQ(write(master_.get(), &key, 1), 1); }
    [[nodiscard]] tcflag_t modes() const {
        termios now{};
        EXPECT_EQ(tcgetattr(slave_.get(), &now), 0);
        return now.c_lflag;
    }
    // jitctl on it, and all that it wrote there. `seen` is told of each page that it has drawn.
    Ran run(const std::vector<std::string>& arguments,
            const std::function<void(const std::string& page)>& seen = {}) const {
        struct Written : std::stringbuf {
            int fd = -1;
            const std::function<void(const std::string&)>* seen = nullptr;
            int sync() override {
                EXPECT_EQ(write(fd, view().data(), view().size()), std::ssize(view()));
                if (*seen) {
                    (*seen)(str());
                }
                str({});
                return 0;
            }
        } written;
        written.fd = slave_.get();
        written.seen = &seen;
        std::ostream out(&written);
        std::ostringstream err;
        std::vector<const char*> argv{"jitctl"};
        for (const std::string& argument : arguments) {
            argv.push_back(argument.c_str());
        }
        const int exit = jit::run(static_cast<int>(argv.size()), argv.data(), out, err, slave_.get());
        std::string shown;
        std::array<char, 4096> chunk{};
        for (pollfd master{master_.get(), POLLIN, 0}; poll(&master, 1, 0) == 1;) {
            const ssize_t count = read(master_.get(), chunk.data(), chunk.size());
            shown.append(chunk.data(), static_cast<std::size_t>(std::max<ssize_t>(0, count)));
        }
        return {.exit = exit, .out = shown, .err = err.str()};
    }

private:
    Fd stdin_before_;
    Fd master_;
    Fd slave_;
};

TEST(CtlPage, is_drawn_within_the_window_ends_with_q_and_leaves_the_terminal_as_it_was) {
    const Terminal terminal({.ws_row = 6, .ws_col = 30, .ws_xpixel = 0, .ws_ypixel = 0});
    const tcflag_t before = terminal.modes();
    tcflag_t meanwhile = before;
    std::vector<Json> uses(9, command({"/usr/bin/id"}));
    FakeJitd jitd(
        {{.bytes = message({{"parameters", overview({request("active")}, uses)}, {"continues", true}}),
          .then = [&] {
              meanwhile = terminal.modes();
              terminal.type('x');
              terminal.type('q');
          }}});
    const Ran ran = terminal.run({"--socket", jitd.path(), "watch"});
    EXPECT_EQ(ran.exit, 0) << ran.err;
    EXPECT_THAT(ran.out, AllOf(StartsWith("\x1b[?1049h"), HasSubstr("ID    ROLE     WHO    LEFT   …\x1b[K"),
                               HasSubstr("… 9 more lines: jitctl watch …\x1b[K"), EndsWith("\x1b[?1049l")));
    EXPECT_EQ(before & (ICANON | ECHO), tcflag_t{ICANON | ECHO});
    EXPECT_EQ(meanwhile & (ICANON | ECHO), 0U);
    EXPECT_EQ(terminal.modes(), before);
}

TEST(CtlPage, counts_down_says_that_jitd_is_gone_and_ends_well_with_ctrl_c) {
    const Terminal terminal({.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0});
    const std::string now = message(
        {{"parameters", overview({with(request("active"), "not_after", in(std::chrono::minutes(9)))})},
         {"continues", true}});
    FakeJitd jitd({{.bytes = now, .hang_up = true, .then = {}}, {.bytes = now, .then = {}}});
    bool gone = false;
    std::set<std::string> left;
    const Ran ran = terminal.run({"--socket", jitd.path(), "watch"}, [&](const std::string& page) {
        gone = gone || page.find("jitd does not answer; asking it again …") != std::string::npos;
        const auto seconds = page.find(" min ");
        if (gone && page.find("q ends this") != std::string::npos && seconds != std::string::npos) {
            left.insert(page.substr(seconds - 1, 10));
            if (left.size() == 3) {
                (void)raise(SIGINT);
            }
        }
    });
    EXPECT_EQ(ran.exit, 0) << ran.err;
    EXPECT_THAT(ran.err, IsEmpty());
    EXPECT_THAT(ran.out, EndsWith("\x1b[?1049l"));
}

TEST(CtlBrief, is_one_line_for_a_status_bar_or_nothing) {
    const Json soon = with(with(request("active"), "role", "db"), "not_after", in(std::chrono::seconds(90)));
    EXPECT_THAT(jitctl({"list", "--mine", "--brief"},
                       {replies({{"requests", {request("active"), soon, request("pending")}}})})
                    .out,
                MatchesRegex("db 1 min [0-9]+ s, web-ops 59 min\n"));
    EXPECT_EQ(jitctl({"list", "--mine", "--brief"}, {replies({{"requests", {request("pending")}}})}).out, "");
    EXPECT_EQ(jitctl({"list", "--brief"}, {}).exit, 2);
}

} // namespace
} // namespace jit
