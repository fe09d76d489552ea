// SPDX-License-Identifier: MIT
#include "daemon/searches.h"

#include "core/json.h"
#include "core/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>

namespace jit {
namespace {

constexpr std::int64_t most_stocks_at_once = 200;
// What a question and its answer hold is read by the thread that ends things.
constexpr std::int64_t most_searches_at_once = 20;
constexpr std::size_t most_of_stocks = 8 * 1024 * 1024;
// What was killed at the end is gone by then. Memberships are looked after for five seconds (memberships.h):
// a login that was being made may have had the group for so long.
constexpr Millis after_an_end = std::chrono::seconds(1);
constexpr Millis after_a_membership = std::chrono::seconds(6);
constexpr Millis while_short_of_room = std::chrono::minutes(1);
// One that is to be made again is, for about a day.
constexpr Millis longest_pause = std::chrono::hours(1);
constexpr int most_tries = 32;
// Of what is told of, the first so many bytes go into the event, and more are kept with the grant.
constexpr std::size_t most_in_event = 4096;
constexpr std::size_t most_kept = 65536;

// Where commands run as somebody else, what they wrote may work on: a stock tells.
bool needs_stock(const Scope& scope) {
    return !scope.commands.empty() || gives_root(scope);
}

// Whether anything was begun under the grant doesn't matter: a login that is counted under another may have
// had its group from this one, and what began under the one that it extends goes on under this one.
bool gives_anything_lasting(const Request& request) {
    const Scope& scope = request.scope;
    return !scope.commands.empty() || !scope.groups.empty() || !scope.memberships.empty() || request.account;
}

// An account that it made is looked after for as long as a membership, and what it had is gone then.
Millis pause_of(const Request& request) {
    return request.scope.memberships.empty() && !request.account ? after_an_end : after_a_membership;
}

// As much of a list as has room.
template <class List, class Text>
Json first_of(const List& list, std::size_t room, Text text) {
    Json some = Json::array();
    for (const auto& one : list) {
        std::string line = text(one);
        if (line.size() + 4 <= room) {
            room -= line.size() + 4;
            some.push_back(std::move(line));
        }
    }
    return some;
}

Json found_fields(const Searched& searched, std::size_t room) {
    Json fields{{"count", searched.count}, {"left", first_of(searched.left, room, [](const Change& change) {
                                                return fmt::format("{} {}: {}", change.what, change.how,
                                                                   change.name);
                                            })}};
    if (!searched.problems.empty()) {
        fields["problems"] = first_of(searched.problems, room, [](const std::string& text) { return text; });
    }
    return fields;
}

} // namespace

Searches::Searches(Parts parts, std::string socket)
    : parts_(parts), timer_(parts_.loop.at(BootTime::max(), Millis(100), [this] { look(); })),
      stocks_{.call = SearchCall(parts_.loop, socket)},
      searches_{.call = SearchCall(parts_.loop, std::move(socket))} {}

void Searches::look() {
    if (parts_.store.short_of_room()) {
        return timer_.set_time(parts_.clock.now().boot + while_short_of_room);
    }
    timer_.set_time(std::min(look(stocks_, &Searches::due_for_stock, &Searches::record_stock),
                             look(searches_, &Searches::due_for_search, &Searches::record_found)));
}

// When to look again.
BootTime Searches::look(Lane& lane, Result<Due> (Searches::*due)(),
                        Result<void> (Searches::*keep)(const SearchReply&)) {
    if (lane.call.running()) {
        return BootTime::max();
    }
    if (parts_.clock.now().boot < lane.not_before) {
        return lane.not_before;
    }
    auto found = (this->*due)();
    if (found && !found->grants.empty()) {
        lane.asked = std::move(found->grants);
        lane.call.ask(found->job,
                      [this, &lane, keep](const Result<SearchReply>& reply) { done(lane, reply, keep); });
        return BootTime::max();
    }
    if (!found) {
        give_up(lane, found.error().message);
        return lane.not_before;
    }
    return found->next;
}

void Searches::done(Lane& lane, const Result<SearchReply>& reply,
                    Result<void> (Searches::*keep)(const SearchReply&)) {
    const auto recorded = reply ? (this->*keep)(*reply) : std::unexpected(reply.error());
    if (recorded) {
        lane.retry = first_retry;
    } else {
        give_up(lane, recorded.error().message);
    }
    lane.asked.clear();
    look();
}

Result<Searches::Due> Searches::due_for_stock() {
    const auto waiting = parts_.store.guarded(
        [&]() -> Result<std::vector<Request>> { return parts_.store.without_stock(most_stocks_at_once); });
    if (!waiting) {
        return std::unexpected(waiting.error());
    }
    Due due;
    due.job.take_stock = true;
    if (waiting->empty()) {
        return due;
    }
    return parts_.store.transact([&]() -> Result<Due> {
        for (const Request& request : *waiting) {
            if (needs_stock(request.scope)) {
                due.grants.push_back(request);
            } else {
                parts_.store.set_stock(request.id, 0);
            }
        }
        return std::move(due);
    });
}

BootTime Searches::due_at(const Request& request, const Now& now) const {
    const auto again = again_.find(request.id);
    if (again != again_.end()) {
        return again->second.next;
    }
    // The clock may have been set back since.
    return now.boot + std::clamp(*request.ended + pause_of(request) - now.time, Millis(0), pause_of(request));
}

// What there is nothing to be searched for is settled here and now. It is asked after each change, and mostly
// there is nothing at all: then nothing is written.
Result<Searches::Due> Searches::due_for_search() {
    const auto waiting = parts_.store.guarded([&]() -> Result<std::vector<Request>> {
        return parts_.store.unsearched(most_searches_at_once + std::ssize(again_));
    });
    if (!waiting) {
        return std::unexpected(waiting.error());
    }
    Due due;
    if (waiting->empty()) {
        again_.clear();
        return due;
    }
    return parts_.store.transact([&]() -> Result<Due> {
        const Now now = parts_.clock.now();
        std::size_t size = 0;
        for (const Request& request : *waiting) {
            if (!gives_anything_lasting(request)) {
                parts_.store.set_searched(request.id, now.time, std::nullopt);
            } else if (const BootTime at = due_at(request, now); at > now.boot) {
                due.next = std::min(due.next, at);
            } else if (std::ranges::find(stocks_.asked, request.id, &Request::id) == stocks_.asked.end() &&
                       size < most_of_stocks && std::ssize(due.grants) < most_searches_at_once) {
                // How it was isn't known before its stock is there; then it is looked again.
                due.job.take_stock = due.job.take_stock || needs_stock(request.scope);
                due.job.grants.push_back(search_for(request, due.job.stocks));
                due.grants.push_back(request);
                size = 0;
                for (const auto& [id, stock] : due.job.stocks) {
                    size += stock.size();
                }
            }
        }
        due.job.trees = parts_.policy.site.search;
        return std::move(due);
    });
}

bool Searches::is_made_by_another(const Request& request) {
    return std::ranges::any_of(parts_.store.active_of(request.beneficiary.uid),
                               [](const Request& other) { return other.account.has_value(); });
}

// `stocks`: gets the one that was taken when it began, once for all that have it.
SearchFor Searches::search_for(const Request& request, std::map<std::int64_t, std::string>& stocks) {
    const Scope& scope = request.scope;
    SearchFor one{.grant = request.id,
                  .account = request.beneficiary.account,
                  .uid = request.beneficiary.uid,
                  .since = *request.not_before,
                  .ago = parts_.clock.now().time - *request.not_before,
                  .groups = scope.groups,
                  .run_as = scope.commands.empty() ? std::vector<std::string>() : scope.run_as,
                  .root = gives_root(scope),
                  .made = request.account && !is_made_by_another(request),
                  .stock = parts_.store.stock_of(request.id)};
    one.groups.insert(one.groups.end(), scope.memberships.begin(), scope.memberships.end());
    if (one.stock && !stocks.contains(*one.stock)) {
        if (auto items = parts_.store.stock(*one.stock)) {
            stocks.emplace(*one.stock, std::move(*items));
        } else {
            one.stock.reset();
        }
    }
    return one;
}

Result<void> Searches::record_stock(const SearchReply& reply) {
    if (!reply.stock) {
        return fail(Errc::internal, "jit-search took no stock");
    }
    return parts_.store.transact([&]() -> Result<void> {
        const std::int64_t stock = parts_.store.keep_stock(*reply.stock);
        for (const Request& request : stocks_.asked) {
            parts_.store.set_stock(request.id, stock);
        }
        parts_.store.forget_stocks();
        return {};
    });
}

Result<void> Searches::record_found(const SearchReply& reply) {
    if (!std::ranges::equal(reply.grants, searches_.asked, {}, &Searched::grant, &Request::id)) {
        return fail(Errc::internal, "jit-search told of other grants than it was asked about");
    }
    const auto recorded = parts_.store.transact([&]() -> Result<void> {
        const Now now = parts_.clock.now();
        for (std::size_t index = 0; index < searches_.asked.size(); ++index) {
            record(searches_.asked[index], reply.grants[index], now);
        }
        parts_.store.forget_stocks();
        return {};
    });
    for (const Searched& searched : reply.grants) {
        if (recorded && !again_.contains(searched.grant)) {
            unlink(disarmed_note(searched.grant).c_str());
        }
    }
    return recorded;
}

void Searches::record(const Request& request, const Searched& searched, const Now& now) {
    Store& store = parts_.store;
    const std::string kept = to_line(found_fields(searched, most_kept));
    Again& again = again_[request.id];
    const bool settled = !searched.again || ++again.tries >= most_tries;
    // By what is kept, and not by what this process has seen: a restart makes nothing new of what was told.
    const bool is_found = searched.count > 0 || (settled && !searched.problems.empty());
    const bool is_news = is_found && (store.left_behind(request.id) != kept || !store.review(request.id));
    if (is_news) {
        store.want_review(request.id, now.time);
    }
    if (settled || is_news) {
        Json fields{
            {"request", request.id}, {"role", request.role}, {"beneficiary", to_json(request.beneficiary)}};
        fields.update(found_fields(searched, most_in_event));
        store.append(searched.count == 0 ? "grant.searched" : "grant.left_behind", now.time, fields);
    }
    if (settled) {
        store.set_searched(request.id, now.time, kept);
        again_.erase(request.id);
        return;
    }
    store.set_left_behind(request.id, kept);
    again.next = now.boot + again.pause;
    again.pause = std::min(again.pause * 2, longest_pause);
}

void Searches::give_up(Lane& lane, const std::string& why) {
    lane.asked.clear();
    parts_.journal.send(Journal::Level::error,
                        fmt::format("what was left behind isn't known yet: {}; tried again in {}", why,
                                    format_duration(lane.retry)));
    lane.not_before = parts_.clock.now().boot + lane.retry;
    lane.retry = std::min(lane.retry * 2, longest_retry);
}

} // namespace jit
