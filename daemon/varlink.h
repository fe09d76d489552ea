// SPDX-License-Identifier: MIT
// A Varlink service (https://varlink.org): JSON objects, each ended by a NUL byte, over a unix stream socket.
// One call at a time on a connection; replies of a call with "more" may go on until the client closes.
//
// MUST:
//  1. What a client may make us hold is bounded: connections, of each uid too; bytes of a call; unsent
//  replies; time.
//  2. A client that is slow, or sends half a call, waits alone.
//  3. Who calls is asked of the kernel when the connection is accepted, and never of the message.
#pragma once

#include "core/fd.h"
#include "core/json.h"
#include "daemon/loop.h"
#include "daemon/peer.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace jit {

class VarlinkServer;

// One call, alive as long as somebody may still reply to it. Replies to a client that has gone go nowhere.
class Call {
public:
    Call(VarlinkServer& server, std::uint64_t connection, std::string method, Json parameters, bool more)
        : server_(server), connection_(connection), method_(std::move(method)),
          parameters_(std::move(parameters)), more_(more) {}

    [[nodiscard]] const std::string& method() const { return method_; }
    [[nodiscard]] const Json& parameters() const { return parameters_; }
    [[nodiscard]] bool more() const { return more_; }
    [[nodiscard]] const Peer* peer() const; // nullptr: gone

    void reply(const Json& parameters);      // the last one
    void reply_more(const Json& parameters); // others follow
    void fail(const Error& error);
    void fail_varlink(std::string_view name, const Json& parameters); // org.varlink.service.NAME

    [[nodiscard]] bool open() const; // the client is there and waits for (more) replies
    // Few enough unsent bytes that more may be queued; a stream asks before each batch.
    [[nodiscard]] bool drained() const;
    void on_drained(std::function<void()> call); // once

private:
    VarlinkServer& server_;
    std::uint64_t connection_;
    std::string method_;
    Json parameters_;
    bool more_;
    bool done_ = false;
};
using CallPtr = std::shared_ptr<Call>;

class VarlinkServer {
public:
    using Handler = std::function<void(const CallPtr&)>;

    // `listener`: a listening stream socket. `interface`: the text that GetInterfaceDescription returns,
    // whose name is `name`; calls of its methods go to `handler`.
    VarlinkServer(Loop& loop, Fd listener, std::string name, std::string interface, std::string version,
                  Handler handler);

private:
    friend class Call;
    // What a connection waits for, which decides how long it may.
    enum class Wait { nothing, us, next_call, rest_of_call, reader };
    struct Connection {
        Fd fd;
        Peer peer;
        std::string in;
        std::string out;
        bool busy = false;      // a call is being answered
        bool oneway = false;    // and its client wants no reply
        bool last_call = false; // nothing more is read from it
        Wait wait = Wait::nothing;
        std::function<void()> on_drained;
        Loop::Source io;
        Loop::Source deadline;
    };

    void accept_some();
    // Where all places are taken: who has the most gives one up, the oldest on which nothing is being done,
    // for somebody who has fewer. So many uids of one person's (subuid(5)) keep nobody out.
    bool make_room(Uid uid);
    void serve(std::uint64_t id, std::uint32_t events);
    bool read_some(Connection& connection); // false: it has ended
    bool write_some(Connection& connection);
    void next_call(std::uint64_t id);
    void dispatch(const CallPtr& call);
    void send(std::uint64_t id, const Json& message, bool last);
    void update(std::uint64_t id, bool progress);
    void drop(std::uint64_t id);
    Connection* find(std::uint64_t id);

    Loop& loop_;
    Fd listener_;
    std::string name_;
    std::string interface_;
    std::string version_;
    Handler handler_;
    std::uint64_t next_ = 1;
    std::map<std::uint64_t, Connection> connections_;
    std::map<Uid, int> connections_of_;
    Loop::Source accepting_;
};

} // namespace jit
