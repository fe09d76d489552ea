// SPDX-License-Identifier: MIT
// What jitd would say, for tests of what jitctl makes of it.
#pragma once

#include "ctl_fake_jitd.h"

#include <chrono>

namespace jit {

inline std::int64_t in(std::chrono::milliseconds later) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return (std::chrono::duration_cast<std::chrono::milliseconds>(now) + later).count();
}

inline Json request(const std::string& state) {
    const std::int64_t filed = in(-std::chrono::minutes(1));
    Json r{{"id", "7f3a"},
           {"state", state},
           {"role", "web-ops"},
           {"title", "Web tier"},
           {"person", "alice"},
           {"account", "alice"},
           {"uid", 1000},
           {"requester", "alice"},
           {"scope",
            {{"run_as", {"root"}},
             {"commands", {"/usr/bin/systemctl restart nginx"}},
             {"groups", {"adm"}},
             {"memberships", Json::array()},
             {"login", {"sshd"}}}},
           {"reason", "nginx stuck"},
           {"duration", 3'600'000},
           {"filed", filed},
           {"stages",
            {{{"from", "oncall"},
              {"members", {"bob", "carol", "@sre-leads"}},
              {"count", 1},
              {"is_signed", false},
              {"missing", state == "pending" ? 1 : 0}}}},
           {"answers", Json::array()},
           {"yours_to_answer", false}};
    if (state == "pending") {
        r["answer_by"] = in(std::chrono::hours(24));
    } else {
        r["answers"].push_back({{"person", "bob"},
                                {"account", "bob"},
                                {"approves", state != "denied"},
                                {"reason", "fine"},
                                {"at", filed + 41'000}});
    }
    if (state == "active" || state == "ended") {
        r["not_before"] = filed;
        r["not_after"] = in(std::chrono::minutes(59) + std::chrono::seconds(30));
    }
    if (state == "ended") {
        r["cause"] = "expired";
    }
    return r;
}

inline Json with(Json object, const char* key, const Json& value) {
    object[key] = value;
    return object;
}
inline Json reply_of(const Json& request) {
    return {{"request", request}};
}

inline const std::vector<std::string> ask{"request", "web-ops", "--reason", "nginx stuck"};
inline std::vector<std::string> ask_and(const std::vector<std::string>& more) {
    std::vector<std::string> all = ask;
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

} // namespace jit
