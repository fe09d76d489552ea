// SPDX-License-Identifier: MIT
#include "tests/surface/player.h"

namespace jit::host {
namespace {

// The shells are there for what a test types; nothing here is about which commands a role has.
const char* const WORK_POLICY = R"(
[people.oncall]
members = ["bob"]

[risk.low]
auto_approve = "1h"

[role.work]
title        = "Work at a terminal"
risk         = "low"
eligible     = ["alice"]
max          = "1h"
extend       = "2h"
authenticate = false
run_as       = ["root", "carol"]
commands     = ["/usr/bin/bash **", "/usr/bin/sh **", "/usr/bin/cat **", "/usr/bin/sleep *", "/usr/bin/stty **",
                "/usr/bin/true", "/usr/bin/tty", "/usr/bin/yes", "/usr/bin/seq **", "/usr/bin/head **",
                "/usr/local/bin/full_screen **", "/usr/local/bin/broken",
                "/usr/local/bin/contended"]
)";

// Who looks for a mistake looks at the end.
std::string last_of(const std::string& shown) {
    constexpr std::size_t most = 8000;
    return shown.size() > most ? "[…]" + shown.substr(shown.size() - most) : shown;
}

} // namespace

Player::Player(Host& host, const std::string& user, const std::string& command)
    : session_(host.begin_as(user, "exec play " + command)) {}

void Player::begins(const std::string& steps) {
    from_ = session_.output().size();
    session_.type(steps + "\nmark " + std::to_string(++marks_) + "\n");
}

testing::AssertionResult Player::does(const std::string& steps) {
    begins(steps);
    return ends();
}

testing::AssertionResult Player::ends() {
    const std::string mark = "\x1e" + std::to_string(marks_) + "\n";
    // play has a patience of its own, and says more.
    const bool done = eventually(
        [&] {
            return session_.shows(mark, std::chrono::milliseconds(100)) ||
                   session_.output().find('\x1d', from_) != std::string::npos ||
                   session_.wait(std::chrono::milliseconds(0)).has_value();
        },
        std::chrono::seconds(100));
    if (done && session_.output().find(mark) != std::string::npos)
        return testing::AssertionSuccess();
    return testing::AssertionFailure() << "at the terminal:\n" << last_of(session_.output());
}

std::string Player::shown() {
    const std::string& all = session_.output();
    return all.substr(from_, all.find('\x1e', from_) - from_);
}

void AtATerminal::SetUpTestSuite() {
    Surface::SetUpTestSuite();
    host().copy(JIT_PLAY, "/usr/local/bin/play", "0755");
    host().copy(JIT_FULL_SCREEN, "/usr/local/bin/full_screen", "0755");
    host().write("/usr/local/bin/broken", "#!/nowhere/interpreter\n", "0755");
    host().policy(WORK_POLICY);
}

bool AtATerminal::comes_true(const std::string& condition) {
    return eventually([&] { return host().root(condition).status == 0; }, std::chrono::seconds(20));
}

void AtATerminal::signal(const std::string& name) {
    ASSERT_EQ(host().root("pkill -" + name + " -o -x jit-sudo").status, 0);
}

} // namespace jit::host
