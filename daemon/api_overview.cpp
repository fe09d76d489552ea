// SPDX-License-Identifier: MIT
// What is live, as each of those who look at it may see it, and as it changes.
//
// MUST:
//  1. Nobody is told more than List would tell them in that moment: who they are and what the policy says is
//     looked at anew for each reply. Not even that something has changed which they don't see.
//  2. Looking costs little: replies are a second apart, and a viewer's is made in a turn of its own.
#include "daemon/api.h"
#include "daemon/parameters.h"
#include "daemon/view.h"

#include <sodium.h>

#include <algorithm>
#include <set>

namespace jit {
namespace {

constexpr Millis between_tellings = std::chrono::seconds(1);
constexpr Millis gathering = Millis(50); // one thing that happens is several events

} // namespace

Result<Json> Api::overview_of(const Caller& caller) {
    const auto requests = listed(caller, false, false);
    if (!requests) {
        return std::unexpected(requests.error());
    }
    std::set<RequestId> grants;
    Json list = Json::array();
    for (const Request& request : *requests) {
        grants.insert(request.id);
        if (std::ssize(list) < most_listed) {
            list.push_back(view_of(parts_.policy.policy(), request, caller));
        }
    }
    std::int64_t count = 0;
    Json uses = Json::array();
    for (const Uses::Running& running : parts_.uses.running()) {
        if (grants.contains(running.grant) && ++count <= most_listed) {
            uses.push_back(view_of(*running.use, running.grant, running.until));
        }
    }
    const auto left_out = [](std::int64_t found) { return std::max<std::int64_t>(0, found - most_listed); };
    Json overview{{"requests", std::move(list)},
                  {"uses", std::move(uses)},
                  {"left_out", left_out(std::ssize(*requests)) + left_out(count)}};
    add_count_to_review(overview, caller);
    return overview;
}

void Api::overview(const CallPtr& call, Parameters& parameters) {
    if (rejected(call, parameters)) {
        return;
    }
    const auto viewer = std::make_shared<Viewer>(Viewer{.call = call, .told = {}});
    if (call->more()) {
        // A connection has one call at a time, and connections are bounded: so are these.
        std::erase_if(viewers_, [](const auto& one) { return !one->call->open(); });
        viewers_.push_back(viewer);
    }
    tell(viewer);
}

void Api::tell(const std::shared_ptr<Viewer>& viewer) {
    if (viewer->asking) {
        return; // what it will be told is what holds then
    }
    viewer->asking = true;
    ask_who(viewer->call, [this, viewer](const Caller& caller) {
        viewer->asking = false;
        if (!viewer->call->drained()) {
            return viewer->call->on_drained([this, viewer] { tell(viewer); });
        }
        auto overview = overview_of(caller);
        if (!overview) {
            return viewer->call->fail(overview.error());
        }
        const std::string text = to_line(*overview);
        decltype(viewer->told) hash{};
        crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(text.data()),
                           text.size(), nullptr, 0);
        if (hash == viewer->told) {
            return;
        }
        (*overview)["now"] = parts_.clock.now().time.time_since_epoch().count();
        if (!viewer->call->more()) {
            return viewer->call->reply(*overview);
        }
        viewer->told = hash;
        viewer->call->reply_more(*overview);
    });
}

void Api::overview_changed() {
    std::erase_if(viewers_, [](const auto& viewer) { return !viewer->call->open(); });
    if (viewers_.empty() || telling_due_) {
        return;
    }
    telling_due_ = true;
    const Millis wait = std::max(gathering, told_ + between_tellings - parts_.clock.now().boot);
    telling_ = parts_.loop.after(wait, Millis(10), [this] {
        telling_due_ = false;
        told_ = parts_.clock.now().boot;
        const auto viewers = viewers_; // one whose lookup fails at once is still among them
        std::ranges::for_each(viewers, [this](const auto& viewer) { tell(viewer); });
    });
}

} // namespace jit
