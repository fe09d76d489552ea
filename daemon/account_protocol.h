// SPDX-License-Identifier: MIT
// What jitd and jit-account say to each other over /run/jit/account (SOCK_STREAM, root only): one job, one
// reply, each a line of JSON, and the end of the stream behind it.
//
//   {"do":"make","name":"dave","uid":60578,"home":"tmpfs","keys":["ssh-ed25519 AAAA…"]}
//   {"do":"remove","name":"dave","uid":60578,"home":"tmpfs","keys":[]}
//   {"done":["home","crontab"],"problems":["/home/dave: …"]}
#pragma once

#include "core/error.h"
#include "core/policy.h"
#include "core/types.h"

#include <string>
#include <string_view>
#include <vector>

namespace jit {

inline constexpr const char* account_socket = "/run/jit/account";
inline constexpr std::size_t largest_account_message = 256 * 1024;

[[nodiscard]] inline std::string home_of(std::string_view account) {
    return "/home/" + std::string(account);
}

struct AccountJob {
    enum class What { make, remove };
    What what = What::make;
    std::string name;
    Uid uid = no_uid; // its own group has the same number
    TemporaryAccount::Home home = TemporaryAccount::Home::remove;
    std::vector<std::string> keys; // lines of authorized_keys
};

// What was removed, for the audit; and what went wrong: with any of those the job isn't done.
struct AccountReply {
    std::vector<std::string> done;
    std::vector<std::string> problems;
};

[[nodiscard]] std::string account_text(const AccountJob& job);
[[nodiscard]] std::string account_text(const AccountReply& reply);
[[nodiscard]] Result<AccountJob> parse_account_job(std::string_view text);
[[nodiscard]] Result<AccountReply> parse_account_reply(std::string_view text);

} // namespace jit
