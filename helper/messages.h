// SPDX-License-Identifier: MIT
// Everything that jit-sudo says, in one place. Short: what happened, why, what to do next. Whatever a person
// supplied comes in escaped (jit::escape): these go to a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace jit::messages {

inline constexpr std::string_view usage =
    "usage: jit-sudo [-bHkNnS] [-u USER] [-g GROUP] [-r REASON] [-D DIR] [-T TIME] [-p PROMPT]\n"
    "                [-P NAME,…] [VAR=value…] [-i | -s] [--] [COMMAND [ARGUMENT…]]\n"
    "       jit-sudo -l[l] [-U USER] [-u USER] [COMMAND [ARGUMENT…]]\n"
    "       jit-sudo -v [-kNnS] [-p PROMPT]\n"
    "       jit-sudo -k | -K | -h | -V\n";

inline constexpr std::string_view help =
    "\n"
    "Runs COMMAND as root, or as USER, where a grant of yours allows it now. Where none does and\n"
    "there is a terminal, it offers to ask for one, waits for the answer, and goes on.\n"
    "\n"
    "  -u, --user=USER         as this user: a name, or #UID\n"
    "  -g, --group=GROUP       with this group; without -u as yourself\n"
    "  -i, --login             the user's login shell, in their home; COMMAND is given to it\n"
    "  -s, --shell             your own shell; COMMAND is given to it\n"
    "  -H, --set-home          nothing: HOME is the user's anyway\n"
    "  -r, --reason=TEXT       what it is for: recorded; where no grant allows it, one is asked for\n"
    "                          without further questions, and waited for\n"
    "  -n, --non-interactive   never ask, never wait: fail instead\n"
    "  -b, --background        in the background; it ends with the grant\n"
    "  -D, --chdir=DIR         start in DIR, as if you had changed there before\n"
    "  -T, --command-timeout=TIME  end it after 30, 5m, 1h30m … at the latest\n"
    "  -P, --preserve-env=NAME,…   hand these variables in, where the role allows it\n"
    "  VAR=value               set this one, where the role allows it\n"
    "  -p, --prompt=TEXT       ask for the password so: %u you, %U the user, %p whose, %h the host\n"
    "  -S, --stdin             read the password from standard input\n"
    "  -v, --validate          ask for the password now, if it will be needed\n"
    "  -k, --reset-timestamp   forget that it was given here; with COMMAND: ask again\n"
    "  -K, --remove-timestamp  forget that it was given anywhere\n"
    "  -N, --no-update         don't remember that it was given now\n"
    "  -l, --list              your grants, how much is left, what they allow; twice: all about them;\n"
    "                          with COMMAND: may you run it now? (status 0 or 1)\n"
    "  -U, --other-user=USER   with -l: theirs, if you may know\n"
    "  -h, --help              this text\n"
    "  -V, --version           the version\n"
    "  --                      what follows is the command\n"
    "\n"
    "The exit status is the command's; 1 where jit-sudo refuses or fails, 126 or 127 where the\n"
    "command can't be executed. To ask for access: jitctl request ROLE --reason TEXT\n";

// The command line.
inline constexpr std::string_view no_reason = "-r wants a reason";
inline std::string reason_too_long(std::size_t most) {
    return "-r: a reason has at most " + std::to_string(most) + " bytes";
}
inline constexpr std::string_view list_takes_less =
    "-l takes -U USER, and with a command -u USER, and no other option. What a group would need: "
    "jitctl explain --group GROUP";
inline constexpr std::string_view no_command_wanted =
    "-v and -K are about who you are: they take no command, and no -u, -g, -D, -P, -T or -r";
inline constexpr std::string_view other_user_lists =
    "-U is for -l: whose grants to list. To run as somebody: -u USER";
