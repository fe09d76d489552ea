// SPDX-License-Identifier: MIT
// What ran by a grant.
#include "core/record.h"
#include "core/store_statements.h"
#include "core/text.h"

namespace jit {

void Store::insert(const Use& u) {
    std::optional<std::string> command;
    if (u.command) {
        command = u.command->path + '\0';
        for (const std::string& argument : u.command->arguments) {
            *command += argument + '\0';
        }
    }
    std::optional<std::span<const std::uint8_t>> blob;
    if (command) {
        blob = std::span(reinterpret_cast<const std::uint8_t*>(command->data()), command->size());
    }
    std::optional<std::string> service;
    std::optional<bool> gated;
    std::optional<std::string> groups;
    std::optional<std::string> cgroup;
    if (u.login) {
        service = u.login->service;
        gated = u.login->gated;
        groups = to_line(Json(u.login->groups));
        cgroup = u.login->cgroup;
    }
    sql_->insert_use.execute(
        u.id, u.grant, u.by.person, u.by.account, std::int64_t{number(u.by.uid)}, u.run_as, u.group, blob,
        service, gated, groups, cgroup, u.cwd, u.tty, std::int64_t{u.pid},
        u.session ? std::optional(std::int64_t{*u.session}) : std::nullopt, u.boot_id, count_of(u.started),
        u.run_as_uid ? std::optional(std::int64_t{number(*u.run_as_uid)}) : std::nullopt);
    sql_->count_use.execute(u.grant);
    sql_->use_chain.execute(u.grant, count_of(u.started));
}

void Store::update(const Use& u) {
    sql_->update_use.execute(count_of(u.exited),
                             u.status ? std::optional(std::int64_t{*u.status}) : std::nullopt,
                             count_of(u.ended), to_line(Json(u.chains)), u.id);
}

std::vector<Use> Store::read_uses(Statement::Rows rows) {
    std::vector<Use> uses;
    while (rows.next()) {
        Use use;
        use.id = rows.text(0);
        use.grant = rows.text(1);
        use.by = {.person = rows.text(2), .account = rows.text(3), .uid = uid_of(rows.integer(4))};
        use.run_as = rows.text(5);
        use.group = rows.text(6);
        if (!rows.is_null(7)) {
            const std::string bytes = rows.blob(7);
            std::vector<std::string> words;
            for (std::size_t begin = 0, end = 0; (end = bytes.find('\0', begin)) != std::string::npos;
                 begin = end + 1) {
                words.push_back(bytes.substr(begin, end - begin));
            }
            if (words.empty() || bytes.back() != '\0') {
                damaged("the command of use " + escape(use.id));
            }
            use.command = Command{.path = words.front(), .arguments = {words.begin() + 1, words.end()}};
        }
        if (!rows.is_null(8)) {
            auto groups = texts_from_json(rows.text(10));
            if (!groups) {
                damaged("the groups of use " + escape(use.id));
            }
            use.login = LoginNeeds{.service = rows.text(8),
                                   .gated = rows.integer(9) != 0,
                                   .groups = std::move(*groups),
                                   .cgroup = rows.text(11)};
        }
        use.cwd = rows.text(12);
        use.tty = rows.text(13);
        use.pid = static_cast<std::uint32_t>(rows.integer(14));
        if (!rows.is_null(15)) {
            use.session = static_cast<std::uint32_t>(rows.integer(15));
        }
        use.boot_id = rows.text(16);
        use.started = time_of(rows.integer(17));
        use.exited = optional_time(rows, 18);
        if (!rows.is_null(19)) {
            use.status = static_cast<std::int32_t>(rows.integer(19));
        }
        use.ended = optional_time(rows, 20);
        if (!rows.is_null(21)) {
            use.run_as_uid = uid_of(rows.integer(21));
        }
        if (!rows.is_null(22)) {
            auto chains = texts_from_json(rows.text(22));
            if (!chains) {
                damaged("what carries use " + escape(use.id));
            }
            use.chains = {chains->begin(), chains->end()};
        }
        uses.push_back(std::move(use));
    }
    return uses;
}

std::vector<Use> Store::live_uses() {
    return read_uses(sql_->live_uses.run());
}

std::optional<Use> Store::find_use(const std::string& id) {
    auto found = read_uses(sql_->find_use.run(id));
    return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

std::optional<Use> Store::use_of_session(std::uint32_t session, const std::string& boot_id) {
    auto found = read_uses(sql_->use_of_session.run(std::int64_t{session}, boot_id));
    return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

void Store::set_last_used(const RequestId& chain, Time at) {
    sql_->set_last_used.execute(chain, count_of(at));
}

std::optional<Time> Store::last_used(const RequestId& chain) {
    auto rows = sql_->last_used.run(chain);
    return rows.next() ? optional_time(rows, 0) : std::nullopt;
}

bool Store::is_elevation_session(std::uint32_t session, const std::string& boot_id) {
    auto rows = sql_->is_elevation.run(std::int64_t{session}, boot_id);
    return rows.next();
}

} // namespace jit
