// SPDX-License-Identifier: MIT
#include "daemon/sweep/accounts.h"

#include "daemon/carriers.h"
#include "daemon/still.h"

#include <set>
#include <vector>

namespace jit {

Result<SweptAccounts> sweep_accounts(const AccountFiles& files, bool all,
                                     const std::function<bool(Time, BootTime)>& over, int passes) {
    const auto found = files.list();
    if (!found) {
        return std::unexpected(found.error());
    }
    SweptAccounts swept;
    std::vector<Carriers> carriers;
    std::set<Uid> people;
    std::optional<Error> failed;
    for (const auto& one : *found) {
        if (!one.over && !all && one.content && !over(one.content->until, one.content->boot)) {
            continue;
        }
        if (!one.over) {
            // A damaged one doesn't say whose processes to look for, but it is no account any more.
            if (const auto taken = files.take(one.name, one.content ? one.content->uid : no_uid); !taken) {
                failed = taken.error();
            }
            ++swept.taken;
        }
        if (one.content) {
            carriers.push_back({.uid = one.content->uid, .whole = true, .spared = {}, .killed = 0});
            people.insert(one.content->uid);
        }
    }
    const auto clean = [&] {
        const Still still(people, "sweep");
        return kill_carriers(carriers, passes);
    }();
    for (const Carriers& one : carriers) {
        swept.killed += one.killed;
    }
    if (!clean) {
        return std::unexpected(clean.error());
    }
    return failed ? Result<SweptAccounts>(std::unexpected(*failed)) : swept;
}

} // namespace jit
