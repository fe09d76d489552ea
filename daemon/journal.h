// SPDX-License-Identifier: MIT
// To the journal, by its native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL). Not through
// libsystemd, whose socket blocks when journald doesn't read: a stopped journald must not stop an end. What
// it can't take is dropped here; the audit in the database has it.
#pragma once

#include "core/audit.h"
#include "core/fd.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jit {

class Journal {
public:
    enum class Level { alert = 1, critical = 2, error = 3, warning = 4, notice = 5, info = 6 }; // syslog(3)

    Journal();

    using Fields = std::vector<std::pair<std::string_view, std::string>>; // NAME, one line of text
    void send(Level level, std::string_view message, const Fields& fields = {});
    // As sudo logs one: facility authpriv, in the name of jit-sudo. `line` is one already (sudo_line.h).
    void send_command(Level level, std::string_view line, const Fields& fields);
    void send(const Event& event);
    void send(const Checkpoint& checkpoint);

private:
    void send_packet(std::string packet, const Fields& fields);

    Fd socket_;
};

} // namespace jit
