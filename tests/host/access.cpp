// SPDX-License-Identifier: MIT
#include "tests/host/access.h"

#include <sstream>
#include <stdexcept>

namespace jit::host {
namespace {

[[noreturn]] void fail(const std::string& what, const Result& run) {
    std::ostringstream text;
    text << what << ": " << run;
    throw std::runtime_error(text.str());
}

} // namespace

const char* const POLICY = R"(
[site]
help = "Ask in #ops-access"

[people.oncall]
members = ["bob", "@sre-leads"]

[people.security]
members = ["carol", "dave"]

[risk.low]
auto_approve = "1h"

[risk.quick]
auto_approve = "10m"
stages = [{ from = "oncall" }]

[risk.medium]
stages = [{ from = "oncall" }]

[risk.high]
stages = [{ from = "oncall" }, { from = "security" }]

[role.logs]
title    = "Read the journal"
risk     = "low"
eligible = ["@sre", "bob", "dave"]
max      = "1h"
extend   = "3h"
groups   = ["systemd-journal"]

[role.web-ops]
title    = "Restart and inspect the web tier"
risk     = "medium"
eligible = ["@sre", "bob", "dave"]
max      = "1h"
commands = ["/usr/bin/systemctl restart nginx", "/usr/bin/journalctl -u nginx -n *"]
groups   = ["systemd-journal"]
ticket   = "(INC-[0-9]+)?"

[role.web-login]
risk     = "quick"
eligible = ["@sre"]
max      = "1h"
login    = ["sshd"]

[role.root-shell]
risk     = "high"
eligible = ["@sre"]
max      = "30m"
commands = ["/usr/bin/bash"]
)";

Json json_of(const Result& run) {
    Json json = Json::parse(run.out, nullptr, false);
    if (json.is_discarded())
        fail("not one JSON document", run);
    return json;
}

Json request(Host& host, const std::string& user, const std::string& what) {
    const Result asked = host.as(user, "jitctl --json request " + what + " --reason test");
    if (asked.status != 0)
        fail(user + " asks for " + what, asked);
    return json_of(asked).at("request");
}

std::string ask(Host& host, const std::string& user, const std::string& what) {
    return request(host, user, what).at("id");
}

Json show(Host& host, const std::string& id) {
    const Result shown = host.root("jitctl --json show " + id);
    if (shown.status != 0)
        fail("showing " + id, shown);
    return json_of(shown).at("request");
}

std::string state(Host& host, const std::string& id) {
    const Json request = show(host, id);
    const std::string state = request.at("state");
    return request.contains("cause") ? state + " (" + request.at("cause").get<std::string>() + ")" : state;
}

void edit_database(Host& host, const std::string& statements) {
    host.copy(JIT_RUN_SQL, "/root/run_sql", "0755");
    const Result edited =
        host.root("/root/run_sql /var/lib/jit/jit.db \"$(cat)\"", {.stdin_text = statements});
    if (edited.status != 0)
        fail("editing the database", edited);
}

} // namespace jit::host
