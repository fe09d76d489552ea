// SPDX-License-Identifier: MIT
// What the steps of a request's life have in common: checks and wording.
#pragma once

#include "core/error.h"
#include "core/grant.h"
#include "core/json.h"

#include <string>

namespace jit {

[[nodiscard]] Result<void> check_reason(const std::string& reason);
[[nodiscard]] Json answer_fields(const Request& request, const Answer& answer); // of the audit event
[[nodiscard]] std::string described_state(const Request& request); // "request 7f3a is ended (expired)"
// Of a grant that is over, or gives something no longer: "bob revoked web-ops: nginx is well again".
[[nodiscard]] std::string described_end(const Request& request);

// "web-login isn't used and ends in 1 minute, and this login with it …"
[[nodiscard]] std::string described_idle(const Request& grant, Millis left);

// "web-login ends in 5 minutes, at 14:32 UTC, and this login with it. To go on: jitctl extend 7f3a --reason
// …"
[[nodiscard]] std::string described_time_left(const Request& grant, Millis left, bool can_be_extended);

} // namespace jit
