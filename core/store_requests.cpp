// SPDX-License-Identifier: MIT
// Requests and their answers.
#include "core/record.h"
#include "core/store_statements.h"
#include "core/text.h"

#include <sodium.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace jit {
namespace {

std::uint32_t count_of_uses(std::int64_t value, const RequestId& id) {
    if (!std::in_range<std::uint32_t>(value)) {
        damaged("the uses of request " + id);
    }
    return static_cast<std::uint32_t>(value);
}

Request read_request(const Statement::Rows& rows) {
    Request request;
    int column = 0;
    request.id = rows.text(column++);
    const auto state = state_named(rows.text(column++));
    const std::string cause = rows.text(column++);
    if (!cause.empty()) {
        request.cause = cause_named(cause);
    }
    if (!is_request_id(request.id) || !state || (!cause.empty() && !request.cause)) {
        damaged("request " + escape(request.id));
    }
    request.state = *state;
    request.role = rows.text(column++);
    const auto scope = scope_from_json(rows.text(column++));
    const auto stages = stages_from_json(rows.text(column++));
    if (!scope || !stages) {
        damaged("scope or stages of request " + request.id);
    }
    request.scope = *scope;
    request.stages = *stages;
    request.beneficiary.person = rows.text(column++);
    request.beneficiary.account = rows.text(column++);
    request.beneficiary.uid = uid_of(rows.integer(column++));
    request.requester.person = rows.text(column++);
    request.requester.account = rows.text(column++);
    request.requester.uid = uid_of(rows.integer(column++));
    request.login_person = rows.text(column++);
    request.reason = rows.text(column++);
    request.ticket = rows.text(column++);
    request.duration = Millis(rows.integer(column++));
    request.filed = time_of(rows.integer(column++));
    request.answer_by = time_of(rows.integer(column++));
    request.not_before = optional_time(rows, column++);
    request.not_after = optional_deadline(rows, column);
    column += DeadlineColumns::count;
    request.ended = optional_time(rows, column++);
    request.ended_by = rows.text(column++);
    request.ended_reason = rows.text(column++);
    request.extends = rows.text(column++);
    request.chain = rows.text(column++);
    if (!rows.is_null(column)) {
        request.uses = count_of_uses(rows.integer(column), request.id);
    }
    request.used = count_of_uses(rows.integer(column + 1), request.id);
    column += 2;
    if (!rows.is_null(column)) {
        auto wish = account_wish_from_json(rows.text(column));
        if (!wish) {
            damaged("the account of request " + request.id);
        }
        request.account = std::move(*wish);
    }
    return request;
}

} // namespace

std::vector<Request> Store::read_requests(Statement::Rows rows, const OfRole& of_role) {
    constexpr int role_column = 3;
    std::vector<Request> requests;
    while (rows.next()) {
        if (!of_role || of_role(rows.text(role_column))) {
            requests.push_back(read_request(rows));
        }
    }
    for (Request& request : requests) {
        auto answers = sql_->answers.run(request.id);
        while (answers.next()) {
            const auto stages = numbers_from_json(answers.text(4));
            if (!stages) {
                damaged("an answer to request " + request.id);
            }
            request.answers.push_back({.by = {.person = answers.text(0),
                                              .account = answers.text(1),
                                              .uid = uid_of(answers.integer(2))},
                                       .approves = answers.integer(3) == 1,
                                       .stages = *stages,
                                       .reason = answers.text(5),
                                       .at = time_of(answers.integer(6))});
        }
    }
    return requests;
}

