// SPDX-License-Identifier: MIT
// The login table (core/login_table.h) as jitd keeps it: a projection of the live grants that give logins or
// session groups. Kept in memory as what the file will be; a grant that changes costs its own row and one
// write of the file.
//
// MUST: a table that can't be written is taken away, so that it gives nothing that was taken back: whoever is
// gated is then refused.
#pragma once

#include "core/db.h"
#include "core/store.h"

#include <memory>
#include <string>
#include <vector>

namespace jit {

class LoginTable {
public:
    LoginTable(Store& store, const Clock& clock, const Policy& policy, std::string path);

    // These requests changed.
    void change(const std::vector<Request>& requests);
    // The policy did, or the clock was set: all of it is made anew.
    void renew() { stale_ = true; }
    // Writes what isn't written yet. After an error it is to be called again.
    Result<void> publish();

private:
    void fill();
    void put(const Request& request);

    Store& store_;
    const Clock& clock_;
    const Policy& policy_;
    std::string path_;
    std::unique_ptr<Database> table_;
    bool stale_ = true;   // to be filled anew
    bool changed_ = true; // to be written
};

} // namespace jit
