// SPDX-License-Identifier: MIT
// jitd is killed before each change of the world that a transition makes: each write, rename, message and
// signal. Nothing else of what it does can be told apart from outside. After each, what people were told
// holds, what they weren't told is there wholly or not at all, and at the end nothing is left.
#include "tests/host/logins.h"

#include <gmock/gmock.h>

#include <functional>
#include <optional>

namespace jit::host {
namespace {

using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

constexpr int MOST = 16; // more than a transition itself has, but for that of an account

constexpr int MOST_OF_ACCOUNTS = 22;

constexpr const char* POLICY_OF_ALL = R"(
[people.oncall]
members = ["bob"]

[risk.low]
auto_approve = "2h"
[risk.medium]
stages = [{ from = "oncall" }]

[role.all]
risk         = "low"
eligible     = ["alice"]
max          = "1h"
extend       = "2h"
authenticate = false
commands     = ["/usr/bin/sh **", "/usr/bin/sleep *"]
login        = ["sshd"]
groups       = ["adm"]
memberships  = ["vault"]

[role.asked]
risk        = "medium"
eligible    = ["alice"]
max         = "1h"
memberships = ["vault"]

[role.guest]
risk     = "medium"
max      = "1h"
login    = ["sshd"]
account  = { home = "remove" }
eligible = [)";

// A shell of somebody who is logged in already: what they type costs no login.
class Shell {
public:
    Shell(Host& host, const std::string& user) : session_(host.begin_as(user, "exec sh")) {
        does("true"); // before anything is granted: or it would have that too
    }
    // Whether it succeeded.
    bool does(const std::string& command) {
        const std::string mark = "<" + std::to_string(++count_) + ">";
        session_.type("(" + command + ") </dev/null >/dev/null 2>&1; echo \":$?" + mark + "\"\n");
        EXPECT_TRUE(session_.shows(mark, 40s)) << command;
        return session_.output().find(":0" + mark) != std::string::npos;
    }

private:
    Session session_;
    int count_ = 0;
};

class Interrupted : public GatedHost {
protected:
    Interrupted() : alice_(host, "alice"), bob_(host, "bob") {
        host.root("groupadd vault");
        host.stop_sweep(); // nobody but jitd itself is to help
        std::string policy = POLICY_OF_ALL;
        for (int number = 1; number <= MOST_OF_ACCOUNTS; ++number)
            policy += '"' + guest(number) + "\", ";
        host.policy(policy + "]\n");
        host.copy(JIT_AT_CALL, "/root/at_call", "0755");
    }

    // `before`, `step` and `after` again and again, with jitd killed before the first change that it makes
    // from `step` on, the second, and so on until it makes no more, or `most`: what it still does about those
    // of before, seconds later, would go on for ever. jitd runs again when `after` is called.
    void at_each_change(const std::function<void()>& before, const std::function<void()>& step,
                        const std::function<void()>& after, int most = MOST) {
        at_each_change("kill", before, step, after, most);
    }
    // The same, where `how` is the error that the change fails with, by its number.
    void at_each_change(const std::string& how, const std::function<void()>& before,
                        const std::function<void()>& step, const std::function<void()>& after,
                        int most = MOST) {
        int changes = 0;
        for (bool hit = true; hit && changes < most; ++changes) {
            before();
            host.root("/root/at_call $(pgrep -x jitd) " + std::to_string(changes + 1) + " " + how +
                      " >/root/killed & until grep -q armed /root/killed; do sleep .01; done");
            step();
            std::string said;
            hit = eventually(
                [&] { return (said = host.root("sed 1d /root/killed").out).find('\n') != std::string::npos; },
                1s);
            if (!hit)
                host.root("pkill -x at_call");
            const testing::ScopedTrace trace(__FILE__, __LINE__, how + " at " + said);
            EXPECT_TRUE(eventually([&] { return host.root("jitctl status").status == 0; }));
            after();
            const Result verified = host.root("jitctl audit verify");
            EXPECT_EQ(verified.status, 0) << verified;
            if (HasFailure())
                return;
        }
        EXPECT_GT(changes, 4) << "it changes the world more often than that";
        RecordProperty("changes", changes - 1);
    }

