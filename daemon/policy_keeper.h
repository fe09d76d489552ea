// SPDX-License-Identifier: MIT
// Holds the policy in force. Broken files never replace a working policy: not at a reload, and not at a
// restart, for which the sources of the last good one are kept in the database.
#pragma once

#include "core/clock.h"
#include "core/policy_load.h"
#include "core/store.h"

#include <string>
#include <vector>

namespace jit {

class PolicyKeeper {
public:
    PolicyKeeper(Store& store, const Clock& clock, std::string directory)
        : store_(store), clock_(clock), directory_(std::move(directory)) {}

    // Reads the files and takes them if they are good; otherwise keeps what is in force (at start: what was
    // in force before, else an empty policy, under which nobody gets anything). Recorded in the audit either
    // way; an error is one of recording, and then nothing changes.
    Result<void> load();

    // The same object for good; a load changes what is in it.
    [[nodiscard]] const Policy& policy() const { return policy_; }
    [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; } // of the last load
    [[nodiscard]] bool current() const { return current_; } // the files are what is in force
    [[nodiscard]] Time loaded() const { return loaded_; }

private:
    void restore();

    Store& store_;
    const Clock& clock_;
    std::string directory_;
    Policy policy_;
    std::vector<Problem> problems_;
    bool in_force_ = false; // something has been loaded or restored
    bool current_ = false;
    Time loaded_;
};

} // namespace jit
