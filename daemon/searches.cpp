// SPDX-License-Identifier: MIT
#include "daemon/searches.h"

#include "core/json.h"
#include "core/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

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

void Searches::look() {
    if (connection_) {
        return;
    }
    const Now now = parts_.clock.now();
    if (now.boot < not_before_) {
        return look_at(not_before_);
    }
    if (parts_.store.short_of_room()) {
        return look_at(now.boot + while_short_of_room);
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
        look_at(now.boot + std::max(**oldest + after_an_end - now.time, Millis(100)));
    }
}

void Searches::look_at(BootTime time) {
    timer_ = parts_.loop.at(time, Millis(100), [this] { look(); });
}

// What there is nothing to be searched for is settled here and now.
Result<Searches::Batch> Searches::due() {
    return parts_.store.transact([&]() -> Result<Batch> {
        Store& store = parts_.store;
        const Time now = parts_.clock.now().time;
        Batch batch;
        for (Request& request : store.without_stock(most_at_once)) {
            if (needs_stock(request.scope)) {
                batch.began.push_back(std::move(request));
            } else {
                store.set_stock(request.id, 0);
            }
        }
        for (Request& request : store.unsearched(most_at_once)) {
            if (!gives_anything_lasting(request.scope) ||
                (request.scope.memberships.empty() && request.used == 0)) {
                store.set_searched(request.id, now, std::nullopt);
                continue;
            }
            if (now - *request.ended < pause_of(request)) {
                continue;
            }
            SearchFor one{.grant = request.id,
                          .account = request.beneficiary.account,
                          .uid = request.beneficiary.uid,
                          .since = *request.not_before,
                          .ago = now - *request.not_before,
                          .groups = request.scope.groups,
                          .run_as = request.scope.commands.empty() ? std::vector<std::string>()
                                                                   : request.scope.run_as,
                          .root = gives_root(request.scope),
                          .stock = store.stock_of(request.id)};
            one.groups.insert(one.groups.end(), request.scope.memberships.begin(),
                              request.scope.memberships.end());
            if (one.stock) {
                const auto items = store.stock(*one.stock);
                if (items) {
                    batch.job.stocks.emplace(*one.stock, *items);
                } else {
                    one.stock.reset();
                }
            }
            batch.job.take_stock = batch.job.take_stock || needs_stock(request.scope);
            batch.job.grants.push_back(std::move(one));
            batch.ended.push_back(std::move(request));
        }
        batch.job.take_stock = batch.job.take_stock || !batch.began.empty();
        batch.job.trees = parts_.policy.site.search;
        return batch;
    });
}

void Searches::start(Batch batch) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_.copy(address.sun_path, sizeof address.sun_path - 1);
    Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd || connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return give_up(
            fmt::format("{}: {}; see systemctl status jit-search.socket", socket_, std::strerror(errno)));
    }
    batch_ = std::move(batch);
    to_send_ = search_text(batch_.job);
    sent_ = 0;
    received_.clear();
    connection_ = std::move(fd);
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
    look_at(parts_.clock.now().boot);
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
    look_at(not_before_);
}

} // namespace jit
