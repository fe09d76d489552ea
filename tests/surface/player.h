// SPDX-License-Identifier: MIT
// A person at a terminal, for tests of what they see there: tools/play.cpp does what its steps say.
#pragma once

#include "tests/surface/surface.h"

#include <string>

namespace jit::host {

class Player {
public:
    // At a terminal of their own, with a shell on it, or another command.
    explicit Player(Host& host, const std::string& user = "alice", const std::string& command = "");

    // All of these steps, a line each; tools/play.cpp lists them. Where one fails: why, and what had been
    // shown.
    testing::AssertionResult does(const std::string& steps);
    // The same in two parts, for what several do at once.
    void begins(const std::string& steps);
    testing::AssertionResult ends();
    // What the terminal has shown since the last does() began, but the marks.
    std::string shown();

private:
    Session session_;
    int marks_ = 0;
    std::size_t from_ = 0;
};

// A suite of them, on one host: alice has the role `work` in each test.
class AtATerminal : public Surface {
public:
    static void SetUpTestSuite();

protected:
    void SetUp() override { grant_ = ask(host(), "alice", "work"); }

    // In a shell of root's, outside any terminal. Comes true in the end.
    static bool comes_true(const std::string& condition);
    // The jit-sudo that the shell has started, not its keeper: as root, who alone may.
    static void signal(const std::string& name);

    std::string grant_;
};

} // namespace jit::host
