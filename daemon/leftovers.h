// SPDX-License-Identifier: MIT
// What is on the host and belongs to no live grant. The right number is 0: what reconciling and the sweep are
// for is looked at here from outside, by what the host shows and the database says, and nothing is ended.
//
// MUST: not being able to look is an error, never "0 leftovers".
#pragma once

#include "core/clock.h"
#include "core/error.h"
#include "core/store.h"
#include "daemon/account_files.h"
#include "daemon/elevations.h"
#include "daemon/membership_files.h"
#include "daemon/registered.h"
#include "daemon/uses.h"

#include <string>
#include <vector>

namespace jit {

struct Leftover {
    enum class Kind { process, cgroup, registration, membership, login, account, search };
    Kind kind = Kind::process;
    std::string what; // "process 4711 (sleep) of use 7f3a-0b1c2d3e by alice"
};
[[nodiscard]] std::string_view name_of(Leftover::Kind kind);

struct LooksFor {
    Store& store;
    const Clock& clock;
    const Policy& policy;
    const Uses& uses;
    Elevations elevations{};
    Registered registered{};
    DropIns drop_ins{};
    AccountFiles account_files{};
    std::string login_table;
};
[[nodiscard]] Result<std::vector<Leftover>> find_leftovers(const LooksFor& in);

} // namespace jit
