// SPDX-License-Identifier: MIT
#include "daemon/searches.h"

#include "core/json.h"
#include "core/record.h"
#include "daemon/connect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace jit {
namespace {

constexpr std::int64_t most_at_once = 200;
constexpr Millis patience = std::chrono::minutes(30);
// What was killed at the end is gone by then. Memberships are looked after for five seconds (memberships.h):
// a login that was being made may have had the group for so long.
constexpr Millis after_an_end = std::chrono::seconds(1);
constexpr Millis after_a_membership = std::chrono::seconds(6);
constexpr Millis while_short_of_room = std::chrono::minutes(1);
// Of what is told of, the first so many bytes go into the event, and more are kept with the grant.
constexpr std::size_t most_in_event = 4096;
constexpr std::size_t most_kept = 65536;

// Where commands run as somebody else, what they wrote may work on: a stock tells.
bool needs_stock(const Scope& scope) {
    return !scope.commands.empty() || gives_root(scope);
}

bool gives_anything_lasting(const Scope& scope) {
    return !scope.commands.empty() || !scope.groups.empty() || !scope.memberships.empty();
}

Millis pause_of(const Request& request) {
    return request.scope.memberships.empty() ? after_an_end : after_a_membership;
}

// As much of a list as has room.
template <class List, class Text>
Json first_of(const List& list, std::size_t room, Text text) {
    Json some = Json::array();
    for (const auto& one : list) {
        std::string line = text(one);
        if (line.size() + 4 > room) {
            break;
        }
        room -= line.size() + 4;
        some.push_back(std::move(line));
    }
    return some;
}

Json found_fields(const Searched& searched, std::size_t room) {
    Json fields{{"count", searched.left.size()},
                {"left", first_of(searched.left, room, [](const Change& change) {
                     return fmt::format("{} {}: {}", change.what, change.how, change.name);
                 })}};
    if (!searched.problems.empty()) {
        fields["problems"] = first_of(searched.problems, room, [](const std::string& text) { return text; });
    }
    return fields;
}

} // namespace

Searches::Searches(Parts parts, std::string socket)
    : parts_(parts), socket_(std::move(socket)),
      timer_(parts_.loop.at(BootTime::max(), Millis(100), [this] { look(); })) {}

void Searches::look() {
    if (connection_) {
        return;
    }
    const Now now = parts_.clock.now();
    if (now.boot < not_before_) {
        return timer_.set_time(not_before_);
    }
    if (parts_.store.short_of_room()) {
        return timer_.set_time(now.boot + while_short_of_room);
    }
    auto batch = due();
    if (!batch) {
        return give_up(batch.error().message);
    }
    if (!batch->began.empty() || !batch->ended.empty()) {
        return start(std::move(*batch));
    }
    const auto oldest = parts_.store.guarded(
        [&]() -> Result<std::optional<Time>> { return parts_.store.oldest_unsearched(); });
    if (oldest && *oldest) {
        timer_.set_time(now.boot + std::max(**oldest + after_an_end - now.time, Millis(100)));
    }
}

