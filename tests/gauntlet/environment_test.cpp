// SPDX-License-Identifier: MIT
// What the caller's environment may not do.
#include "tests/gauntlet/arena.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace jit::host {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class Environment : public Arena {
protected:
    static std::vector<std::string> lines(const std::string& text) {
        std::vector<std::string> found;
        std::istringstream stream(text);
        for (std::string line; std::getline(stream, line);)
            found.push_back(line);
        return found;
    }
};

// What the installed jit-sudo is, as a tool of this machine shows it.
class Binary {
public:
    explicit Binary(Host& host) : path_(testing::TempDir() + "jit-sudo-" + std::to_string(getpid())) {
        std::ofstream(path_, std::ios::binary) << host.root("cat /usr/bin/jit-sudo").out;
    }
    ~Binary() { std::remove(path_.c_str()); }
    Binary(const Binary&) = delete;
    Binary& operator=(const Binary&) = delete;

    [[nodiscard]] std::string shown_by(const std::string& tool) const {
        std::string text;
        const std::unique_ptr<FILE, int (*)(FILE*)> output(popen((tool + " '" + path_ + "'").c_str(), "r"),
                                                           pclose);
        for (int letter = 0; output && (letter = std::getc(output.get())) != EOF;)
            text += static_cast<char>(letter);
        return text;
    }

private:
    std::string path_;
};

// Each makes some interpreter, loader or library do what it says.
constexpr const char* HARMFUL[] = {
    "IFS",
    "CDPATH",
    "ENV",
    "BASH_ENV",
    "SHELLOPTS",
    "BASHOPTS",
    "PS4",
    "GLOBIGNORE",
    "PROMPT_COMMAND",
    "FPATH",
    "NULLCMD",
    "READNULLCMD",
    "ZDOTDIR",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "LD_AUDIT",
    "LD_DEBUG",
    "LD_PROFILE",
    "LD_ORIGIN_PATH",
    "LD_BIND_NOT",
    "GLIBC_TUNABLES",
    "GCONV_PATH",
    "LOCPATH",
    "NLSPATH",
    "MALLOC_CHECK_",
    "MALLOC_TRACE",
    "GETCONF_DIR",
    "RES_OPTIONS",
    "HOSTALIASES",
    "LOCALDOMAIN",
    "NIS_PATH",
    "RESOLV_HOST_CONF",
    "RESOLV_ADD_TRIM_DOMAINS",
    "TZ",
    "TZDIR",
    "TMPDIR",
    "TERMINFO",
    "TERMINFO_DIRS",
    "TERMPATH",
    "TERMCAP",
    "KRB5_CONFIG",
    "KRB5_CONFIG_DIR",
    "KRB5CCNAME",
    "KRB5_KTNAME",
    "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS",
    "PERLLIB",
    "PERL5LIB",
    "PERL5OPT",
    "PERL5DB",
    "PERLIO_DEBUG",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONINSPECT",
    "PYTHONUSERBASE",
    "PYTHONSTARTUP",
    "RUBYLIB",
    "RUBYOPT",
    "NODE_OPTIONS",
    "NODE_PATH",
    "LUA_INIT",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "SUDO_EDITOR",
    "SUDO_ASKPASS",
    "SUDO_PS1",
    "SUDO_UID",
    "SUDO_HOME",
    "GIT_PAGER",
    "GIT_EDITOR",
    "GIT_SSH",
    "GIT_DIR",
    "SYSTEMD_PAGER",
    "SYSTEMD_BYPASS_USERDB",
    "SYSTEMD_LOG_TARGET",
    "NOTIFY_SOCKET",
    "LISTEN_FDS",
    "LISTEN_PID",
    "DBUS_SYSTEM_BUS_ADDRESS",
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_SEAT",
    "XDG_SESSION_ID",
    "SQLITE_TMPDIR",
    "JIT_DB",
    "JIT_SOCKET",
    "OPENSSL_CONF",
    "OPENSSL_ENGINES",
    "SSL_CERT_FILE",
    "CURL_HOME",
    "http_proxy",
    "DISPLAY",
    "XAUTHORITY",
    "MAIL",
    "LESSOPEN",
    "LESSCLOSE",
    "MANPAGER",
};

TEST_F(Environment, g013_nothing_that_makes_a_program_do_something_reaches_the_command) {
    std::string setting = "env";
    for (const char* name : HARMFUL)
        setting += std::string(" ") + name + "=/tmp/marked";
    setting +=
        " 'BASH_FUNC_id%%=() { echo marked; }' 'BASH_FUNC_x()=() { echo marked; }' 'x=() { :; }; echo marked'"
        " 'a.b=marked' '=marked' 'LC_ALL=() { marked; }' LANG=%marked TERM=/tmp/marked "
        "PATH=/tmp/marked:/usr/bin"
        " HOME=/tmp/marked SHELL=/tmp/marked USER=marked LOGNAME=marked SUDO_USER=marked JIT_GRANT=marked"
        " JIT_EXPIRES=marked ";
    const auto runs = all("alice", {setting + "jit-sudo -n env", setting + "jit-sudo -n sh -c 'id -u'",
                                    setting + "jit-sudo -n id -un"});
    EXPECT_EQ(runs[0].status, 0) << runs[0];
    EXPECT_THAT(runs[0].out, AllOf(HasSubstr("HOME=/root\n"), HasSubstr("USER=root\n"),
                                   HasSubstr("SUDO_USER=alice\n"), Not(HasSubstr("/tmp/marked"))))
        << runs[0];
    for (const std::string& line : lines(runs[0].out))
        EXPECT_THAT(line, AnyOf(Not(HasSubstr("marked")), StartsWith("SUDO_COMMAND=")));
    EXPECT_THAT(runs[1], RanAndSaid("0\n"));
    EXPECT_THAT(runs[2], RanAndSaid("root\n"));
}

