// SPDX-License-Identifier: MIT
#include "ctl/following.h"

#include <chrono>

namespace jit {
namespace {

constexpr int most_attempts = 20;
constexpr auto pause = std::chrono::milliseconds(500);

} // namespace

// Where jitd goes away in the middle it is being restarted (an upgrade): what was there is in its database,
// so it is asked again for a while.
Outcome<void> follow(const Context& context, const Interrupt& interrupt, const Following& following) {
    bool told = false;
    bool wanted = true;
    for (int attempt = 0;;) {
        Outcome<void> streamed;
        if (auto client = Client::connect(context.client); client) {
            const auto take = [&](const Json& parameters) {
                attempt = 0;
                told = true;
                return wanted = following.take(parameters);
            };
            streamed = client->stream(following.method, following.parameters, Client::First::soon, &interrupt,
                                      take, following.meanwhile);
        } else {
            streamed = std::unexpected(client.error());
        }
        if (!wanted) {
            return {};
        }
        // An end of the stream that nobody wanted is a jitd that is shutting down.
        const bool lost = streamed || streamed.error().exit == Exit::unreachable ||
                          (following.patient && streamed.error().kind == "unavailable");
        if (!lost || !told) {
            return streamed ? Outcome<void>(unreachable("jitd told nothing")) : streamed;
        }
        if (++attempt > most_attempts && !following.patient) {
            return streamed ? Outcome<void>(unreachable("jitd keeps hanging up")) : streamed;
        }
        if (attempt == 1) {
            following.lost();
        }
        if (!interrupt.sleep(pause) || (following.meanwhile != nullptr && !following.meanwhile->call())) {
            return interrupted();
        }
    }
}

} // namespace jit
