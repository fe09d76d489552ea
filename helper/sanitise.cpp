// SPDX-License-Identifier: MIT
#include "helper/sanitise.h"

#include "helper/ids.h"
#include "helper/messages.h"
#include "helper/report.h"
#include "helper/user_namespace.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <linux/limits.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <syslog.h>
#include <unistd.h>

namespace jit {
namespace {

constexpr std::array kept_names = {
    "TERM",       "COLORTERM", "NO_COLOR",          "LANG",           "LANGUAGE",    "LC_ADDRESS",  "LC_ALL",
    "LC_COLLATE", "LC_CTYPE",  "LC_IDENTIFICATION", "LC_MEASUREMENT", "LC_MESSAGES", "LC_MONETARY", "LC_NAME",
    "LC_NUMERIC", "LC_PAPER",  "LC_TELEPHONE",      "LC_TIME"};
constexpr std::size_t longest_kept_value = 128;

// Neither '/' nor '%': a locale that is a path is a file that somebody chose, and a format has no place in a
// name.
bool is_harmless(std::string_view value) {
    return value.size() <= longest_kept_value && std::all_of(value.begin(), value.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      std::string_view("_.,:@+=-").find(c) != std::string_view::npos;
           });
}

[[noreturn]] void give_up(std::string_view what) {
    say(what);
    _exit(exit_refused);
}

void fix_descriptors() {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_NOFOLLOW) != fd) {
            _exit(exit_refused); // there may be nowhere to say so
        }
    }
    if (close_range(STDERR_FILENO + 1, ~0U, 0) != 0) {
        give_up(messages::descriptors_not_closed);
    }
}

void reset_signals(Caller& caller) {
    struct sigaction old{};
    for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTSTP, SIGUSR1, SIGUSR2}) {
        if (sigaction(number, nullptr, &old) == 0 && old.sa_handler == SIG_IGN) {
            caller.ignored_signals.push_back(number);
        }
    }
    for (int number = 1; number < NSIG; ++number) {
        static_cast<void>(signal(number, SIG_DFL)); // fails for KILL, STOP and libc's own
    }
    if (is_ignored(caller, SIGTSTP)) { // nobody would let us go on again
        static_cast<void>(signal(SIGTSTP, SIG_IGN));
    }
    // A reader of our messages that went away must not end us between a start and its end.
    static_cast<void>(signal(SIGPIPE, SIG_IGN));
    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, nullptr) != 0) {
        give_up(messages::mask_not_reset);
    }
    const itimerval off{};
    for (const auto timer : {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF}) {
        setitimer(timer, &off, nullptr);
    }
}

// Hard limits are raised where the kernel lets us (in a container it may not), and never lowered: a command
// that is to get its caller's limits back needs them.
void lift(__rlimit_resource_t resource, rlim_t soft) {
    rlimit old{};
    if (getrlimit(resource, &old) != 0) {
        return;
    }
    const rlimit wanted{soft, std::max(soft, old.rlim_max)};
    const rlimit possible{std::min(soft, old.rlim_max), old.rlim_max};
    if (setrlimit(resource, &wanted) != 0) {
        setrlimit(resource, &possible);
    }
}

void lift_limits() {
    for (const auto resource : {RLIMIT_FSIZE, RLIMIT_AS, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_NPROC, RLIMIT_RSS}) {
        lift(resource, RLIM_INFINITY);
    }
    lift(RLIMIT_STACK, 8UL << 20);
    lift(RLIMIT_NOFILE, 1024);
    lift(RLIMIT_CORE, 0);
}

// A time zone by name or as POSIX writes it; never a file of the caller's choice (CVE-2014-9680).
bool is_time_zone(std::string_view value) {
    return value.size() <= longest_kept_value && !value.starts_with('/') && !value.starts_with(':') &&
           value.find("..") == std::string_view::npos && std::all_of(value.begin(), value.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      std::string_view("_,:+-/.<>").find(c) != std::string_view::npos;
           });
}

} // namespace

bool may_be_kept(std::string_view name, std::string_view value) {
    return name == "TZ" ? is_time_zone(value)
                        : std::find(kept_names.begin(), kept_names.end(), name) != kept_names.end() &&
                              is_harmless(value);
}

std::string working_directory() {
    std::array<char, PATH_MAX> name{};
    return getcwd(name.data(), name.size()) != nullptr && name[0] == '/' ? name.data() : std::string();
}

