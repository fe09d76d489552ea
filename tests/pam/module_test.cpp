// SPDX-License-Identifier: MIT
// What the module is as a file: it goes into sshd, login, sudo and su, of every release that we build for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <gnu/libc-version.h>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace {

using testing::AnyOf;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;
using testing::UnorderedElementsAre;

std::vector<std::string> lines_of(const std::string& command) {
    std::vector<std::string> lines(1);
    const std::unique_ptr<FILE, int (*)(FILE*)> output(
        popen((command + " '" JIT_PAM_INSTALLED "'").c_str(), "r"), pclose);
    for (int letter = 0; output && (letter = getc(output.get())) != EOF;) {
        if (letter == '\n') {
            lines.emplace_back();
        } else {
            lines.back() += static_cast<char>(letter);
        }
    }
    lines.pop_back();
    EXPECT_FALSE(lines.empty()) << command;
    return lines;
}

// The last word of each line, without its version.
std::vector<std::string> symbols(const std::string& command) {
    std::vector<std::string> names;
    for (const std::string& line : lines_of(command)) {
        const std::string word = line.substr(line.rfind(' ') + 1);
        names.push_back(word.substr(0, word.find('@')));
    }
    return names;
}

TEST(Module, exports_what_libpam_calls_and_nothing_else) {
    EXPECT_THAT(symbols("nm -D --defined-only"),
                UnorderedElementsAre("pam_sm_authenticate", "pam_sm_setcred", "pam_sm_acct_mgmt",
                                     "pam_sm_open_session", "pam_sm_close_session"));
}

#ifndef __SANITIZE_ADDRESS__ // which needs more, and isn't installed

TEST(Module, starts_nothing_talks_to_nobody_and_asks_no_environment) {
    const auto imported = symbols("nm -D --undefined-only");
    for (const char* name : {"fork",
                             "vfork",
                             "clone",
                             "execve",
                             "execv",
                             "posix_spawn",
                             "system",
                             "popen",
                             "pthread_create",
                             "pthread_atfork",
                             "__register_atfork",
                             "signal",
                             "sigaction",
                             "__sigaction",
                             "alarm",
                             "setitimer",
                             "atexit",
                             "socket",
                             "connect",
                             "getenv",
                             "setenv",
                             "putenv",
                             "dlopen",
                             "setlocale",
                             "localtime",
                             "localtime_r",
                             "tzset",
                             "puts",
                             "printf",
                             "__printf_chk",
                             "exit",
                             "_exit",
                             "longjmp",
                             "strcpy",
                             "strcat",
                             "gets"}) {
        EXPECT_THAT(imported, Not(Contains(name)));
    }
}

TEST(Module, needs_libpam_SQLite_and_libc_and_looks_for_them_nowhere_special) {
    for (const std::string& line : lines_of("readelf -dW")) {
        EXPECT_THAT(line, Not(HasSubstr("RPATH")));
        EXPECT_THAT(line, Not(HasSubstr("RUNPATH")));
        EXPECT_THAT(line, Not(HasSubstr("TEXTREL")));
        if (line.find("(NEEDED)") != std::string::npos) {
            EXPECT_THAT(line, AnyOf(HasSubstr("[libpam.so.0]"), HasSubstr("[libsqlite3.so.0]"),
                                    HasSubstr("[libc.so.6]"), HasSubstr("[ld-linux")));
        }
    }
}

TEST(Module, is_bound_at_once_and_never_unloaded) {
    std::string flags;
    for (const std::string& line : lines_of("readelf -dW")) {
        flags += line.find("(FLAGS_1)") != std::string::npos ? line : "";
    }
    EXPECT_THAT(flags, HasSubstr("NOW"));
    EXPECT_THAT(flags, HasSubstr("NODELETE"));
}

TEST(Module, has_no_writable_code_no_executable_stack_and_read_only_relocations) {
    bool relro = false;
    bool stack = false;
    for (const std::string& line : lines_of("readelf -lW")) {
        relro = relro || line.find("GNU_RELRO") != std::string::npos;
        if (line.find("GNU_STACK") != std::string::npos) {
            stack = true;
            EXPECT_THAT(line, Not(HasSubstr("RWE")));
        }
        EXPECT_FALSE(line.find(" LOAD ") != std::string::npos && line.find("RWE") != std::string::npos)
            << line;
    }
    EXPECT_TRUE(relro);
    EXPECT_TRUE(stack);
}

// Debian 12's, where the package is made.
TEST(Module, loads_with_the_oldest_libc_that_we_build_for) {
    constexpr int oldest = 36;
    if (std::stoi(std::string(gnu_get_libc_version()).substr(2)) > oldest) {
        GTEST_SKIP() << "made here, it isn't the one of the package";
    }
    for (const std::string& line : lines_of("readelf -VW")) {
        for (std::size_t at = 0; (at = line.find("GLIBC_2.", at)) != std::string::npos; ++at) {
            EXPECT_LE(std::stoi(line.substr(at + 8)), oldest) << line;
        }
    }
}

#endif

} // namespace
