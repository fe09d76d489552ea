// SPDX-License-Identifier: MIT
#include "tests/surface/surface.h"

namespace jit::host {

const char* const SURFACE_POLICY = R"(
[site]
help = "Ask in #ops-access"

[people.oncall]
members = ["bob"]

[risk.low]
auto_approve = "1h"

[risk.medium]
stages = [{ from = "oncall" }]

[role.tools]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
authenticate = false
run_as       = ["root", "carol", "bob"]
commands     = ["/usr/bin/bash **", "/usr/bin/sh **", "/usr/bin/id **", "/usr/bin/env", "/usr/bin/pwd",
                "/usr/bin/sleep *", "/usr/bin/printenv *", "/usr/bin/cat"]
env          = ["APP_*", "DEBUG"]

[role.proven]
risk     = "low"
eligible = ["dave"]
max      = "1h"
commands = ["/usr/bin/id **", "/usr/bin/cat"]

[role.each-time]
risk         = "low"
eligible     = ["dave"]
max          = "1h"
auth_timeout = "0s"
commands     = ["/usr/bin/true"]

[role.web]
risk         = "medium"
eligible     = ["alice"]
max          = "1h"
authenticate = false
commands     = ["/usr/bin/whoami", "/usr/bin/uname"]

[role.db]
risk         = "medium"
eligible     = ["alice"]
max          = "1h"
authenticate = false
commands     = ["/usr/bin/uname", "/usr/bin/hostname"]
ticket       = "INC-[0-9]+"
)";

void Surface::TearDown() {
    // Nothing of one test is left for the next.
    const Json requests = json_of(host().root("jitctl --json list")).at("requests");
    for (const Json& each : requests) {
        host().root("jitctl revoke " + each.at("id").get<std::string>() + " --reason 'the test is over'");
    }
}

} // namespace jit::host
