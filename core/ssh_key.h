// SPDX-License-Identifier: MIT
// A public key as people hand it in: one line of an OpenSSH .pub file, "TYPE BASE64 [COMMENT]"
// (sshd(8), AUTHORIZED_KEYS FILE FORMAT; the blob is RFC 4253 6.6, PROTOCOL.u2f).
//
// MUST:
//  1. Nothing but a type, a blob that says the same type, and a comment: no options, no certificates.
//  2. What is written into authorized_keys is made from what was understood: the comment is dropped.
#pragma once

#include "core/error.h"

#include <string>
#include <string_view>

namespace jit {

struct SshKey {
    std::string type;
    std::string blob; // base64, as it came
    [[nodiscard]] std::string text() const { return type + ' ' + blob; }
    // "SHA256:…", as ssh-keygen -l shows it.
    [[nodiscard]] std::string fingerprint() const;
};

[[nodiscard]] Result<SshKey> parse_ssh_key(std::string_view line);

} // namespace jit