inline constexpr std::string_view one_thing_only = "-l, -v, -K, -h and -V exclude each other";
inline constexpr std::string_view one_shell_only = "-i and -s exclude each other";
inline constexpr std::string_view background_needs_command = "-b wants a command, not a shell";
inline constexpr std::string_view no_askpass =
    "-A isn't there yet: there is no program to ask for passwords. From a script use -S";
inline constexpr std::string_view no_bell = "-B isn't there: prompts don't ring";
inline constexpr std::string_view no_close_from =
    "-C isn't there: every descriptor above standard error is closed, always. To hand a file in, redirect it";
inline constexpr std::string_view no_whole_environment =
    "-E isn't there: a whole environment lets its owner run code as somebody else. Name what is needed: "
    "--preserve-env=NAME,…";
inline constexpr std::string_view no_edit =
    "-e isn't there yet: an editor run as root is a root shell. Edit a copy, and install it with: "
    "jit-sudo cp COPY FILE";
inline constexpr std::string_view no_chroot =
    "-R isn't there: in a directory tree that somebody else prepared nothing can be trusted "
    "(CVE-2025-32463). Run: jit-sudo chroot DIR COMMAND, where a role allows it";
inline constexpr std::string_view no_host =
    "-h with a host isn't there: grants are for the host that they are on (CVE-2025-32462). Run it there: "
    "ssh HOST jit-sudo COMMAND. -h alone is help";
inline std::string unknown_option(std::string_view option) {
    return "there is no option " + std::string(option) + ". Those that there are: jit-sudo -h";
}
inline std::string no_value_wanted(std::string_view option) {
    return std::string(option) + " takes no value";
}
inline std::string not_a_duration(std::string_view value) {
    return "-T " + std::string(value) + " is no time: write seconds, or 45s, 5m, 1h30m";
}
inline std::string not_a_variable(std::string_view name) {
    return "-P: " + std::string(name) + " is not the name of a variable. Several: NAME,NAME";
}
inline std::string not_handed_in(std::string_view name) {
    return std::string(name) + " is never handed in: jit-sudo sets it, or it would let its owner run code "
                               "as somebody else";
}
inline std::string value_not_handed_in(std::string_view name) {
    return "what " + std::string(name) +
           " is set to is never handed in: a shell would take it for a function";
}
inline constexpr std::string_view too_many_variables = "too many variables, or too long: 64, 32 KiB in all";
inline std::string no_such_directory(std::string_view directory, std::string_view why) {
    return "-D " + std::string(directory) + ": " + std::string(why);
}
inline std::string given_twice(std::string_view flag) {
    return std::string(flag) + " can be given once only";
}
inline std::string no_value(std::string_view flag) {
    return std::string(flag) + " wants a value";
}
inline std::string names_only(std::string_view flag, std::string_view what) {
    return std::string(flag) + " wants the name of a " + std::string(what) + ": numbers are not taken";
}
inline std::string not_a_name(std::string_view flag, std::string_view value, std::string_view what) {
    return std::string(flag) + ": " + std::string(value) + " is not the name of a " + std::string(what) +
           (flag == "-u" ? ", nor a number such as #1000" : "");
}

// What stands in the way of being root at all.
inline constexpr std::string_view no_new_privileges =
    "this process may gain no privileges (no_new_privs is set, as some containers and editors do), "
    "so jit-sudo can't run here. Use another terminal";
inline constexpr std::string_view nosuid_mount =
    "jit-sudo is on a file system that is mounted with nosuid, so it can't become root. Ask an administrator";
inline constexpr std::string_view user_namespace =
    "this is a user namespace (as unshare, bubblewrap and rootless containers make them): the host's root "
    "can't be reached from in here. Run jit-sudo outside of it";
inline constexpr std::string_view setuid_without_effect =
    "jit-sudo's setuid bit has no effect here: it is traced, or was started by what lets nothing become root";
inline constexpr std::string_view not_setuid = "jit-sudo must be owned by root and have the setuid bit: "
                                               "chown root:root, chmod 4755. Ask an administrator";