TEST_F(Environment, g013_a_module_that_is_loaded_sees_none_of_it_either) {
    host().copy(JIT_PAM_ODD, module_directory() + "/pam_odd.so");
    const Line line(host(), "/etc/pam.d/jit-sudo", "account required pam_odd.so text=environment");
    const Result run = one("alice", "export TZ=marked KRB5CCNAME=marked XDG_SEAT=marked LANG=C "
                                    "DBUS_SYSTEM_BUS_ADDRESS=marked; jit-sudo -n id -u");
    EXPECT_THAT(run, RanAndSaid("0\n"));
    EXPECT_EQ(run.err, "seen: PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin.\n");
}

TEST_F(Environment, g013_a_name_that_is_there_twice_is_there_once_afterwards) {
    // execve(2) takes any list: a library that removes one, and a program that reads the other, disagree.
    const auto runs = all("alice", {"oddly twice LANG=C LANG=/tmp/marked /usr/bin/jit-sudo -n env",
                                    "oddly twice LC_ALL=/tmp/marked LC_ALL=C /usr/bin/jit-sudo -n env",
                                    "oddly twice TERM=a TERM=b /usr/bin/jit-sudo -n env"});
    for (const Result& run : runs) {
        std::vector<std::string> names;
        for (const std::string& line : lines(run.out))
            names.push_back(line.substr(0, line.find('=')));
        EXPECT_THAT(names, Not(IsEmpty()));
        std::ranges::sort(names);
        EXPECT_EQ(std::ranges::adjacent_find(names), names.end()) << run;
        EXPECT_THAT(run.out, Not(HasSubstr("marked")));
    }
}

TEST_F(Environment, g013_a_program_of_the_same_name_in_the_callers_path_is_not_found) {
    const auto runs =
        all("alice", {"mkdir -p ~/bin; printf '#!/bin/sh\\necho mine\\n' >~/bin/id; chmod 755 ~/bin/id; "
                      "PATH=~/bin:$PATH jit-sudo -n id -u",
                      "cd ~/bin && PATH=.::$PATH jit-sudo -n id -u",
                      "mkdir -p ~/only; cp ~/bin/id ~/only/nosuch; PATH=~/only:$PATH jit-sudo -n nosuch"});
    EXPECT_THAT(runs[0], RanAndSaid("0\n"));
    EXPECT_THAT(runs[1], RanAndSaid("0\n"));
    EXPECT_THAT(runs[2], IsRefused());
}

TEST_F(Environment, g014_a_harmful_variable_is_not_set_on_the_command_line_either) {
    std::vector<std::string> commands;
    for (const char* name :
         {"LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "BASH_ENV", "ENV", "IFS", "PATH", "PS4", "SHELLOPTS",
          "PERL5OPT", "PERL5LIB", "PYTHONPATH", "GCONV_PATH", "GLIBC_TUNABLES"})
        commands.push_back(std::string("jit-sudo -n ") + name + "=/tmp/marked env");
    for (const Result& run : all("alice", commands)) {
        EXPECT_THAT(run.out, Not(HasSubstr("=/tmp/marked"))) << run;
        EXPECT_LT(run.status, 126) << run;
    }
}

TEST_F(Environment, g017_timezone_of_the_caller_shifts_nothing) {
    const std::string id = ask(host(), "carol", "short --for 2s");
    const Result live = one("carol", "jit-sudo -n id -u");
    ASSERT_TRUE(eventually([&] { return state(host(), id) == "ended (expired)"; }, std::chrono::seconds(20)));
    std::vector<std::string> over, running;
    for (const char* zone : {"UTC+24", "XXX-24", "XXX+24", "XXX24", "Etc/GMT+12", "Etc/GMT-14", ":/tmp/evil",
                             "/tmp/evil", "right/UTC", "", "A-167", "A+167"}) {
        over.push_back("TZ='" + std::string(zone) + "' jit-sudo -n id -u");
        running.push_back("TZ='" + std::string(zone) + "' TZDIR=/tmp jit-sudo -n env | grep JIT_EXPIRES");
    }
    EXPECT_THAT(all("carol", over), Each(IsRefused()));
    const auto ends = all("alice", running);
    EXPECT_THAT(ends[0].out, StartsWith("JIT_EXPIRES="));
    EXPECT_THAT(ends, Each(RanAndSaid(ends[0].out)));
    EXPECT_THAT(live, RanAndSaid("0\n"));
}

