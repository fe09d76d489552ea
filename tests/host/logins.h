// SPDX-License-Identifier: MIT
// What the tests of gated logins have in common.
#pragma once

#include "tests/host/access.h"

#include <gtest/gtest.h>

#include <string>

namespace jit::host {

// alice (in sre) gets logins and groups; bob approves, and is never gated where the gate is for sre only.
//
//   web-login  ssh, with systemd-journal, for as long as asked; can be extended
//   door       ssh alone
//   tools      plain sudo, su and login
//   logs       the group adm        more-logs  the same group, and users
extern const char* const LOGIN_POLICY;

class GatedHost : public testing::Test {
protected:
    GatedHost();

    // `jitctl pam enable`, as root types it.
    void gate(const std::string& service, const std::string& options);
    // bob gives alice a grant, as in let_in("door --for 10m"); its id.
    std::string let_in(const std::string& what);
    // What root types inside the host, as `ssh alice@127.0.0.1 …` with a key of its own: for options of ssh.
    Result ssh_inside(const std::string& options, const std::string& command);

    std::string registered() { return host.root("ls /run/jit/uses").out; }
    // Processes that run `what`, by their whole command line.
    std::string running(const std::string& what) { return host.root("pgrep -fx '" + what + "'").out; }
    std::string audit() { return host.root("jitctl audit").out; }

    Host host;
};

} // namespace jit::host
