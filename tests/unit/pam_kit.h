// SPDX-License-Identifier: MIT
// Service files as distributions ship them, without their comments but one or two, and what they include.
#pragma once

#include "ctl/pam_stack.h"

#include <map>
#include <string>

namespace jit {

// Debian 12 and 13; 13's differs in the arguments of pam_env only.
inline const std::string debian_sshd = R"(# PAM configuration for the Secure Shell service

# Standard Un*x authentication.
@include common-auth

# Disallow non-root logins when /etc/nologin exists.
account    required     pam_nologin.so

# Standard Un*x authorization.
@include common-account

session [success=ok ignore=ignore module_unknown=ignore default=bad]        pam_selinux.so close

# Set the loginuid process attribute.
session    required     pam_loginuid.so

# Create a new session keyring.
session    optional     pam_keyinit.so force revoke

# Standard Un*x session setup and teardown.
@include common-session

session    optional     pam_motd.so  motd=/run/motd.dynamic
session    optional     pam_mail.so standard noenv # [1]
session    required     pam_limits.so
session [success=ok ignore=ignore module_unknown=ignore default=bad]        pam_selinux.so open

# Standard Un*x password updating.
@include common-password
)";
inline const std::string debian_login = R"(auth       optional   pam_faildelay.so  delay=3000000
auth       requisite  pam_nologin.so
session [success=ok ignore=ignore module_unknown=ignore default=bad] pam_selinux.so close
session    required     pam_loginuid.so
session    optional   pam_motd.so motd=/run/motd.dynamic
session       required   pam_env.so readenv=1
@include common-auth
auth       optional   pam_group.so
session    required   pam_limits.so
session    optional   pam_keyinit.so force revoke
# Standard Un*x account and session
@include common-account
@include common-session
@include common-password
)";
inline const std::string debian_su = R"(auth       sufficient pam_rootok.so
session       required   pam_env.so readenv=1
session    optional   pam_mail.so nopen
session    required   pam_limits.so
@include common-auth
@include common-account
@include common-session


)";
inline const std::string debian_su_l = "#%PAM-1.0\n"
                                       "auth\t\tinclude\t\tsu\n"
                                       "account\t\tinclude\t\tsu\n"
                                       "password\tinclude\t\tsu\n"
                                       "session\t\toptional\tpam_keyinit.so force revoke\n"
                                       "session\t\tinclude\t\tsu\n";
inline const std::string debian_sudo = R"(#%PAM-1.0

# Set up user limits from /etc/security/limits.conf.
session    required   pam_limits.so

@include common-auth
@include common-account
@include common-session-noninteractive
)";
inline const std::string debian_sudo_i = R"(#%PAM-1.0
session    required   pam_limits.so
@include common-auth
@include common-account
@include common-session
)";
inline const std::string debian_runuser = "#%PAM-1.0\n"
                                          "auth\t\tsufficient\tpam_rootok.so\n"
                                          "session\t\trequired\tpam_limits.so\n";
inline const std::string el_sshd = R"(#%PAM-1.0
auth       substack     password-auth
auth       include      postlogin
account    required     pam_sepermit.so
account    required     pam_nologin.so
account    include      password-auth
password   include      password-auth
# pam_selinux.so close should be the first session rule
session    required     pam_selinux.so close
session    required     pam_loginuid.so
# pam_selinux.so open should only be followed by sessions to be executed in the user context
session    required     pam_selinux.so open env_params
session    required     pam_namespace.so
session    optional     pam_keyinit.so force revoke
session    optional     pam_motd.so
session    include      password-auth
session    include      postlogin
)";
inline const std::string el_su = R"(#%PAM-1.0
auth		required	pam_env.so
auth		sufficient	pam_rootok.so
auth		substack	system-auth
auth		include		postlogin
account		sufficient	pam_succeed_if.so uid = 0 use_uid quiet
account		include		system-auth
password	include		system-auth
session		include		system-auth
session		include		postlogin
session		optional	pam_xauth.so
)";
inline const std::string el_system_auth = R"(auth        required      pam_env.so
auth        sufficient    pam_unix.so nullok
auth        required      pam_deny.so
account     required      pam_unix.so
account     sufficient    pam_localuser.so
account     sufficient    pam_usertype.so issystem
account     required      pam_permit.so
password    sufficient    pam_unix.so sha512 shadow
session     optional      pam_keyinit.so revoke
session     required      pam_limits.so
-session    optional      pam_systemd.so
session     [success=1 default=ignore] pam_succeed_if.so service in crond quiet use_uid
session     required      pam_unix.so
)";

inline const std::map<std::string, std::string, std::less<>> included_files = {
    {"common-auth", "auth\t[success=1 default=ignore]\tpam_unix.so nullok\n"
                    "auth\trequisite\t\t\tpam_deny.so\n"
                    "auth\trequired\t\t\tpam_permit.so\n"
                    "auth\toptional\t\t\tpam_cap.so \n"},
    {"common-account", "account\t[success=1 new_authtok_reqd=done default=ignore]\tpam_unix.so \n"
                       "account\trequisite\t\t\tpam_deny.so\n"
                       "account\trequired\t\t\tpam_permit.so\n"},
    {"common-session", "session\t[default=1]\t\t\tpam_permit.so\n"
                       "session\trequisite\t\t\tpam_deny.so\n"
                       "session\trequired\t\t\tpam_permit.so\n"
                       "session\toptional\tpam_systemd.so \n"},
    {"common-session-noninteractive", "session\t[default=1]\t\t\tpam_permit.so\n"
                                      "session\trequisite\t\t\tpam_deny.so\n"
                                      "session\trequired\t\t\tpam_permit.so\n"},
    {"common-password", "password\trequired\tpam_unix.so\n"},
    {"system-auth", el_system_auth},
    {"password-auth", el_system_auth},
    {"postlogin", "session     optional      pam_umask.so silent\n"},
    {"su", debian_su},
    {"endless", "account include endless\n"},
    {"resets", "account [default=reset] pam_x.so\n"},
    {"gated", "account required pam_jit.so mode=enforce\n"},
};

inline Result<std::string> read_known(const std::string& name) {
    const auto found = included_files.find(name);
    return found == included_files.end() ? fail(Errc::not_found, "no such file")
                                         : Result<std::string>(found->second);
}

} // namespace jit