TEST_F(Environment, g018_what_steers_the_loader_does_nothing_however_long) {
    std::vector<std::string> commands;
    for (const char* name : {"LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "LD_DEBUG", "LD_PROFILE",
                             "LD_DEBUG_OUTPUT", "GLIBC_TUNABLES", "LD_HWCAP_MASK", "LD_SHOW_AUXV"})
        for (const char* value :
             {"1", "/tmp/marked.so", "$ORIGIN/marked", "all", "glibc.malloc.mxfast=glibc.malloc.mxfast=A",
              "$(head -c 100000 /dev/zero | tr '\\0' x)"})
            commands.push_back(std::string("export ") + name + "=" +
                               (value[1] == '(' ? std::string(value) : "'" + std::string(value) + "'") +
                               "; exec jit-sudo -n id -u");
    EXPECT_THAT(all("alice", commands), Each(RanAndSaid("0\n")));
    // Older loaders end there, whoever's the program is.
    EXPECT_THAT(one("alice", "LD_TRACE_LOADED_OBJECTS=1 jit-sudo -n id -u"),
                AnyOf(RanAndSaid("0\n"), RanNothing()));
}

TEST_F(Environment, g018_the_program_looks_for_libraries_nowhere_special_and_is_hardened) {
    const Binary binary(host());
    const std::string dynamic = binary.shown_by("readelf -dW");
    EXPECT_THAT(dynamic,
                AllOf(Not(HasSubstr("RPATH")), Not(HasSubstr("RUNPATH")), Not(HasSubstr("TEXTREL"))));
    EXPECT_THAT(dynamic, AllOf(HasSubstr("NOW"), HasSubstr("PIE")));
    for (const std::string& line : lines(dynamic)) {
        if (line.find("(NEEDED)") == std::string::npos)
            continue;
        EXPECT_THAT(line,
                    AnyOf(HasSubstr("[libpam.so.0]"), HasSubstr("[libc.so.6]"), HasSubstr("[ld-linux")));
    }
    const std::string segments = binary.shown_by("readelf -lW");
    EXPECT_THAT(segments, AllOf(HasSubstr("GNU_RELRO"), HasSubstr("GNU_STACK"), Not(HasSubstr("RWE"))));
}

TEST_F(Environment, g019_no_character_set_or_catalogue_is_loaded_by_a_name_of_the_callers) {
    const std::string symbols = " " + Binary(host()).shown_by("nm -D --undefined-only");
    for (const char* function :
         {" setlocale", " iconv_open", " newlocale", " bindtextdomain", " catopen", " dlopen"})
        EXPECT_THAT(symbols, Not(HasSubstr(function)));
    EXPECT_THAT(symbols, HasSubstr(" pam_start")); // there is something to see
    const auto runs = all("alice", {"LC_ALL=/tmp/marked LANG=../../tmp/marked LANGUAGE=../../../tmp/marked "
                                    "LOCPATH=/tmp GCONV_PATH=/tmp NLSPATH=/tmp/%N OUTPUT_CHARSET=marked//x "
                                    "CHARSET=marked jit-sudo -n env",
                                    "LC_ALL=C.UTF-8 LANG=de_DE.UTF-8@euro jit-sudo -n env"});
    EXPECT_THAT(runs[0].out, AllOf(HasSubstr("USER=root"), Not(HasSubstr("marked")), Not(HasSubstr("/tmp"))));
    EXPECT_THAT(runs[1].out, AllOf(HasSubstr("LC_ALL=C.UTF-8\n"), HasSubstr("LANG=de_DE.UTF-8@euro\n")));
}

TEST_F(Environment, g039_the_program_looks_up_no_account_and_changes_no_root) {
    const std::string symbols = Binary(host()).shown_by("nm -D --undefined-only");
    for (const char* function :
         {" getpw",       " getgrnam", " getgrgid",   " getgrent", " getspnam", " initgroups",
          " getaddrinfo", " chroot",   " pivot_root", " dlopen",   " system",   " popen",
          " wordexp",     " mkstemp",  " mktemp",     " tmpfile",  " tempnam",  " localtime",
          " mktime",      " tzset",    " longjmp",    " alarm"})
        EXPECT_THAT(symbols, Not(HasSubstr(function))) << function;
    EXPECT_THAT(symbols, HasSubstr(" setresuid"));
}

TEST_F(Environment, x03_an_environment_of_a_megabyte_changes_nothing) {
    const auto runs =
        all("alice",
            {
                "for i in $(seq 1 12000); do export v$i=$i$i$i$i$i$i$i$i$i$i; done; exec jit-sudo -n id -u",
                "export LANG=$(head -c 120000 /dev/zero | tr '\\0' C); jit-sudo -n env",
            });
    EXPECT_THAT(runs[0], RanAndSaid("0\n"));
    EXPECT_THAT(runs[1].out, AllOf(HasSubstr("USER=root"), Not(HasSubstr("LANG="))));
}

} // namespace
} // namespace jit::host