// What the kernel didn't do as told: nothing is safe then, and nothing is run.
inline constexpr std::string_view not_protected = "this process can't be protected from its new owner";
inline constexpr std::string_view descriptors_not_closed =
    "descriptors can't be closed (close_range: Linux 5.9)";
inline constexpr std::string_view mask_not_reset = "the signal mask can't be reset";
inline constexpr std::string_view environment_not_cleared = "the environment can't be cleared";
inline constexpr std::string_view core_not_ruled_out = "core files can't be ruled out";
inline constexpr std::string_view no_caller_rights = "files can't be looked up with your rights";
inline constexpr std::string_view rights_not_back = "root's rights on files don't come back";
inline constexpr std::string_view real_uid_not_set = "the real uid can't be set";
inline constexpr std::string_view no_number = "a user or group without a number";
inline constexpr std::string_view other_groups = "the kernel has other groups than it was given";
inline constexpr std::string_view other_ids = "the kernel has other ids than it was given";
inline constexpr std::string_view rights_not_given_up = "root's rights could be taken back";
inline constexpr std::string_view no_new_session = "setsid fails";
inline constexpr std::string_view terminal_not_taken = "the new terminal can't be taken";
inline constexpr std::string_view terminal_not_used = "the new terminal can't be used";
inline constexpr std::string_view no_directory = "chdir: there is no directory to start in";
inline std::string not_at_home(std::string_view home, std::string_view why) {
    return std::string(home) + ": " + std::string(why) + "; starting in /";
}

inline std::string command_not_found(std::string_view word) {
    return std::string(word) + ": command not found";
}
inline std::string shell_builtin(std::string_view word) {
    return std::string(word) + ": command not found: only a shell has it. " +
           (word == "cd" ? "To start in a directory: -D DIR. In a shell: " : "In one: ") +
           "jit-sudo sh -c '" + std::string(word) + " …'";
}
inline std::string not_a_command(std::string_view path) {
    return std::string(path) + " is not run: it is not an executable file";
}
inline std::string unsafe_path(std::string_view path, std::string_view part, std::string_view why) {
    return std::string(path) + " is not run: " + std::string(part) + ' ' + std::string(why) +
           ". Only what root alone can change is run";
}

// What a role holds its commands to.
inline std::string unsafe_path_of_role(std::string_view path, std::string_view part, std::string_view why) {
    return "the role confines its commands to " + std::string(path) + ", but " + std::string(part) + ' ' +
           std::string(why) + ", who could lead it elsewhere. Nothing is run; tell whoever keeps the policy";
}
inline std::string no_path_of_role(std::string_view path) {
    return "the role confines its commands to " + std::string(path) +
           ", which is not there. Nothing is run; tell whoever keeps the policy";
}
inline std::string directory_is_the_roles(std::string_view directory) {
    return "the role's commands start in " + std::string(directory) + ", and nowhere else. Leave -D out";
}
inline std::string directory_not_entered(std::string_view directory, std::string_view why) {
    return "the role's commands start in " + std::string(directory) + ": " + std::string(why);
}
inline std::string no_such_capability(std::string_view name) {
    return "the role names " + std::string(name) + ", which this kernel does not have. Nothing is run";
}
inline constexpr std::string_view capabilities_not_dropped = "capabilities can't be given up";
inline constexpr std::string_view no_landlock = "the role says where commands may write or execute, and "
                                                "Landlock is off on this host: not in its kernel, not in "
                                                "its lsm=, or kept from a container. Nothing is run";
inline std::string old_landlock(std::string_view key, std::string_view since) {
    return "the role's '" + std::string(key) + "' takes Linux " + std::string(since) +
           " or later, and this one is older. Nothing is run";
}
inline std::string second_factor_required(std::string_view service) {
    return "a second factor is required (PAM service " + std::string(service) +
           "), and -n says not to ask. Run it without -n";
}
// With the escapes of -p.
inline std::string second_factor_prompt(std::string_view service) {
    return "[jit-sudo] " + std::string(service) + " for %u: ";
}
inline std::string no_second_factor(std::string_view service) {
    return "a second factor is required, and there is no PAM service " + std::string(service) +
           ": make /etc/pam.d/" + std::string(service);
}

