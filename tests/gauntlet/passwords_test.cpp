// SPDX-License-Identifier: MIT
// Passwords: what is typed where one is asked for, and who is asked.
#include "tests/gauntlet/arena.h"

namespace jit::host {
namespace {

using testing::AnyOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

class Passwords : public Arena {
protected:
    static constexpr const char* ASKED = "password for dave";

    // dave types it where he is asked, and then nothing but ^C. What he saw.
    static std::string typed(const std::string& text) {
        Session dave = host().begin_as("dave", "trap : INT; jit-sudo id -u; echo code=$?", {.tty = true});
        EXPECT_TRUE(dave.shows(ASKED));
        dave.type(text);
        // It ends, or asks again.
        EXPECT_TRUE(eventually(
            [&] {
                const std::string& shown = dave.output();
                return shown.find("code=") != std::string::npos ||
                       shown.find(ASKED, shown.find(ASKED) + 1) != std::string::npos;
            },
            20s))
            << dave.output();
        dave.type("\x03");
        const auto ended = dave.wait();
        EXPECT_TRUE(ended);
        return ended ? ended->out : "";
    }
};

TEST_F(Passwords, g077_a_hundred_kilobytes_with_line_kills_overflow_nothing) {
    const std::string on_terminal =
        " >~/typed; oddly terminal 'password for dave' ~/typed jit-sudo id -u; s=$?; "
        "rm ~/typed; exit $s";
    const auto runs = all(
        "dave", {
                    "{ for i in $(seq 500); do printf '%0200d\\025' 0; done; echo pw-dave; }" + on_terminal,
                    "{ head -c 100000 /dev/zero | tr '\\0' A; echo; }" + on_terminal,
                    "{ head -c 100000 /dev/zero; echo; }" + on_terminal,
                    "{ for i in $(seq 20000); do printf 'A\\177\\025\\027\\004'; done; echo; }" + on_terminal,
                });
    EXPECT_EQ(runs[0].status, 0) << "the line that is left is the password\n" << runs[0];
    EXPECT_THAT(runs[0].out, HasSubstr("\n0\r\n"));
    for (std::size_t index = 1; index < runs.size(); ++index) {
        EXPECT_THAT(runs[index].status, AnyOf(1, 130)) << runs[index];
        EXPECT_THAT(runs[index].out, Not(HasSubstr("\n0\r\n")));
    }
}

TEST_F(Passwords, g080_a_longer_answer_than_PAM_takes_is_refused_at_once) {
    for (const std::size_t size : {513U, 4000U}) {
        const std::string shown = typed(std::string(size, 'b') + "\n");
        EXPECT_THAT(shown, HasSubstr("code=1\r\n")) << size;
        EXPECT_THAT(shown, Not(HasSubstr("bbb"))) << size;
    }
    EXPECT_THAT(typed("pw-dave" + std::string(506, 'c') + "\n"), Not(HasSubstr("code=0")))
        << "not its beginning either";
}

TEST_F(Passwords, g099_a_module_that_talks_nonsense_crashes_nothing_and_lets_nobody_in_by_it) {
    const std::string path = module_directory() + "/pam_odd.so";
    host().copy(JIT_PAM_ODD, path);
    const auto with = [&](const std::string& how) {
        const Line line(host(), "/etc/pam.d/jit-sudo", "account required pam_odd.so " + how);
        return one("alice", "jit-sudo -n id -u");
    };
    for (const char* how :
         {"count=33", "count=0", "count=-1", "count=100000", "style=77", "style=0", "style=1", "style=2"})
        EXPECT_THAT(with(how), IsRefused()) << how;
    EXPECT_THAT(with("count=32"), RanAndSaid("0\n"));
    EXPECT_THAT(with("text=null"), RanAndSaid("0\n"));
    const Result odd = with("text=odd");
    EXPECT_THAT(odd, RanAndSaid("0\n"));
    EXPECT_THAT(odd.err, Not(testing::ContainsRegex("[\x1b\x9b\r]"))) << odd;
    EXPECT_THAT(with("text=long").out, "0\n");
}

TEST_F(Passwords, g098_who_was_authenticated_is_who_was_asked_about) {
    const std::string path = module_directory() + "/pam_odd.so";
    host().copy(JIT_PAM_ODD, path);
    for (const char* name : {"bob", "root", "alice2", "ALICE"}) {
        const Line line(host(), "/etc/pam.d/jit-sudo",
                        std::string("account sufficient pam_odd.so rename=") + name);
        EXPECT_THAT(one("alice", "jit-sudo -n id -u"), IsRefused()) << name;
    }
    const Line line(host(), "/etc/pam.d/jit-sudo", "auth sufficient pam_odd.so rename=alice");
    const Result dave = host().as("dave", "jit-sudo id -u; echo code=$?", {.tty = true});
    EXPECT_THAT(dave.out, HasSubstr("code=1")) << dave;
}

TEST_F(Passwords, g074_no_password_is_written_anywhere) {
    for (const char* text : {"pw-dave\n", "wr0ng-secret-4074\n", "pw-dave\x03"})
        typed(text);
    const Result found =
        host().root("journalctl --sync; journalctl -o export | grep -acE 'pw-dave|wr0ng-secret'; "
                    "grep -rlE 'pw-dave|wr0ng-secret' /var/lib/jit /run/jit /var/log /run/systemd /tmp "
                    "/var/tmp /home/dave 2>/dev/null");
    EXPECT_EQ(found.out, "0\n") << found;
    EXPECT_THAT(audit("use.started"), Not(HasSubstr("pw-dave")));
}

TEST_F(Passwords, x26_what_waits_for_a_password_is_kept_within_bounds) {
    const Result run =
        one("dave", "ulimit -s unlimited; word=$(head -c 120000 /dev/zero | tr '\\0' x); "
                    "for i in 1 2 3 4 5 6; do sleep 6 | jit-sudo -kS id $(for j in $(seq 30); do "
                    "echo $word; done) & done; wait");
    EXPECT_THAT(run.err, HasSubstr("too many commands at once; try again later")) << run;
    EXPECT_EQ(one("dave", "echo pw-dave | jit-sudo -kS id -u").out, "0\n");
}

TEST_F(Passwords, x18_an_account_without_a_password_proves_nothing_by_that) {
    host().root("useradd --create-home fay; cp -r /home/alice/.ssh /home/fay/; chown -R fay: /home/fay; "
                "passwd -d fay");
    host().policy(std::string(GAUNTLET_POLICY) +
                  "[role.fay]\nrisk = \"low\"\neligible = [\"fay\"]\nmax = \"1h\"\n"
                  "authenticate = true\ncommands = [\"/usr/bin/id **\"]\n");
    ask(host(), "fay", "fay");
    Session fay = host().begin_as("fay", "trap : INT; jit-sudo id -u; echo code=$?", {.tty = true});
    eventually([&] { return !fay.output().empty(); });
    fay.type("\n");
    EXPECT_TRUE(eventually([&] {
        fay.type("\x03");
        return fay.output().find("code=") != std::string::npos;
    }));
    EXPECT_THAT(fay.output(), Not(HasSubstr("code=0")));
    host().policy(GAUNTLET_POLICY);
    host().root("userdel -r fay");
}

TEST_F(Passwords, x23_whoever_guesses_waits_however_many_they_are_at_once) {
    const auto tried = [] {
        return std::stoi(host()
                             .root("journalctl --sync; journalctl -q -o cat -g 'pam_unix.*authentication "
                                   "failure' | wc -l")
                             .out);
    };
    host().root("systemctl restart jitd"); // none has been counted
    const int before = tried();
    host().as("dave", "for i in $(seq 30); do echo wrong$i | jit-sudo -S id >/dev/null 2>&1 & done; wait");
    EXPECT_GT(tried(), before);
    EXPECT_LE(tried(), before + 10);
    const Result late = host().as("dave", "echo pw-dave | jit-sudo -S id; echo pw-dave | jit-sudo -S -v");
    EXPECT_EQ(late.out, "");
    EXPECT_EQ(late.err,
              "[jit-sudo] password for dave: jit-sudo: too many wrong answers; try again in a minute\n"
              "[jit-sudo] password for dave: jit-sudo: too many wrong answers; try again in a "
              "minute\n");
    EXPECT_THAT(audit("request.refused"), HasSubstr("too many wrong answers"));
    EXPECT_THAT(one("alice", "jit-sudo -n true"), RanAndSaid(""));
    host().root("systemctl restart jitd");
    EXPECT_EQ(host()
                  .as("dave", "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do printf 'wrong\npw-dave\n' | jit-sudo "
                              "-k -S true; done 2>/dev/null; echo pw-dave | jit-sudo -S id -u")
                  .out,
              "0\n")
        << "what comes out right doesn't count";
}

TEST_F(Passwords, x19_a_password_is_read_from_the_terminal_and_from_nowhere_else) {
    host().write("/usr/local/bin/answer", "#!/bin/sh\necho asked >>/tmp/asked\necho pw-dave\n", "0755");
    EXPECT_THAT(all("dave", {"echo pw-dave | jit-sudo id", "echo pw-dave | jit-sudo -n id",
                             "SUDO_ASKPASS=/usr/local/bin/answer SSH_ASKPASS=/usr/local/bin/answer "
                             "SSH_ASKPASS_REQUIRE=force DISPLAY=:0 jit-sudo id",
                             "setsid -w jit-sudo id <<<pw-dave", "jit-sudo id <<<pw-dave"}),
                Each(IsRefused()));
    EXPECT_EQ(host().root("cat /tmp/asked 2>/dev/null").out, "");
}

} // namespace
} // namespace jit::host
