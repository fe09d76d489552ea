// SPDX-License-Identifier: MIT
// Reviewing: somebody has looked at what a grant left behind.
#include "core/record.h"
#include "core/text.h"
#include "daemon/requests.h"
#include "daemon/requests_text.h"

#include <fmt/format.h>

namespace jit {
namespace {

// Why there is nothing of it to look at.
std::string described(const Request& request, const std::optional<Review>& review) {
    if (review) {
        return fmt::format("{} has reviewed what {} left behind already; see jitctl show {}", review->by,
                           request.id, request.id);
    }
    return request.over()
               ? fmt::format("{}; nothing that it left behind is known, so there is nothing to review",
                             described_state(request))
               : fmt::format("{}; what it leaves behind is looked for after its end",
                             described_state(request));
}

} // namespace

Result<Request> Requests::review(const Caller& caller, const RequestId& id, const std::string& reason) {
    if (!reason.empty()) {
        if (auto good = check_reason(reason); !good) {
            return std::unexpected(good.error());
        }
    }
    auto request = find(id);
    if (!request) {
        return request;
    }
    // Before anything else is said: whether something was found isn't theirs to know whom it was for.
    if (auto may = reviewable(policy_, *request, caller); !may) {
        return std::unexpected(may.error());
    }
    if (auto free = not_locked(caller); !free) {
        return std::unexpected(free.error());
    }
    const auto due =
        store_.guarded([&]() -> Result<std::optional<Review>> { return store_.review(request->id); });
    if (!due) {
        return std::unexpected(due.error());
    }
    if (!*due || (*due)->at) {
        return fail(Errc::conflict, described(*request, *due));
    }
    if (auto room = store_.room_to_give(); !room) {
        return std::unexpected(room.error());
    }
    return store_.transact([&]() -> Result<Request> {
        const Time now = clock_.now().time;
        // Root is nobody: it is who logged in.
        store_.set_reviewed(id, now, caller.is_root() ? caller.login_person : caller.party.person, reason);
        store_.append("grant.reviewed", now,
                      {{"request", id},
                       {"role", request->role},
                       {"beneficiary", to_json(request->beneficiary)},
                       {"by", to_json(caller.party)},
                       {"login_person", caller.login_person},
                       {"found", (*due)->due.time_since_epoch().count()},
                       {"reason", reason}});
        return *request;
    });
}

} // namespace jit
