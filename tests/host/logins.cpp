// SPDX-License-Identifier: MIT
#include "tests/host/logins.h"

#include <sstream>
#include <stdexcept>

namespace jit::host {

const char* const LOGIN_POLICY = R"(
[site]
help = "Ask in #ops-access"

[people.oncall]
members = ["bob"]

[risk.low]
auto_approve = "1h"
stages = [{ from = "oncall" }]

[risk.medium]
stages = [{ from = "oncall" }]

[role.web-login]
risk     = "medium"
eligible = ["@sre"]
max      = "1h"
extend   = "2h"
login    = ["sshd"]
groups   = ["systemd-journal"]

[role.door]
risk     = "medium"
eligible = ["@sre"]
max      = "1h"
login    = ["sshd"]

[role.tools]
risk     = "medium"
eligible = ["@sre"]
max      = "1h"
login    = ["sudo", "su", "login"]

[role.logs]
risk     = "medium"
eligible = ["@sre", "carol"]
max      = "1h"
groups   = ["adm"]

[role.more-logs]
risk     = "medium"
eligible = ["@sre"]
max      = "1h"
groups   = ["adm", "users"]
)";

GatedHost::GatedHost() {
    host.policy(LOGIN_POLICY);
    host.root(
        "ssh-keygen -q -t ed25519 -N '' -f /root/key; cat /root/key.pub >>/home/alice/.ssh/authorized_keys");
}

void GatedHost::gate(const std::string& service, const std::string& options) {
    const Result enabled = host.root("jitctl pam enable " + service + " " + options);
    if (enabled.status != 0) {
        std::ostringstream text;
        text << "gating " << service << ": " << enabled;
        throw std::runtime_error(text.str());
    }
}

std::string GatedHost::let_in(const std::string& what) {
    const Result granted = host.as("bob", "jitctl --json grant alice " + what + " --reason test");
    const Json json = json_of(granted);
    if (granted.status != 0) {
        throw std::runtime_error("granting " + what + ": " + granted.out);
    }
    return json.at("request").at("id");
}

Result GatedHost::ssh_inside(const std::string& options, const std::string& command) {
    return host.root("ssh -F none -i /root/key -o IdentitiesOnly=yes -o StrictHostKeyChecking=no "
                     "-o UserKnownHostsFile=/dev/null -o BatchMode=yes " +
                     options + " alice@127.0.0.1 " + command);
}

} // namespace jit::host
