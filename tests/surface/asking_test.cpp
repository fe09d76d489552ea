// SPDX-License-Identifier: MIT
// A command that no grant allows asks for one, waits, and runs.
#include "tests/surface/surface.h"

namespace jit::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

class Asking : public Surface {
protected:
    // The one that waits for an answer.
    static std::string pending() {
        std::string id;
        eventually([&] {
            const Json all = json_of(host().root("jitctl --json list")).at("requests");
            for (const Json& each : all) {
                if (each.at("state") == "pending") {
                    id = each.at("id");
                }
            }
            return !id.empty();
        });
        return id;
    }
    static std::size_t requests() { return json_of(host().root("jitctl --json list")).at("requests").size(); }
};

TEST_F(Asking, who_types_a_reason_gets_the_command_once_somebody_says_yes) {
    Session alice = host().begin_as("alice", "jit-sudo whoami", {.tty = true});
    ASSERT_TRUE(alice.shows("Reason: ")) << alice.output();
    EXPECT_THAT(alice.output(), AllOf(HasSubstr("jit-sudo: no grant lets you run /usr/bin/whoami as root"),
                                      HasSubstr("web would (up to 1h if one of oncall approves)")));
    alice.type("nginx is stuck\r");
    ASSERT_TRUE(alice.shows("Waiting"));
    EXPECT_THAT(alice.output(), HasSubstr("one of oncall must approve (bob)"));
    const std::string id = pending();
    EXPECT_EQ(show(host(), id).at("reason"), "nginx is stuck");
    EXPECT_EQ(host().as("bob", "jitctl approve " + id).status, 0);
    const auto run = alice.wait();
    ASSERT_TRUE(run.has_value());
    EXPECT_EQ(run->status, 0);
    EXPECT_THAT(run->out, AllOf(HasSubstr("approved by bob after "), HasSubstr("granted: web until "),
                                HasSubstr("\nroot\r\n")));
}

TEST_F(Asking, with_a_reason_given_nothing_is_asked_and_no_terminal_is_needed) {
    Session alice = host().begin_as("alice", "jit-sudo -r 'INC-77: db is down' hostname; echo status $?");
    const std::string id = pending();
    ASSERT_FALSE(id.empty());
    EXPECT_EQ(show(host(), id).at("ticket"), "INC-77") << "it stands in the reason";
    EXPECT_EQ(host().as("bob", "jitctl approve " + id).status, 0);
    const auto run = alice.wait();
    ASSERT_TRUE(run.has_value());
    EXPECT_EQ(run->out, "host\nstatus 0\n") << "standard output is the command's alone";
    EXPECT_THAT(run->err, HasSubstr("Waiting"));
}

TEST_F(Asking, a_ticket_that_is_missing_is_asked_for_or_said) {
    const Result refused = host().as("alice", "jit-sudo -r 'db is down' hostname");
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.err, HasSubstr("role db wants a ticket like INC-[0-9]+ in the reason"));
    Session alice = host().begin_as("alice", "jit-sudo hostname", {.tty = true});
    ASSERT_TRUE(alice.shows("Reason: "));
    alice.type("db is down\r");
    ASSERT_TRUE(alice.shows("Ticket (INC-[0-9]+): "));
    alice.type("dunno\rINC-5\r");
    ASSERT_TRUE(alice.shows("Waiting"));
    EXPECT_EQ(show(host(), pending()).at("ticket"), "INC-5");
    EXPECT_EQ(host().as("bob", "jitctl deny " + pending() + " --reason 'after lunch'").status, 0);
    const auto run = alice.wait();
    ASSERT_TRUE(run.has_value());
    EXPECT_EQ(run->status, 1);
    EXPECT_THAT(run->out, AllOf(HasSubstr("after lunch"), Not(HasSubstr("\nhost\r\n"))));
}

TEST_F(Asking, of_several_roles_one_is_chosen) {
    Session alice = host().begin_as("alice", "jit-sudo uname", {.tty = true});
    ASSERT_TRUE(alice.shows("Which one? [1] "));
    EXPECT_THAT(alice.output(), AllOf(HasSubstr("1  db would"), HasSubstr("2  web would")));
    alice.type("9\r2\r");
    ASSERT_TRUE(alice.shows("Reason: "));
    alice.type("why not\r");
    ASSERT_TRUE(alice.shows("Waiting"));
    EXPECT_EQ(show(host(), pending()).at("role"), "web");
    alice.end();
}

TEST_F(Asking, what_a_rule_allows_runs_at_once) {
    Session alice = host().begin_as("alice", "jit-sudo id -u", {.tty = true});
    ASSERT_TRUE(alice.shows("Reason: "));
    alice.type("looking\r");
    const auto run = alice.wait();
    ASSERT_TRUE(run.has_value());
    EXPECT_THAT(run->out, AllOf(HasSubstr("granted: tools until "), HasSubstr("\n0\r\n")));
}