inline std::string no_answer(std::string_view why) {
    return "jitd does not answer (" + std::string(why) +
           "), so nothing is granted. See: systemctl status jitd";
}
inline constexpr std::string_view too_late = "no answer in time";
inline constexpr std::string_view connection_closed = "it closed the connection";
inline constexpr std::string_view not_roots_socket = "its socket is not root's";
inline constexpr std::string_view strange_answer =
    "jitd gave an answer that is not understood, so nothing is "
    "granted. Do jit-sudo and jitd have the same version?";
inline constexpr std::string_view too_long = "the command line is too long";

inline constexpr std::string_view password_required =
    "a password is required, and -n says not to ask. Run it without -n";
inline constexpr std::string_view terminal_required =
    "a password is required, and there is no terminal to read it from. With ssh use -t, in a script -S";
inline constexpr const char* try_again = "Sorry, try again.";
inline constexpr std::string_view password_too_long = "that is longer than any password may be";
inline constexpr std::string_view no_password = "no password was given";
inline constexpr std::string_view password_late = "no password in 5 minutes";

inline std::string wrong_passwords(int tries) {
    return std::to_string(tries) +
           (tries == 1 ? " incorrect password attempt" : " incorrect password attempts");
}
inline std::string wrong_passwords_and(int tries, std::string_view why) {
    return wrong_passwords(tries) + "; " + std::string(why);
}
inline std::string password_prompt(std::string_view caller) {
    return "[jit-sudo] password for " + std::string(caller) + ": ";
}

// What the account phase says, which is always asked.
inline constexpr std::string_view password_expired = "your password has expired. Change it first: passwd";
inline constexpr std::string_view account_expired = "your account has expired. Ask an administrator";
inline constexpr std::string_view account_refused =
    "your account is not let in: locked, or not allowed here or now (PAM service jit-sudo)";
inline constexpr std::string_view pam_renamed = "PAM authenticated another account than it was asked about";
inline std::string pam_failed(std::string_view step, std::string_view why) {
    return "PAM: " + std::string(step) + ": " + std::string(why);
}

// Between the yes and the command.
inline constexpr std::string_view not_a_cgroup = "jitd named no cgroup for the command";
inline constexpr std::string_view limits_not_set = "the command's resource limits can't be set";
inline constexpr std::string_view limits_not_restored = "your resource limits can't be restored";
inline constexpr std::string_view grant_ended_meanwhile =
    "the grant that allows it has ended meanwhile; run it again, to hear what else would";
inline constexpr std::string_view child_died = "the command's process died before it could start";

inline std::string not_executed(std::string_view path, std::string_view why) {
    return std::string(path) + ": " + std::string(why);
}

inline std::string ending_soon(std::string_view role, std::string_view left, std::string_view time,
                               std::string_view grant) {
    return "jit-sudo: " + std::string(role) + " ends in " + std::string(left) + ", at " + std::string(time) +
           ". To go on, in another terminal: jitctl extend " + std::string(grant) + " --reason …";
}
inline std::string ended(std::string_view why) {
    return std::string(why) + "; the command was killed. What you have now: jit-sudo -l";
}
inline std::string timed_out(std::string_view duration) {
    return "the command ran for " + std::string(duration) + " (-T), and was killed";
}
inline std::string time_is_up(std::string_view role, std::string_view time) {
    return std::string(role) + " ended at " + std::string(time) +
           "; the command was killed. To go on: jitctl request " + std::string(role) + " --reason …";
}

inline std::string system_call(std::string_view what, std::string_view why) {
    return std::string(what) + ": " + std::string(why);
}

} // namespace jit::messages