Environment kept_environment(const char* const* environment) {
    Environment kept;
    for (; environment != nullptr && *environment != nullptr; ++environment) {
        const std::string_view entry = *environment;
        const auto equals = entry.find('=');
        if (equals == std::string_view::npos ||
            !may_be_kept(entry.substr(0, equals), entry.substr(equals + 1))) {
            continue;
        }
        kept.try_emplace(std::string(entry.substr(0, equals)), entry.substr(equals + 1));
    }
    return kept;
}

Caller sanitise() {
    speak_as(getuid());
    fix_descriptors();
    Caller caller;
    caller.environment = kept_environment(environ);
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        caller.original.emplace_back(*entry);
    }
    const char* const shell = getenv("SHELL");
    caller.shell = shell != nullptr && *shell == '/' ? shell : "";
    // Programs that PAM modules start need a PATH, and nothing else.
    if (clearenv() != 0 || setenv("PATH", secure_path, 1) != 0) {
        give_up(messages::environment_not_cleared);
    }
    // PAM modules log, and without this under the name that the caller gave us.
    openlog("jit-sudo", 0, LOG_AUTHPRIV);
    reset_signals(caller);
    caller.umask = umask(022);
    caller.limits = current_limits();
    lift_limits();
    if (prctl(PR_SET_DUMPABLE, 0) != 0) {
        give_up(messages::core_not_ruled_out);
    }
    caller.uid = Uid{getuid()};
    caller.gid = Gid{getgid()};
    auto groups = current_groups();
    if (!groups) {
        give_up(groups.error().message);
    }
    caller.groups = std::move(*groups);
    caller.cwd = working_directory();
    return caller;
}

Result<void> check_setuid_root() {
    // First: in there one may be a root who is nobody on the host.
    struct stat self{};
    const bool known = stat("/proc/self/exe", &self) == 0;
    if (known && is_unmapped(self.st_uid)) {
        return fail(Errc::refused, std::string(messages::user_namespace));
    }
    if (geteuid() == 0) {
        return {};
    }
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) {
        return fail(Errc::refused, std::string(messages::no_new_privileges));
    }
    struct statvfs mount{};
    if (!known || self.st_uid != 0 || (self.st_mode & S_ISUID) == 0) {
        return fail(Errc::refused, std::string(messages::not_setuid));
    }
    const bool nosuid = statvfs("/proc/self/exe", &mount) == 0 && (mount.f_flag & ST_NOSUID) != 0;
    return fail(Errc::refused,
                std::string(nosuid ? messages::nosuid_mount : messages::setuid_without_effect));
}

std::optional<std::string_view> original_value(const Caller& caller, std::string_view name) {
    for (const std::string_view entry : caller.original) {
        if (entry.starts_with(name) && entry.substr(name.size()).starts_with('=')) {
            return entry.substr(name.size() + 1);
        }
    }
    return std::nullopt;
}

bool is_ignored(const Caller& caller, int number) {
    return std::ranges::find(caller.ignored_signals, number) != caller.ignored_signals.end();
}

void restore_signals(const Caller& caller) {
    for (int number = 1; number < NSIG; ++number) {
        static_cast<void>(signal(number, is_ignored(caller, number) ? SIG_IGN : SIG_DFL));
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

Limits current_limits() {
    Limits limits{};
    for (std::size_t resource = 0; resource < limits.size(); ++resource) {
        getrlimit(static_cast<__rlimit_resource_t>(resource), &limits[resource]);
    }
    return limits;
}

Limits command_limits(const Caller& caller, const Limits& lifted, const Limits& now) {
    Limits limits = caller.limits;
    for (std::size_t resource = 0; resource < limits.size(); ++resource) {
        if (now[resource].rlim_cur != lifted[resource].rlim_cur ||
            now[resource].rlim_max != lifted[resource].rlim_max) {
            limits[resource] = now[resource];
        }
    }
    limits[RLIMIT_CORE].rlim_cur = 0;
    return limits;
}

bool set_limits(const Limits& limits) {
    bool all = true;
    const Limits now = current_limits();
    for (std::size_t resource = 0; resource < limits.size(); ++resource) {
        const rlimit& wanted = limits[resource];
        // One that is there already may be one that can't be set: more files than fs.nr_open.
        if (wanted.rlim_cur != now[resource].rlim_cur || wanted.rlim_max != now[resource].rlim_max) {
            all = setrlimit(static_cast<__rlimit_resource_t>(resource), &wanted) == 0 && all;
        }
    }
    return all;
}

} // namespace jit
