// SPDX-License-Identifier: MIT
#include "tests/gauntlet/arena.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace jit::host {
namespace {

// Bytes that no output of a test has.
constexpr char END_OF_PART = '\x1e';
constexpr char END_OF_COMMAND = '\x1d';

std::string next_part(std::string& text, char end) {
    const auto at = text.find(end);
    if (at == std::string::npos)
        throw std::runtime_error("a command has no end: " + text);
    std::string part = text.substr(0, at);
    text.erase(0, at + 1);
    return part;
}

} // namespace

const char* const GAUNTLET_POLICY = R"(
[people.oncall]
members = ["bob"]

[risk.low]
auto_approve = "1h"
[risk.asked]
stages = [{ from = "oncall" }]

[role.tools]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
authenticate = false
run_as       = ["root", "carol"]
commands     = ["/usr/bin/id **", "/usr/bin/env **", "/usr/bin/sh **", "/usr/bin/cat **", "/usr/bin/sleep *",
                "/usr/bin/true", "/usr/bin/ls **", "/usr/local/bin/oddly **", "/usr/bin/printf **"]
groups       = ["adm"]

[role.short]
risk         = "low"
eligible     = ["carol"]
max          = "1h"
authenticate = false
commands     = ["/usr/bin/id **", "/usr/bin/sleep *"]

[role.careful]
risk         = "low"
eligible     = ["dave"]
max          = "1h"
authenticate = true
commands     = ["/usr/bin/id **", "/usr/bin/sleep *"]
)";

std::unique_ptr<Host> Arena::host_;
std::map<std::string, Session> Arena::shells_;

void Arena::SetUpTestSuite() {
    host_ = std::make_unique<Host>();
    host().copy(JIT_ODDLY, "/usr/local/bin/oddly", "0755");
    host().root("useradd --create-home erin");
    host().policy(GAUNTLET_POLICY);
    const Result asked = host().root("runuser -u alice -- jitctl request tools --reason test && "
                                     "runuser -u dave -- jitctl request careful --reason test");
    if (asked.status != 0)
        throw std::runtime_error(asked.err);
}

void Arena::TearDownTestSuite() {
    shells_.clear();
    host_.reset();
}

void Arena::TearDown() {
    if (HasFailure())
        std::cout << host().root("journalctl --no-pager -n 30 -u jitd").out;
}

std::vector<Result> Arena::all(const std::string& user, const std::vector<std::string>& commands) {
    std::string script = "d=$(mktemp -d -p ~)\n";
    for (const std::string& command : commands)
        script += "(\n" + command +
                  "\n) >$d/out 2>$d/err </dev/null\n"
                  "printf '%s\\036' $?; cat $d/out; printf '\\036'; cat $d/err; printf '\\035'\n";
    script += "rm -rf $d\n";
    std::string output =
        user == "root" ? host().root("cd; bash -s", {.stdin_text = script}).out : typed(user, script);
    std::vector<Result> results;
    for (std::size_t index = 0; index < commands.size(); ++index) {
        Result& result = results.emplace_back();
        result.status = std::stoi(next_part(output, END_OF_PART));
        result.out = next_part(output, END_OF_PART);
        result.err = next_part(output, END_OF_COMMAND);
    }
    return results;
}

std::string Arena::typed(const std::string& user, const std::string& script) {
    static int count = 0;
    const std::string end = "\034" + std::to_string(++count) + "\034";
    if (!shells_.contains(user))
        shells_.emplace(user, host().begin_as(user, "bash -s"));
    Session& shell = shells_.at(user);
    const std::size_t before = shell.output().size();
    shell.type(script + "printf '\\034%s\\034' " + std::to_string(count) + "\n");
    if (!shell.shows(end, std::chrono::seconds(60)))
        throw std::runtime_error(user + "'s shell doesn't come to an end: " + shell.output().substr(before));
    const std::string& output = shell.output();
    return output.substr(before, output.find(end) - before);
}

Result Arena::one(const std::string& user, const std::string& command) {
    return all(user, {command}).front();
}

std::string Arena::module_directory() {
    std::string path = host()
                           .root("dirname $(ls /lib/*/security/pam_unix.so /usr/lib/*/security/pam_unix.so "
                                 "2>/dev/null | head -n 1)")
                           .out;
    path.pop_back();
    return path;
}

std::string Arena::audit(const std::string& kind) {
    return host().root("jitctl audit --kind " + kind).out;
}

std::size_t Arena::starts() {
    const std::string lines = audit("use.started");
    return static_cast<std::size_t>(std::ranges::count(lines, '\n'));
}

Line::Line(Host& host, std::string file, const std::string& first) : host_(host), file_(std::move(file)) {
    host_.root("cp -p " + file_ + " " + file_ + ".before");
    host_.root("{ cat; cat " + file_ + ".before; } >" + file_, {.stdin_text = first + "\n"});
}

Line::~Line() {
    host_.root("mv " + file_ + ".before " + file_);
}

} // namespace jit::host
