// SPDX-License-Identifier: MIT
// Whether a gate would shut out those who must open it: for each stage that guards a login through the
// service, enough of its people MUST be able to log in without a grant. People who sign may do so elsewhere.
// A lookup that fails is an error, never "not a member" and never "not gated".
#pragma once

#include "core/policy.h"
#include "core/types.h"
#include "ctl/pam_stack.h"

#include <optional>
#include <string>
#include <vector>

namespace jit {

// The host's accounts and groups; tests bring their own.
class AccountSource {
public:
    AccountSource() = default;
    AccountSource(const AccountSource&) = delete;
    AccountSource& operator=(const AccountSource&) = delete;
    virtual ~AccountSource() = default;

    // None: there is no such account.
    [[nodiscard]] virtual Result<std::optional<Uid>> find(const std::string& account) const = 0;
    // None: there is no such group. With those whose primary group it is, without those whom jit put in.
    [[nodiscard]] virtual Result<std::optional<std::vector<std::string>>>
    members(const std::string& group) const = 0;
    [[nodiscard]] virtual Result<bool> is_member(const std::string& account,
                                                 const std::string& group) const = 0;
};

// Asks NSS. What lies in `userdb` (/run/userdb) as USER:GROUP.membership was given by jit, for a while.
class NssAccounts : public AccountSource {
public:
    explicit NssAccounts(std::string userdb) : userdb_(std::move(userdb)) {}
    [[nodiscard]] Result<std::optional<Uid>> find(const std::string& account) const override;
    [[nodiscard]] Result<std::optional<std::vector<std::string>>>
    members(const std::string& group) const override;
    [[nodiscard]] Result<bool> is_member(const std::string& account, const std::string& group) const override;

private:
    std::string userdb_;
};

struct Lockout {
    std::vector<std::string> reasons;  // why it would shut people out; none: it wouldn't
    std::vector<std::string> warnings; // whom it shuts out from asking
};

// What a gate in mode enforce on a login's service would do.
[[nodiscard]] Result<Lockout> find_lockout(const Policy& policy, const std::string& service, const Gate& gate,
                                           const AccountSource& accounts);

// Whether a role opens the service at all.
[[nodiscard]] bool opens_service(const Policy& policy, const std::string& service);

} // namespace jit
