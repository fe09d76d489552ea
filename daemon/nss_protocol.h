// SPDX-License-Identifier: MIT
// What jitd and its NSS worker say to each other over /run/jit/nss (SOCK_SEQPACKET, root only), a JSON object
// a packet:
//
//   {"id": 7, "uid": 1001} or {"id": 7, "name": "alice"}
//   {"id": 7, "account": {"name": "alice", "uid": 1001, "gid": 1001, "groups": ["alice", "sre"]}}
//   {"id": 7, "missing": true}            NSS knows no such account
//   {"id": 7, "error": "…"}               NSS failed: it is not known whether there is one
//
// Answers come in any order, or never.
#pragma once

#include "core/json.h"
#include "daemon/account.h"

#include <optional>
#include <string_view>

namespace jit {

inline constexpr std::size_t largest_nss_packet = 128 * 1024;

struct NssQuestion {
    std::int64_t id = 0;
    AccountKey key;
};

struct NssAnswer {
    std::int64_t id = 0;
    Result<std::optional<Account>> account;
};

[[nodiscard]] std::string nss_text(const NssQuestion& question);
[[nodiscard]] std::string nss_text(const NssAnswer& answer);
[[nodiscard]] Result<NssQuestion> parse_nss_question(std::string_view packet);
[[nodiscard]] Result<NssAnswer> parse_nss_answer(std::string_view packet);

} // namespace jit
