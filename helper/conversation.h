// SPDX-License-Identifier: MIT
// Asks the person at the terminal what PAM wants to know.
//
// MUST:
//  1. The terminal's echo comes back on every way out: answered, interrupted, stopped, timed out. What was
//  typed ahead
//     of the prompt or after it is thrown away, never shown and never left to the shell (CVE-2025-64170).
//  2. An answer is overwritten before its memory is given back, and one longer than PAM_MAX_RESP_SIZE is
//  refused.
//  3. It reads from the controlling terminal, never from what the caller put on standard input.
#pragma once

#include <string>

struct pam_conv;

namespace jit {

class Conversation {
public:
    explicit Conversation(bool may_ask) : may_ask_(may_ask) {}

    // Whose password a question is about.
    void set_caller(const std::string& caller) { caller_ = caller; }

    // Valid while this object lives and stays where it is.
    [[nodiscard]] pam_conv functions();

    // Since the last call of `begin`.
    void begin() { asked_ = false; }
    [[nodiscard]] bool asked() const { return asked_; }
    // Why the last question had no answer; empty: it had one.
    [[nodiscard]] const std::string& failure() const { return failure_; }

    // The answer in memory of malloc(3), or nullptr.
    [[nodiscard]] char* ask(const char* question, bool echo);
    void tell(const char* text) const;

private:
    std::string caller_;
    bool may_ask_;
    bool asked_ = false;
    std::string failure_;
};

} // namespace jit
