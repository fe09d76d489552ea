// SPDX-License-Identifier: MIT
// What the tests of requests and grants have in common: a policy, asking, looking.
#pragma once

#include "tests/host/kit.h"

#include <nlohmann/json.hpp>

#include <string>

namespace jit::host {

using Json = nlohmann::json;

// alice (in sre), bob and dave ask; bob and carol (in sre-leads) are on call; carol and dave are security.
//
//   logs        an hour at once, by rule        web-ops     one of oncall
//   web-login   10 minutes at once, by rule;    root-shell  one of oncall and one of security
//               more if one of oncall approves
extern const char* const POLICY;

// What `jitctl --json …` printed: one document. Throws where it isn't JSON.
Json json_of(const Result& run);

// `user` asks, as in ask(host, "alice", "web-ops --for 10m"), and this is the request. Throws where it fails.
Json request(Host& host, const std::string& user, const std::string& what);
// The same, where only the id matters.
std::string ask(Host& host, const std::string& user, const std::string& what);

// What there is to know of a request now, as root is told it.
Json show(Host& host, const std::string& id);
// "pending", "active", "ended (expired)" …
std::string state(Host& host, const std::string& id);

// Changes the database behind jitd's back. Throws where it fails.
void edit_database(Host& host, const std::string& statements);

} // namespace jit::host
