// SPDX-License-Identifier: MIT
// What was left behind by the right of a grant, how the host was before, and who has looked at it.
#include "core/store_statements.h"
#include "core/text.h"

namespace jit {

std::vector<Request> Store::without_stock(std::int64_t limit) {
    return read_requests(sql_->without_stock.run(limit));
}

std::vector<Request> Store::unsearched(std::int64_t limit) {
    return read_requests(sql_->unsearched.run(limit));
}

std::int64_t Store::keep_stock(const std::string& items) {
    auto newest = sql_->newest_stock.run();
    std::int64_t id = 1; // 0 is none
    if (newest.next()) {
        if (newest.text(1) == items) {
            return newest.integer(0);
        }
        id = newest.integer(0) + 1;
    }
    sql_->insert_stock.execute(id, items);
    return id;
}

void Store::set_stock(const RequestId& grant, std::int64_t stock) {
    sql_->set_stock.execute(stock, grant);
}

std::optional<std::int64_t> Store::stock_of(const RequestId& grant) {
    auto rows = sql_->stock_of.run(grant);
    return rows.next() && !rows.is_null(0) && rows.integer(0) != 0 ? std::optional(rows.integer(0))
                                                                   : std::nullopt;
}

std::optional<std::string> Store::stock(std::int64_t id) {
    auto rows = sql_->stock.run(id);
    return rows.next() ? std::optional(rows.text(0)) : std::nullopt;
}

void Store::set_searched(const RequestId& grant, Time at, const std::optional<std::string>& left_behind) {
    sql_->set_searched.execute(count_of(at), left_behind, grant);
}

void Store::set_left_behind(const RequestId& grant, const std::string& so_far) {
    sql_->set_left_behind.execute(so_far, grant);
}

void Store::forget_stocks() {
    sql_->forget_stocks.execute();
}

std::optional<std::string> Store::left_behind(const RequestId& grant) {
    auto rows = sql_->left_behind.run(grant);
    return rows.next() && !rows.is_null(0) ? std::optional(rows.text(0)) : std::nullopt;
}

void Store::want_review(const RequestId& grant, Time at) {
    ++reviews_version_;
    sql_->want_review.execute(count_of(at), grant);
}

void Store::set_reviewed(const RequestId& grant, Time at, const std::string& by, const std::string& reason) {
    ++reviews_version_;
    sql_->set_reviewed.execute(count_of(at), by, reason, grant);
}

std::optional<Review> Store::review(const RequestId& grant) {
    auto rows = sql_->review.run(grant);
    if (!rows.next()) {
        return std::nullopt;
    }
    Review review{.due = time_of(rows.integer(0)),
                  .at = optional_time(rows, 1),
                  .by = rows.text(2),
                  .reason = rows.text(3)};
    if (review.at.has_value() == review.by.empty()) {
        damaged("the review of request " + grant);
    }
    return review;
}

std::vector<Request> Store::to_review(std::int64_t limit) {
    return read_requests(sql_->to_review.run(limit));
}

std::int64_t Store::count_to_review() {
    auto rows = sql_->count_to_review.run();
    return rows.next() ? rows.integer(0) : 0;
}

} // namespace jit
