// SPDX-License-Identifier: MIT
// Takes a set-id file's bits away, and has it written down first: whoever searches again after a crash would
// find nothing any more.
#pragma once

#include "core/error.h"
#include "daemon/search_protocol.h"

#include <set>
#include <string>
#include <sys/stat.h>

namespace jit {

[[nodiscard]] std::string described(const struct stat& file, const std::string& path);

// What a file is, by a descriptor that opens nothing (O_PATH): its owner may hold a lease on it, which an
// open would wait for.
[[nodiscard]] Result<void> disarm(int place);

// What was disarmed for a grant, whether this search lives to tell or not.
class DisarmNote {
public:
    explicit DisarmNote(const RequestId& grant, std::string directory = {});

    struct Entry {
        std::string name;
        Uid setuid = no_uid; // none: it was setgid
        auto operator<=>(const Entry&) const = default;
    };
    // By a search before this one.
    [[nodiscard]] const std::set<Entry>& before() const { return before_; }
    [[nodiscard]] Result<void> add(const Entry& entry);

private:
    std::string path_;
    std::set<Entry> before_;
};

} // namespace jit
