// SPDX-License-Identifier: MIT
// The kernel's audit record of a command, AUDIT_USER_CMD, as auditd's tools know it from sudo:
//
//   type=USER_CMD msg=audit(…): pid=… uid=… auid=… ses=… msg='cwd="/home/alice" cmd=6964202D75
//   exe="/usr/bin/jit-sudo" terminal=pts/0 res=success'
//
// Pid, ids and session are the sender's, put there by the kernel: so it is sent from here and not by jitd.
// (Fields: audit-userspace's specifications, "audit event fields". Frame: netlink(7), linux/audit.h.)
//
// MUST:
//  1. Where there is no audit, or a container may not write to it, nothing is said and nothing fails: what
//     must be recorded is in jitd's trail.
//  2. A value that could end its quotes, or holds anything but printable ASCII, is in hexadecimal digits.
//  3. Nothing is waited for here. (While its queue is full the kernel itself holds up whoever sends a record,
//     for at most the administrator's `auditctl --backlog_wait_time`.)
#pragma once

#include "helper/path.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jit {

inline constexpr std::uint16_t audit_user_cmd = 1123; // of user space's range: the kernel's header lacks it

struct UserCommand {
    std::string cwd;      // empty: it has no name
    std::string words;    // what is run, divided by blanks
    std::string exe;      // this program
    std::string terminal; // "/dev/pts/0", or empty
};

[[nodiscard]] std::string audit_text(const UserCommand& command, bool success);
[[nodiscard]] std::string audit_frame(std::string_view text);

// One attempt, one record: that it started, or, at the end of this object at the latest, that it did not.
class AuditRecord {
public:
    AuditRecord(const Program& program, const std::vector<std::string>& arguments, const std::string& cwd,
                const std::string& terminal);
    ~AuditRecord();
    AuditRecord(const AuditRecord&) = delete;
    AuditRecord& operator=(const AuditRecord&) = delete;

    // Once it is known which shell it is.
    void settled(const Program& program, const std::vector<std::string>& arguments);
    void started();
    void refused(); // while this is still root

private:
    UserCommand command_;
    bool sent_ = false;
};

} // namespace jit
