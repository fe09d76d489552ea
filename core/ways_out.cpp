// SPDX-License-Identifier: MIT
#include "core/ways_out.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

namespace jit {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 13> shells = {"sh",   "bash", "dash", "ash",     "zsh",   "ksh", "csh",
                                                     "tcsh", "fish", "mksh", "busybox", "rbash", "su"};

constexpr std::array<std::string_view, 16> editors = {"vi",   "vim",    "view",  "vimdiff", "nvim", "nano",
                                                      "pico", "rnano",  "emacs", "ed",      "red",  "ex",
                                                      "joe",  "mcedit", "micro", "editor"};
constexpr std::array<std::string_view, 9> pagers = {"less",  "more",  "most",   "pager", "man",
                                                    "zless", "zmore", "bzless", "info"};
constexpr std::array<std::string_view, 8> hosts_of_shells = {"screen", "tmux", "script", "mc",
                                                             "visudo", "vipw", "vigr",   "expect"};

// With arguments of the caller's choice, or with none: then they read what to do from their input.
constexpr std::array<std::string_view, 25> interpreters = {
    "python", "perl", "ruby",  "node",  "nodejs", "lua",    "php",  "awk",   "gawk",
    "mawk",   "nawk", "tclsh", "wish",  "gdb",    "sqlite", "psql", "mysql", "mariadb",
    "ftp",    "sftp", "irb",   "guile", "java",   "jshell", "erl"};

// With arguments of the caller's choice.
constexpr std::array<std::string_view, 43> starters = {
    "find",        "tar",     "zip",     "rsync",   "ssh",     "scp",     "git",
    "env",         "xargs",   "nice",    "nohup",   "timeout", "time",    "watch",
    "strace",      "ltrace",  "make",    "docker",  "podman",  "nerdctl", "chroot",
    "unshare",     "nsenter", "setpriv", "sudo",    "doas",    "runuser", "ip",
    "flock",       "setsid",  "stdbuf",  "ionice",  "chrt",    "taskset", "start-stop-daemon",
    "systemd-run", "tcpdump", "nmap",    "crontab", "at",      "batch",   "run-parts",
    "capsh"};
constexpr std::array<std::string_view, 24> writers = {
    "cp",      "mv",      "install", "dd",       "tee",    "ln",       "chmod", "chown",
    "chgrp",   "setfacl", "setcap",  "mount",    "sed",    "curl",     "wget",  "openssl",
    "useradd", "usermod", "passwd",  "chpasswd", "insmod", "modprobe", "patch", "sponge"};
constexpr std::array<std::string_view, 14> installers = {"apt", "apt-get", "aptitude", "dpkg",   "rpm",
                                                         "dnf", "yum",     "zypper",   "pip",    "npm",
                                                         "gem", "cargo",   "snap",     "flatpak"};

bool is_in(Names names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

// "python3.11" and "vim.tiny" are python and vim.
std::string_view plain_name(std::string_view path) {
    std::string_view name = path.substr(path.rfind('/') + 1);
    if (const auto dot = name.find('.'); dot != std::string_view::npos && dot > 0) {
        name = name.substr(0, dot);
    }
    const auto last = name.find_last_not_of("0123456789");
    return last == std::string_view::npos ? name : name.substr(0, last + 1);
}

// Its first word is "edit", or may be.
bool may_be_edit(const CommandPattern& command) {
    const std::string text = command.text();
    const std::string_view rest =
        std::string_view(text).substr(std::min(command.path().size() + 1, text.size()));
    const std::string_view verb = rest.substr(0, rest.find(' '));
    return verb == "edit" || verb.find('*') != std::string_view::npos;
}

} // namespace

bool is_shell(std::string_view path) {
    return is_in(shells, plain_name(path));
}

std::optional<std::string_view> way_out(const CommandPattern& command) {
    const std::string_view name = plain_name(command.path());
    const auto fixed = command.literal_arguments();
    if (is_in(editors, name)) {
        return "an editor starts a shell, and writes any file";
    }
    if (is_in(pagers, name)) {
        return "a pager starts a shell: !sh";
    }
    if (is_in(hosts_of_shells, name)) {
        return "it starts a shell or an editor";
    }
    if (is_in(interpreters, name) && (!fixed || fixed->empty())) {
        return "an interpreter runs whatever it is told";
    }
    // systemctl with another verb than edit is no way out: jit-sudo makes its pager a harmless one.
    if (name == "systemctl" && may_be_edit(command)) {
        return "'systemctl edit' starts an editor";
    }
    if (fixed) {
        return std::nullopt;
    }
    if (is_in(starters, name)) {
        return "it can be told to start any program";
    }
    if (is_in(writers, name)) {
        return "it can be told to write or change any file";
    }
    if (is_in(installers, name)) {
        return "what is installed runs scripts of its own";
    }
    return std::nullopt;
}

} // namespace jit
