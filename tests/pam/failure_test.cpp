// SPDX-License-Identifier: MIT
// Whatever fails inside, somebody who is gated doesn't come in by it (CVE-2025-23013: an error that was
// "ignore", and another module's yes became the answer).
#include "core/db.h"
#include "tests/pam/kit.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace jit {
namespace {

struct Failure {
    std::string name;
    std::function<void()> make;
};

class Failing : public EitherWay {
protected:
    void SetUp() override {
        EitherWay::SetUp();
        if (IsSkipped()) {
            return;
        }
        table = table_bytes({grant()});
        const auto bytes = [this](std::string made) {
            return [made = std::move(made)] { write("logins.db", made); };
        };
        const auto sql = [this](std::string statements) {
            return [this, statements = std::move(statements)] { write_table({grant()}, statements); };
        };
        const auto row = [this](const std::function<void(Row&)>& change) {
            return [this, change] {
                Row bad = grant();
                bad.id = "beef";
                change(bad);
                write_table({grant(), bad});
            };
        };
        failures = {
            {"no table", [] { unlink("logins.db"); }},
            {"an empty table", bytes("")},
            {"one byte", bytes("S")},
            {"only the header", bytes(table.substr(0, 100))},
            {"a page short", bytes(table.substr(0, table.size() - 4096))},
            {"half a page short", bytes(table.substr(0, table.size() - 2048))},
            {"garbage", bytes(std::string(20'000, '\x5a'))},
            {"garbage after the header", bytes(table.substr(0, 100) + std::string(20'000, '\x5a'))},
            {"zeros after the first page",
             bytes(table.substr(0, 4096) + std::string(table.size() - 4096, '\0'))},
            {"another application's", sql("PRAGMA application_id = 7")},
            {"a newer version", sql("PRAGMA user_version = 2")},
            {"no version", sql("PRAGMA user_version = 0")},
            {"no row about the host", sql("DELETE FROM host")},
            {"no grants", sql("DROP TABLE grants")},
            {"no doors", sql("DROP TABLE doors")},
            {"a bad service name", row([](Row& bad) { bad.services = "ss/hd"; })},
            {"two spaces between names", row([](Row& bad) { bad.services = "sshd  sudo"; })},
            {"a bad group name", row([](Row& bad) { bad.groups = "-x"; })},
            {"a bad grant", row([](Row& bad) { bad.id = "../7f3a"; })},
            {"a bad role", row([](Row& bad) { bad.role = "web\n"; })},
            {"a reach before the end", row([](Row& bad) { bad.reach = Millis(-1); })},
            {"readable by others", [this] { write("logins.db", table, 0644); }},
            {"writable by a group", [this] { write("logins.db", table, 0620); }},
            {"a symbolic link",
             [this] {
                 write("elsewhere", table);
                 unlink("logins.db");
                 std::filesystem::create_symlink("elsewhere", "logins.db");
             }},
            {"a directory",
             [] {
                 unlink("logins.db");
                 mkdir("logins.db", 0700);
             }},
            {"a pipe", // which must not be waited for
             [] {
                 unlink("logins.db");
                 mkfifo("logins.db", 0600);
             }},
            {"a huge table",
             [this] {
                 write("logins.db", table);
                 ASSERT_EQ(truncate("logins.db", off_t{300} * 1024 * 1024), 0);
             }},
            {"SQLite has no memory", [] { sqlite3_hard_heap_limit64(1); }},
            {"the account cannot be looked up", [] { interposed.accounts_fail = true; }},
            {"the clocks cannot be read", [] { interposed.clocks_fail = true; }},
            {"no descriptor is left",
             [this] {
                 for (int fd = dup(0); fd >= 0; fd = dup(0)) {
                     filled.push_back(fd);
                 }
             }},
        };
        rlimit few{};
        ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &few), 0);
        few.rlim_cur = 64;
        ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    }

    void mend() {
        interposed = {};
        sqlite3_hard_heap_limit64(0);
        for (const int fd : std::exchange(filled, {})) {
            close(fd);
        }
        std::filesystem::remove_all("logins.db");
        write("logins.db", table);
    }

    // Of a stack in which the module fails, after its service file was read.
    int result_of(const Failure& failure, bool session) {
        mend();
        Handle pam = handle();
        static_cast<void>(pam.authenticate());
        failure.make();
        const int result = session ? pam.open() : pam.account();
        mend();
        return result;
    }

    std::string table; // a good one
    std::vector<Failure> failures;
    std::vector<int> filled;
};
INSTANTIATE_TEST_SUITE_P(, Failing, testing::Values(Way::call, Way::login), name_of_way);

TEST_P(Failing, is_never_a_yes_under_any_control) {
    for (const char* control : {"required", "requisite", "[default=die]", "[success=ok default=bad]"}) {
        stack(std::string("auth required pam_permit.so\naccount ") + control +
              " JIT\naccount required pam_permit.so\nsession " + control +
              " JIT\nsession required pam_permit.so\n");
        for (const Failure& failure : failures) {
            EXPECT_NE(result_of(failure, false), PAM_SUCCESS) << control << ": " << failure.name;
            EXPECT_NE(result_of(failure, true), PAM_SUCCESS) << control << ": " << failure.name;
        }
    }
    // Where a line says to go on after a no, the module's own answer still isn't a yes.
    for (const char* control :
         {"sufficient", "[success=1 default=ignore]", "[success=done default=ignore]"}) {
        stack(std::string("auth required pam_permit.so\naccount ") + control +
              " JIT\naccount required pam_deny.so\naccount required pam_permit.so\nsession " + control +
              " JIT\nsession required pam_deny.so\nsession required pam_permit.so\n");
        for (const Failure& failure : failures) {
            EXPECT_NE(result_of(failure, false), PAM_SUCCESS) << control << ": " << failure.name;
            EXPECT_NE(result_of(failure, true), PAM_SUCCESS) << control << ": " << failure.name;
        }
    }
}

TEST_P(Failing, makes_no_yes_of_what_other_modules_say) {
    for (const char* mate : {"success", "ignore", "acct_expired", "new_authtok_reqd", "user_unknown"}) {
        stack(std::string("auth required pam_permit.so\naccount required pam_debug.so acct=") + mate +
              "\naccount required JIT\naccount required pam_debug.so acct=" + mate + "\n");
        for (const Failure& failure : failures) {
            EXPECT_NE(result_of(failure, false), PAM_SUCCESS) << mate << ": " << failure.name;
        }
    }
}

TEST_P(Failing, is_over_when_what_failed_is_mended) {
    for (const Failure& failure : failures) {
        EXPECT_NE(result_of(failure, false), PAM_SUCCESS) << failure.name;
        EXPECT_EQ(handle().account(), PAM_SUCCESS) << failure.name;
        std::filesystem::remove_all("uses");
        mkdir("uses", 0700);
    }
}

#ifndef __SANITIZE_ADDRESS__
TEST_P(Failing, to_get_memory_anywhere_lets_nobody_in_and_breaks_nothing) {
    stack_with("");
    // The first exception of a thread needs memory that glibc can't do without: it ends the program there.
    write("logins.db", "garbage");
    EXPECT_EQ(handle().account(), PAM_PERM_DENIED);
    for (const bool granted : {false, true}) {
        int failed = 1;
        for (int count = 0; failed > 0 && count < 20'000; ++count) {
            write_table(granted ? std::vector{grant()} : std::vector<Row>());
            Handle pam = handle();
            static_cast<void>(pam.authenticate()); // reads the service file
            fail_allocations_after(count);
            const int result = pam.account();
            failed = fail_allocations_after(-1);
            if (!granted) {
                EXPECT_NE(result, PAM_SUCCESS) << count;
            } else if (failed == 0) {
                EXPECT_EQ(result, PAM_SUCCESS) << count;
            }
        }
        EXPECT_EQ(failed, 0);
    }
}
#endif

} // namespace
} // namespace jit