TEST_F(Asking, ctrl_c_leaves_it_pending_and_the_same_command_goes_on_with_it) {
    Session alice = host().begin_as("alice", "jit-sudo whoami; echo status $?", {.tty = true});
    ASSERT_TRUE(alice.shows("Reason: "));
    alice.type("nginx\r");
    ASSERT_TRUE(alice.shows("Waiting"));
    const std::string id = pending();
    alice.type("\x03");
    ASSERT_TRUE(alice.wait().has_value());
    EXPECT_THAT(alice.output(),
                AllOf(HasSubstr(id + " stays pending"), HasSubstr("the same command goes on with it")));
    EXPECT_EQ(requests(), 1U);
    Session again = host().begin_as("alice", "jit-sudo whoami", {.tty = true});
    ASSERT_TRUE(again.shows("Waiting")) << "without another question";
    EXPECT_EQ(requests(), 1U);
    EXPECT_EQ(host().as("bob", "jitctl approve " + id).status, 0);
    const auto run = again.wait();
    ASSERT_TRUE(run.has_value());
    EXPECT_THAT(run->out, HasSubstr("\nroot\r\n"));
}

TEST_F(Asking, with_n_or_without_a_terminal_nothing_is_asked) {
    const Result never = host().as("alice", "jit-sudo -n -r 'a reason' whoami");
    EXPECT_EQ(never.status, 1);
    EXPECT_THAT(never.err,
                HasSubstr("web would (up to 1h if one of oncall approves): jitctl request web --reason"));
    EXPECT_EQ(host().as("alice", "jit-sudo whoami").status, 1);
    EXPECT_EQ(requests(), 0U);
}

TEST_F(Asking, no_reason_is_no_request_and_is_asked_for_twice) {
    Session alice = host().begin_as("alice", "jit-sudo whoami", {.tty = true});
    ASSERT_TRUE(alice.shows("Reason: "));
    alice.type("\r");
    ASSERT_TRUE(alice.shows("Reason (why you need it; Enter again asks for nothing): "));
    alice.type(" \r");
    const auto run = alice.wait();
    ASSERT_TRUE(run.has_value());
    EXPECT_EQ(run->status, 1);
    EXPECT_THAT(run->out, HasSubstr("jit-sudo: no reason given: nothing was asked for"));
    EXPECT_EQ(requests(), 0U);
}

TEST_F(Asking, who_waits_has_no_privilege) {
    Session alice = host().begin_as("alice", "jit-sudo whoami", {.tty = true});
    ASSERT_TRUE(alice.shows("Reason: "));
    const std::string status = host()
                                   .root("grep -hE '^(Uid|Gid|Groups|CapEff|CapPrm):' /proc/$(pgrep -x "
                                         "jitctl)/status | tr -s '\\t' ' '")
                                   .out;
    const std::string uid = host().root("id -u alice").out;
    const std::string one = uid.substr(0, uid.size() - 1);
    EXPECT_THAT(status, AllOf(HasSubstr("Uid: " + one + " " + one + " " + one + " " + one),
                              HasSubstr("CapEff: 0000000000000000"), HasSubstr("CapPrm: 0000000000000000")));
    EXPECT_THAT(host().root("pgrep -x jit-sudo").out, IsEmpty());
    const std::string groups = host().as("alice", "id -G").out;
    EXPECT_EQ(host()
                  .root("for g in $(id -G alice); do grep -qw $g /proc/$(pgrep -x jitctl)/status || echo "
                        "missing $g; done")
                  .out,
              "")
        << groups;
    alice.end();
}

TEST_F(Asking, who_keeps_the_output_in_a_file_is_asked_at_the_terminal) {
    Session alice =
        host().begin_as("alice", "jit-sudo id -u >~/log 2>&1; echo status=$?; cat ~/log", {.tty = true});
    ASSERT_TRUE(alice.shows("tools would"));
    ASSERT_TRUE(alice.shows("Reason: "));
    alice.type("looking\r");
    const auto run = alice.wait();
    ASSERT_TRUE(run.has_value());
    EXPECT_THAT(run->out, AllOf(HasSubstr("granted: tools until "), HasSubstr("status=0"),
                                testing::EndsWith("as root\r\n0\r\n")));
}

TEST_F(Asking, once_a_yes_has_changed_nothing_is_not_asked_again) {
    // What jitctl ask leaves for the jit-sudo that it becomes.
    const Result run = host().as("alice", "JIT_ASKED=1 jit-sudo -r nginx whoami");
    EXPECT_EQ(run.status, 1);
    EXPECT_THAT(run.err, HasSubstr("no grant lets you run /usr/bin/whoami as root"));
    EXPECT_THAT(host().as("alice", "jitctl list").out, HasSubstr("no requests that concern you"));
}

TEST_F(Asking, what_was_approved_is_decided_anew) {
    Session alice = host().begin_as("alice", "jit-sudo whoami", {.tty = true});
    ASSERT_TRUE(alice.shows("Reason: "));
    alice.type("nginx\r");
    ASSERT_TRUE(alice.shows("Waiting"));
    host().root("chmod 4777 /usr/bin/whoami");
    EXPECT_EQ(host().as("bob", "jitctl approve " + pending()).status, 0);
    const auto run = alice.wait();
    host().root("chmod 755 /usr/bin/whoami");
    ASSERT_TRUE(run.has_value());
    EXPECT_EQ(run->status, 1);
    EXPECT_THAT(run->out, HasSubstr("whoami is not run: "));
}

} // namespace
} // namespace jit::host
