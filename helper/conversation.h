// SPDX-License-Identifier: MIT
// Asks the person at the terminal what PAM wants to know.
//
// MUST:
//  1. The terminal's echo comes back on every way out: answered, interrupted, stopped, timed out. What was
//  typed ahead
//     of the prompt or after it is thrown away, never shown and never left to the shell (CVE-2025-64170).
//  2. An answer is overwritten before its memory is given back, and one longer than PAM_MAX_RESP_SIZE is
//  refused.
//  3. PAM gets no answer that jitd hasn't counted first: whoever guesses is one who waits.
//  4. It reads from the controlling terminal, never from what the caller put on standard input, unless told
//  to
//     (-S): then one line for each question and not a byte more, because the rest is the command's.
#pragma once

#include "core/error.h"
#include "core/types.h"

#include <functional>
#include <optional>
#include <string>
#include <utility>

struct pam_conv;

namespace jit {

// How questions may be put.
struct Asking {
    Uid caller; // may signal us while they are asked
    bool allowed = true;
    bool on_stdin = false;
    std::optional<std::string> prompt;       // in place of the usual one: see prompt_text
    std::function<Result<void>()> may_try{}; // asked before PAM gets an answer
};

// -p as sudo has it: %u who calls, %U whom one becomes, %p whose password it is, %h and %H this host, with
// and without what follows a dot cut off, %% a percent sign. Other escapes stay as they are.
[[nodiscard]] std::string prompt_text(const std::string& form, const std::string& caller,
                                      const std::string& target, const std::string& host);

class Conversation {
public:
    explicit Conversation(Asking asking) : asking_(std::move(asking)) {}

    // Whose password a question is about, and whom they become.
    void set_names(const std::string& caller, const std::string& target) {
        caller_ = caller;
        target_ = target;
    }

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
    [[nodiscard]] std::string prompt_for(const char* question) const;
    [[nodiscard]] char* ask_on_stdin(const std::string& prompt);
    [[nodiscard]] char* ask_on_terminal(const std::string& prompt, bool echo);

    std::string caller_;
    std::string target_;
    Asking asking_;
    bool asked_ = false;
    std::string failure_;
};

} // namespace jit
