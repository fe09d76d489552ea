// SPDX-License-Identifier: MIT
// Who is judged: who logs in, or who calls a program such as sudo.
//
// MUST:
//  1. A lookup that failed is an error, never uid 0, and never "not a member".
//  2. Nothing is taken from the environment or from PAM_RUSER: a calling person is the real uid.
#pragma once

#include "core/error.h"
#include "core/types.h"

#include <string>
#include <string_view>
#include <vector>

namespace jit {

struct Person {
    std::string account;
    Uid uid = no_uid;
    Gid gid = no_gid;
    bool calls = false; // of a program such as sudo; false: of a login
};

// "su" for su-l, "sudo" for sudo-i: one and the same program, under the name that policies use.
[[nodiscard]] std::string service_name(std::string_view pam_service);

// Who is judged where `pam_user` is PAM_USER.
[[nodiscard]] Result<Person> person_judged(const std::string& service, const std::string& pam_user);

// As NSS tells it.
[[nodiscard]] Result<bool> is_member(const Person& person, const std::string& group);
[[nodiscard]] Result<Gid> gid_of_group(const std::string& group);
[[nodiscard]] Result<std::vector<Gid>> gids_of(const Person& person);

} // namespace jit