std::optional<Request> Store::find(const RequestId& id) {
    auto found = read_requests(sql_->find.run(id));
    return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

std::vector<Request> Store::pending() {
    return read_requests(sql_->pending.run());
}
std::vector<Request> Store::active() {
    return read_requests(sql_->active.run());
}
std::vector<Request> Store::active_of(Uid uid, const OfRole& of_role) {
    return read_requests(sql_->active_of.run(std::int64_t{number(uid)}), of_role);
}

std::vector<Uid> Store::active_uids() {
    std::vector<Uid> uids;
    auto rows = sql_->active_uids.run();
    while (rows.next()) {
        uids.push_back(uid_of(rows.integer(0)));
    }
    return uids;
}

std::vector<Request> Store::due(const Now& now, const std::string& boot_id) {
    const std::int64_t time = count_of(now.time);
    auto requests = read_requests(sql_->due_pending.run(time));
    std::ranges::move(read_requests(sql_->due_by_time.run(time)), std::back_inserter(requests));
    std::ranges::move(read_requests(sql_->due_by_boot.run(
                          boot_id, std::int64_t{now.boot.time_since_epoch().count()}, time)),
                      std::back_inserter(requests));
    return requests;
}

std::vector<Request> Store::newest(std::int64_t limit) {
    return read_requests(sql_->newest.run(limit));
}
std::vector<Request> Store::chain_of(const RequestId& chain) {
    return read_requests(sql_->chain_of.run(chain));
}

Time Store::chain_start(const RequestId& chain) {
    auto rows = sql_->chain_start.run(chain);
    if (!rows.next() || rows.is_null(0)) {
        damaged("the chain of request " + chain);
    }
    return time_of(rows.integer(0));
}

std::int64_t Store::count(State state) {
    auto rows = sql_->count.run(name_of(state));
    return rows.next() ? rows.integer(0) : 0;
}

std::int64_t Store::count_pending_of(std::string_view requester_person) {
    auto rows = sql_->count_pending_of.run(requester_person);
    return rows.next() ? rows.integer(0) : 0;
}

Store::NextChange Store::next_change(const std::string& boot_id) {
    NextChange next;
    for (Statement* statement : {&sql_->next_timeout, &sql_->next_end}) {
        auto rows = statement->run();
        if (rows.next() && !rows.is_null(0)) {
            const Time time = time_of(rows.integer(0));
            next.time = next.time ? std::min(*next.time, time) : time;
        }
    }
    auto rows = sql_->next_boot_end.run(boot_id);
    if (rows.next() && !rows.is_null(0)) {
        next.boot = BootTime(Millis(rows.integer(0)));
    }
    return next;
}

void Store::take_over(const Now& now, const std::string& boot_id) {
    const std::int64_t boot_of_utc = now.boot.time_since_epoch().count() - count_of(now.time);
    sql_->take_over_grants.execute(boot_id, boot_of_utc);
    sql_->take_over_locks.execute(boot_id, boot_of_utc);
}

RequestId Store::new_id() {
    // Ids are typed by people, so they are as short as leaves 64 times more of them than are taken.
    std::int64_t taken = 0;
    {
        auto rows = sql_->count_all.run();
        taken = rows.next() ? rows.integer(0) : 0;
    }
    std::size_t digits = 4;
    for (std::int64_t room = 1 << 16; room / 64 < taken && digits < 16; room *= 16) {
        ++digits;
    }
    for (;;) {
        std::string random(8, '\0');
        randombytes_buf(random.data(), random.size());
        RequestId id = to_hex(random).substr(0, digits);
        auto rows = sql_->exists.run(id);
        if (!rows.next()) {
            return id;
        }
    }
}

namespace {

std::optional<std::string> cause_column(const Request& request) {
    return request.cause ? std::optional(std::string(name_of(*request.cause))) : std::nullopt;
}

} // namespace

void Store::insert(const Request& r) {
    const DeadlineColumns end(r.not_after);
    sql_->insert.execute(r.id, name_of(r.state), cause_column(r), r.role, to_line(to_json(r.scope)),
                         to_line(to_json(r.stages)), r.beneficiary.person, r.beneficiary.account,
                         std::int64_t{number(r.beneficiary.uid)}, r.requester.person, r.requester.account,
                         std::int64_t{number(r.requester.uid)}, r.login_person, r.reason, r.ticket,
                         std::int64_t{r.duration.count()}, count_of(r.filed), count_of(r.answer_by),
                         count_of(r.not_before), end.time, end.boot_id, end.boot, count_of(r.ended),
                         r.ended_by, r.ended_reason, r.extends, r.chain,
                         r.uses ? std::optional(std::int64_t{*r.uses}) : std::nullopt, std::int64_t{r.used},
                         r.account ? std::optional(to_line(to_json(*r.account))) : std::nullopt);
    for (const Answer& answer : r.answers) {
        add_answer(r.id, answer);
    }
}

void Store::update(const Request& r) {
    const DeadlineColumns end(r.not_after);
    sql_->update.execute(name_of(r.state), cause_column(r), count_of(r.not_before), end.time, end.boot_id,
                         end.boot, count_of(r.ended), r.ended_by, r.ended_reason, r.id);
}

void Store::add_answer(const RequestId& id, const Answer& answer) {
    sql_->add_answer.execute(id, answer.by.person, answer.by.account, std::int64_t{number(answer.by.uid)},
                             answer.approves, to_line(Json(answer.stages)), answer.reason,
                             count_of(answer.at));
}

} // namespace jit
