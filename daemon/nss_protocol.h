// SPDX-License-Identifier: MIT
// What jitd and its NSS worker say to each other over /run/jit/nss (SOCK_SEQPACKET, root only), a JSON object
// a packet:
//
//   {"id": 7, "uid": 1001} or {"id": 7, "name": "alice"} or {"id": 7, "group": "adm"}
//   or {"id": 7, "gid": 4}
//   {"id": 7, "account": {"name": "alice", "uid": 1001, "gid": 1001, "groups": ["alice", "sre"], "gids":
//   [1001, 990],
//                         "home": "/home/alice", "shell": "/bin/bash", "has_password": true}}
//   {"id": 7, "gid": 4}
//   {"id": 7, "missing": true}            NSS knows no such account or group
//   {"id": 7, "error": "…"}               NSS failed: it is not known whether there is one
//
// Answers come in any order, or never.
#pragma once

#include "core/json.h"
#include "daemon/account.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace jit {

inline constexpr std::size_t largest_nss_packet = 128 * 1024;

using NssKey = std::variant<Uid, std::string, GroupName, Gid>;
// The one that was asked for; neither: there is none.
struct NssFound {
    std::optional<Account> account;
    std::optional<Gid> group;
};

struct NssQuestion {
    std::int64_t id = 0;
    NssKey key;
};

struct NssAnswer {
    std::int64_t id = 0;
    Result<NssFound> found;
};

[[nodiscard]] std::string nss_text(const NssQuestion& question);
[[nodiscard]] std::string nss_text(const NssAnswer& answer);
[[nodiscard]] Result<NssQuestion> parse_nss_question(std::string_view packet);
[[nodiscard]] Result<NssAnswer> parse_nss_answer(std::string_view packet);

} // namespace jit
