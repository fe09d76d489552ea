// SPDX-License-Identifier: MIT
#include "daemon/search/stock_places.h"

#include <algorithm>
#include <array>

namespace jit {
namespace {

// The first of these that a path begins with.
struct Purpose {
    std::string_view path;
    std::string_view what;
};
constexpr std::array purposes{
    Purpose{"/etc/sudoers", "sudoers"},
    Purpose{"/etc/doas.conf", "sudoers"},
    Purpose{"/etc/polkit-1", "polkit rule"},
    Purpose{"/etc/pam", "PAM"},
    Purpose{"/etc/security", "PAM"},
    Purpose{"/etc/ssh", "sshd"},
    Purpose{"/etc/cron", "cron"},
    Purpose{"/etc/anacrontab", "cron"},
    Purpose{"/etc/userdb/", account_record},
    Purpose{"/run/userdb/", account_record},
    Purpose{"/run/host/userdb/", account_record},
    Purpose{"/usr/lib/userdb/", account_record},
    Purpose{"/usr/local/lib/userdb/", account_record},
    Purpose{"/var/spool/cron/atjobs", "at job"},
    Purpose{"/var/spool/cron/a", "at job"},
    Purpose{"/var/spool/at", "at job"},
    Purpose{"/var/spool/cron", "cron"},
    Purpose{"/var/lib/systemd/linger", "linger"},
    Purpose{"/var/lib/dpkg/info", "package script"},
    Purpose{"/etc/systemd", "unit"},
    Purpose{"/run/systemd", "unit"},
    Purpose{"/usr/local/lib/systemd", "unit"},
    Purpose{"/usr/local/share/systemd", "unit"},
    Purpose{"/usr/lib/systemd", "unit"},
    Purpose{"/usr/share/systemd", "unit"},
    Purpose{"/etc/init.d", "unit"},
    Purpose{"/etc/rc", "unit"},
    Purpose{"/etc/modules", "kernel module"},
    Purpose{"/etc/modprobe.d", "kernel module"},
    Purpose{"/etc/ld.so", "loader"},
    Purpose{"/etc/jit", "jit-sudo"},
    Purpose{"/usr/lib/jit-sudo", "jit-sudo"},
    Purpose{"/usr/bin/jit", "jit-sudo"},
    Purpose{"/usr/local/bin", "program"},
    Purpose{"/usr/local/sbin", "program"},
    Purpose{"/etc", "configuration"},
    Purpose{"/root", "configuration"},
};

constexpr std::array trees{
    "/etc", "/var/spool/cron", "/var/spool/at", "/var/lib/systemd/linger", "/run/host/userdb",
    // Units, generators, and what runs at a boot, a sleep and a shutdown.
    "/run/systemd/system", "/run/systemd/system.control", "/run/systemd/system.attached",
    "/run/systemd/transient", "/run/systemd/generator", "/run/systemd/generator.early",
    "/run/systemd/generator.late", "/run/systemd/user", "/run/systemd/system-generators",
    "/run/systemd/user-generators", "/run/systemd/system-environment-generators",
    "/run/systemd/user-environment-generators", "/usr/local/lib/systemd", "/usr/local/share/systemd/user",
    "/usr/share/systemd/user", "/usr/lib/systemd/system", "/usr/lib/systemd/user",
    "/usr/lib/systemd/system-generators", "/usr/lib/systemd/user-generators",
    "/usr/lib/systemd/system-environment-generators", "/usr/lib/systemd/user-environment-generators",
    "/usr/lib/systemd/system-shutdown", "/usr/lib/systemd/system-sleep", "/usr/lib/jit-sudo",
    // PAM's modules.
    "/usr/lib/x86_64-linux-gnu/security", "/usr/lib/aarch64-linux-gnu/security", "/usr/lib64/security",
    "/usr/lib/security",
    // Accounts and groups, besides those of /etc and /run.
    "/usr/lib/userdb", "/usr/local/lib/userdb"};
// Those that hold most files, should there be too many in all.
constexpr std::array last_trees{"/usr/local/bin", "/usr/local/sbin", "/var/lib/dpkg/info"};

// Some things are configured in /etc, which is a tree of its own, and in each of these.
constexpr std::array configured{"/run/", "/usr/lib/", "/usr/local/lib/"};
constexpr std::array configuration{
    Purpose{"udev/rules.d", "udev rule"},
    Purpose{"tmpfiles.d", "configuration"},
    Purpose{"sysctl.d", "configuration"},
    Purpose{"modprobe.d", "kernel module"},
    Purpose{"modules-load.d", "kernel module"},
    Purpose{"environment.d", "configuration"},
    Purpose{"binfmt.d", "configuration"},
    Purpose{"sysusers.d", "configuration"},
    Purpose{"pam.d", "PAM"},
};
constexpr std::array shared{"/usr/share/", "/usr/local/share/"};
constexpr std::array of_buses{
    Purpose{"polkit-1/rules.d", "polkit rule"},        Purpose{"polkit-1/actions", "polkit rule"},
    Purpose{"dbus-1/system-services", "dbus service"}, Purpose{"dbus-1/system.d", "configuration"},
    Purpose{"dbus-1/services", "dbus service"},
};

// These below each of those.
struct Place {
    std::string path;
    std::string_view what;
};
const std::vector<Place>& vendor_places() {
    static const std::vector<Place> places = [] {
        std::vector<Place> all;
        const auto add = [&](const auto& bases, const auto& names) {
            for (const char* base : bases) {
                for (const Purpose& name : names) {
                    all.push_back({.path = std::string(base).append(name.path), .what = name.what});
                }
            }
        };
        add(configured, configuration);
        add(shared, of_buses);
        return all;
    }();
    return places;
}

constexpr std::array package_scripts{".preinst", ".postinst", ".prerm", ".postrm"};

constexpr std::array personal_trees{
    Personal{".config/systemd/user", "unit"},
    Personal{".config/systemd/user.control", "unit"},
    Personal{".local/share/systemd/user", "unit"},
    Personal{".config/environment.d", "startup file"},
    Personal{".local/share/dbus-1/services", "dbus service"},
};
constexpr std::array run_time_trees{
    Personal{"systemd/user", "unit"},
    Personal{"systemd/user.control", "unit"},
    Personal{"systemd/transient", "unit"},
    Personal{"dbus-1/services", "dbus service"},
};

} // namespace

std::vector<std::string> stocked_trees() {
    std::vector<std::string> all(trees.begin(), trees.end());
    for (const Place& place : vendor_places()) {
        all.push_back(place.path);
    }
    all.insert(all.end(), last_trees.begin(), last_trees.end());
    return all;
}

std::string purpose_of(std::string_view path) {
    if (path.ends_with("/pam_jit.so")) {
        return "jit-sudo";
    }
    if (path.ends_with(".so")) {
        return "PAM";
    }
    const auto begins = [&](const auto& place) { return path.starts_with(place.path); };
    if (const auto found = std::ranges::find_if(vendor_places(), begins); found != vendor_places().end()) {
        return std::string(found->what);
    }
    const auto* const found = std::ranges::find_if(purposes, begins);
    return std::string(found != purposes.end() ? found->what : "configuration");
}

bool is_stocked(std::string_view path) {
    if (path.starts_with("/var/lib/dpkg/info/")) {
        return std::ranges::any_of(package_scripts,
                                   [&](const char* suffix) { return path.ends_with(suffix); });
    }
    return !path.ends_with(".scope");
}

bool goes_by_status(std::string_view purpose) {
    return purpose == "program" || purpose == "package script";
}

std::span<const Personal> trees_at_home() {
    return personal_trees;
}

std::span<const Personal> trees_at_run_time() {
    return run_time_trees;
}

} // namespace jit
