// SPDX-License-Identifier: MIT
#include "helper/unprivileged.h"

#include "helper/environment.h"
#include "helper/ids.h"
#include "helper/messages.h"
#include "helper/report.h"

#include <linux/close_range.h>
#include <sys/stat.h>
#include <unistd.h>

namespace jit {
namespace {

constexpr const char* jitctl = "/usr/bin/jitctl";
constexpr const char* self = "/usr/bin/jit-sudo"; // where the package has it

} // namespace

std::vector<std::string> list_words(const Options& options) {
    std::vector<std::string> words;
    const auto add = [&](const char* option, const std::string& value) {
        if (!value.empty()) {
            words.insert(words.end(), {option, value});
        }
    };
    if (options.command.empty()) {
        words = {"list"};
        if (options.other_user.empty()) {
            words.insert(words.end(), {"--mine", "--now"});
        }
        add("--user", options.other_user);
        if (options.in_detail) {
            words.emplace_back("--long");
        }
        return words;
    }
    words = {"explain", "--now"};
    add("--user", options.other_user);
    add("--run-as", options.user);
    words.emplace_back("--");
    words.insert(words.end(), options.command.begin(), options.command.end());
    return words;
}

std::vector<std::string> ask_words(const Options& options, const std::string& offers,
                                   const std::vector<std::string>& words) {
    std::vector<std::string> all = {"ask", "--offers", offers};
    if (!options.reason.empty()) {
        all.insert(all.end(), {"--reason", options.reason});
    } else if (isatty(STDERR_FILENO) == 0) {
        all.emplace_back("--on-terminal"); // who types is at the terminal, wherever standard error goes
    }
    all.insert(all.end(), {"--", self});
    all.insert(all.end(), words.begin(), words.end());
    return all;
}

bool asked_before(const Caller& caller) {
    return original_value(caller, "JIT_ASKED") == "1";
}

int become_jitctl(const Caller& caller, const std::vector<std::string>& words) {
    if (auto became = become_caller(caller.uid, caller.gid, caller.groups); !became) {
        // In a user namespace an id that has no number there can't be set.
        const auto able = check_setuid_root();
        say(able ? became.error().message : able.error().message);
        return exit_refused;
    }
    if (!set_limits(caller.limits)) {
        say(messages::limits_not_restored);
        return exit_refused;
    }
    // Nothing that was opened with other rights goes along.
    if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
        say(messages::descriptors_not_closed);
        return exit_refused;
    }
    umask(caller.umask);
    restore_signals(caller);
    std::vector<std::string> argv = {"jit-sudo"}; // as people know it, in its messages
    argv.insert(argv.end(), words.begin(), words.end());
    execve(jitctl, pointers(argv).data(), pointers(caller.original).data());
    say(fail_errno(jitctl).error().message);
    return exit_refused;
}

} // namespace jit
