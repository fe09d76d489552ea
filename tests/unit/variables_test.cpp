// SPDX-License-Identifier: MIT
#include "core/variables.h"

#include <gtest/gtest.h>

namespace jit {
namespace {

TEST(Variables, AreNamedAsAShellNamesThem) {
    for (const char* name : {"A", "_", "a1", "APP_URL"}) {
        EXPECT_TRUE(is_variable_name(name)) << name;
    }
    for (const char* name : {"", "1a", "a-b", "a.b", "a b", "a=", "BASH_FUNC_x%%", "\xc3\xa4"}) {
        EXPECT_FALSE(is_variable_name(name)) << name;
    }
    EXPECT_TRUE(is_assignment("A="));
    EXPECT_FALSE(is_assignment("A"));
    EXPECT_FALSE(is_assignment("/a=b"));
}

TEST(Variables, OfALoaderShellOrInterpreterAreHandedToNobody) { // CVE-2004-1051, CVE-2005-2959, CVE-2006-0151
    for (const char* name : {"LD_PRELOAD",
                             "JDK_JAVA_OPTIONS",
                             "DOTNET_STARTUP_HOOKS",
                             "PHP_INI_SCAN_DIR",
                             "R_PROFILE_USER",
                             "SYSTEMD_EDITOR",
                             "LD_AUDIT",
                             "LD_LIBRARY_PATH",
                             "_RLD_LIST",
                             "GLIBC_TUNABLES",
                             "GCONV_PATH",
                             "BASH_ENV",
                             "BASH_FUNC_x",
                             "ENV",
                             "IFS",
                             "CDPATH",
                             "SHELLOPTS",
                             "BASHOPTS",
                             "PS4",
                             "GLOBIGNORE",
                             "PROMPT_COMMAND",
                             "PERL5LIB",
                             "PERL5OPT",
                             "PERLLIB",
                             "PYTHONPATH",
                             "PYTHONHOME",
                             "PYTHONSTARTUP",
                             "RUBYLIB",
                             "RUBYOPT",
                             "NODE_OPTIONS",
                             "NODE_PATH",
                             "JAVA_TOOL_OPTIONS",
                             "_JAVA_OPTIONS",
                             "CLASSPATH",
                             "GIT_SSH_COMMAND",
                             "GIT_CONFIG_COUNT",
                             "TERMINFO",
                             "TERMINFO_DIRS",
                             "TERMPATH",
                             "TERMCAP",
                             "HOSTALIASES",
                             "RES_OPTIONS",
                             "LOCALDOMAIN",
                             "NLSPATH",
                             "PATH_LOCALE",
                             "LOCPATH",
                             "FPATH",
                             "ZDOTDIR",
                             "TMPPREFIX",
                             "NULLCMD",
                             "READNULLCMD",
                             "KRB5_CONFIG",
                             "LESSOPEN",
                             "SYSTEMD_PAGER",
                             "TZDIR"}) {
        EXPECT_FALSE(may_be_handed_in(name, "x")) << name;
        EXPECT_FALSE(allows_variable({name}, name)) << name;
        EXPECT_TRUE(wrong_variable_pattern(name)) << name;
    }
    for (const char* name : {"EDITOR", "VISUAL", "PAGER", "BROWSER"}) { // a program, of the caller's choice
        EXPECT_FALSE(allows_variable({name, "E*", "V*"}, name)) << name;
        EXPECT_TRUE(wrong_variable_pattern(name)) << name;
    }
    EXPECT_FALSE(may_be_handed_in("A", "() { :; }"));
    EXPECT_FALSE(may_be_handed_in("A", std::string_view("a\0b", 3)));
    EXPECT_TRUE(may_be_handed_in("A", "\x1b\n()"));
}

TEST(Variables, ThatSayWhoOneIsAreOurs) {
    for (const char* name : {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "MAIL", "SUDO_USER", "SUDO_COMMAND",
                             "JIT_GRANT", "JIT_EXPIRES", "PWD"}) {
        EXPECT_FALSE(may_be_handed_in(name, "x")) << name;
        EXPECT_TRUE(wrong_variable_pattern(name)) << name;
    }
}

TEST(Variables, AreAllowedByNameOrPrefix) {
    EXPECT_TRUE(allows_variable({"DEBUG", "APP_*"}, "DEBUG"));
    EXPECT_TRUE(allows_variable({"DEBUG", "APP_*"}, "APP_URL"));
    EXPECT_FALSE(allows_variable({"DEBUG", "APP_*"}, "DEBUG2"));
    EXPECT_FALSE(allows_variable({"DEBUG", "APP_*"}, "debug"));
    EXPECT_FALSE(allows_variable({}, "DEBUG"));
    EXPECT_FALSE(allows_variable({"L*", "P*"}, "LD_PRELOAD")) << "not by a short prefix either";
    EXPECT_FALSE(allows_variable({"L*", "P*"}, "PATH"));
    for (const char* pattern : {"", "*", "A*B", "A**", "1*", "A=", "A B"}) {
        EXPECT_TRUE(wrong_variable_pattern(pattern)) << pattern;
    }
    EXPECT_FALSE(wrong_variable_pattern("APP_*"));
    EXPECT_FALSE(wrong_variable_pattern("DEBUG"));
}

} // namespace
} // namespace jit