// What there is nothing to be searched for is settled here and now. It is asked after each change, and mostly
// there is nothing at all: then nothing is written.
Result<Searches::Batch> Searches::due() {
    const auto waiting = parts_.store.guarded([&]() -> Result<Batch> {
        Batch all;
        all.began = parts_.store.without_stock(most_at_once);
        all.ended = parts_.store.unsearched(most_at_once);
        return all;
    });
    if (!waiting || (waiting->began.empty() && waiting->ended.empty())) {
        return waiting;
    }
    return parts_.store.transact([&]() -> Result<Batch> {
        Store& store = parts_.store;
        const Time now = parts_.clock.now().time;
        Batch batch;
        for (const Request& request : waiting->began) {
            if (needs_stock(request.scope)) {
                batch.began.push_back(request);
            } else {
                store.set_stock(request.id, 0);
            }
        }
        for (const Request& request : waiting->ended) {
            if (!gives_anything_lasting(request.scope) ||
                (request.scope.memberships.empty() && request.used == 0)) {
                store.set_searched(request.id, now, std::nullopt);
            } else if (now - *request.ended >= pause_of(request)) {
                batch.job.take_stock = batch.job.take_stock || needs_stock(request.scope);
                batch.job.grants.push_back(search_for(request, batch.job.stocks));
                batch.ended.push_back(request);
            }
        }
        batch.job.take_stock = batch.job.take_stock || !batch.began.empty();
        batch.job.trees = parts_.policy.site.search;
        return batch;
    });
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

void Searches::start(Batch batch) {
    auto connected = connect_to(socket_, SOCK_STREAM);
    if (!connected) {
        return give_up(connected.error().message + "; see systemctl status jit-search.socket");
    }
    batch_ = std::move(batch);
    to_send_ = search_text(batch_.job);
    sent_ = 0;
    received_.clear();
    connection_ = std::move(*connected);
    patience_ = parts_.loop.after(patience, std::chrono::seconds(1), [this] {
        give_up(fmt::format("a search took more than {}", format_duration(patience)));
    });
    io_ = parts_.loop.on_io(connection_.get(), EPOLLOUT, [this](std::uint32_t) {
        if (!to_send_.empty()) {
            send();
        } else {
            receive();
        }
    });
}

void Searches::send() {
    const ssize_t size =
        ::send(connection_.get(), to_send_.data() + sent_, to_send_.size() - sent_, MSG_NOSIGNAL);
    if (size < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            give_up(fmt::format("jit-search takes no question: {}", std::strerror(errno)));
        }
        return;
    }
    sent_ += static_cast<std::size_t>(size);
    if (sent_ == to_send_.size()) {
        shutdown(connection_.get(), SHUT_WR);
        to_send_ = {};
        io_.set_events(EPOLLIN);
    }
}

void Searches::receive() {
    char buffer[65536];
    const ssize_t size = recv(connection_.get(), buffer, sizeof buffer, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (size > 0 && received_.size() < largest_search) {
        received_.append(buffer, static_cast<std::size_t>(size));
        return;
    }
    finish();
}

void Searches::finish() {
    const auto reply = parse_search_reply(std::exchange(received_, {}));
    if (!reply) {
        return give_up("jit-search failed: see journalctl -u 'jit-search@*'");
    }
    if (const auto recorded = record(*reply); !recorded) {
        return give_up(recorded.error().message);
    }
    retry_ = first_retry;
    disconnect();
    batch_ = {};
    timer_.set_time(parts_.clock.now().boot);
}

Result<void> Searches::record(const SearchReply& reply) {
    const bool complete =
        reply.grants.size() == batch_.ended.size() && (reply.stock || !batch_.job.take_stock);
    if (!complete) {
        return fail(Errc::internal, "jit-search told of other grants than it was asked about");
    }
    return parts_.store.transact([&]() -> Result<void> {
        Store& store = parts_.store;
        const Time now = parts_.clock.now().time;
        if (!batch_.began.empty()) {
            const std::int64_t stock = store.keep_stock(*reply.stock);
            for (const Request& request : batch_.began) {
                store.set_stock(request.id, stock);
            }
        }
        for (std::size_t index = 0; index < batch_.ended.size(); ++index) {
            const Request& request = batch_.ended[index];
            const Searched& searched = reply.grants[index];
            if (searched.grant != request.id) {
                return fail(Errc::internal, "jit-search told of other grants than it was asked about");
            }
            Json fields{{"request", request.id},
                        {"role", request.role},
                        {"beneficiary", to_json(request.beneficiary)}};
            fields.update(found_fields(searched, most_in_event));
            store.append(searched.left.empty() ? "grant.searched" : "grant.left_behind", now, fields);
            store.set_searched(request.id, now, to_line(found_fields(searched, most_kept)));
        }
        store.forget_stocks();
        return {};
    });
}

// The watch first: once the number is another's, so would be what is taken out of epoll.
void Searches::disconnect() {
    io_ = {};
    connection_.reset();
    patience_ = {};
}

void Searches::give_up(const std::string& why) {
    disconnect();
    batch_ = {};
    to_send_ = {};
    received_ = {};
    parts_.journal.send(Journal::Level::error,
                        fmt::format("what was left behind isn't known yet: {}; tried again in {}", why,
                                    format_duration(retry_)));
    not_before_ = parts_.clock.now().boot + retry_;
    retry_ = std::min(retry_ * 2, longest_retry);
    timer_.set_time(not_before_);
}

} // namespace jit
