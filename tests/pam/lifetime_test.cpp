// SPDX-License-Identifier: MIT
// pam_jit lives in other people's programs: it keeps nothing between calls, and several may call it at once.
#include "core/fd.h"
#include "tests/pam/kit.h"

#include <gmock/gmock.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

namespace jit {
namespace {

class Lifetime : public EitherWay {
protected:
    static std::ptrdiff_t open_files() {
        return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
    }
    static long kilobytes() {
        std::ifstream status("/proc/self/status");
        for (std::string word; status >> word;) {
            if (word == "VmRSS:") {
                long size = 0;
                status >> size;
                return size;
            }
        }
        return 0;
    }
    void all_phases() const {
        Handle pam = handle();
        static_cast<void>(pam.authenticate());
        static_cast<void>(pam.account());
        static_cast<void>(pam.credentials());
        static_cast<void>(pam.open());
        static_cast<void>(pam.close());
        static_cast<void>(pam.credentials(PAM_DELETE_CRED));
    }
};
INSTANTIATE_TEST_SUITE_P(, Lifetime, testing::Values(Way::call, Way::login), name_of_way);

TEST_P(Lifetime, a_thousand_handles_leave_no_file_open_and_no_memory_behind) {
    write_table({grant()});
    for (int done = 0; done < 50; ++done) {
        all_phases();
    }
    const auto files = open_files();
    const long memory = kilobytes();
    for (int done = 0; done < 1000; ++done) {
        if (done == 500) {
            write_table({}); // refused from here on
        }
        all_phases();
        std::filesystem::remove_all("uses");
        std::filesystem::create_directory("uses");
    }
    EXPECT_EQ(open_files(), files);
#ifndef __SANITIZE_ADDRESS__ // which keeps what is freed for a while, and finds leaks by itself
    EXPECT_LT(kilobytes(), memory + 1024);
#else
    static_cast<void>(memory);
#endif
}

TEST_P(Lifetime, two_handles_in_two_threads_are_judged_each_by_itself) {
    write_table({grant()});
    const auto run = [this](const std::string& name, int expected) {
        for (int done = 0; done < 200; ++done) {
            Handle pam(name, target);
            EXPECT_EQ(pam.account(), expected);
        }
    };
    const std::string other = way() == Way::call ? "sshd" : "su-l";
    std::thread first(run, service(), PAM_SUCCESS);
    // Through "su-l" as root: exempt, and nobody else says anything.
    std::thread second(run, other, PAM_PERM_DENIED);
    first.join();
    second.join();
}

TEST_P(Lifetime, signals_timers_and_children_of_the_program_stay_as_they_were) {
    write_table({grant()});
    std::vector<struct sigaction> before(32);
    std::vector<struct sigaction> after(32);
    sigset_t mask_before;
    sigset_t mask_after;
    ASSERT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &mask_before), 0);
    for (int signal = 1; signal < 32; ++signal) {
        sigaction(signal, nullptr, &before[static_cast<std::size_t>(signal)]);
    }
    const auto threads = [] {
        return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
    };
    const auto running = threads();
    all_phases();
    for (int signal = 1; signal < 32; ++signal) {
        sigaction(signal, nullptr, &after[static_cast<std::size_t>(signal)]);
        EXPECT_EQ(before[static_cast<std::size_t>(signal)].sa_handler,
                  after[static_cast<std::size_t>(signal)].sa_handler)
            << signal;
    }
    ASSERT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &mask_after), 0);
    for (int signal = 1; signal < 32; ++signal) {
        EXPECT_EQ(sigismember(&mask_before, signal), sigismember(&mask_after, signal)) << signal;
    }
    EXPECT_EQ(threads(), running);
}

TEST_P(Lifetime, a_table_that_changes_all_the_time_is_always_one_or_the_other) {
    const std::string with = table_bytes({grant()});
    const std::string without = table_bytes({});
    std::atomic<bool> done = false;
    write("logins.db", with);
    std::jthread writer([&] {
        for (bool which = false; !done; which = !which) {
            write("logins.db", which ? with : without);
        }
    });
    int in = 0;
    for (int tried = 0; tried < 500; ++tried) {
        Handle pam = handle();
        const int result = pam.account();
        in += result == PAM_SUCCESS ? 1 : 0;
        if (result != PAM_SUCCESS) {
            EXPECT_EQ(result, PAM_PERM_DENIED);
            EXPECT_THAT(pam.said(), testing::HasSubstr("no grant lets"));
        }
    }
    done = true;
    EXPECT_GT(in, 0);
}

} // namespace
} // namespace jit
