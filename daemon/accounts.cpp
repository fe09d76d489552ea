// SPDX-License-Identifier: MIT
#include "daemon/accounts.h"

#include "core/clock.h"
#include "daemon/connect.h"

#include <fmt/format.h>

#include <cerrno>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace jit {
namespace {

constexpr Millis patience = std::chrono::seconds(5);
constexpr std::size_t most_waiting = 1024;
constexpr Millis recent_enough = std::chrono::seconds(10);
constexpr std::size_t most_recent = 1024;

std::unexpected<Error> unavailable(std::string_view why) {
    return fail(Errc::unavailable,
                fmt::format("the account database (NSS) can't be asked: {}; try again, and see "
                            "systemctl status jit-nss.socket jit-nss.service",
                            why));
}

Error no_answer() {
    return unavailable(fmt::format("no answer within {}", format_duration(patience))).error();
}

} // namespace

Result<void> Accounts::connect() {
    auto connected = connect_to(socket_, SOCK_SEQPACKET);
    if (!connected) {
        return unavailable(connected.error().message);
    }
    connection_ = std::move(*connected);
    readable_ = loop_.on_io(connection_.get(), EPOLLIN, [this](std::uint32_t) { receive(); });
    return {};
}

void Accounts::look_up(const AccountKey& key, Done done, Turn turn) {
    ask(
        std::visit([](const auto& value) { return NssKey(value); }, key),
        [this, key, done = std::move(done)](const Result<NssFound>& found) {
            if (!found) {
                return done(std::unexpected(found.error()));
            }
            // Also where NSS tells of it: what jit made is never taken for an account of the host.
            auto made = made_ ? made_(key) : std::nullopt;
            const bool is_it = made && (!found->account || found->account->uid == made->uid);
            done(is_it ? made : found->account);
        },
        turn);
}

void Accounts::look_up_recent(const AccountKey& key, const Done& done) {
    const BootTime now = read_system_clock().boot;
    if (const auto found = recent_.find(key);
        found != recent_.end() && now - found->second.at < recent_enough) {
        return done(std::optional(found->second.account));
    }
    look_up(key, [this, key, done](const Result<std::optional<Account>>& found) {
        if (recent_.size() >= most_recent) {
            recent_.clear();
        }
        if (found && *found) {
            recent_.insert_or_assign(key, Recent{.account = **found, .at = read_system_clock().boot});
        }
        done(found);
    });
}

void Accounts::are_unknown(std::vector<NssKey> keys, FreeDone done, Turn turn) {
    const NssKey key = keys.back();
    keys.pop_back();
    ask(
        key,
        [this, keys = std::move(keys), done = std::move(done), turn](const Result<NssFound>& found) mutable {
            if (!found) {
                return done(std::unexpected(found.error()));
            }
            if (found->account || found->group || keys.empty()) {
                return done(!found->account && !found->group);
            }
            are_unknown(std::move(keys), std::move(done), turn);
        },
        turn);
}

void Accounts::look_up_group(const std::string& name, GroupDone done, Turn turn) {
    ask(
        GroupName{name},
        [done = std::move(done)](const Result<NssFound>& found) {
            if (!found) {
                return done(std::unexpected(found.error()));
            }
            done(found->group);
        },
        turn);
}

void Accounts::ask(NssKey key, Found done, Turn turn) {
    const std::int64_t id = next_id_++;
    const bool full = turn == Turn::person && persons_.next.size() >= most_waiting;
    waiting_.insert_or_assign(
        id, Waiting{.key = std::move(key), .done = std::move(done), .turn = turn, .timer = {}});
    line_of(turn).next.insert(id);
    if (full) {
        return give_up_in(Millis(0), id, unavailable("too many lookups are waiting").error());
    }
    if (turn == Turn::person) {
        give_up_in(patience, id, no_answer());
    }
    ask_next();
}

void Accounts::ask_next() {
    for (Line* line : {&persons_, &checks_}) {
        while (line->asked < line->most_asked && !line->next.empty()) {
            const std::int64_t id = *line->next.begin();
            line->next.erase(line->next.begin());
            ask_worker(id);
        }
    }
}

void Accounts::ask_worker(std::int64_t id) {
    Waiting& waiting = waiting_.at(id);
    const std::string packet = nss_text({.id = id, .key = waiting.key});
    Error why = unavailable("the worker takes no questions").error();
    bool sent = false;
    // A worker that was restarted leaves a dead connection behind: once more, then.
    for (int attempt = 0; attempt < 2 && !sent; ++attempt) {
        if (!connection_) {
            if (auto connected = connect(); !connected) {
                why = connected.error();
                break;
            }
        }
        sent = send(connection_.get(), packet.data(), packet.size(), MSG_NOSIGNAL) >= 0;
        if (!sent && errno == EAGAIN) {
            break;
        }
        if (!sent) {
            disconnect("the worker was restarted");
        }
    }
    waiting.asked = true;
    ++line_of(waiting.turn).asked;
    if (!sent) {
        give_up_in(Millis(0), id, why);
    } else if (waiting.turn == Turn::check) {
        give_up_in(patience, id, no_answer());
    }
}

void Accounts::give_up_in(Millis delay, std::int64_t id, const Error& error) {
    waiting_.at(id).timer =
        loop_.after(delay, Millis(10), [this, id, error] { finish(id, std::unexpected(error)); });
}

void Accounts::receive() {
    std::string packet(largest_nss_packet, '\0');
    const ssize_t size = recv(connection_.get(), packet.data(), packet.size(), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (size <= 0) {
        return disconnect("the worker ended");
    }
    packet.resize(static_cast<std::size_t>(size));
    auto answer = parse_nss_answer(packet);
    if (!answer) {
        return disconnect("the worker's answer can't be read");
    }
    if (!answer->found) {
        answer->found = unavailable(answer->found.error().message);
    }
    finish(answer->id, answer->found);
}

void Accounts::disconnect(const std::string& why) {
    readable_ = {};
    connection_.reset();
    for (const auto& [id, waiting] : waiting_) {
        if (waiting.asked) {
            give_up_in(Millis(0), id, unavailable(why).error());
        }
    }
}

void Accounts::finish(std::int64_t id, const Result<NssFound>& found) {
    // An answer after its time-out has nobody waiting.
    if (auto waiting = waiting_.extract(id)) {
        Line& line = line_of(waiting.mapped().turn);
        line.asked -= waiting.mapped().asked ? 1 : 0;
        line.next.erase(id);
        waiting.mapped().done(found);
        ask_next();
    }
}

} // namespace jit
