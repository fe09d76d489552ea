// SPDX-License-Identifier: MIT
// What an unprivileged person can do to jitd's socket, and to whoever reads what they wrote: nothing.
#include "tests/host/access.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace jit::host {
namespace {

using testing::AllOf;
using testing::Eq;
using testing::HasSubstr;
using testing::Le;
using testing::Lt;
using testing::Matcher;
using testing::Not;
using namespace std::chrono_literals;
using namespace std::string_literals;

constexpr const char* CONNECT = R"(
use strict; use IO::Socket::UNIX; use IO::Select;
$SIG{PIPE} = "IGNORE"; $| = 1; binmode STDIN;
sub dial { IO::Socket::UNIX->new(Peer => "/run/jit/io.jitsudo.Access") or die "connect: $!\n" }
)";

// Runs a Perl program that may dial(). Every Debian has Perl, and it runs as who is logged in.
Result perl(Host& host, const std::string& user, const std::string& program, const std::string& input = {}) {
    host.write("/opt/" + user + ".pl", CONNECT + program);
    return host.as(user, "perl /opt/" + user + ".pl", {.stdin_text = input, .timeout = 60s});
}
Session begin_perl(Host& host, const std::string& user, const std::string& program) {
    host.write("/opt/" + user + ".pl", CONNECT + program);
    return host.begin_as(user, "perl /opt/" + user + ".pl");
}

// Sends these bytes, and returns that many replies, one a line; "closed" where there are no more.
std::string raw(Host& host, const std::string& user, const std::string& bytes, int replies = 1) {
    const std::string program =
        R"(
        my $socket = dial; my $text; { local $/; $text = <STDIN>; } alarm 30;
        while (length $text) { my $sent = syswrite $socket, $text or last; substr $text, 0, $sent, ""; }
        $/ = "\0";
        for (1 .. )" +
        std::to_string(replies) +
        R"() { my $reply = <$socket>; chomp $reply; print defined $reply ? $reply : "closed", "\n"; })";
    const Result run = perl(host, user, program, bytes);
    EXPECT_EQ(run.status, 0) << run;
    return run.out;
}

std::string message(const std::string& method, const std::string& parameters) {
    return "{\"method\":\"io.jitsudo.Access." + method + "\",\"parameters\":" + parameters + "}" + '\0';
}

std::string jitd_pid(Host& host) {
    return host.root("systemctl show -P MainPID jitd").out;
}

// The most memory that jitd ever had, in MiB.
long peak_memory(Host& host) {
    return std::stol(
               host.root("sed -n 's/^VmHWM:[^0-9]*//p' /proc/$(systemctl show -P MainPID jitd)/status").out) /
           1024;
}

void expect_served(Host& host, const std::string& user) {
    const Result status = host.as(user, "timeout 1 jitctl status");
    EXPECT_EQ(status.status, 0) << user << ": " << status;
}

