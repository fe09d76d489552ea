// SPDX-License-Identifier: MIT
// Accounts that grants make.
#include "core/store_statements.h"
#include "core/text.h"

namespace jit {

std::vector<MadeAccount> Store::accounts() {
    std::vector<MadeAccount> accounts;
    auto rows = sql_->accounts.run();
    while (rows.next()) {
        MadeAccount one{.name = rows.text(0), .uid = uid_of(rows.integer(1)), .grant = {}, .home = {}};
        if (!is_account_name(one.name)) {
            damaged("account " + escape(one.name));
        }
        if (!rows.is_null(2)) {
            const auto home = home_named(rows.text(3));
            one.grant = rows.text(2);
            if (!is_request_id(one.grant) || !home) {
                damaged("account " + one.name);
            }
            one.home = *home;
        }
        accounts.push_back(std::move(one));
    }
    return accounts;
}

void Store::reserve_account(const std::string& name, Uid uid) {
    sql_->reserve_account.execute(name, std::int64_t{number(uid)});
}

void Store::set_account(const std::string& name, const RequestId& grant, TemporaryAccount::Home home) {
    sql_->set_account.execute(grant, name_of(home), name);
}

void Store::forget_account(const std::string& name) {
    sql_->forget_account.execute(name);
}

} // namespace jit