    // The requests of alice that are in this state.
    std::vector<std::string> in_state(const std::string& wanted) {
        std::vector<std::string> ids;
        const Json list = json_of(host.root("jitctl --json list"));
        for (const Json& each : list.at("requests")) {
            if (each.at("state") == wanted)
                ids.push_back(each.at("id"));
        }
        return ids;
    }
    void release_all() {
        for (auto active = in_state("active"); !active.empty(); active = in_state("active"))
            ASSERT_EQ(host.root("jitctl revoke " + active.front() + " --reason over").status, 0);
        for (const std::string& id : in_state("pending"))
            EXPECT_TRUE(alice_.does("jitctl cancel " + id));
    }
    // alice has this, at once; its id.
    std::string granted(const std::string& what) {
        EXPECT_TRUE(alice_.does("jitctl request " + what + " --reason x"));
        return in_state("active").at(0);
    }
    bool is_member() { return host.root("id -nG alice").out.find("vault") != std::string::npos; }
    int recorded(const std::string& kind) {
        return std::stoi(host.root("jitctl --json audit --kind " + kind + " | wc -l").out);
    }
    int events(const std::string& kind, const std::string& id) {
        const std::string named = R"(\"request\":\")" + id + R"(\")"; // a document in a string
        const std::string found = host.root("jitctl --json audit --kind " + kind).out;
        int count = 0;
        for (auto at = found.find(named); at != std::string::npos; at = found.find(named, at + 1))
            ++count;
        return count;
    }
    // A command, its grant's groups and its login are over, and that is told once.
    void expect_all_is_over(const std::string& id) {
        EXPECT_TRUE(eventually([&] { return running("sleep 942[12]").empty() && !is_member(); }));
        EXPECT_TRUE(eventually([&] { return registered().empty(); }));
        EXPECT_EQ(events("grant.ended", id), 1);
        EXPECT_FALSE(alice_.does("jit-sudo -n sh -c true"));
    }
    // Another each time: one that comes back waits until there is nothing left of it.
    static std::string guest(int number) { return "guest" + std::to_string(number); }
    static std::string give_an_account(int number) {
        return "jitctl grant " + guest(number) + " guest --for 1h --reason x --key ~/.ssh/authorized_keys";
    }
    void expect_no_account(const std::string& name) {
        EXPECT_TRUE(eventually(
            [&] {
                return host.root("getent passwd " + name + "; getent group " + name + "; ls -d /home/" + name)
                    .out.empty();
            },
            20s));
    }