TEST(Abuse, CallsThatMakeNoSenseGetAnErrorThatSaysWhatIsWrong) {
    Host host;
    host.policy(POLICY);
    const std::string pid = jitd_pid(host);
    const std::string request = R"({"role":"logs","reason":"x","duration":)";
    for (const auto& [bytes, error] : {
             std::pair(message("Nonsense", "{}"), "MethodNotFound"),
             std::pair("{\"method\":\"io.jitsudo.Nonsense.List\"}\0"s, "InterfaceNotFound"),
             std::pair("{\"method\":\"List\"}\0"s, "InterfaceNotFound"),
             std::pair(message("List", "[]"), R"(InvalidParameter","parameters":{"parameter":"parameters")"),
             std::pair(message("List", R"({"alll":true})"), R"("parameter":"alll")"),
             std::pair(message("List", R"({"all":1})"), R"("parameter":"all")"),
             std::pair(message("Show", "{}"), R"("parameter":"id")"),
             std::pair(message("Show", R"({"id":7})"), R"("parameter":"id")"),
             std::pair(message("Show", R"({"id":"../../etc/passwd"})"), "NotFound"),
             std::pair(message("Request", R"({"role":"logs","reason":"a\u0000b"})"),
                       R"("parameter":"reason")"),
             std::pair(message("Request", request + "-1}"), R"("parameter":"duration")"),
             std::pair(message("Request", request + "0.5}"), R"("parameter":"duration")"),
             std::pair(message("Request", request + "18446744073709551617}"), R"("parameter":"duration")"),
             std::pair(message("Request", request + "9223372036854775807}"), R"("parameter":"duration")"),
             std::pair(message("Request", R"({"role":"logs","reason":"x","commands":[1]})"), R"("commands")"),
             std::pair(message("Audit", R"({"after":-5})"), "Refused"),
         }) {
        EXPECT_THAT(raw(host, "dave", bytes), AllOf(HasSubstr("\"error\""), HasSubstr(error))) << bytes;
    }
    EXPECT_EQ(jitd_pid(host), pid);
    EXPECT_EQ(json_of(host.root("jitctl --json list --all")).at("requests").size(), 0U);
}

TEST(Abuse, WhatIsNoCallIsCutOff) {
    Host host;
    host.policy(POLICY);
    const std::string pid = jitd_pid(host);
    const std::string list = message("List", "{}");
    for (const std::string& bytes :
         {"GET / HTTP/1.1\r\n\r\n\0"s, "\0\0\0\0"s, "null\0"s, "[]\0"s, "{\"method\":7}\0"s,
          std::string(70'000, ' '), std::string(5'000'000, '\0'),
          message("Show", "{\"id\":\"" + std::string(70'000, 'a') + "\"}"), std::string(30'000, '[') + '\0',
          "{\"a\":" + std::string(30'000, '{') + '\0', list.substr(1),
          message("Show", "{\"id\":\"\xff\xfe\"}"),
          R"({"method":"io.jitsudo.Access.List","method":"io.jitsudo.Access.Status"})"s + '\0'})
        EXPECT_EQ(raw(host, "dave", bytes), "closed\n") << bytes.substr(0, 60);
    EXPECT_EQ(jitd_pid(host), pid);
    EXPECT_LT(peak_memory(host), 40);
    expect_served(host, "dave");
}

TEST(Abuse, CallsSentAtOnceAreAnsweredInTheirOrder) {
    Host host;
    host.policy(POLICY);
    const std::string text = raw(host, "alice",
                                 message("Show", R"({"id":"0000"})") + message("Status", "{}") +
                                     message("Nonsense", "{}") + message("List", "{}"),
                                 4);
    EXPECT_LT(text.find("NotFound"), text.find("policy_current"));
    EXPECT_LT(text.find("policy_current"), text.find("MethodNotFound"));
    EXPECT_LT(text.find("MethodNotFound"), text.find("\"requests\""));
}

TEST(Abuse, AHundredConnectionsOfOnePersonKeepNobodyElseOut) {
    Host host;
    host.policy(POLICY);
    Session dave = begin_perl(host, "dave", R"(
        my @sockets = map { dial } 1 .. 100;
        sleep 1;
        my @refused = IO::Select->new(@sockets)->can_read(1);
        print "refused ", scalar @refused, "\n";
        sleep 60;)");
    ASSERT_TRUE(dave.shows("refused 68\n")) << dave.output();
    expect_served(host, "bob");
    EXPECT_EQ(request(host, "alice", "logs").at("state"), "active");
    EXPECT_EQ(host.as("dave", "jitctl status").status, 7) << "he has enough";
    EXPECT_EQ(host.root("jitctl status").status, 0);
}

TEST(Abuse, ACallThatTricklesInIsCutOffAndKeepsNobodyWaiting) {
    Host host;
    host.policy(POLICY);
    Session dave = begin_perl(host, "dave", R"(
        my @sockets = map { dial } 1 .. 30;
        syswrite $_, '{"method":"io.jitsudo' for @sockets;
        my $since = time; print "sent\n";
        while (grep { syswrite $_, " " } @sockets) { sleep 1 }
        printf "cut off after %d s\n", time - $since;)");
    ASSERT_TRUE(dave.shows("sent"));
    expect_served(host, "bob");
    expect_served(host, "dave");
    EXPECT_TRUE(dave.shows("cut off after 2", 40s)) << dave.output();
}

TEST(Abuse, WhoNeverReadsTheRepliesCostsLittleAndDelaysNobody) {
    Host host;
    host.policy(POLICY);
    const std::string reason(900, 'x');
    for (int round = 0; round < 6; ++round) {
        std::string calls;
        for (int n = 0; n < 50; ++n)
            calls += message("Request", R"({"role":"logs","duration":3600000,"reason":")" + reason + "\"}");
        ASSERT_THAT(raw(host, "alice", calls, 50), Not(HasSubstr("closed")));
    }
    const std::string brief = ask(host, "bob", "logs --for 5s");
    Session alice = begin_perl(host, "alice", R"(
        my $call = '{"method":"io.jitsudo.Access.List","parameters":{"all":true}}' . "\0";
        my @sockets = map { dial } 1 .. 30;
        $_->blocking(0) for @sockets;
        syswrite $_, $call x 800 for @sockets;
        print "sent\n"; sleep 60;)");
    ASSERT_TRUE(alice.shows("sent"));
    for (int time = 0; time < 3; ++time)
        expect_served(host, "bob");
    ASSERT_TRUE(eventually([&] { return state(host, brief) != "active"; }, 15s));
    const Json ended = show(host, brief);
    EXPECT_LT(ended.at("ended").get<long>() - ended.at("not_after").get<long>(), 1000);
    EXPECT_LT(peak_memory(host), 70);
}

TEST(Abuse, WhatPeopleWriteNeverReachesATerminalOrALogRaw) {
    Host host;
    host.policy(POLICY);
    const std::string nasty = R"($'a\e[2J\e]0;title\a\nFAKE: approved\r\u202Eevil\u200b\x7f\u009b')";
    const Result asked = host.as("alice", "jitctl request web-ops --reason " + nasty + " 2>&1");
    ASSERT_EQ(asked.status, 0) << asked;
    const std::string id = json_of(host.root("jitctl --json list")).at("requests").at(0).at("id");
    const Result denied = host.as("bob", "jitctl deny " + id + " --reason " + nasty + " 2>&1");
    EXPECT_EQ(denied.status, 0) << denied;
    const Result unknown = host.as("alice", "jitctl request " + nasty + " --reason x 2>&1");
    EXPECT_EQ(unknown.status, 3) << unknown;
    for (const std::string& text :
         {asked.out, denied.out, unknown.out, host.as("alice", "jitctl list --all").out,
          host.as("alice", "jitctl show " + id).out, host.as("alice", "jitctl watch " + id + " 2>&1").out,
          host.root("jitctl audit").out, host.root("journalctl -q -o cat -a -t jitd").out}) {
        EXPECT_THAT(text, Not(HasSubstr("\nFAKE")));
        EXPECT_THAT(text, Not(HasSubstr("\u202E")));
        EXPECT_THAT(text, Not(HasSubstr("\u200B")));
        EXPECT_THAT(text, Not(HasSubstr("\u009B")));
        EXPECT_TRUE(std::ranges::none_of(text, [](char c) {
            return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f;
        })) << text;
    }
    EXPECT_THAT(host.as("alice", "jitctl show " + id).out, HasSubstr("\\nFAKE: approved"));
    EXPECT_EQ(host.as("alice", "jitctl request logs --reason $'\\xff'").status, 2) << "not UTF-8";
}

TEST(Abuse, JitctlTrustsNoSocketButRoots) {
    Host host;
    Session dave = host.begin_as("dave", R"(perl -MIO::Socket::UNIX -e '
        $| = 1; my $socket = IO::Socket::UNIX->new(Local => "/tmp/jitd", Listen => 5) or die;
        chmod 0777, "/tmp/jitd"; print "listening\n"; my $client = $socket->accept; sleep 60')");
    ASSERT_TRUE(dave.shows("listening"));
    const Result status = host.as("alice", "jitctl --socket /tmp/jitd status");
    EXPECT_EQ(status.status, 4) << status;
    EXPECT_THAT(status.err, HasSubstr("belongs to uid 1003"));
}

TEST(Abuse, NobodyTakesTheSocketsPlaceWhileJitdIsStopped) {
    Host host;
    host.root("systemctl stop jitd.socket jitd.service");
    EXPECT_NE(host.as("dave", "rm -f /run/jit/io.jitsudo.Access; mkdir /run/jit/x; touch /run/jit/y").status,
              0);
    EXPECT_EQ(host.root("find /run/jit ! -user root").out, "");
}

TEST(Abuse, AnAccountDatabaseThatHangsDelaysNoEndAndNoStatus) {
    Host host;
    host.policy(POLICY);
    const std::string id = ask(host, "alice", "logs --for 4s");
    ASSERT_EQ(host.root("systemctl kill --signal=STOP jit-nss").status, 0);
    const Result asked = host.as("dave", "SECONDS=0; jitctl request logs --reason x; echo $? after $SECONDS");
    EXPECT_THAT(asked.out, testing::AnyOf(HasSubstr("8 after 5"), HasSubstr("8 after 6")));
    EXPECT_THAT(asked.err, HasSubstr("the account database (NSS) can't be asked"));
    expect_served(host, "bob");
    ASSERT_EQ(host.root("systemctl kill --signal=CONT jit-nss").status, 0);
    const Json ended = show(host, id);
    EXPECT_EQ(ended.at("cause"), "expired");
    EXPECT_LT(ended.at("ended").get<long>() - ended.at("not_after").get<long>(), 1000);
    EXPECT_EQ(request(host, "dave", "logs").at("state"), "active");
}

TEST(Abuse, AKilledLookupWorkerIsReplaced) {
    Host host;
    host.policy(POLICY);
    ask(host, "alice", "logs");
    ASSERT_EQ(host.root("systemctl kill --signal=KILL jit-nss").status, 0);
    EXPECT_EQ(request(host, "dave", "logs").at("state"), "active");
}

TEST(Abuse, WhatJitItselfGivesMakesNobodyEligible) {
    Host host;
    host.policy(POLICY);
    host.write("/run/userdb/dave:sre.membership", "{}");
    host.write("/run/userdb/dave:sre-leads.membership", "{}");
    const std::string id = ask(host, "alice", "web-ops");
    EXPECT_EQ(host.as("dave", "jitctl request web-login --reason x").status, 1);
    EXPECT_EQ(host.as("dave", "jitctl approve " + id).status, 3);
}

// With subordinate uids (newuidmap) one person has as many uids as they like.
TEST(Abuse, ManyUidsOfOnePersonKeepNobodyOut) {
    Host host;
    host.policy(POLICY);
    host.write("/opt/many.pl", std::string(CONNECT) + R"(
        for my $uid (100001 .. 100040) {
            next if fork; $) = $( = $uid; $< = $> = $uid; my @held;
            for (1 .. 32) { my $s = eval { dial } or last; syswrite $s, '{"meth'; push @held, $s; }
            sleep 60; exit;
        }
        sleep 2; print "held\n"; sleep 58;)");
    host.root("setsid perl /opt/many.pl >/tmp/said 2>&1 </dev/null & sleep 4");
    ASSERT_EQ(host.root("cat /tmp/said").out, "held\n");
    for (int turn = 0; turn < 5; ++turn) {
        expect_served(host, "dave");
    }
    const std::string id = ask(host, "alice", "web-ops --for 10m");
    EXPECT_EQ(host.as("bob", "jitctl approve " + id).status, 0);
}

} // namespace
} // namespace jit::host
