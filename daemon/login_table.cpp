// SPDX-License-Identifier: MIT
#include "daemon/login_table.h"

#include "core/login_table.h"
#include "core/text.h"
#include "daemon/published.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace jit {
namespace {

// What both the grant and the role, as it is now, give.
std::string both(const std::vector<std::string>& scope, const std::vector<std::string>& role) {
    std::vector<std::string> names;
    std::ranges::copy_if(scope, std::back_inserter(names), [&](const std::string& name) {
        return std::ranges::find(role, name) != role.end() && is_account_name(name);
    });
    return fmt::format("{}", fmt::join(names, " "));
}

} // namespace

LoginTable::LoginTable(Store& store, const Clock& clock, const Policy& policy, std::string path)
    : store_(store), clock_(clock), policy_(policy), path_(std::move(path)) {}

void LoginTable::put(const Request& request) {
    const auto uid = std::int64_t{number(request.beneficiary.uid)};
    table_->prepare("DELETE FROM grants WHERE uid = ? AND id = ?").execute(uid, request.id);
    const auto role = policy_.roles.find(request.role);
    if (request.state != State::active || role == policy_.roles.end()) {
        return;
    }
    const std::string services = both(request.scope.login, role->second.login);
    const std::string groups = both(request.scope.groups, role->second.groups);
    if (services.empty() && groups.empty()) {
        return;
    }
    const Deadline until = in_this_boot(*request.not_after, clock_, clock_.now());
    Time reach = until.time;
    if (role->second.extend) {
        reach = std::max(reach, store_.chain_start(request.chain) + *role->second.extend);
    }
    table_->prepare("INSERT INTO grants VALUES (?,?,?,?,?,?,?,?,?)")
        .execute(uid, request.beneficiary.account, request.id, request.role, services, groups,
                 until.time.time_since_epoch().count(), until.boot.time_since_epoch().count(),
                 reach.time_since_epoch().count());
}

void LoginTable::fill() {
    table_ = std::make_unique<Database>("", Database::Mode::memory);
    table_->execute(login_table_schema);
    table_->execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", login_table_id,
                                login_table_version)
                        .c_str());
    table_->prepare("INSERT INTO host VALUES (?)").execute(policy_.site.help);
    // Those first that a colleague can grant: that is what pam_jit advises.
    std::map<std::string, std::vector<std::string>> doors;
    for (const bool grantable : {true, false}) {
        for (const auto& [name, role] : policy_.roles) {
            const auto risk = policy_.risks.find(role.risk);
            if ((risk != policy_.risks.end() && !risk->second.stages.empty()) == grantable) {
                for (const std::string& service : role.login) {
                    doors[service].push_back(name);
                }
            }
        }
    }
    for (const auto& [service, roles] : doors) {
        table_->prepare("INSERT INTO doors VALUES (?,?)")
            .execute(service, fmt::format("{}", fmt::join(roles, " ")));
    }
    Transaction transaction(*table_);
    // A person's at a time: all at once would take many megabytes, which then stay with this process.
    for (const Uid uid : store_.active_uids()) {
        for (const Request& request : store_.active_of(uid)) {
            put(request);
        }
    }
    transaction.commit();
}

void LoginTable::change(const std::vector<Request>& requests) {
    if (stale_) {
        return;
    }
    const auto done = store_.guarded([&]() -> Result<void> {
        for (const Request& request : requests) {
            put(request);
        }
        return {};
    });
    stale_ = !done;
    changed_ = true;
}

Result<void> LoginTable::publish() {
    if (!stale_ && !changed_) {
        return {};
    }
    auto written = store_.guarded([&]() -> Result<void> {
        if (stale_) {
            fill();
        }
        return jit::publish(table_->serialized(), path_);
    });
    stale_ = stale_ && !written;
    changed_ = !written;
    if (!written) {
        unlink(path_.c_str());
    }
    return written;
}

} // namespace jit
