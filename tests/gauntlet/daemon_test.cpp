// SPDX-License-Identifier: MIT
// What daemons that decide for others were deceived by.
#include "tests/gauntlet/arena.h"

#include <cstdio>
#include <memory>
#include <set>
#include <sstream>

namespace jit::host {
namespace {

using testing::AnyOf;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class Daemon : public Arena {};

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

// The functions that jitd, as it was built here, has from libraries.
std::string imported() {
    const std::unique_ptr<FILE, int (*)(FILE*)> nm(
        popen("nm --dynamic --undefined-only --without-symbol-versions --format=just-symbols " JIT_JITD, "r"),
        pclose);
    std::string text;
    for (int letter = 0; (letter = std::fgetc(nm.get())) != EOF;)
        text += static_cast<char>(letter);
    return text;
}

TEST_F(Daemon, g025_jitd_starts_no_program_and_nobodys_environment_reaches_it_or_its_helpers) {
    const auto functions = lines_of(imported());
    EXPECT_THAT(functions, testing::Contains("sqlite3_step")) << "it was looked at";
    EXPECT_THAT(functions,
                Each(Not(AnyOf(StartsWith("exec"), StartsWith("posix_spawn"), HasSubstr("fork"),
                               StartsWith("popen"), testing::StrEq("system"), StartsWith("clone")))));
    one("alice", "export LD_PRELOAD=/tmp/x.so JIT_SOCKET=/tmp/s BASH_ENV=/tmp/b TZ=:/tmp/t EVIL=1; "
                 "jitctl request tools --reason test; jit-sudo -n id");
    const auto variables = lines_of(
        host()
            .root("for name in jitd jit-nss; do tr '\\0' '\\n' </proc/$(pgrep -x $name)/environ; done")
            .out);
    EXPECT_GT(variables.size(), 6U);
    // Those that systemd.exec(5) says it sets, the one of the unit of jit-nss, and nothing else.
    EXPECT_THAT(variables,
                Each(AnyOf(StartsWith("PATH=/usr"), StartsWith("LANG="), StartsWith("USER=root"),
                           StartsWith("HOME=/root"), StartsWith("LOGNAME=root"), StartsWith("SHELL=/"),
                           StartsWith("INVOCATION_ID="), StartsWith("JOURNAL_STREAM="),
                           StartsWith("SYSTEMD_EXEC_PID="), StartsWith("NOTIFY_SOCKET=/run/"),
                           StartsWith("WATCHDOG_"), StartsWith("LISTEN_"), StartsWith("MEMORY_PRESSURE_"),
                           StartsWith("STATE_DIRECTORY=/var/lib/jit"),
                           StartsWith("RUNTIME_DIRECTORY=/run/jit"), StartsWith("SYSTEMD_BYPASS_USERDB="))));
}

TEST_F(Daemon, g034_nothing_of_it_ages_away_and_nobody_can_put_their_own_in_its_place) {
    host().root("find /run/jit /var/lib/jit -exec touch -h -d '400 days ago' {} +");
    const std::string before = host().root("find /run/jit /var/lib/jit -type d | sort").out;
    EXPECT_THAT(before, HasSubstr("/run/jit/uses"));
    host().root("systemd-tmpfiles --clean");
    EXPECT_EQ(host().root("find /run/jit /var/lib/jit -type d | sort").out, before);
    // Whoever makes, renames or removes one of them can write to the directory that it is in.
    const std::string tries =
        host()
            .root("runuser -u alice -- sh -c 'mv /run/jit /run/jit2; mv /run/jit/uses /run/jit/uses2; "
                  "mkdir /run/jit/uses/x; ln -s /tmp /run/jit/uses/y; rmdir /run/jit/uses; mv /var/lib/jit "
                  "/var/lib/jit2; touch /run/userdb/alice:root.membership' 2>&1")
            .out;
    EXPECT_THAT(lines_of(tries), testing::SizeIs(7));
    EXPECT_EQ(host().root("find /run/jit /var/lib/jit -type d | sort").out, before);
}

TEST_F(Daemon, g060_who_calls_by_the_connection_of_somebody_who_has_gone_is_nobody) {
    // The number of a process that has gone may be another's by now: what /proc says of it counts for
    // nothing.
    host().write("/opt/heir.pl", R"(
        use strict; use IO::Socket::UNIX; $/ = "\0";
        my $socket = IO::Socket::UNIX->new(Peer => "/run/jit/io.jitsudo.Access") or die;
        if ($ARGV[0]) { exit if fork; sleep 1 }
        print $socket qq({"method":"io.jitsudo.Access.Request","parameters":{"role":"tools","reason":"test"}}\0);
        $socket->flush; my $reply = <$socket>; open my $out, ">", "/tmp/reply-$ARGV[0]"; print $out $reply;)");
    one("alice", "perl /opt/heir.pl 0");
    EXPECT_THAT(host().root("cat /tmp/reply-0").out, HasSubstr("\"state\""))
        << "it is a call that is answered";
    one("alice", "perl /opt/heir.pl 1; for n in $(seq 100); do [ -s /tmp/reply-1 ] && break; sleep .1; done");
    EXPECT_THAT(host().root("cat /tmp/reply-1").out,
                HasSubstr("who is logged in behind this call can't be told"));
}

TEST_F(Daemon, g064_nobody_but_root_writes_what_says_whom_to_end_or_what_is_granted) {
    one("alice", "jitctl request tools --reason test; jit-sudo -n id");
    EXPECT_THAT(host()
                    .root("find /run/jit /var/lib/jit /etc/jit /run/userdb ! -type s ! -type l "
                          "'(' ! -user root -o -perm /022 ')'")
                    .out,
                IsEmpty());
    EXPECT_THAT(host().root("find /run/jit /var/lib/jit | wc -l").out, Not(AnyOf("0\n", "1\n", "2\n")));
}

} // namespace
} // namespace jit::host