    Shell alice_;
    Shell bob_;
};

TEST_F(Interrupted, a_request_is_granted_wholly_or_not_at_all) {
    bool told = false;
    at_each_change([] {}, [&] { told = alice_.does("jitctl request all --for 1h --reason x"); },
                   [&] {
                       const auto active = in_state("active");
                       EXPECT_LE(active.size(), 1U);
                       EXPECT_GE(active.size(), told ? 1U : 0U) << "she was told that it is granted";
                       EXPECT_TRUE(eventually([&] { return is_member() == !active.empty(); }));
                       EXPECT_EQ(alice_.does("jit-sudo -n sh -c true"), !active.empty());
                       for (const std::string& id : active)
                           EXPECT_EQ(events("grant.started", id), 1);
                       release_all();
                       EXPECT_TRUE(eventually([&] { return !is_member(); }));
                   });
}

// One that is over: the disk is full, or broken, for that one call.
TEST_F(Interrupted, an_error_of_the_disk_gives_nothing_that_is_not_recorded) {
    host.start_sweep(); // it lets go of what was held still for a look and couldn't be let go
    bool told = false;
    at_each_change(
        "28" /* ENOSPC */, [] {}, [&] { told = alice_.does("jitctl request all --for 1h --reason x"); },
        [&] {
            const auto active = in_state("active");
            EXPECT_LE(active.size(), 1U);
            EXPECT_GE(active.size(), told ? 1U : 0U) << "she was told that it is granted";
            EXPECT_TRUE(eventually([&] { return is_member() == !active.empty(); }, 10s));
            EXPECT_EQ(alice_.does("jit-sudo -n -b sleep 9461"), !active.empty());
            release_all();
            EXPECT_TRUE(eventually([&] { return !is_member() && running("sleep 9461").empty(); }, 10s));
        });
}

TEST_F(Interrupted, an_error_of_the_disk_keeps_no_end_from_coming) {
    host.start_sweep();
    std::string id;
    at_each_change(
        "5" /* EIO */,
        [&] {
            id = granted("all --for 1h");
            EXPECT_TRUE(alice_.does("jit-sudo -n -b sleep 9462"));
        },
        [&] { host.root("jitctl revoke " + id + " --reason enough"); },
        [&] {
            release_all();
            EXPECT_TRUE(eventually([&] { return !is_member() && running("sleep 9462").empty(); }, 10s));
            EXPECT_EQ(events("grant.ended", id), 1);
        });
}

TEST_F(Interrupted, an_answer_counts_once_or_not_at_all) {
    bool told = false;
    std::string id;
    at_each_change(
        [&] {
            EXPECT_TRUE(alice_.does("jitctl request asked --for 1h --reason x"));
            id = in_state("pending").at(0);
        },
        [&] { told = bob_.does("jitctl approve " + id); },
        [&] {
            const std::string now = state(host, id);
            EXPECT_EQ(now, told || now != "pending" ? "active" : "pending");
            EXPECT_EQ(events("request.approved", id), now == "active" ? 1 : 0);
            EXPECT_TRUE(eventually([&] { return is_member() == (now == "active"); }));
            release_all();
        });
}

TEST_F(Interrupted, no_command_runs_whose_start_is_not_recorded) {
    int number = 0;
    int exits = 0;
    std::string mark;
    at_each_change(
        [&] {
            if (in_state("active").empty())
                granted("all --for 1h");
            mark = "mark-" + std::to_string(++number) + "-";
        },
        [&] { alice_.does("jit-sudo -n sh -c 'touch /root/" + mark + "'"); },
        [&] {
            const bool ran = host.root("test -e /root/" + mark).status == 0;
            EXPECT_TRUE(!ran ||
                        host.root("jitctl audit --kind use.started").out.find(mark) != std::string::npos);
            EXPECT_TRUE(alice_.does("jit-sudo -n sh -c true")) << "and the next one runs";
            exits += ran ? 2 : 1;
        });
    EXPECT_TRUE(eventually([&] { return recorded("use.started") == recorded("use.ended"); }))
        << "what began is over: " << host.root("jitctl audit | grep use").out;
    EXPECT_EQ(recorded("use.exited"), exits) << "how each has ended is known";
}

TEST_F(Interrupted, every_login_that_is_let_in_is_recorded_and_ends) {
    gate("sshd", "--only sre");
    granted("all --for 1h");
    int let_in = 0;
    at_each_change([] {}, [&] { let_in += host.as("alice", "true").status == 0 ? 1 : 0; },
                   [&] {
                       EXPECT_TRUE(eventually([&] { return recorded("use.started") == let_in; }))
                           << let_in << host.root("jitctl audit --kind use.started").out;
                       EXPECT_TRUE(eventually([&] { return registered().empty(); }));
                   });
    EXPECT_GT(let_in, 3) << "pam_jit needs no jitd";
    Session open = host.begin_as("alice", "echo in; sleep 9411");
    ASSERT_TRUE(open.shows("in"));
    release_all();
    EXPECT_TRUE(open.wait());
}

// As a jitd leaves it that is killed after it has recorded the end, and before it removes the file.
TEST_F(Interrupted, a_login_that_is_recorded_as_over_does_not_begin_again) {
    gate("sshd", "--only sre");
    granted("all --for 1h");
    Session login = host.begin_as("alice", "echo in; read line");
    ASSERT_TRUE(login.shows("in"));
    const std::string name = registered();
    const std::string file = "/run/jit/uses/" + name.substr(0, name.find('\n'));
    ASSERT_EQ(host.root("cp -p " + file + " /root/kept").status, 0) << file;
    login.type("\n");
    EXPECT_TRUE(login.wait());
    EXPECT_TRUE(eventually([&] { return registered().empty(); }));
    EXPECT_EQ(recorded("use.started"), 1);
    host.root("systemctl stop jitd.socket jitd-helper.socket jitd; cp -p /root/kept " + file +
              "; systemctl start jitd.socket jitd-helper.socket jitd");
    EXPECT_TRUE(eventually([&] { return registered().empty(); }));
    EXPECT_EQ(recorded("use.started"), 1);
}

TEST_F(Interrupted, an_end_is_gone_on_with_wherever_it_was_cut_off) {
    gate("sshd", "--only sre");
    std::string id;
    bool told = false;
    std::optional<Session> login;
    at_each_change(
        [&] {
            id = granted("all --for 1h");
            EXPECT_TRUE(alice_.does("jit-sudo -n -b sleep 9421"));
            login.emplace(host.begin_as("alice", "sleep 9422"));
            EXPECT_TRUE(eventually([&] { return !running("sleep 9422").empty(); }));
            EXPECT_THAT(running("sleep 9421"), Not(IsEmpty()));
            EXPECT_TRUE(is_member());
        },
        [&] { told = host.root("jitctl revoke " + id + " --reason enough").status == 0; },
        [&] {
            if (!told)
                release_all();
            EXPECT_EQ(state(host, id), "ended (revoked)");
            expect_all_is_over(id);
            EXPECT_TRUE(login->wait());
        });
}

TEST_F(Interrupted, a_deadline_is_kept_wherever_it_was_cut_off) {
    std::string id;
    at_each_change(
        [&] {
            id = granted("all --for 2s");
            EXPECT_TRUE(alice_.does("jit-sudo -n -b sleep 9421"));
            EXPECT_TRUE(is_member());
        },
        [&] { EXPECT_TRUE(eventually([&] { return running("sleep 9421").empty(); })); },
        [&] {
            EXPECT_TRUE(eventually([&] { return state(host, id) == "ended (expired)"; }));
            expect_all_is_over(id);
        });
}

TEST_F(Interrupted, an_extension_leaves_no_gap_and_is_there_once_or_not_at_all) {
    std::string id;
    bool told = false;
    at_each_change(
        [&] {
            id = granted("all --for 30m");
            EXPECT_TRUE(alice_.does("jit-sudo -n -b sleep 9431"));
        },
        [&] { told = alice_.does("jitctl extend " + id + " --for 1h --reason more"); },
        [&] {
            const auto active = in_state("active");
            EXPECT_LE(active.size(), 2U);
            EXPECT_GE(active.size(), told ? 2U : 1U);
            EXPECT_THAT(running("sleep 9431"), Not(IsEmpty()));
            EXPECT_TRUE(is_member());
            release_all();
            EXPECT_TRUE(eventually([&] { return running("sleep 9431").empty(); }));
        });
}

TEST_F(Interrupted, a_lock_that_is_told_of_holds_and_what_it_locks_is_ended) {
    bool told = false;
    at_each_change(
        [&] {
            granted("all --for 1h");
            EXPECT_TRUE(alice_.does("jit-sudo -n -b sleep 9441"));
        },
        [&] { told = host.root("jitctl lock user alice --reason stolen").status == 0; },
        [&] {
            const Json locks = json_of(host.root("jitctl --json locks")).at("locks");
            EXPECT_TRUE(!locks.empty() || !told);
            if (!locks.empty()) {
                EXPECT_TRUE(eventually([&] { return running("sleep 9441").empty() && !is_member(); }));
                EXPECT_FALSE(alice_.does("jit-sudo -n sh -c true"));
                EXPECT_EQ(host.root("jitctl unlock " + locks.at(0).at("id").get<std::string>()).status, 0);
            }
            release_all();
            EXPECT_TRUE(eventually([&] { return running("sleep 9441").empty(); }));
        });
}

TEST_F(Interrupted, an_account_is_made_wholly_or_not_at_all) {
    int number = 0;
    bool told = false;
    at_each_change([&] { ++number; }, [&] { told = bob_.does(give_an_account(number)); },
                   [&] {
                       const auto active = in_state("active");
                       EXPECT_LE(active.size(), 1U);
                       EXPECT_GE(active.size(), told ? 1U : 0U);
                       EXPECT_TRUE(
                           active.empty() ||
                           eventually([&] { return host.as(guest(number), "true").status == 0; }, 20s));
                       release_all();
                       expect_no_account(guest(number));
                   },
                   MOST_OF_ACCOUNTS);
}

TEST_F(Interrupted, an_account_is_removed_wherever_that_was_cut_off) {
    int number = 0;
    std::string id;
    at_each_change(
        [&] {
            ASSERT_TRUE(bob_.does(give_an_account(++number)));
            id = in_state("active").at(0);
            EXPECT_EQ(host.as(guest(number), "sleep 9451 >/dev/null 2>&1 </dev/null & true").status, 0);
        },
        [&] { host.root("jitctl revoke " + id + " --reason enough"); },
        [&] {
            release_all();
            expect_no_account(guest(number));
            EXPECT_THAT(running("sleep 9451"), IsEmpty());
        },
        MOST_OF_ACCOUNTS);
}

} // namespace
} // namespace jit::host
